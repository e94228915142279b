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
    error: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:3:3: `llm.model` is a list, not a text
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
    error: [ROOT]/app/.claude-reactor:1:1: `danger` is the text "yes", not true or false
      hint: did you mean `true`?
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

#[test]
fn a_key_of_another_file_is_sent_there() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let hint = || {
        let stderr = project.reactor(&["run"]).run();
        sandbox.redactions().apply(stderr.assert_code(USAGE).stderr())
    };
    project.write(".claude-reactor", "variant: base\nengine: podman\n");
    insta::assert_snapshot!(hint(), @"
    error: [ROOT]/app/.claude-reactor:2:1: unknown key `engine`
      hint: which engine is used is not a project's choice: it belongs in ~/.claude-reactor/config.yaml
    ");
    project.write(".claude-reactor", "ca_file: x.pem\n");
    insta::assert_snapshot!(hint(), @"
    error: [ROOT]/app/.claude-reactor:1:1: unknown key `ca_file`
      hint: it belongs in ~/.claude-reactor/config.yaml
    ");
    project.write(".claude-reactor", "");
    sandbox.write_home(".claude-reactor/user/config.yaml", "account: other\n");
    insta::assert_snapshot!(hint(), @"
    error: [HOME]/.claude-reactor/user/config.yaml:1:1: unknown key `account`
      hint: it belongs in ~/.claude-reactor/config.yaml: this file is one account's already
    ");
    sandbox.write_home(".claude-reactor/user/config.yaml", "projects: {}\n");
    insta::assert_snapshot!(hint(), @"
    error: [HOME]/.claude-reactor/user/config.yaml:1:1: unknown key `projects`
      hint: it belongs in ~/.claude-reactor/config.yaml
    ");
    sandbox.write_home(".claude-reactor/user/config.yaml", "hostdocker: true\n");
    insta::assert_snapshot!(hint(), @"
    error: [HOME]/.claude-reactor/user/config.yaml:1:1: unknown key `hostdocker`
      hint: did you mean `host_docker`?
    ");
}

#[test]
fn every_value_of_a_file_is_placed() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (text, error) in [
        ("variant: Ubuntu\n", "1:1: variant: `Ubuntu` is neither a built-in image nor an image reference"),
        ("host_docker: 'on'\n", "1:1: `host_docker` is the text \"on\", not true or false"),
        ("host_docker_timeout: 5\n", "1:1: host_docker_timeout: \"5\" is not a duration"),
        (
            "ssh_agent_socket: agent\n",
            "1:1: ssh_agent_socket: \"agent\" is neither an absolute path nor `auto`",
        ),
        ("mounts: ~/data\n", "1:1: `mounts` is the text \"~/data\", not a list"),
        ("mounts:\n  - /none-such\n", "2:5: mounts: /none-such: /none-such does not exist"),
        (
            "mounts: [data]\n",
            "1:10: mounts: data: the source must be an absolute path, or begin with ~/ or ./",
        ),
        ("mounts: [/usr:/x, /usr:/x]\n", "1:19: mounts: /usr:/x: /x inside the container is taken already"),
        ("mounts: ['~:/mnt/x']\n", "is where claude-reactor keeps your keys"),
        ("env: EDITOR=vim\n", "1:1: `env` is a text, not keys with values"),
        ("env: {2x: y}\n", "1:7: env.2x: it cannot be the name of a variable"),
        ("env: {A: [b]}\n", "1:7: `env.A` is a list, not a text"),
        ("limits: 4g\n", "1:1: `limits` is a text, not keys with values"),
        ("limits: {cpu: 1}\n", "1:10: unknown key `limits.cpu`"),
        ("limits:\n  cpus: 0\n", "2:3: limits.cpus: \"0\" is not a number of processors"),
        ("limits:\n  memory: 1m\n", "2:3: limits.memory: \"1m\" is not an amount of memory"),
        ("limits:\n  pids: 1.5\n", "2:3: limits.pids: \"1.5\" is not a number of processes"),
        ("sudo: 0\n", "1:1: `sudo` is the number 0, not true or false"),
    ] {
        project.write(".claude-reactor", text);
        project.reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains(error);
    }
    for (text, error) in [
        ("engine: http://x\n", "config.yaml:1:1: engine: "),
        ("registry: a//b\n", "config.yaml:1:1: registry: `a//b` is not a registry's prefix"),
    ] {
        project.write(".claude-reactor", "");
        sandbox.write_home(".claude-reactor/config.yaml", text);
        project.reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains(error);
    }
}

#[test]
fn a_variable_that_looks_like_a_secret_is_refused_and_not_shown() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    // Any output that holds a canary fails the test.
    let key = sandbox.canary("in-a-file");
    let session_file = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    let show = || {
        let output = project.reactor(&["run", "--debug"]).run();
        sandbox.redactions().apply(output.assert_code(USAGE).stderr())
    };
    sandbox.write_home(&session_file, format!("# mine\nenv:\n  NOTE: {}\n", key.key()));
    insta::assert_snapshot!(show(), @"
    error: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:3:3: env.NOTE: this looks like a secret, which is not to be in this file: `inspect` would show it
      hint: put it into the provider's own file, `~/.claude-reactor/{account}/llms/{provider}/.env`
    ");
    sandbox.write_home(&session_file, "env: {DEPLOY_TOKEN: x}\n");
    show();
    sandbox.write_home(&session_file, "");
    project.write(".claude-reactor", format!("env:\n  DB: postgres://me:{}@db/app\n", key.key()));
    show();
    project.write(".claude-reactor", format!("env: [{}]\n", key.key()));
    show();
    project.write(".claude-reactor", "");
    sandbox.write_home(".claude-reactor/config.yaml", format!("env: {{MY_KEY: {}}}\n", key.key()));
    show();
}

#[test]
fn a_variable_that_decides_where_a_session_goes_is_refused() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let show = |text: &str| {
        sandbox.write_home(".claude-reactor/config.yaml", text);
        project.reactor(&["run"]).run().snapshot()
    };
    insta::assert_snapshot!(show("env:\n  ANTHROPIC_BASE_URL: https://elsewhere.example\n"), @"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/config.yaml:2:3: env.ANTHROPIC_BASE_URL: this variable decides which backend a session talks to, and is the provider's
      hint: choose a provider with `--llm-provider`, or describe one in ~/.claude-reactor/providers.yaml
    ");
    insta::assert_snapshot!(show("env:\n  HOME: /tmp\n"), @"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/config.yaml:2:3: env.HOME: claude-reactor sets this variable itself: the session's user has it from claude-reactor
      hint: remove the line
    ");
    for name in ["CLAUDE_CODE_USE_BEDROCK", "ANTHROPIC_MODEL", "CLAUDE_CONFIG_DIR", "PATH"] {
        show(&format!("env: {{{name}: '1'}}\n"));
    }
}
