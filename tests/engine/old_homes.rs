//! What earlier versions of the tool left, used by the real Claude Code: the conversation goes on, with the old key, the old
//! agents and the old choices, beside the old container.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::engine;
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::old_home::{Generation, OldKeys, lay_out};
use crate::support::pty::Size;
use crate::support::sandbox::{Project, Sandbox};

/// Far more than a step of Claude Code takes on a loaded machine.
const SOON: Duration = Duration::from_secs(120);

/// A sandbox as a tool left it, on an engine, with an endpoint that takes the old key only.
struct Old {
    engine: Engine,
    sandbox: Sandbox,
    fake: FakeApi,
    keys: OldKeys,
}

impl Old {
    /// Where no engine answers, the test has said so.
    fn new(generation: Generation) -> Option<Self> {
        let engine = engine()?;
        let sandbox = Sandbox::on(&engine);
        let fake = sandbox.fake("claude", Script::new());
        let keys = lay_out(generation, &sandbox, &sandbox.project("app"));
        fake.follow(Script::new().requires(Credential::ApiKey(keys.user.clone())));
        Some(Self { engine, sandbox, fake, keys })
    }

    fn project(&self) -> Project<'_> {
        self.sandbox.project("app")
    }

    fn session_dir(&self) -> PathBuf {
        self.sandbox.reactor_home().join(format!("user/app-{}", self.project().hash()))
    }

    /// What Claude Code was told of a conversation, in the last request.
    fn last_conversation(&self) -> String {
        self.fake.messages().pop().expect("a request for a message").body["messages"].to_string()
    }

    /// Every file of the home, but for what Claude Code writes itself while it runs.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let own = [self.session_dir().join("providers/claude"), self.session_dir().join("projects")];
        let mut files = BTreeMap::new();
        collect(&self.sandbox.home(), &own, &mut files);
        collect(self.project().path(), &own, &mut files);
        files
    }
}

fn collect(folder: &Path, left_out: &[PathBuf], files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in folder.read_dir().expect("it is ours") {
        let path = entry.expect("it can be read").path();
        if left_out.contains(&path) {
            continue;
        }
        if path.is_dir() {
            collect(&path, left_out, files);
        } else {
            files.insert(path.clone(), fs::read(&path).expect("it is ours"));
        }
    }
}

#[test]
fn a_conversation_of_the_go_tool_goes_on() {
    let Some(old) = Old::new(Generation::Go) else { return };
    let before = old.files();
    let first = old.project().reactor(&["run", "--", "--continue", "-p", "and what else?"]).run();
    first.assert_success().assert_stdout("pong from fake-claude\n");
    first.assert_stderr_contains("imported the API key in").assert_stderr_contains("key ANTHROPIC_API_KEY");
    let said = old.last_conversation();
    for text in ["what did the old tool build?", "A launcher, written in Go.", "and what else?"] {
        assert!(said.contains(text), "{text:?} is not in {said}");
    }
    assert!(said.contains("Answer in short sentences."), "the old CLAUDE.md is not in {said}");
    let request = old.fake.messages().pop().unwrap().body.to_string();
    assert!(request.contains("Reviews a change before it is committed"), "the old agent is not offered");

    let after = old.files();
    for (path, content) in &before {
        assert!(after.get(path) == Some(content), "{} is another file now", path.display());
    }
    let second = old.project().reactor(&["run", "--", "-p", "hi"]).run();
    second.assert_success().assert_stderr_lacks("took over").assert_stderr_lacks("imported");
    assert!(old.files() == after, "a second run changed something");
    let state = fs::read_to_string(old.session_dir().join("providers/claude/.claude.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["mcpServers"]["notes"]["command"], "notes-mcp");
    assert_eq!(state["oauthAccount"]["emailAddress"], "user@example.com");
}

#[test]
fn a_choice_of_the_go_tool_holds() {
    let Some(old) = Old::new(Generation::Go) else { return };
    let script = Script::new().requires(Credential::ApiKey(old.keys.user.clone()));
    old.fake.follow(script.writes_file("/app/made.txt", "made\n"));
    // Only danger mode, which the old session file chose, lets an agent write without being asked about it.
    old.project().reactor(&["run", "--", "-p", "write it"]).run().assert_success();
    assert_eq!(fs::read_to_string(old.project().path().join("made.txt")).unwrap(), "made\n");
}

#[test]
fn a_session_comes_to_its_prompt_with_the_old_state() {
    let Some(old) = Old::new(Generation::Go) else { return };
    let no_arguments: [&str; 0] = [];
    let call = old.project().reactor(&no_arguments).env("CLAUDE_REACTOR_DANGER", "false");
    let pty = call.on_pty(Size::default());
    // Any dialog on the way, as about the key that was once refused in one, would stay in its place.
    pty.wait_for("? for shortcuts", SOON);
    pty.write("ping");
    pty.wait_for("ping", SOON);
    pty.write("\r");
    pty.wait_for("pong from fake-claude", SOON);
    pty.write("/exit");
    pty.wait_for("/exit", SOON);
    pty.write("\r");
    pty.wait(SOON).assert_code(0).assert_terminal_restored();
}

#[test]
fn a_conversation_of_the_shell_tool_goes_on() {
    let Some(old) = Old::new(Generation::Shell) else { return };
    let run = old.project().reactor(&["--key-from-env", "--", "--continue", "-p", "and after it?"]);
    run.env("ANTHROPIC_API_KEY", old.keys.user.key()).run().assert_success();
    let said = old.last_conversation();
    assert!(said.contains("what came before the old tool?") && said.contains("and after it?"), "{said}");
    let agents = old.project().reactor(&["exec", "--", "sh", "-c", "ls $CLAUDE_CONFIG_DIR/agents"]).run();
    agents.assert_success().assert_stdout("tester.md\n");
}

#[test]
fn the_old_container_keeps_its_name_and_is_left_alone() {
    for command in [&["create"][..], &["run", "--detach"]] {
        let Some(old) = Old::new(Generation::Go) else { return };
        let files = old.files();
        let plan = old.project().reactor(&["run", "--dry-run", "--json"]).run().assert_success().json();
        let usual = plan["container"].as_str().unwrap().to_owned();
        assert!(plan["old_home"].to_string().contains("import the API key in"), "{plan}");
        assert!(plan["credential"].as_str().unwrap().starts_with("the old key in "), "{plan}");
        assert!(old.files() == files, "a dry run wrote something");
        let image = old.engine.image("claude-reactor/base").expect("it was built");
        // With this one label it goes with the sandbox; the old tool gave its containers none of ours.
        let label = format!("--label={}={}", Engine::PROJECT_LABEL, old.project().path().display());
        let args =
            [command, &["--name", &usual, &label, "--entrypoint", "sleep", &image, "infinity"]].concat();
        let theirs = old.engine.docker(&args).trim().to_owned();
        let state = || old.engine.inspect(&theirs)["State"]["Status"].clone();
        let before = state();

        for _ in 0..2 {
            old.project().reactor(&["exec", "--", "true"]).run().assert_success();
            let found = old.engine.containers(old.project().path());
            let ours: Vec<_> = found.iter().filter(|one| one["Id"] != theirs.as_str()).collect();
            let [ours] = ours[..] else { panic!("one container is ours: {found:#?}") };
            let name = ours["Name"].as_str().unwrap().trim_start_matches('/');
            assert!(name.starts_with(&format!("{usual}-")), "{name}");
        }
        assert_eq!(state(), before);
    }
}
