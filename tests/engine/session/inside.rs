//! What a session finds inside: the user's mounts, and the limits of the container.

use std::fs;

use super::Place;

#[test]
fn mounts_are_where_they_were_asked_for_and_as_writable() {
    let Some(place) = Place::new() else { return };
    let folder = |name: &str| {
        let path = place.sandbox.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), format!("of {name}\n")).unwrap();
        path
    };
    let (plain, elsewhere, fixed) = (folder("plain"), folder("else where"), folder("fixed"));
    let flags = [
        "--mount".to_owned(),
        plain.display().to_string(),
        "--mount".to_owned(),
        format!("{}:/srv/there", elsewhere.display()),
        "--mount".to_owned(),
        format!("{}:/srv/fixed:ro", fixed.display()),
    ];
    let script = "
        cat /mnt/plain/file /srv/there/file /srv/fixed/file
        for folder in /mnt/plain /srv/there /srv/fixed; do
            touch $folder/made 2>/dev/null && echo $folder is writable
        done
        true";
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    place
        .shell(&flags, script)
        .run()
        .assert_success()
        .assert_stdout("of plain\nof else where\nof fixed\n/mnt/plain is writable\n/srv/there is writable\n");
    assert!(plain.join("made").exists() && elsewhere.join("made").exists() && !fixed.join("made").exists());
}

#[test]
fn what_could_harm_the_host_or_its_network_is_not_allowed() {
    let Some(place) = Place::new() else { return };
    // Also to root, and to whoever becomes root by sudo.
    let output = place.exec(&["sudo", "-n", "grep", "CapBnd", "/proc/self/status"]).run();
    let bounding = output.assert_success().stdout().trim().trim_start_matches("CapBnd:").trim().to_owned();
    let bounding = u64::from_str_radix(&bounding, 16).expect("a mask in hexadecimal");
    for (name, bit) in
        [("NET_ADMIN", 12), ("NET_RAW", 13), ("SYS_PTRACE", 19), ("SYS_ADMIN", 21), ("MKNOD", 27)]
    {
        assert_eq!(bounding & (1 << bit), 0, "{name} in {bounding:x}");
    }

    let container = place.container();
    let host = &container["HostConfig"];
    assert_eq!((&host["PidsLimit"], &host["Privileged"]), (&4096.into(), &false.into()));
    // The paths where the two versions of control groups show it.
    let limit = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true";
    place.exec(&["sh", "-c", limit]).run().assert_success().assert_stdout("4096\n");
}

#[test]
fn the_first_process_collects_the_ones_that_lost_their_parent() {
    let Some(place) = Place::new() else { return };
    // The inner shell outlives the one that started it, and ends when its input does.
    let script = "
        mkfifo /tmp/gate
        orphan=$( (sh -c 'echo $$; exec 1>&-; read line </tmp/gate' &) )
        grep '^PPid' /proc/$orphan/status
        echo go >/tmp/gate
        timeout 60 sh -c \"while [ -d /proc/$orphan ]; do :; done\"";
    place.exec(&["sh", "-c", script]).run().assert_success().assert_stdout("PPid:\t1\n");
}
