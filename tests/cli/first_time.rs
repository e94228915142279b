//! A repository's choice of account and provider is confirmed once by an account that was never here.

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, state, store_key};
use crate::support::pty::Exit;
use crate::support::sandbox::Sandbox;

const FILE: &str = "account: work\nllm:\n  provider: zai\n";

/// A project whose file chooses account and provider, for which there is a key.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.project("app").write(".claude-reactor", FILE);
    let canary = sandbox.canary("work");
    sandbox.write_home(".claude-reactor/work/llms/zai/.env", format!("ZAI_API_KEY='{}'\n", canary.key()));
    sandbox
}

/// Runs on a terminal, and types the answer when asked.
fn answering(sandbox: &Sandbox, answer: &str) -> Exit {
    let pty = sandbox.project("app").reactor(&["run"]).on_pty(WIDE);
    pty.wait_for("Use it?", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.canonical);
    pty.write(answer);
    let exit = pty.wait(SOON);
    exit.assert_terminal_restored();
    exit
}

#[test]
fn without_a_terminal_the_command_that_says_yes_is_named() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    let output = project.reactor(&["run"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: this project's file chooses account work and provider zai, which you have not used here before
      hint: if that is what you want: `claude-reactor run --llm-provider zai --account work`
    ");
    assert_eq!(state(&sandbox), before);

    let command = output.stderr().split('`').nth(1).expect("a command").to_owned();
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    project.reactor(&args).run().assert_code(NO_ENGINE);
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
}

#[test]
fn only_what_the_file_decides_is_asked_about() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let output = project.reactor(&["--account", "work"]).run();
    output
        .assert_code(USAGE)
        .assert_stderr_contains("chooses provider zai, which you have not used here before");
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let output = project.reactor(&["run"]).env("CLAUDE_REACTOR_LLM_PROVIDER", "claude").run();
    output
        .assert_code(USAGE)
        .assert_stderr_contains("chooses account work, which you have not used here before");
    let invocation = project.reactor(&["run"]).env("CLAUDE_REACTOR_ACCOUNT", "user");
    invocation.env("CLAUDE_REACTOR_LLM_PROVIDER", "claude").run().assert_code(NO_ENGINE);
}

#[test]
fn a_yes_is_remembered() {
    let sandbox = sandbox();
    let exit = answering(&sandbox, "y");
    exit.assert_code(NO_ENGINE);
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    This project's file chooses account work and provider zai. Use it? yes
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    sandbox.project("app").reactor(&["run"]).run().assert_code(NO_ENGINE);
}

#[test]
fn a_no_ends_it_and_is_not_remembered() {
    let sandbox = sandbox();
    let before = state(&sandbox);
    let exit = answering(&sandbox, "n");
    exit.assert_code(USAGE);
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    This project's file chooses account work and provider zai. Use it? no
    error: this project's file chooses account work and provider zai, which you have not used here before
      hint: if that is what you want: `claude-reactor run --llm-provider zai --account work`
    ");
    answering(&sandbox, "\r").assert_code(USAGE);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn ctrl_c_at_the_question_ends_it() {
    let sandbox = sandbox();
    let before = state(&sandbox);
    answering(&sandbox, "\u{3}").assert_code(130);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_yes_and_no_key_still_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", FILE);
    let before = state(&sandbox);
    let pty = project.reactor(&["run"]).on_pty(WIDE);
    pty.wait_for("Use it?", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.canonical);
    pty.write("y");
    pty.wait_for("Enter your Z.AI API key", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo && mode.canonical);
    pty.ctrl_c();
    pty.wait(SOON).assert_code(130).assert_terminal_restored();
    assert_eq!(state(&sandbox), before);
}
