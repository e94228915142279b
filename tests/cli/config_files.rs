//! What is wrong in a configuration file is said with its place and, where there is one, the word that was meant.

use crate::common::{USAGE, state};
use crate::support::sandbox::Sandbox;

#[test]
fn an_unknown_key_is_placed_and_the_nearest_one_named() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let show = |text: &str| {
        project.write(".claude-reactor", text);
        project.reactor(&["run"]).run().snapshot()
    };
    insta::assert_snapshot!(show("variant: base\nllm:\n  provder: zai\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:3:3: unknown key `llm.provder`
      hint: did you mean `llm.provider`?
    ");
    insta::assert_snapshot!(show("# team\nprovider: zai\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:1: unknown key `provider`
      hint: did you mean `llm.provider`?
    ");
    insta::assert_snapshot!(show("zzz: 1\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:1:1: unknown key `zzz`
      hint: known keys here: variant, danger, llm, host_docker, host_docker_timeout, ssh_agent, ssh_agent_socket, session_persistence, mounts, env, sudo, limits, account
    ");
    insta::assert_snapshot!(show("llm: {models: x}\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:1:7: unknown key `llm.models`
      hint: did you mean `llm.model`?
    ");
}

#[test]
fn the_users_file_and_the_session_file_are_checked_too() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let session_file = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    sandbox.write_home(&session_file, "llm:\n  provider: zai\n  model: [a]\n");
    insta::assert_snapshot!(project.reactor(&["run"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:3:10: llm.model: invalid type: sequence, expected a string
    ");
    sandbox.write_home(".claude-reactor/config.yaml", "acount: alice\n");
    insta::assert_snapshot!(project.reactor(&["run"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/config.yaml:1:1: unknown key `acount`
      hint: did you mean `account`?
    ");
}

#[test]
fn a_file_that_is_no_configuration_is_refused_where_reading_stopped() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let show = |text: &str| {
        project.write(".claude-reactor", text);
        project.reactor(&["run"]).run().snapshot()
    };
    insta::assert_snapshot!(show("llm:\n  provider: 'zai\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:3:1: not valid YAML: found unexpected end of stream, while scanning a quoted scalar at line 2 column 13
    ");
    insta::assert_snapshot!(show("- zai\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor: the file is a list, not keys with values
      hint: write one `key: value` in a line
    ");
    insta::assert_snapshot!(show("llm: zai\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:1:1: `llm` is a text, not keys with values
      hint: keys of `llm`: provider, model, small_model, env, export_key
    ");
    insta::assert_snapshot!(show("variant: base\nvariant: base\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:1: `variant` is there twice; the first one is in line 1
      hint: remove one of them
    ");
    insta::assert_snapshot!(show("variant: base\nimage: base\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:1: `image` is another name for `variant`, which the file has already
      hint: remove one of them
    ");
    insta::assert_snapshot!(show("danger: 'yes'\n"), @r#"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:1:9: danger: invalid type: string "yes", expected a boolean
    "#);
    insta::assert_snapshot!(show("just a text\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor: the file is a text, not keys with values
      hint: write one `key: value` in a line
    ");
    insta::assert_snapshot!(show(&"# filler\n".repeat(30_000)), @"
    exit code: 1
    --- stderr
    error: [ROOT]/app/.claude-reactor cannot be read
      because: it is larger than 256 KiB
    ");
}

#[test]
fn a_value_is_placed() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "llm:\n  model: ' '\n");
    insta::assert_snapshot!(project.reactor(&["run"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:3: llm.model: a model id is one line of text
    ");
}

#[test]
fn what_a_repositorys_file_says_cannot_drive_the_terminal() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let escape = r#""\e]0;owned\a\e[2J""#;
    for text in [
        format!("variant: {escape}\n"),
        format!("account: {escape}\n"),
        format!("danger: {escape}\n"),
        format!("{escape}: 1\n"),
        format!("llm: {escape}\n"),
        format!("llm: {{{escape}: 1}}\n"),
        format!("llm: {{provider: {escape}}}\n"),
        format!("llm: {{model: {escape}}}\n"),
        format!("llm: {{env: {escape}}}\n"),
        "llm: \u{1b}]0;owned\u{7}\n".to_owned(),
    ] {
        project.write(".claude-reactor", &text);
        let output = project.reactor(&["run"]).run();
        output.assert_code(USAGE);
        let controls = output.stderr().chars().any(|c| c.is_control() && c != '\n');
        assert!(!controls, "{text:?} → {:?}", output.stderr());
    }
}

#[test]
fn a_faulty_file_stops_everything_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "unknown: 1\n");
    let canary = sandbox.canary("zai");
    let before = state(&sandbox);
    let args = ["--llm-provider", "zai", "--account", "bob", "--key-stdin"];
    project.reactor(&args).stdin(canary.key()).run().assert_code(USAGE);
    assert_eq!(state(&sandbox), before);
}
