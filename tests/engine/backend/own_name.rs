//! Who has the key under its own name: the user's commands do, the agent's tools do not.

use serde_json::json;

use super::{ACCOUNT, containers, engine, session_dir, store};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::invocation::Invocation;
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;

/// A project on zai whose backend asks for the environment of a tool.
struct Place<'s> {
    project: Project<'s>,
    key: Canary,
    fake: FakeApi,
}

impl<'s> Place<'s> {
    fn new(sandbox: &'s Sandbox, choices: &str) -> Self {
        let key = sandbox.canary("zai");
        let tool = json!({ "command": "env", "description": "Show the environment" });
        let script = Script::new().requires(Credential::Bearer(key.clone())).calls_tool("Bash", tool);
        let fake = sandbox.fake("zai", script);
        store(sandbox, ACCOUNT, "zai", &[("ZAI_API_KEY", key.key()), ("ZAI_REGION", "eu")]);
        let project = sandbox.project("app");
        let file = session_dir(sandbox, ACCOUNT, &project).join(".claude-reactor");
        let file = file.strip_prefix(sandbox.home()).expect("it lies at home");
        sandbox.write_home(file.to_str().unwrap(), format!("llm:\n  provider: zai\n{choices}"));
        Self { project, key, fake }
    }

    /// What a tool of the agent's saw, as it went to the backend.
    fn environment_of_tools(&self, call: impl FnOnce(Invocation<'s>) -> Invocation<'s>) -> String {
        let run = self.project.reactor(&["run", "--", "-p", "go", "--allowedTools", "Bash"]);
        call(run).run().assert_success().assert_stdout("pong from fake-zai\n");
        let last = self.fake.messages().pop().expect("the tool's result is sent");
        let seen = last.body["messages"].to_string();
        assert!(
            seen.contains("CLAUDECODE=1") && seen.contains("ZAI_REGION=eu"),
            "a tool's environment is there"
        );
        seen
    }

    fn assert_tools_lack_the_key(&self) {
        let seen = self.environment_of_tools(|run| run);
        assert!(!seen.contains("ZAI_API_KEY") && !self.key.is_in(&seen), "a tool saw the key");
    }

    /// What the user's own commands see: `exec`, and a shell.
    fn assert_commands_have_the_key(&self) {
        let exec = self.project.reactor(&["exec", "--", "printenv", "ZAI_API_KEY"]);
        let shell = self.project.reactor(&["run", "--shell"]).stdin("printenv ZAI_API_KEY\n");
        for call in [exec, shell] {
            let output = call.shows_secrets().run();
            assert!(output.assert_success().stdout().trim_end() == self.key.key(), "a command lacks the key");
        }
    }
}

#[test]
fn tools_of_the_agent_lack_the_key_unless_told_otherwise() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let place = Place::new(&sandbox, "");
    place.assert_tools_lack_the_key();
    place.assert_commands_have_the_key();

    let seen = place.environment_of_tools(|run| run.env("CLAUDE_REACTOR_LLM_EXPORT_KEY", "true"));
    assert!(
        seen.contains(&format!("ZAI_API_KEY={}", place.key.key())),
        "a tool lacks the key it was to have"
    );
}

#[test]
fn a_container_that_holds_the_session_keeps_the_key_from_tools_too() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let place = Place::new(&sandbox, "  env: container\n");
    place.assert_tools_lack_the_key();
    place.assert_commands_have_the_key();

    // Other programs that attach find the session's variables.
    let [container] = &containers(&engine, &place.project)[..] else { panic!("one container") };
    assert!(engine.exec(container, &["printenv", "ZAI_API_KEY"]).trim_end() == place.key.key());
    assert_eq!(engine.exec(container, &["printenv", "ANTHROPIC_BASE_URL"]).trim_end(), place.fake.base_url());
}
