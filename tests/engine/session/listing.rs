//! `list`, `stop`, `logs` and `shell` on what an engine has.

use serde_json::Value;

use super::{Place, SOON};
use crate::support::pty::Size;

impl Place {
    /// What `list --json` says, run with a variable.
    #[track_caller]
    fn list(&self) -> Vec<Value> {
        let report = self.reactor(&["list", "--json"]).run().assert_success().json();
        report["projects"].as_array().expect("projects are a list").clone()
    }

    /// The state of the container of an account, by `list`.
    #[track_caller]
    fn state_of(&self, account: &str) -> String {
        let projects = self.list();
        let project = projects.iter().find(|project| project["account"] == account).expect("it is listed");
        let rows = project["providers"].as_array().unwrap().iter();
        let states: Vec<&str> = rows
            .flat_map(|row| row["containers"].as_array().unwrap())
            .map(|container| container["state"].as_str().unwrap())
            .collect();
        states.join(" ")
    }

    /// A container of another account in the same project, and one of the same account for another home.
    pub(super) fn neighbours(&self) -> std::path::PathBuf {
        self.give_key("bob");
        self.exec(&["true"]).env("CLAUDE_REACTOR_ACCOUNT", "bob").run().assert_success();
        let elsewhere = self.sandbox.home().join("elsewhere");
        let key = std::fs::read_to_string(self.sandbox.reactor_home().join("user/llms/zai/.env")).unwrap();
        self.sandbox.write_home("elsewhere/user/llms/zai/.env", key);
        let rows = std::fs::read_to_string(self.sandbox.reactor_home().join("providers.yaml")).unwrap();
        self.sandbox.write_home("elsewhere/providers.yaml", rows);
        self.exec(&["true"]).env("CLAUDE_REACTOR_HOME", &elsewhere).run().assert_success();
        elsewhere
    }

    /// How many of the project's containers run, whoever's they are.
    pub(super) fn running(&self) -> usize {
        let containers = self.engine.containers(self.project().path());
        containers.iter().filter(|container| container["State"]["Running"] == true).count()
    }
}

#[test]
fn a_home_lists_its_own_containers_with_their_state_and_who_is_in_them() {
    let Some(place) = Place::new() else { return };
    // An account whose name with a provider reads like another's: both have a container.
    place.sandbox.write_home(".claude-reactor/user-zai/llms/claude/.env", "ANTHROPIC_API_KEY='none'\n");
    let clash = place.reactor(&["exec", "--", "true"]);
    let clash = clash.env("CLAUDE_REACTOR_ACCOUNT", "user-zai").env("CLAUDE_REACTOR_LLM_PROVIDER", "claude");
    clash.run().assert_success();
    let mut live = place.exec(&["cat"]).spawn();
    live.write(b"in\n");
    live.wait_for_stdout("in", SOON);
    let projects = place.list();
    assert_eq!(projects.len(), 2, "{projects:#?}");
    let [of_user, of_clash] = ["user", "user-zai"].map(|account| {
        projects.iter().find(|project| project["account"] == account).expect("both are listed").clone()
    });
    assert_ne!(of_user["containers"], of_clash["containers"]);
    // What was only chosen for one run is not what the project uses now.
    assert_eq!(
        (&of_user["provider"], of_user["containers"].as_array().unwrap().len()),
        (&"claude".into(), 1)
    );
    let zai = of_user["providers"].as_array().unwrap().iter().find(|row| row["name"] == "zai").unwrap();
    let container = &zai["containers"][0];
    assert_eq!(
        (&container["sessions"], &container["state"], &container["image"]),
        (&1.into(), &"running".into(), &"base".into())
    );
    assert!(container["started"].as_str().is_some_and(|time| time.ends_with('Z')), "{container:#}");
    let table = place.reactor(&["list"]).run();
    table.assert_success().assert_stdout_contains("running, 1 session");
    live.close_stdin();
    live.wait(SOON).assert_success();

    let id = container["id"].as_str().unwrap();
    place.engine.docker(&["pause", id]);
    assert_eq!(place.state_of("user"), "paused");
    place.engine.docker(&["kill", id]);
    assert_eq!(place.state_of("user"), "stopped");
    assert!(place.reactor(&["list"]).run().stdout().contains("claude +1"));

    std::fs::remove_dir_all(place.session_dir()).unwrap();
    let projects = place.list();
    let gone = projects.iter().find(|project| project["account"] == "user").expect("its container is there");
    assert_eq!((&gone["session_dir_exists"], &gone["exists"]), (&false.into(), &true.into()));

    let elsewhere =
        place.reactor(&["list", "--json"]).env("CLAUDE_REACTOR_HOME", place.sandbox.path().join("none"));
    assert_eq!(elsewhere.run().assert_success().json()["projects"], serde_json::json!([]));
}

#[test]
fn stop_ends_what_is_the_accounts_and_asks_for_sessions() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    place.neighbours();
    assert_eq!(place.running(), 3);
    let script = "trap 'echo ended; exit 0' TERM; echo in; while :; do sleep 0.1; done";
    let live = place.exec(&["sh", "-c", script]).spawn();
    live.wait_for_stdout("in", SOON);

    let refused = place.reactor(&["stop"]).run();
    refused.assert_code(2).assert_stderr_contains("1 session is in ").assert_stderr_contains(": sh, and");
    assert_eq!(place.running(), 3);
    let other = place.reactor(&["stop", "--llm-provider", "claude"]).run();
    other.assert_success().assert_stderr_contains("nothing runs");

    let pty = place.reactor(&["stop"]).on_pty(Size { rows: 40, columns: 300 });
    pty.wait_for("End them?", SOON);
    pty.write_line("y");
    let exit = pty.wait(SOON);
    exit.assert_code(0).assert_terminal_restored();
    assert!(
        exit.transcript().contains("what account bob has in this project runs on"),
        "{}",
        exit.transcript()
    );
    // The session was asked to end before the container was.
    live.wait(SOON).assert_stdout_contains("ended");
    assert_eq!(place.running(), 2);
    assert_eq!(place.state_of("user"), "stopped");

    let all = place.sandbox.project("another").reactor(&["stop", "--all"]).run();
    all.assert_success().assert_stderr_contains("stopped claude-reactor-base-");
    assert_eq!(place.running(), 1, "another home's runs on");
    let again = place.reactor(&["stop", "--all"]).run();
    again.assert_success().assert_stderr_contains("nothing runs");
    place.visit(&[]);
    assert_eq!(place.state_of("user"), "running");
}

#[test]
fn a_frozen_container_is_stopped_too() {
    let Some(place) = Place::new() else { return };
    place.visit(&[]);
    place.engine.docker(&["pause", &place.id()]);
    place.reactor(&["stop"]).run().assert_success().assert_stderr_contains("stopped ");
    assert_eq!(place.container()["State"]["Running"], false);
}

#[test]
fn logs_are_the_main_processs_and_say_where_the_rest_is() {
    let Some(place) = Place::new() else { return };
    let none = place.reactor(&["logs"]).run();
    none.assert_code(1)
        .assert_stderr_contains("this project has no container")
        .assert_stderr_contains("logs --sessions");
    place.visit(&[]);
    let empty = place.reactor(&["logs"]).run();
    empty.assert_success().assert_stdout("").assert_stderr_contains("wrote nothing");

    // By its own hand the main process writes nothing, so it is given something to write.
    let (id, project) = (place.id(), place.project());
    let write = |line: &str| {
        let script = format!("echo {line} >/proc/1/fd/1; echo {line}-err >/proc/1/fd/2");
        place.engine.docker(&["exec", "--user=0", &id, "sh", "-c", &script]);
    };
    write("first");
    let follow = place.reactor(&["logs", "--follow"]).spawn();
    follow.wait_for_stdout("first\n", SOON);
    write("second");
    follow.wait_for_stdout("second\n", SOON);
    // Not by an interrupt, which a shell takes from what it starts in the background.
    follow.signal(rustix::process::Signal::TERM);
    assert_eq!(follow.wait(SOON).signal(), Some(15), "as by any program that has nothing to tidy up");
    let output = place.reactor(&["logs"]).run();
    output
        .assert_success()
        .assert_stdout("first\nsecond\n")
        .assert_stderr_contains("first-err\nsecond-err\n");
    let tail = place.reactor(&["logs", "--tail", "2", "--llm-provider", "zai"]).run();
    tail.assert_success().assert_stdout("second\n").assert_stderr_contains("second-err");
    let later = place.reactor(&["logs", "--since", "2100-01-01T00:00:00Z"]).run();
    later.assert_success().assert_stdout("");
    // Another provider than the one that is asked for: it is said which there are.
    let other = project.reactor(&["logs", "--llm-provider", "claude"]).run();
    other.assert_code(1).assert_stderr_contains("there are containers for: zai");
    let only = project.reactor(&["logs"]).run();
    only.assert_success().assert_stdout("first\nsecond\n");

    // It ends with its container.
    let follow = place.reactor(&["logs", "-f"]).spawn();
    follow.wait_for_stdout("second\n", SOON);
    place.reactor(&["stop"]).run().assert_success();
    follow.wait(SOON).assert_success();
}

#[test]
fn a_shell_is_a_login_shell_with_the_session_s_variables() {
    let Some(place) = Place::new() else { return };
    let script = r#"shopt -q login_shell && echo login; echo "$0 $1 $PWD ${#ZAI_API_KEY}"; exit 5"#;
    let output = place.reactor(&["shell", "--", "-c", script, "name", "argument"]).run();
    output.assert_code(5).assert_stdout(&format!("login\nname argument /app {}\n", place.key.key().len()));
    let id = place.id();
    let piped = place.reactor(&["shell"]).stdin("echo from stdin\n").run();
    piped.assert_success().assert_stdout("from stdin\n");
    assert_eq!(place.id(), id);
    // Beside a session it takes the container as it is.
    let pty = place.reactor(&["shell"]).on_pty(Size::default());
    pty.wait_for(":/app", SOON);
    pty.write_line("echo in-$((1+1)); exit 3");
    pty.wait_for("in-2", SOON);
    pty.wait(SOON).assert_code(3).assert_terminal_restored();
    let refused = place.reactor(&["shell", "--interactive-login"]).run();
    refused.assert_code(2).assert_stderr_contains("belongs to `run`");
}
