//! Which backends and images there are, and what can be wrong with the user's own rows.

use crate::common::{NO_ENGINE, USAGE, state};
use crate::support::sandbox::Sandbox;

#[test]
fn a_backend_that_needs_the_gateway_is_refused_with_the_ones_that_do_not() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    let output = project.reactor(&["run", "--llm-provider", "openai"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: provider openai speaks the openai API, which sessions cannot use in this version
      hint: providers that work: bedrock, claude, deepseek, doubao, foundry, kimi-coding, llamacpp, lmstudio, minimax, minimax-cn, moonshot, moonshot-cn, ollama, ollama-cloud, openrouter, qwen, qwen-cn, vercel, vertex, vllm, zai, zai-cn
    ");
    for provider in ["gemini", "groq", "azure", "ollama-native"] {
        let output = project.reactor(&["exec", "--llm-provider", provider, "--", "true"]).run();
        output.assert_code(USAGE).assert_stderr_contains("sessions cannot use");
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_key_for_a_backend_that_needs_the_gateway_is_not_even_read() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("openai");
    let invocation = sandbox.project("app").reactor(&["--llm-provider", "openai", "--key-from-env"]);
    invocation.env("OPENAI_API_KEY", canary.key()).run().assert_code(USAGE);
    assert_eq!(sandbox.files_with(&canary), [] as [&std::path::Path; 0]);
}

#[test]
fn a_backend_of_the_users_own_with_another_api_is_no_exception() {
    let sandbox = Sandbox::new();
    let rows = "providers:\n  acme: {wire: gemini, base_url: 'https://llm.acme.example'}\n";
    sandbox.write_home(".claude-reactor/providers.yaml", rows);
    let output = sandbox.project("app").reactor(&["--llm-provider", "acme"]).run();
    output
        .assert_code(USAGE)
        .assert_stderr_contains("provider acme speaks the gemini API, which sessions cannot use");
}

#[test]
fn a_backend_without_keys_asks_for_none() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.reactor(&["--llm-provider", "llamacpp"]).run().assert_code(NO_ENGINE);
    let output = project.reactor(&["--llm-provider", "llamacpp", "--key-stdin"]).stdin("x\n").run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: the provider `llamacpp` takes no key
      hint: leave the key out; if yours does take one, give its row in providers.yaml an auth and a key_env
    ");
}

#[test]
fn a_name_that_is_no_image_is_told_by_flag_and_by_file() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    insta::assert_snapshot!(project.reactor(&["--image", "Ubuntu:24.04"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: --image: `Ubuntu:24.04` is neither a built-in image nor an image reference: a name is lower-case letters and digits, with single `.`, `_`, `__` or dashes between them
      hint: built-in: `base`, `go`, `full`, `cloud`, `k8s`; or a reference, for example `ghcr.io/acme/tools:1.2`
    ");
    project.write(".claude-reactor", "llm: {model: x}\nimage: Cloud\n");
    insta::assert_snapshot!(project.reactor(&["run"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:1: variant: `Cloud` is neither a built-in image nor an image reference: a name is lower-case letters and digits, with single `.`, `_`, `__` or dashes between them
      hint: did you mean `cloud`? built-in: `base`, `go`, `full`, `cloud`, `k8s`; or a reference, for example `ghcr.io/acme/tools:1.2`
    ");
}

#[test]
fn a_faulty_row_is_shown_where_it_stands() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let show = |text: &str| {
        sandbox.write_home(".claude-reactor/providers.yaml", text);
        let output = project.reactor(&["run"]).run();
        output.assert_code(USAGE).assert_stdout("");
        sandbox.redactions().apply(output.stderr())
    };
    insta::assert_snapshot!(show("provider: {}\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:1:1: unknown key `provider`
      hint: did you mean `providers`?
    ");
    insta::assert_snapshot!(show("providers:\n  zai:\n    bas_url: https://z.example\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:3:5: unknown key `providers.zai.bas_url`
      hint: did you mean `providers.zai.base_url`?
    ");
    insta::assert_snapshot!(show("providers:\n  zia:\n    models: {main: x}\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:2:3: provider zia: it has no base_url
      hint: add it; to override a built-in row, use its name: is it `zai`?
    ");
    insta::assert_snapshot!(show("providers:\n  a/b:\n    base_url: https://x.example\n"), @r#"
    error: [HOME]/.claude-reactor/providers.yaml:2:3: provider a/b: provider name "a/b": it contains '/'
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);
    insta::assert_snapshot!(show("providers:\n  acme:\n    wire: smtp\n"), @r#"error: [HOME]/.claude-reactor/providers.yaml:3:5: `providers.acme.wire` is the text "smtp", not anthropic, openai, gemini, ollama or plugin"#);
    insta::assert_snapshot!(show("providers:\n  zai: {auth: token}\n"), @r#"error: [HOME]/.claude-reactor/providers.yaml:2:9: `providers.zai.auth` is the text "token", not bearer, x-api-key or none"#);
    insta::assert_snapshot!(show("providers:\n  zai:\n    base_url: https://x.example/v1\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:3:5: provider zai, base_url: it ends in /v1, which Claude Code appends itself
      hint: give the address without that end
    ");
    insta::assert_snapshot!(show("providers:\n  zai:\n    base_url: x.example\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:3:5: provider zai, base_url: it does not begin with http:// or https://
      hint: give it in the form https://host/path or http://host:port
    ");
    insta::assert_snapshot!(show("providers:\n  zai:\n    context_window: lots\n"), @r#"error: [HOME]/.claude-reactor/providers.yaml:3:5: `providers.zai.context_window` is the text "lots", not a whole number"#);
    insta::assert_snapshot!(show("providers:\n  zai:\n    env:\n      ANTHROPIC_BASE_URL: https://evil.example\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:4:7: provider zai, env.ANTHROPIC_BASE_URL: ANTHROPIC_BASE_URL is set from the row's base_url
      hint: say it in base_url instead
    ");
    insta::assert_snapshot!(show("providers:\n  zai:\n    env: {CLAUDE_CODE_USE_BEDROCK: '1'}\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:3:11: provider zai, env.CLAUDE_CODE_USE_BEDROCK: a row may not name CLAUDE_CODE_USE_BEDROCK: it would send the session to another backend than the endpoint of this provider
      hint: leave it out
    ");
    insta::assert_snapshot!(show("providers:\n  zai:\n    env: {ZAI_API_KEY: very-secret}\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:3:11: provider zai, env.ZAI_API_KEY: ZAI_API_KEY is this row's key, which this file is no place for
      hint: put the line ZAI_API_KEY='…' into the provider's .env
    ");
    insta::assert_snapshot!(show("providers:\n  - zai\n"), @"
    error: [HOME]/.claude-reactor/providers.yaml:1:1: `providers` is a list, not keys with values
      hint: write one `key: value` in a line below it, indented
    ");
    insta::assert_snapshot!(show("providers:\n  zai:\n    name: 'Z\n"), @"error: [HOME]/.claude-reactor/providers.yaml:4:1: not valid YAML: found unexpected end of stream, while scanning a quoted scalar at line 3 column 11");
}

#[test]
fn a_key_in_the_wrong_place_or_in_a_url_is_not_repeated() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("acme");
    let key = canary.key();
    for row in [
        format!("key_env: {key}"),
        format!("key_env: [{key}]"),
        format!("base_url: https://user:{key}@x.example"),
        format!("base_url: https://x.example/?key={key}"),
        format!("env: {{ACME_API_KEY: {key}}}\n    key_env: ACME_API_KEY\n    base_url: https://x.example"),
    ] {
        sandbox.write_home(".claude-reactor/providers.yaml", format!("providers:\n  acme:\n    {row}\n"));
        sandbox.project("app").reactor(&["--llm-provider", "acme", "--debug"]).run().assert_code(USAGE);
    }
}
