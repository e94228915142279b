//! Claude by subscription, as far as it goes without an engine: the choice, tokens by flags, and what cannot be.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, state, store_key};
use crate::support::fake_api::Script;
use crate::support::pty::Pty;
use crate::support::sandbox::Sandbox;

const LOGIN: &str = ".claude-reactor/user/llms/claude/login";
const ENV_FILE: &str = "home/.claude-reactor/user/llms/claude/.env";

/// A run on a terminal that has come to the choice. No answer may come from the machine's network.
fn at_the_choice(sandbox: &Sandbox) -> Pty {
    let pty = sandbox.project("app").reactor(&["run"]).env("HTTPS_PROXY", "http://127.0.0.1:1").on_pty(WIDE);
    pty.wait_for("Choice", SOON);
    pty
}

#[test]
fn the_ways_to_pay_are_offered_and_giving_up_leaves_nothing() {
    let sandbox = Sandbox::new();
    sandbox.project("app");
    let before = state(&sandbox);
    let pty = at_the_choice(&sandbox);
    pty.ctrl_c();
    let exit = pty.wait(SOON);
    exit.assert_code(130).assert_terminal_restored();
    insta::assert_snapshot!(exit.screen(), @"
    Provider claude is not set up yet. How is it to be paid for?
      1  an API key (https://platform.claude.com)
      2  a Claude subscription, by a token that lasts a year; `claude setup-token` runs in the container to make one
      3  a Claude subscription, by logging in inside the session; the login is kept for all projects of this account
    Choice [1]: 
    cancelled
    ");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_key_is_asked_for_where_that_is_the_choice() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("claude");
    let pty = at_the_choice(&sandbox);
    pty.write_line("4");
    pty.wait_for("1, 2 and 3 are the choices", SOON);
    pty.ctrl_c();
    pty.wait(SOON).assert_code(130);

    let pty = at_the_choice(&sandbox);
    pty.write_line("1");
    pty.wait_for("Enter your Claude API key", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo);
    pty.write_line(canary.key());
    pty.wait(SOON).assert_code(NO_ENGINE);
    assert_eq!(sandbox.files_with(&canary), [Path::new(ENV_FILE)]);
    assert!(!sandbox.home().join(LOGIN).exists());
}

#[test]
fn the_choice_to_log_in_is_remembered() {
    let sandbox = Sandbox::new();
    let pty = at_the_choice(&sandbox);
    pty.write_line("3");
    let exit = pty.wait(SOON);
    exit.assert_code(NO_ENGINE);
    let folder = sandbox.home().join(LOGIN);
    let kept = format!("the login is kept in {}", folder.display());
    assert!(exit.transcript().contains(&kept), "{}", exit.transcript());
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);

    let exit = sandbox.project("another").reactor(&["run"]).on_pty(WIDE).wait(SOON);
    exit.assert_code(NO_ENGINE);
    assert!(!exit.transcript().contains("Choice"), "{}", exit.transcript());
}

#[test]
fn the_old_flag_chooses_to_log_in() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.reactor(&["run", "--interactive-login"]).on_pty(WIDE).wait(SOON).assert_code(NO_ENGINE);
    assert!(sandbox.home().join(LOGIN).is_dir());
}

#[test]
fn where_nobody_can_log_in_that_is_said_before_anything_is_started() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    let refused = project.reactor(&["run", "--interactive-login"]).run();
    insta::assert_snapshot!(refused.snapshot(), @"
    exit code: 2
    --- stderr
    error: you have not logged in to your Claude subscription yet, and without a terminal nobody can log in
      hint: log in by `claude-reactor run --llm-provider claude --interactive-login` in a terminal
    ");
    assert_eq!(state(&sandbox), before);

    sandbox.write_home(&format!("{LOGIN}/.credentials.json"), "{}");
    for args in [&["run", "--", "-p", "hi"][..], &["run"]] {
        project.reactor(args).run().assert_code(USAGE).assert_stderr_contains("you have not logged in");
    }
    let exit = project.reactor(&["run", "--", "-p", "hi"]).on_pty(WIDE).wait(SOON);
    exit.assert_code(USAGE);

    let expired = r#"{"claudeAiOauth": {"accessToken": "a", "refreshToken": "", "expiresAt": 1}}"#;
    sandbox.write_home(&format!("{LOGIN}/.credentials.json"), expired);
    let output = project.reactor(&["run", "--", "-p", "hi"]).run();
    output.assert_code(USAGE).assert_stderr_contains("has expired");

    let good = r#"{"claudeAiOauth": {"accessToken": "a", "refreshToken": "r", "expiresAt": 1}}"#;
    sandbox.write_home(&format!("{LOGIN}/.credentials.json"), good);
    project.reactor(&["run", "--", "-p", "hi"]).run().assert_code(NO_ENGINE);
}

#[test]
fn a_token_is_stored_under_its_own_name() {
    for way in ["--key-stdin", "--key-from-env", "--apikey"] {
        let sandbox = Sandbox::new();
        let token = sandbox.token("claude");
        let call = match way {
            "--apikey" => sandbox.project("app").reactor(&["run", way, token.key()]),
            _ => sandbox.project("app").reactor(&["run", way]),
        };
        let call = match way {
            "--key-stdin" => call.stdin(token.key()),
            "--key-from-env" => call.env("CLAUDE_CODE_OAUTH_TOKEN", token.key()),
            _ => call,
        };
        let output = call.env("HTTPS_PROXY", "http://127.0.0.1:1").run();
        output.assert_code(NO_ENGINE).assert_stderr_contains("the key could not be checked");
        let stored = std::fs::read_to_string(sandbox.path().join(ENV_FILE)).unwrap();
        assert!(stored == format!("CLAUDE_CODE_OAUTH_TOKEN='{}'\n", token.key()), "after {way}");
    }
}

#[test]
fn a_token_is_for_nobody_but_anthropic() {
    let sandbox = Sandbox::new();
    let token = sandbox.token("claude");
    let project = sandbox.project("app");
    let refused = project.reactor(&["run", "--llm-provider", "zai", "--key-stdin"]).stdin(token.key()).run();
    insta::assert_snapshot!(refused.snapshot(), @"
    exit code: 2
    --- stderr
    error: this is the token of a Claude subscription, which only Anthropic may see; it was not stored for zai
      hint: give it to provider claude at its own address: `claude-reactor run --llm-provider claude`
    ");

    let fake = sandbox.fake("claude", Script::new());
    project.reactor(&["run", "--key-stdin"]).stdin(token.key()).run().assert_code(USAGE);
    assert!(sandbox.files_with(&token).is_empty());

    sandbox.write_home(&format!("{LOGIN}/.credentials.json"), "{}");
    let output = project.reactor(&["run", "--", "-p", "hi"]).run();
    output.assert_code(USAGE).assert_stderr_contains("the subscription login is for Anthropic alone");
    assert!(fake.requests().is_empty());
}

#[test]
fn only_claude_has_a_login() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let refused = project.reactor(&["run", "--llm-provider", "zai", "--interactive-login"]).run();
    insta::assert_snapshot!(refused.snapshot(), @"
    exit code: 2
    --- stderr
    error: --interactive-login is for provider claude; zai has no login
      hint: add --llm-provider claude, or leave it out
    ");
    let both = project.reactor(&["run", "--interactive-login", "--key-stdin"]).run();
    both.assert_code(USAGE).assert_stderr_contains("cannot be used with");
}
