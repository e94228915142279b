//! Help and usage as their readers see them.

use crate::common::USAGE;
use crate::support::sandbox::Sandbox;

fn show(args: &[&str]) -> String {
    let sandbox = Sandbox::new();
    sandbox.project("app").reactor(args).run().snapshot()
}

#[test]
fn help() {
    insta::assert_snapshot!("help", show(&["--help"]));
}

#[test]
fn short_help() {
    insta::assert_snapshot!("short_help", show(&["-h"]));
}

#[test]
fn run_help() {
    insta::assert_snapshot!("run_help", show(&["run", "--help"]));
}

#[test]
fn exec_help() {
    insta::assert_snapshot!("exec_help", show(&["exec", "--help"]));
}

#[test]
fn version() {
    let sandbox = Sandbox::new();
    let output = sandbox.project("app").reactor(&["--version"]).run();
    output.assert_success().assert_stdout(concat!("claude-reactor ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn help_needs_no_home() {
    let sandbox = Sandbox::new();
    let output =
        sandbox.project("app").reactor(&["--help"]).env_remove("HOME").env("CLAUDE_REACTOR_HOME", "x").run();
    output.assert_success();
}

#[test]
fn wrong_usage() {
    insta::assert_snapshot!(show(&["rnu"]), @"
    exit code: 2
    --- stderr
    error: there is no command `rnu`
      hint: did you mean `run`?
    ");
    insta::assert_snapshot!(show(&["--llm-providr", "zai"]), @"
    exit code: 2
    --- stderr
    error: unexpected argument '--llm-providr' found

      tip: a similar argument exists: '--llm-provider'
      tip: to pass '--llm-providr' as a value, use '-- --llm-providr'

    Usage: claude-reactor [OPTIONS] [-- <CLAUDE ARGS>...]
           claude-reactor <COMMAND>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(show(&["exec"]), @"
    exit code: 2
    --- stderr
    error: the following required arguments were not provided:
      <COMMAND>...

    Usage: claude-reactor exec -- <COMMAND>...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(show(&["exec", "ls"]), @"
    exit code: 2
    --- stderr
    error: unexpected argument 'ls' found

    Usage: claude-reactor exec [OPTIONS] -- <COMMAND>...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(show(&["--json"]), @"
    exit code: 2
    --- stderr
    error: the following required arguments were not provided:
      --dry-run

    Usage: claude-reactor [OPTIONS] [-- <CLAUDE ARGS>...]
           claude-reactor <COMMAND>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(show(&["run", "--shell", "--", "-p", "hi"]), @"
    exit code: 2
    --- stderr
    error: the argument '--shell' cannot be used with '[CLAUDE ARGS]...'

    Usage: claude-reactor run --shell [-- <CLAUDE ARGS>...]

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(show(&["--danger=maybe"]), @"
    exit code: 2
    --- stderr
    error: invalid value 'maybe' for '--danger[=<BOOL>]'
      [possible values: true, false]

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(show(&["--llm-provider", "zai", "run"]), @"
    exit code: 2
    --- stderr
    error: `--llm-provider` belongs after `run`

    Usage: claude-reactor [OPTIONS] [-- <CLAUDE ARGS>...]
           claude-reactor <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn global_flags_stand_on_either_side_of_a_command() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for args in [["--debug", "run", "--dry-run"], ["run", "--debug", "--dry-run"]] {
        let output = project.reactor(&args).run();
        output.assert_stderr_contains("container engine").assert_stderr_lacks("unexpected argument");
    }
}

#[test]
fn a_command_line_that_is_not_understood_is_not_repeated_with_its_key() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("key");
    for args in [
        &["--apikey", canary.key(), "--frobnicate"][..],
        &["--apikey", canary.key(), "--key-stdin"],
        &["--apikey", canary.key(), "run"],
    ] {
        sandbox.project("app").reactor(args).run().assert_code(USAGE);
    }
}

#[test]
fn a_word_that_is_no_command_is_told_from_an_argument() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    insta::assert_snapshot!(project.reactor(&["fix the tests"]).run().snapshot(), @r"
    exit code: 2
    --- stderr
    error: there is no command `fix the tests`
      hint: `claude-reactor --help` lists the commands; what is meant for claude follows `--`
    ");
}

#[test]
fn every_command_that_asks_takes_a_yes_beforehand_by_the_same_flag() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for command in [&["clean"][..], &["stop"], &["llm", "remove", "zai"], &["config", "trust"]] {
        for flag in ["--yes", "-y"] {
            let output = project.reactor(&[command, &[flag]].concat()).run();
            output.assert_stderr_lacks("unexpected argument");
        }
    }
}
