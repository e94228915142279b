//! What the files choose for a container is real inside it, and a change makes it anew with the field named.

use super::Place;
use crate::support::invocation::Invocation;

impl Place {
    fn write_session_file(&self, text: &str) {
        let path = format!(".claude-reactor/user/app-{}/.claude-reactor", self.project().hash());
        self.sandbox.write_home(&path, text);
    }

    /// What a command inside says.
    fn says(&self, command: &[&str]) -> String {
        self.exec(command).run().assert_success().stdout().trim().to_owned()
    }
}

/// The limits as the kernel has them, on either version of control groups. (A value that is not limited is no number.)
const LIMITS: &str = "\
cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null
cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null
cat /sys/fs/cgroup/cpu.max 2>/dev/null ||
  echo $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us)";

#[test]
fn limits_variables_mounts_and_sudo_are_real_inside() {
    let Some(place) = Place::new() else { return };
    let data = place.sandbox.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("note"), "from the host").unwrap();
    place.write_session_file(
        "limits: {cpus: 1.5, memory: 512m, pids: 150}\nsudo: false\nmounts:\n  - ../data:/srv/data:ro\n\
         env:\n  EDITOR: vim -u NONE\n  COUNT: 3\n",
    );
    assert_eq!(place.says(&["sh", "-c", LIMITS]), "536870912\n150\n150000 100000");
    assert_eq!(place.says(&["sh", "-c", "echo \"$EDITOR $COUNT\""]), "vim -u NONE 3");
    assert_eq!(place.says(&["cat", "/srv/data/note"]), "from the host");
    place.exec(&["touch", "/srv/data/new"]).run().assert_stderr_contains("Read-only file system");
    assert_eq!(place.says(&["sh", "-c", "grep NoNewPrivs /proc/self/status"]), "NoNewPrivs:\t1");

    let described = place.container();
    assert_eq!(described["HostConfig"]["NanoCpus"], 1_500_000_000);
    assert_eq!(described["HostConfig"]["Memory"], 512 << 20);
    assert_eq!(described["HostConfig"]["PidsLimit"], 150);
}

#[test]
fn a_session_has_the_variables_too() {
    let Some(place) = Place::new() else { return };
    place.write_session_file("env: {EDITOR: vim}\n");
    let output = place.shell(&[], "echo \"$EDITOR\"\n").run();
    assert_eq!(output.assert_success().stdout(), "vim\n");
}

#[test]
fn sudo_works_unless_it_is_taken_away() {
    let Some(place) = Place::new() else { return };
    // Root needs no sudo, so the caller is somebody else.
    let as_somebody = |invocation: Invocation<'_>| {
        let is_root = rustix::process::getuid().is_root();
        if is_root { invocation.user(1000, 1000).run() } else { invocation.run() }
    };
    assert_eq!(as_somebody(place.exec(&["sudo", "-n", "id", "-u"])).assert_success().stdout(), "0\n");
    place.write_session_file("sudo: false\n");
    let refused = as_somebody(place.shell(&[], "sudo -n id -u\n"));
    refused.assert_stderr_contains("no new privileges");
    assert_ne!(refused.code(), Some(0));
}

#[test]
fn a_change_makes_the_container_anew_and_is_named() {
    let Some(place) = Place::new() else { return };
    let data = place.sandbox.path().join("data");
    std::fs::create_dir(&data).unwrap();
    place.exec(&["true"]).run().assert_success();
    let mut id = place.id();
    for (text, why) in [
        ("limits: {memory: 1g}\n", "the limit of memory changed"),
        ("limits: {memory: 1g, cpus: 1}\n", "the limit of processors changed"),
        ("limits: {memory: 1g, cpus: 1, pids: 300}\n", "the limit of processes changed"),
        ("sudo: false\n", "the limit of memory changed"),
        ("mounts: [../data]\n", "the mount /mnt/data is new, whether sudo works changed"),
        ("env: {A: b}\n", "the mount /mnt/data is gone, the variable A is new"),
    ] {
        place.write_session_file(text);
        let report = place.reactor(&["run", "--dry-run", "--json"]).run().assert_success().json();
        assert_eq!(report["action"], "recreate", "{text}");
        let output = place.shell(&[], "true\n").run();
        output
            .assert_success()
            .assert_stderr_contains("making the container anew: ")
            .assert_stderr_contains(why);
        let anew = place.id();
        assert_ne!(anew, id, "{text}");
        id = anew;
        place.shell(&[], "true\n").run().assert_success();
        assert_eq!(place.id(), id, "an untouched one stays");
    }
}

#[test]
fn a_session_that_is_not_to_persist_leaves_no_container() {
    let Some(place) = Place::new() else { return };
    place.write_session_file("session_persistence: false\n");
    place.shell(&[], "true\n").run().assert_success();
    assert_eq!(place.engine.containers(place.project().path()), [] as [serde_json::Value; 0]);
}

#[test]
fn a_projects_file_counts_once_its_user_has_consented() {
    let Some(place) = Place::new() else { return };
    place.write_session_file("");
    place.project().write(".claude-reactor", "env: {TEAM: blue}\n");
    let dry = place.reactor(&["run", "--dry-run", "--json"]).run().assert_success().json();
    let awaited = dry["awaits_consent"].as_array().expect("a list");
    assert!(awaited.len() == 1 && awaited[0].as_str().unwrap().ends_with(":1:7: env.TEAM = blue"), "{dry}");
    place.exec(&["true"]).run().assert_code(2).assert_stderr_contains("env.TEAM = blue");
    assert!(place.engine.containers(place.project().path()).is_empty(), "nothing was started");

    place.reactor(&["config", "trust", "--yes"]).run().assert_success();
    assert_eq!(place.says(&["sh", "-c", "echo $TEAM"]), "blue");
    let dry = place.reactor(&["run", "--dry-run", "--json"]).run().assert_success().json();
    assert_eq!(dry["awaits_consent"], serde_json::json!([]));

    // What a session writes into its project's file waits for its user again.
    place.exec(&["sh", "-c", "echo 'danger: true' >>/app/.claude-reactor"]).run().assert_success();
    place.exec(&["true"]).run().assert_code(2).assert_stderr_contains(":2:1: danger = true");
}

/// Key, value and origin of every setting of a dry run.
fn settings(place: &Place, flags: &[&str], vars: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let mut invocation = place.project().reactor(&[&["run", "--dry-run", "--json"], flags].concat());
    for (name, value) in vars {
        invocation = invocation.env(name, value);
    }
    let report = invocation.run().assert_success().json();
    let text = |value: &serde_json::Value| place.sandbox.redactions().apply(value.as_str().expect("a text"));
    let entry =
        |entry: &serde_json::Value| (text(&entry["key"]), text(&entry["value"]), text(&entry["source"]));
    report["settings"].as_array().expect("a list").iter().map(entry).collect()
}

#[test]
fn every_key_comes_from_the_highest_layer_that_has_it_and_says_so() {
    let Some(place) = Place::new() else { return };
    for (name, text) in [("low", "low"), ("account", "account"), ("session", "session"), ("flag", "flag")] {
        let folder = place.sandbox.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("x"), text).unwrap();
    }
    let root = place.sandbox.path().display().to_string();
    let user = format!(
        "llm: {{provider: zai, small_model: small-0, env: session}}\nhost_docker_timeout: 1m\n\
         ssh_agent_socket: /run/user.sock\nlimits: {{cpus: 1, memory: 1g, pids: 1000}}\nregistry: ghcr.io/acme\n\
         sudo: false\nmounts: ['{root}/low']\nenv: {{A: user, B: user, C: user}}\n"
    );
    place.sandbox.write_home(".claude-reactor/config.yaml", user);
    let account = format!(
        "host_docker_timeout: 2m\nlimits: {{memory: 2g}}\nmounts: ['{root}/account']\nenv: {{B: account}}\n\
         session_persistence: false\nllm: {{export_key: true}}\n"
    );
    place.sandbox.write_home(".claude-reactor/user/config.yaml", account);
    place
        .project()
        .write(".claude-reactor", "limits: {pids: 900}\nllm: {model: big-1}\nhost_docker: false\n");
    place.write_session_file(
        "host_docker_timeout: 3m\nmounts: [../session]\nenv: {C: session}\ndanger: true\n",
    );
    let entries = settings(
        &place,
        &["--mount", &format!("{root}/flag"), "--host-docker-timeout", "5m", "--no-persist"],
        &[("CLAUDE_REACTOR_HOST_DOCKER_TIMEOUT", "4m"), ("CLAUDE_REACTOR_SUDO", "true")],
    );
    let lines: Vec<String> =
        entries.iter().map(|(key, value, source)| format!("{key} = {value} (from: {source})")).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    variant = base (from: default)
    llm.provider = zai (from: [HOME]/.claude-reactor/config.yaml)
    llm.model = big-1 (from: [ROOT]/app/.claude-reactor)
    llm.small_model = small-0 (from: [HOME]/.claude-reactor/config.yaml)
    llm.env = session (from: [HOME]/.claude-reactor/config.yaml)
    llm.export_key = true (from: [HOME]/.claude-reactor/user/config.yaml)
    danger = true (from: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor)
    host_docker = false (from: [ROOT]/app/.claude-reactor)
    host_docker_timeout = 5m (from: flag)
    ssh_agent = false (from: default)
    ssh_agent_socket = /run/user.sock (from: [HOME]/.claude-reactor/config.yaml)
    session_persistence = false (from: flag)
    mounts = [ROOT]/low (from: [HOME]/.claude-reactor/config.yaml)
    mounts = [ROOT]/account (from: [HOME]/.claude-reactor/user/config.yaml)
    mounts = ../session (from: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor)
    mounts = [ROOT]/flag (from: flag)
    env.A = user (from: [HOME]/.claude-reactor/config.yaml)
    env.B = account (from: [HOME]/.claude-reactor/user/config.yaml)
    env.C = session (from: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor)
    sudo = true (from: environment)
    limits.cpus = 1 (from: [HOME]/.claude-reactor/config.yaml)
    limits.memory = 2g (from: [HOME]/.claude-reactor/user/config.yaml)
    limits.pids = 900 (from: [ROOT]/app/.claude-reactor)
    registry = ghcr.io/acme (from: [HOME]/.claude-reactor/config.yaml)
    ");

    let timeout = |flags: &[&str], vars: &[(&str, &str)]| {
        let entries = settings(&place, flags, vars);
        entries.into_iter().find(|(key, ..)| key == "host_docker_timeout").map(|(_, value, _)| value).unwrap()
    };
    let variable = [("CLAUDE_REACTOR_HOST_DOCKER_TIMEOUT", "4m")];
    assert_eq!(timeout(&["--host-docker-timeout", "5m"], &variable), "5m");
    assert_eq!(timeout(&[], &variable), "4m");
    assert_eq!(timeout(&[], &[]), "3m");
    place.write_session_file("");
    assert_eq!(timeout(&[], &[]), "2m");
    std::fs::remove_file(place.sandbox.reactor_home().join("user/config.yaml")).unwrap();
    assert_eq!(timeout(&[], &[]), "1m");
}
