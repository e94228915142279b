//! An engine that is reached by SSH, and is on this machine after all: in the place of `ssh` stands a script that runs
//! the command it is given here, as the other side's login shell would.

use std::os::unix::fs::PermissionsExt;

use super::Place;

#[test]
fn a_session_works_through_it() {
    let Some(place) = Place::new() else { return };
    let bin = place.sandbox.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let script = "#!/bin/sh\nfor command; do :; done\nexec sh -c \"$command\"\n";
    std::fs::write(bin.join("ssh"), script).unwrap();
    std::fs::set_permissions(bin.join("ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let exec = |command: &[&str]| {
        let call = place.reactor(&[&["exec", "--engine", "ssh://here", "--"], command].concat());
        call.env("PATH", &path)
    };
    exec(&["sh", "-c", "echo made >/app/file; exit 3"]).run().assert_code(3);
    assert_eq!(std::fs::read_to_string(place.project().path().join("file")).unwrap(), "made\n");
    // Both ways at once, and to the end.
    let input = "line\n".repeat(200_000);
    exec(&["cat"]).stdin(input.clone()).run().assert_success().assert_stdout(&input);
}
