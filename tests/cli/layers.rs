//! Which layer wins: flag over variable over session file over project file over the user's defaults.

use crate::common::{NO_ENGINE, USAGE, store_key};
use crate::support::sandbox::{Project, Sandbox};

/// The provider whose key is asked for is the one that was chosen.
fn assert_provider(output: &crate::support::output::Output, name: &str) {
    output.assert_code(USAGE).assert_stderr_contains(&format!("there is no API key for {name} yet"));
}

fn session_file(project: &Project, account: &str) -> String {
    format!(".claude-reactor/{account}/app-{}/.claude-reactor", project.hash())
}

#[test]
fn the_provider_comes_from_the_highest_layer_that_names_one() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    assert_provider(&project.reactor(&["run"]).run(), "Claude");

    // With a session file, this account has been here before, so that the project's choice needs no question.
    sandbox.write_home(&session_file(&project, "user"), "# nothing yet\n");
    project.write(".claude-reactor", "llm:\n  provider: zai\n");
    assert_provider(&project.reactor(&["run"]).run(), "Z.AI");

    sandbox.write_home(&session_file(&project, "user"), "llm:\n  provider: deepseek\n");
    assert_provider(&project.reactor(&["run"]).run(), "DeepSeek");

    let with_variable =
        |args: &[&str]| project.reactor(args).env("CLAUDE_REACTOR_LLM_PROVIDER", "moonshot").run();
    assert_provider(&with_variable(&["run"]), "Moonshot AI");
    assert_provider(&with_variable(&["run", "--llm-provider", "minimax"]), "MiniMax");
}

/// The account whose folder a new key goes to.
fn account_of(sandbox: &Sandbox, invocation: crate::support::invocation::Invocation) -> String {
    let canary = sandbox.canary("key");
    invocation.stdin(canary.key()).run().assert_code(NO_ENGINE);
    let [path] = &sandbox.files_with(&canary)[..] else { panic!("the key is in one file") };
    let account = path.strip_prefix("home/.claude-reactor").expect("keys lie at home").iter().next();
    account.expect("a folder").to_str().expect("text").to_owned()
}

#[test]
fn the_account_comes_from_the_highest_place_that_names_one() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let store = || project.reactor(&["run", "--llm-provider", "local", "--key-stdin"]);
    // Keys of this provider are tried nowhere: nothing listens on the discard port.
    let rows =
        "providers:\n  local:\n    base_url: http://127.0.0.1:9\n    key_env: K\n    models: {main: m}\n";
    sandbox.write_home(".claude-reactor/providers.yaml", rows);

    assert_eq!(account_of(&sandbox, store()), "user");
    assert_eq!(account_of(&sandbox, store().env("USER", "alice")), "alice");

    sandbox.write_home(".claude-reactor/config.yaml", "account: from-defaults\n");
    assert_eq!(account_of(&sandbox, store().env("USER", "alice")), "from-defaults");

    sandbox.write_home(&session_file(&project, "from-project"), "account: ignored-here\n");
    project.write(".claude-reactor", "account: from-project\n");
    assert_eq!(account_of(&sandbox, store()), "from-project");

    let mine = format!("account: from-defaults\nprojects:\n  '{}':\n    account: mine\n", project.hash());
    sandbox.write_home(".claude-reactor/config.yaml", mine);
    assert_eq!(account_of(&sandbox, store()), "mine");
    assert_eq!(account_of(&sandbox, store().env("CLAUDE_REACTOR_ACCOUNT", "variable")), "variable");

    let by_flag = project.reactor(&["--account", "flag", "--llm-provider", "local", "--key-stdin"]);
    assert_eq!(account_of(&sandbox, by_flag.env("CLAUDE_REACTOR_ACCOUNT", "variable")), "flag");
    // A flag is remembered, a variable is not.
    assert_eq!(account_of(&sandbox, store()), "flag");
}

#[test]
fn a_model_counts_only_for_the_provider_it_was_chosen_for() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    // OpenRouter has no model of its own, so that a session without one is refused.
    store_key(&sandbox, "openrouter", "OPENROUTER_API_KEY");
    let run = |args: &[&str]| project.reactor(args).env("CLAUDE_REACTOR_LLM_PROVIDER", "openrouter").run();
    insta::assert_snapshot!(run(&["run"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: no model is known for provider openrouter
      hint: choose one with --llm-provider openrouter --llm-model MODEL, or set models.main of openrouter in ~/.claude-reactor/providers.yaml
    ");

    sandbox.write_home(&session_file(&project, "user"), "llm: {provider: zai, model: glm-4.6}\n");
    run(&["run"]).assert_code(USAGE).assert_stderr_contains("no model is known for provider openrouter");

    sandbox.write_home(&session_file(&project, "user"), "llm: {provider: openrouter, model: z-ai/glm-4.6}\n");
    run(&["run"]).assert_code(NO_ENGINE);
}

#[test]
fn the_accounts_defaults_stand_between_the_users_and_the_projects() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    sandbox.write_home(".claude-reactor/config.yaml", "llm: {provider: deepseek}\n");
    assert_provider(&project.reactor(&["run"]).run(), "DeepSeek");
    sandbox.write_home(".claude-reactor/user/config.yaml", "llm: {provider: zai}\n");
    assert_provider(&project.reactor(&["run"]).run(), "Z.AI");
    // Another account has other defaults.
    assert_provider(&project.reactor(&["run", "--account", "other"]).run(), "DeepSeek");

    sandbox.write_home(&session_file(&project, "user"), "# nothing yet\n");
    project.write(".claude-reactor", "llm: {provider: moonshot}\n");
    assert_provider(&project.reactor(&["run"]).run(), "Moonshot AI");
}

#[test]
fn an_accounts_file_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let file = sandbox.write_home(".claude-reactor/user/config.yaml", "danger: true\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    sandbox.project("app").reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains("chmod");
}

#[test]
fn a_flag_with_a_value_that_cannot_be_is_named() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let show = |flag: &str| project.reactor(&["run", flag]).run().snapshot();
    insta::assert_snapshot!(show("--host-docker-timeout=soon"), @r#"
    exit code: 2
    --- stderr
    error: --host-docker-timeout: "soon" is not a duration
      hint: for example `5m`, `1h30m`, or `0` for no limit
    "#);
    insta::assert_snapshot!(show("--ssh-agent=agent.sock"), @r#"
    exit code: 2
    --- stderr
    error: --ssh-agent: "agent.sock" is neither an absolute path nor `auto`
      hint: `auto` is the agent of your shell (SSH_AUTH_SOCK)
    "#);
    insta::assert_snapshot!(show("--image=Ubuntu"), @"
    exit code: 2
    --- stderr
    error: --image: `Ubuntu` is neither a built-in image nor an image reference: a name is lower-case letters and digits, with single `.`, `_`, `__` or dashes between them
      hint: built-in: `base`, `go`, `full`, `cloud`, `k8s`; or a reference, for example `ghcr.io/acme/tools:1.2`
    ");
    project.reactor(&["run", "--host-docker=maybe"]).run().assert_code(USAGE);
}

#[test]
fn a_variable_with_a_value_that_cannot_be_is_named() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (variable, value, problem) in [
        ("CLAUDE_REACTOR_DANGER", "yes", r#""yes" is neither true nor false"#),
        ("CLAUDE_REACTOR_VARIANT", "Go", "`Go` is neither a built-in image nor an image reference: "),
        ("CLAUDE_REACTOR_LLM_ENV", "inspect", r#""inspect" is not session or container"#),
        ("CLAUDE_REACTOR_LLM_EXPORT_KEY", "2", r#""2" is neither true nor false"#),
        ("CLAUDE_REACTOR_LLM_MODEL", "a\nb", "a model id is one line of text"),
        ("CLAUDE_REACTOR_LLM_SMALL_MODEL", " ", "a model id is one line of text"),
        ("CLAUDE_REACTOR_IMAGE", "a..b", "`a..b` is neither a built-in image nor an image reference: "),
        ("CLAUDE_REACTOR_HOST_DOCKER", "on", r#""on" is neither true nor false"#),
        ("CLAUDE_REACTOR_HOST_DOCKER_TIMEOUT", "5", r#""5" is not a duration"#),
        ("CLAUDE_REACTOR_SSH_AGENT", "yes", r#""yes" is neither true nor false"#),
        ("CLAUDE_REACTOR_SSH_AGENT_SOCKET", "agent", r#""agent" is neither an absolute path nor `auto`"#),
        ("CLAUDE_REACTOR_SESSION_PERSISTENCE", "no", r#""no" is neither true nor false"#),
        ("CLAUDE_REACTOR_SUDO", "no", r#""no" is neither true nor false"#),
        ("CLAUDE_REACTOR_LIMITS_CPUS", "0", r#""0" is not a number of processors"#),
        ("CLAUDE_REACTOR_LIMITS_MEMORY", "4x", r#""4x" is not an amount of memory"#),
        ("CLAUDE_REACTOR_LIMITS_PIDS", "-1", r#""-1" is not a number of processes"#),
        ("CLAUDE_REACTOR_ENGINE", "http://x", r#""http://x""#),
        ("CLAUDE_REACTOR_CLAUDE_VERSION", "latest", "`latest` is no version of Claude Code"),
        ("CLAUDE_REACTOR_USE_REGISTRY", "no", r#""no" is neither true nor false"#),
        ("CLAUDE_REACTOR_REGISTRY", "ghcr.io/acme:1", "`ghcr.io/acme:1` is not a registry's prefix: "),
    ] {
        let output = project.reactor(&["run"]).env(variable, value).run();
        output.assert_code(USAGE).assert_stderr_contains(&format!("error: {variable}: {problem}"));
    }
    let output = project.reactor(&["run"]).env("CLAUDE_REACTOR_CA_FILE", "/none.pem").run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: the CA file /none.pem (from: environment) cannot be read
      because: No such file or directory (os error 2)
      hint: correct the path, or leave it out
    ");
    let output = project.reactor(&["run"]).env("CLAUDE_REACTOR_HOME", "reactor").run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: CLAUDE_REACTOR_HOME is `reactor`, which is not an absolute path
      hint: give the full path, or unset it to use ~/.claude-reactor
    ");
}

#[test]
fn claude_reactor_home_moves_everything() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let canary = sandbox.canary("claude");
    let elsewhere = sandbox.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let rows = "providers: {claude: {base_url: 'http://127.0.0.1:9'}}\n";
    std::fs::write(elsewhere.join("providers.yaml"), rows).unwrap();
    let run =
        project.reactor(&["--key-stdin"]).stdin(canary.key()).env("CLAUDE_REACTOR_HOME", &elsewhere).run();
    run.assert_code(NO_ENGINE);
    assert!(elsewhere.join("user/llms/claude/.env").is_file());
    assert!(!sandbox.reactor_home().exists());
}
