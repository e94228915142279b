//! One container for all sessions of a project: made, reused, woken, mended or made anew, whichever its state asks for.

use std::fs;

use super::{Place, SOON};

impl Place {
    /// A session that says nothing; whether it was told that the container is made anew, and why.
    #[track_caller]
    fn visit(&self, flags: &[&str]) -> Option<String> {
        let output = self.shell(flags, "true").run();
        output.assert_success().assert_stdout("");
        let why = output.stderr().lines().find_map(|line| line.strip_prefix("making the container anew: "));
        why.map(str::to_owned)
    }

    /// A folder beside the project.
    fn folder(&self, name: &str) -> String {
        let path = self.sandbox.path().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        path.display().to_string()
    }

    /// What `--dry-run` would do.
    #[track_caller]
    fn plan(&self) -> String {
        let report = self.reactor(&["run", "--dry-run", "--json"]).run().assert_success().json();
        report["action"].as_str().expect("a plan is a word").to_owned()
    }
}

#[test]
fn a_container_is_kept_in_whatever_state_it_is() {
    let Some(place) = Place::new() else { return };
    assert_eq!(place.plan(), "create");
    place.visit(&[]);
    let made = place.id();
    let docker = |command: &str| place.engine.docker(&[command, "--", &made]);
    for (change, plan) in [(None, "reuse"), (Some("pause"), "unpause"), (Some("kill"), "start")] {
        change.map(docker);
        assert_eq!(place.plan(), plan);
        assert_eq!(place.visit(&[]), None);
        assert_eq!(place.id(), made);
    }

    place.engine.docker(&["rm", "--force", &made]);
    assert_eq!(place.plan(), "create");
    assert_eq!(place.visit(&[]), None);
    assert_ne!(place.id(), made);
}

#[test]
fn another_specification_makes_it_anew_and_says_what_changed() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let first = place.id();

    let data = place.folder("data");
    let mount = ["--mount", data.as_str()];
    assert_eq!(place.visit(&mount).as_deref(), Some("the mounts changed"));
    let second = place.id();
    assert_ne!(second, first);
    assert_eq!(place.visit(&mount), None);
    assert_eq!(place.id(), second);

    let ca_file = place.project().write("ca.pem", "");
    let why = place.visit(&["--ca-file", ca_file.to_str().unwrap()]).expect("made anew");
    assert!(why.contains("the mounts changed"), "{why}");

    place.project().write("ca.pem", "# renewed\n");
    let why = place.visit(&["--ca-file", ca_file.to_str().unwrap()]);
    assert_eq!(why.as_deref(), Some("the CA certificates changed"));
}

#[test]
fn a_container_left_half_made_is_mended() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    let made = place.container();
    let name = made["Name"].as_str().unwrap().trim_start_matches('/').to_owned();
    place.engine.docker(&["rm", "--force", &name]);

    let labels = made["Config"]["Labels"].as_object().unwrap();
    let labels = labels.iter().map(|(key, value)| format!("--label={key}={}", value.as_str().unwrap()));
    let labels: Vec<String> = labels.collect();
    let mut copy = vec!["create", "--name", &name];
    copy.extend(labels.iter().map(String::as_str));
    copy.push(made["Config"]["Image"].as_str().unwrap());
    place.engine.docker(&copy);

    assert_eq!(place.visit(&[]).as_deref(), Some("it was left half-made"));
    assert_eq!(place.container()["State"]["Running"], true);
}

#[test]
fn a_container_with_a_session_in_it_is_not_made_anew_under_it() {
    let Some(place) = Place::new() else { return };
    let mut live = place.exec(&["cat"]).spawn();
    live.write(b"in\n");
    live.wait_for_stdout("in", SOON);
    let id = place.id();

    let data = place.folder("data");
    let refused = place.shell(&["--mount", &data], "true").run();
    refused
        .assert_code(2)
        .assert_stderr_contains("the mounts changed")
        .assert_stderr_contains("1 other session is");

    let joined = place.reactor(&["exec", "--mount", &data, "--", "echo", "joined"]).run();
    joined.assert_success().assert_stdout("joined\n");
    joined.assert_stderr_contains("warning: ").assert_stderr_contains("the mounts changed");

    assert_eq!(place.id(), id);
    live.write(b"still in\n");
    live.wait_for_stdout("still in", SOON);
    live.close_stdin();
    live.wait(SOON).assert_success();
    assert_eq!(place.visit(&["--mount", &data]).as_deref(), Some("the mounts changed"));
}

#[test]
fn a_container_that_is_not_to_persist_goes_with_its_last_session() {
    let Some(place) = Place::new() else { return };
    let mut live = place.exec(&["cat"]).spawn();
    live.write(b"in\n");
    live.wait_for_stdout("in", SOON);
    let id = place.id();
    let output = place.shell(&["--no-persist"], "exit 3").run();
    output.assert_code(3).assert_stderr_contains("another session is in it");
    assert_eq!(place.id(), id);

    live.close_stdin();
    live.wait(SOON).assert_success();
    place.shell(&["--no-persist"], "exit 4").run().assert_code(4);
    assert!(place.engine.containers(place.project().path()).is_empty());
}
