//! The default provider, with an API key.

use super::{ACCOUNT, ask, assert_credential, engine, leave, session_dir, store};
use crate::support::fake_api::{Credential, Script};
use crate::support::pty::Size;
use crate::support::sandbox::Sandbox;

#[test]
fn the_prompt_comes_without_a_question_about_the_key() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let key = sandbox.canary("claude");
    let fake = sandbox.fake("claude", Script::new().requires(Credential::ApiKey(key.clone())));
    store(&sandbox, ACCOUNT, "claude", &[("ANTHROPIC_API_KEY", key.key())]);
    let project = sandbox.project("app");

    let no_arguments: [&str; 0] = [];
    let pty = project.reactor(&no_arguments).on_pty(Size::default());
    ask(&pty, "ping", "pong from fake-claude");
    let exit = leave(pty);
    exit.assert_code(0).assert_terminal_restored();
    let summary =
        format!("user · app · claude · default model · {} · key ANTHROPIC_API_KEY", fake.base_url());
    assert!(exit.transcript().contains(&summary), "{}", exit.transcript());
    assert_credential(&fake.messages(), &Credential::ApiKey(key));
    let choices = session_dir(&sandbox, ACCOUNT, &project).join(".claude-reactor");
    assert!(!choices.exists(), "nothing was chosen, so nothing is remembered");
}
