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

    let mine = format!("account: from-defaults\nprojects:\n  {}:\n    account: mine\n", project.hash());
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
fn a_variable_with_a_value_that_cannot_be_is_named() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (variable, value, problem) in [
        ("CLAUDE_REACTOR_DANGER", "yes", r#""yes" is neither true nor false"#),
        ("CLAUDE_REACTOR_VARIANT", "go", "the variant `go` is not in this version yet"),
        ("CLAUDE_REACTOR_LLM_ENV", "inspect", r#""inspect" is not session or container"#),
        ("CLAUDE_REACTOR_LLM_EXPORT_KEY", "2", r#""2" is neither true nor false"#),
        ("CLAUDE_REACTOR_LLM_MODEL", "a\nb", "a model id is one line of text"),
        ("CLAUDE_REACTOR_LLM_SMALL_MODEL", " ", "a model id is one line of text"),
    ] {
        let output = project.reactor(&["run"]).env(variable, value).run();
        output.assert_code(USAGE).assert_stderr_contains(&format!("error: {variable}: {problem}\n"));
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
