//! Names become folders and parts of container names, so a bad one is refused wherever it comes from.

use crate::common::{USAGE, state};
use crate::support::sandbox::Sandbox;

const RULE: &str = "hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, \
                    digits, `.`, `_` or `-`";

/// A text that is no name, and what is said of it.
const BAD: [(&str, &str); 9] = [
    ("..", r#"name "..": it begins with '.'"#),
    ("../../etc", r#"name "../../etc": it begins with '.'"#),
    ("/etc", r#"name "/etc": it begins with '/'"#),
    ("-x", r#"name "-x": it begins with '-'"#),
    ("a/b", r#"name "a/b": it contains '/'"#),
    (r"a\b", r#"name "a\\b": it contains '\\'"#),
    ("a\nb", r#"name "a\nb": it contains '\n'"#),
    ("a\u{1b}[2J", r#"name "a\u{1b}[2J": it contains '\u{1b}'"#),
    ("zoë", r#"name "zoë": it contains 'ë'"#),
];

#[test]
fn a_bad_name_is_refused_by_flag_and_by_variable() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    for (flag, variable, kind) in [
        ("--account", "CLAUDE_REACTOR_ACCOUNT", "account"),
        ("--llm-provider", "CLAUDE_REACTOR_LLM_PROVIDER", "provider"),
    ] {
        for (name, problem) in BAD {
            let by_flag = project.reactor(&["run", &format!("{flag}={name}")]).run();
            by_flag.assert_code(USAGE).assert_stdout("");
            by_flag.assert_stderr_contains(&format!("error: {flag}: {kind} {problem}\n"));
            by_flag.assert_stderr_contains(RULE);

            let by_variable = project.reactor(&["run"]).env(variable, name).run();
            by_variable.assert_code(USAGE).assert_stdout("");
            by_variable.assert_stderr_contains(&format!("error: {variable}: {kind} {problem}\n"));
            by_variable.assert_stderr_contains(RULE);
        }
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_name_is_64_characters_at_most() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let longest = "a".repeat(64);
    project.reactor(&["--account", &longest]).run().assert_stderr_contains("there is no API key for Claude");
    let output = project.reactor(&["--account", &format!("{longest}a")]).run();
    insta::assert_snapshot!(output.snapshot(), @r#"
    exit code: 2
    --- stderr
    error: --account: account name "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": it is 65 bytes long
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);
}

#[test]
fn an_empty_name_is_refused_by_flag_and_is_no_choice_by_variable() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let output = project.reactor(&["--account="]).run();
    output.assert_code(USAGE).assert_stderr_contains(r#"error: --account: account name "": it is empty"#);
    let output = project.reactor(&["run"]).env("CLAUDE_REACTOR_ACCOUNT", "").run();
    output.assert_stderr_contains("there is no API key for Claude");
}

#[test]
fn an_account_cannot_take_the_name_of_a_file_of_ours() {
    let sandbox = Sandbox::new();
    for name in ["config.yaml", "Providers.yaml"] {
        let output = sandbox.project("app").reactor(&["--account", name]).run();
        output
            .assert_code(USAGE)
            .assert_stderr_contains("claude-reactor keeps a file of its own under that name");
    }
}

#[test]
fn a_user_name_that_cannot_be_an_account_asks_for_one() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let output = project.reactor(&["run"]).env("USER", r"COMPANY\bob").run();
    insta::assert_snapshot!(output.snapshot(), @r#"
    exit code: 2
    --- stderr
    error: your user name ($USER) cannot be the account: account name "COMPANY\\bob": it contains '\\'
      hint: choose one with --account NAME
    "#);
    let output = project.reactor(&["run", "--account", "bob"]).env("USER", r"COMPANY\bob").run();
    output.assert_stderr_contains("there is no API key for Claude");
}

#[test]
fn a_bad_name_in_a_file_is_shown_where_it_stands() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let hash = project.hash();
    let show = || project.reactor(&["run"]).run().snapshot();

    project.write(".claude-reactor", "# ours\naccount: ../x\n");
    insta::assert_snapshot!(show(), @r#"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:1: account: account name "../x": it begins with '.'
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);

    project.write(".claude-reactor", "llm: {model: m, provider: 'a/b'}\n");
    insta::assert_snapshot!(show(), @r#"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:1:17: llm.provider: provider name "a/b": it contains '/'
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);

    project.write(".claude-reactor", "llm:\n  provider: \"z\\e[2Jai\"\n");
    insta::assert_snapshot!(show(), @r#"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:3: llm.provider: provider name "z\u{1b}[2Jai": it contains '\u{1b}'
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);

    project.write(".claude-reactor", "");
    let session_file = format!(".claude-reactor/user/app-{hash}/.claude-reactor");
    sandbox.write_home(&session_file, "\n\nllm:\n    provider: z ai\n");
    insta::assert_snapshot!(show(), @r#"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:4:5: llm.provider: provider name "z ai": it contains ' '
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);

    sandbox.write_home(".claude-reactor/config.yaml", format!("projects:\n  {hash}:\n    account: a:b\n"));
    insta::assert_snapshot!(show(), @r#"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/config.yaml:3:5: projects.[HASH:app].account: account name "a:b": it contains ':'
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);
}
