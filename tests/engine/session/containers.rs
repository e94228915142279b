//! One container for all sessions of a project: made, reused, woken, mended or made anew, whichever its state asks for.

use std::fs;

use super::{Place, SOON};

impl Place {
    /// A session that says nothing; whether it was told that the container is made anew, and why.
    #[track_caller]
    pub(super) fn visit(&self, flags: &[&str]) -> Option<String> {
        let output = self.shell(flags, "true").run();
        output.assert_success().assert_stdout("");
        let why = output.stderr().lines().find_map(|line| line.strip_prefix("making the container anew: "));
        why.map(str::to_owned)
    }

    /// A folder beside the project.
    pub(super) fn folder(&self, name: &str) -> String {
        let path = self.sandbox.path().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        path.display().to_string()
    }

    /// What `--dry-run` would do.
    #[track_caller]
    pub(super) fn plan(&self) -> String {
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
    assert_eq!(place.visit(&mount).as_deref(), Some("the mount /mnt/data is new"));
    let second = place.id();
    assert_ne!(second, first);
    assert_eq!(place.visit(&mount), None);
    assert_eq!(place.id(), second);

    let ca_file = place.project().write("ca.pem", "");
    let why = place.visit(&["--ca-file", ca_file.to_str().unwrap()]).expect("made anew");
    assert_eq!(why, "the mount /mnt/data is gone, the CA certificates changed");

    place.project().write("ca.pem", "# renewed\n");
    let why = place.visit(&["--ca-file", ca_file.to_str().unwrap()]);
    assert_eq!(why.as_deref(), Some("the CA certificates changed"));
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
        .assert_stderr_contains("the mount /mnt/data is new")
        .assert_stderr_contains("1 other session is");

    // A command that joins a session says which of its own flags cannot be had there.
    let refused = place.reactor(&["exec", "--mount", &data, "--", "echo", "joined"]).run();
    refused.assert_code(2).assert_stdout("").assert_stderr_contains("error: --mount cannot take effect");
    refused.assert_stderr_contains("the mount /mnt/data is new").assert_stderr_contains("1 other session is");

    assert_eq!(place.id(), id);
    live.write(b"still in\n");
    live.wait_for_stdout("still in", SOON);
    live.close_stdin();
    live.wait(SOON).assert_success();
    assert_eq!(place.visit(&["--mount", &data]).as_deref(), Some("the mount /mnt/data is new"));
}

#[test]
fn a_command_joins_a_container_that_differs_unless_its_own_flags_ask_for_another() {
    let Some(place) = Place::new() else { return };
    let data = place.folder("data");
    place.visit(&["--mount", &data]);
    let id = place.id();
    let joined = place.exec(&["echo", "joined"]).run();
    joined.assert_success().assert_stdout("joined\n");
    joined.assert_stderr_contains("warning: ").assert_stderr_contains("the mount /mnt/data is gone");
    assert_eq!(place.id(), id);

    // Nobody is in it, so it can be made as the flag says.
    let fixed = format!("{data}:ro");
    let made = place.reactor(&["exec", "--mount", &fixed, "--", "echo", "made"]).run();
    made.assert_success().assert_stdout("made\n");
    made.assert_stderr_contains("making the container anew: the mount /mnt/data is read-only now");
    assert_ne!(place.id(), id);
}

#[test]
fn a_value_of_the_containers_own_variables_makes_it_anew_and_names_the_variable() {
    let Some(place) = Place::new() else { return };
    let visit = |model: &str| {
        let call = place.shell(&["--llm-model", model], "true").env("CLAUDE_REACTOR_LLM_ENV", "container");
        let output = call.run();
        output.assert_success();
        let why = output.stderr().lines().find_map(|line| line.strip_prefix("making the container anew: "));
        why.map(str::to_owned)
    };
    assert_eq!(visit("one"), None);
    assert_eq!(visit("one"), None);
    let why = visit("two").expect("made anew");
    assert!(why.contains("the variable ANTHROPIC_MODEL is another") && !why.contains("two"), "{why}");
    assert_eq!(place.visit(&[]).as_deref(), Some("llm.env changed"));
}

#[test]
fn the_order_of_mounts_does_not_matter() {
    let Some(place) = Place::new() else { return };
    let (one, two) = (place.folder("one"), place.folder("two"));
    place.visit(&["-m", &one, "-m", &two]);
    assert_eq!(place.visit(&["-m", &two, "-m", &one]), None);
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
