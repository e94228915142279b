//! The API keys of old files: imported where there is none yet, once, and never without the user's knowledge.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::Old;
use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, state};
use crate::support::fake_api::{Credential, Script};
use crate::support::old_home::Generation;

#[test]
fn a_key_that_is_there_is_not_replaced_and_the_old_one_does_not_come_later() {
    let old = Old::new(Generation::Go);
    let own = old.sandbox.canary("own");
    let line = format!("# mine\nANTHROPIC_API_KEY='{}'\n", own.key());
    old.sandbox.write_home(".claude-reactor/user/llms/claude/.env", line);
    old.run(&["run"]).assert_code(NO_ENGINE).assert_stderr_lacks("imported");
    assert_eq!(old.env_file(), "# mine\nANTHROPIC_API_KEY='[SECRET:own]'\n");
    fs::write(old.account("llms/claude/.env"), "# none\n").unwrap();
    old.run(&["run"]).assert_code(USAGE).assert_stderr_lacks("imported");
    assert_eq!(old.env_file(), "# none\n");
}

#[test]
fn a_key_is_added_to_what_stands_there() {
    let old = Old::new(Generation::Go);
    old.sandbox.write_home(".claude-reactor/user/llms/claude/.env", "# mine\nANTHROPIC_MODEL='opus'");
    old.run(&["run"]).assert_code(NO_ENGINE);
    let expected = "# mine\nANTHROPIC_MODEL='opus'\nANTHROPIC_API_KEY='[SECRET:old-user]'\n";
    assert_eq!(old.env_file(), expected);
}

#[test]
fn a_key_that_was_removed_on_purpose_stays_away() {
    let old = Old::new(Generation::Go);
    old.run(&["run"]).assert_code(NO_ENGINE);
    fs::write(old.account("llms/claude/.env"), "").unwrap();
    let before = state(&old.sandbox);
    let output = old.run(&["run"]);
    output.assert_code(USAGE).assert_stderr_contains("there is no API key").assert_stderr_lacks("imported");
    assert_eq!(state(&old.sandbox), before);
}

#[test]
fn a_key_given_with_the_command_is_the_one() {
    let old = Old::new(Generation::Go);
    let own = old.sandbox.canary("own");
    let run = old.project().reactor(&["--key-stdin"]).stdin(own.key()).run();
    run.assert_code(NO_ENGINE).assert_stderr_lacks("imported");
    assert_eq!(old.env_file(), "ANTHROPIC_API_KEY='[SECRET:own]'\n");
    let before = state(&old.sandbox);
    old.run(&["run"]).assert_code(NO_ENGINE);
    assert_eq!(state(&old.sandbox), before);
}

#[test]
fn a_key_that_the_endpoint_refuses_is_not_imported() {
    let old = Old::new(Generation::Go);
    let other = old.sandbox.canary("other");
    old.fake.follow(Script::new().requires(Credential::ApiKey(other)));
    let output = old.run(&["run"]);
    output
        .assert_code(USAGE)
        .assert_stderr_contains("is not imported: Claude")
        .assert_stderr_contains("HTTP 401");
    assert!(!old.account("llms/claude/.env").exists());
    old.run(&["--no-verify"]).assert_code(NO_ENGINE);
    assert_eq!(old.env_file(), "ANTHROPIC_API_KEY='[SECRET:old-user]'\n");
}

#[test]
fn what_is_no_key_is_not_imported() {
    let old = Old::new(Generation::Go);
    let file = old.sandbox.reactor_home().join(".claude-reactor-user-env");
    let refused = |why: &str| {
        old.run(&["run"]).assert_code(USAGE).assert_stderr_contains(&format!("is not taken over: {why}"));
        assert!(!old.account("llms/claude/.env").exists());
    };
    fs::write(&file, "two words").unwrap();
    refused("it does not hold one API key");
    let elsewhere = old.sandbox.write_home("elsewhere", old.keys.user.key());
    fs::remove_file(&file).unwrap();
    symlink(elsewhere, &file).unwrap();
    refused("it is a symbolic link");
}

#[test]
fn a_key_in_the_project_is_left_there_without_somebody_to_ask() {
    let old = Old::new(Generation::Shell);
    let output = old.run(&["run"]);
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    closed [HOME]/.claude-reactor/user, [HOME]/.claude-reactor/user/app-[HASH:app], [HOME]/.claude-reactor/user/app-[HASH:app]/projects to other users of this machine; an earlier version had left it open
    took over .claude.json, agents from [HOME]/.claude-reactor/user/app-[HASH:app]
    there is an API key in [ROOT]/app/.claude-reactor-env, where others may have put it; if it is yours: `sed 's/^ANTHROPIC_API_KEY=//; /^#/d' '[ROOT]/app/.claude-reactor-env' | claude-reactor run --llm-provider claude --key-stdin`
    error: there is no API key for Claude yet, and no terminal to ask for one
      hint: run `claude-reactor run --llm-provider claude --key-from-env` with ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN set, or `claude-reactor run --llm-provider claude --key-stdin < key.txt`, or, to log in to a subscription, `claude-reactor run --llm-provider claude --interactive-login` in a terminal
    ");
    assert!(!old.account("llms/claude/.env").exists());

    // The command of the note does it.
    let command = output.stderr().split('`').nth(1).expect("a command").to_owned();
    let program = env!("CARGO_BIN_EXE_claude-reactor");
    let command = command.replacen("| claude-reactor", &format!("| {program}"), 1);
    old.project().command("sh", &["-c", &command]).run().assert_code(NO_ENGINE);
    assert_eq!(old.env_file(), "ANTHROPIC_API_KEY='[SECRET:old-user]'\n");
    old.run(&["run"]).assert_code(NO_ENGINE).assert_stderr_lacks("API key");
}

#[test]
fn a_no_to_a_key_in_the_project_is_remembered() {
    let old = Old::new(Generation::Shell);
    let pty = old.project().reactor(&["run"]).on_pty(WIDE);
    pty.wait_for("Is it yours", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.canonical);
    pty.write("n");
    pty.wait_for("Enter your", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.echo && mode.canonical);
    pty.ctrl_c();
    pty.wait(SOON).assert_code(130);
    assert!(!old.account("llms/claude/.env").exists());
    assert!(old.fake.requests().is_empty(), "it was sent nowhere");
    old.run(&["run"]).assert_code(USAGE).assert_stderr_lacks("app/.claude-reactor-env");
}

#[test]
fn a_key_in_the_project_is_its_accounts_only() {
    let old = Old::new(Generation::Shell);
    // Nobody chose an account when that file was written.
    let output = old.run(&["--account", "work"]);
    output.assert_code(USAGE).assert_stderr_lacks("app/.claude-reactor-env");
    old.project().write(".claude-reactor-work-env", format!("ANTHROPIC_API_KEY={}\n", old.keys.work.key()));
    old.run(&["--account", "work"]).assert_stderr_contains("app/.claude-reactor-work-env, where others");
}

#[test]
fn a_key_that_others_can_change_is_asked_about() {
    let old = Old::new(Generation::Go);
    let file = old.sandbox.reactor_home().join(".claude-reactor-user-env");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    let output = old.run(&["run"]);
    output
        .assert_code(USAGE)
        .assert_stderr_contains(".claude-reactor-user-env, where others may have put it");
    let command = output.stderr().split('`').nth(1).expect("a command").to_owned();
    assert!(!old.account("llms/claude/.env").exists());
    old.answering("Is it yours", "y").assert_code(NO_ENGINE);
    assert_eq!(old.env_file(), "ANTHROPIC_API_KEY='[SECRET:old-user]'\n");

    // The command does the same.
    fs::remove_file(old.account("llms/claude/.env")).unwrap();
    let program = env!("CARGO_BIN_EXE_claude-reactor");
    let command = command.replacen("| claude-reactor", &format!("| {program}"), 1);
    old.project().command("sh", &["-c", &command]).run().assert_code(NO_ENGINE);
    assert_eq!(old.env_file(), "ANTHROPIC_API_KEY='[SECRET:old-user]'\n");
}
