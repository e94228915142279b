//! What the lines of a provider's `.env` may say, and what is said of the others: never a value.

use crate::common::{NO_ENGINE, USAGE, state};
use crate::support::output::Output;
use crate::support::sandbox::Sandbox;

fn run_with(sandbox: &Sandbox, provider: &str, lines: &str) -> Output {
    sandbox.write_home(&format!(".claude-reactor/user/llms/{provider}/.env"), lines);
    let project = sandbox.project("app");
    let before = state(sandbox);
    let output = project.reactor(&["--llm-provider", provider, "--debug"]).run();
    if output.code() == Some(USAGE) {
        assert_eq!(state(sandbox), before, "a refused run writes nothing");
    }
    output
}

#[test]
fn two_keys_that_would_both_be_sent_are_refused() {
    let sandbox = Sandbox::new();
    let (one, other) = (sandbox.canary("one"), sandbox.canary("other"));
    let lines = format!("ANTHROPIC_AUTH_TOKEN='{}'\nANTHROPIC_API_KEY='{}'\n", one.key(), other.key());
    insta::assert_snapshot!(run_with(&sandbox, "zai", &lines).snapshot(), @"
    exit code: 2
    --- stderr
    error: llms/zai/.env sets both ANTHROPIC_AUTH_TOKEN and ANTHROPIC_API_KEY, and both would be sent
      hint: remove the one that is not to be sent
    ");
}

#[test]
fn names_that_are_not_the_files_to_set_are_refused() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let refused = |name: &str| {
        let lines = format!("ZAI_API_KEY='{}'\n{name}='x'\n", canary.key());
        let output = run_with(&sandbox, "zai", &lines);
        output.assert_code(USAGE);
        output.snapshot()
    };
    insta::assert_snapshot!(refused("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"), @"
    exit code: 2
    --- stderr
    error: llms/zai/.env may not set CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: it keeps a repository's settings from moving the session to another endpoint
      hint: remove the line
    ");
    insta::assert_snapshot!(refused("CLAUDE_CODE_USE_BEDROCK"), @"
    exit code: 2
    --- stderr
    error: llms/zai/.env may not set CLAUDE_CODE_USE_BEDROCK: it would send the session to another backend than the endpoint of this provider
      hint: remove the line
    ");
    insta::assert_snapshot!(refused("CLAUDE_CONFIG_DIR"), @"
    exit code: 2
    --- stderr
    error: llms/zai/.env may not set CLAUDE_CONFIG_DIR: it keeps each provider's state and login in a folder of its own
      hint: remove the line
    ");
    insta::assert_snapshot!(refused("CLAUDE_CODE_OAUTH_TOKEN"), @"
    exit code: 2
    --- stderr
    error: llms/zai/.env may not set CLAUDE_CODE_OAUTH_TOKEN: it is the login of a Claude subscription, which no other endpoint may see
      hint: remove the line
    ");
    insta::assert_snapshot!(refused("PATH"), @"
    exit code: 2
    --- stderr
    error: llms/zai/.env may not set PATH: the image has it, and it decides which `claude` is started
      hint: remove the line
    ");
    refused("HOME");
}

#[test]
fn a_line_that_cannot_be_read_is_named_without_its_value() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let key = canary.key();
    insta::assert_snapshot!(run_with(&sandbox, "zai", &format!("# key\nZAI_API_KEY='{key}\n")).snapshot(), @"
    exit code: 2
    --- stderr
    error: `[HOME]/.claude-reactor/user/llms/zai/.env`, line 2, ZAI_API_KEY: not of the form KEY='value'
      hint: write KEY='value', one to a line; `#` begins a comment
    ");
    insta::assert_snapshot!(run_with(&sandbox, "zai", &format!("ZAI_API_KEY={key}$x\n")).snapshot(), @"
    exit code: 2
    --- stderr
    error: `[HOME]/.claude-reactor/user/llms/zai/.env`, line 1, ZAI_API_KEY: the value has a `$` outside single quotes
      hint: put the value in single quotes; variables are not expanded here
    ");
    insta::assert_snapshot!(run_with(&sandbox, "zai", &format!("{key}\n")).snapshot(), @"
    exit code: 2
    --- stderr
    error: `[HOME]/.claude-reactor/user/llms/zai/.env`, line 1: not of the form KEY='value'
      hint: write KEY='value', one to a line; `#` begins a comment
    ");
    insta::assert_snapshot!(run_with(&sandbox, "zai", &format!("ZAI-API-KEY={key}\n")).snapshot(), @"
    exit code: 2
    --- stderr
    error: `[HOME]/.claude-reactor/user/llms/zai/.env`, line 1: not of the form KEY='value'
      hint: write KEY='value', one to a line; `#` begins a comment
    ");
}

#[test]
fn an_endpoint_that_cannot_be_is_refused() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    let lines = format!("ZAI_API_KEY='{0}'\nANTHROPIC_BASE_URL='https://user:{0}@x.example'\n", canary.key());
    insta::assert_snapshot!(run_with(&sandbox, "zai", &lines).snapshot(), @"
    exit code: 2
    --- stderr
    error: llms/zai/.env: ANTHROPIC_BASE_URL: it holds a user name or password
      hint: leave it out, and put the key into the provider's .env
    ");
}

#[test]
fn a_file_alone_can_be_a_whole_provider() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("acme");
    let mut lines = format!("ANTHROPIC_AUTH_TOKEN='{}'\n", canary.key());
    insta::assert_snapshot!(run_with(&sandbox, "acme", &lines).snapshot(), @"
    exit code: 2
    --- stderr
    error: no endpoint is known for provider acme
      hint: add a row acme with its base_url to ~/.claude-reactor/providers.yaml, or a line ANTHROPIC_BASE_URL='https://…' to llms/acme/.env
    ");
    lines.push_str("ANTHROPIC_BASE_URL=https://llm.acme.example/anthropic\n");
    insta::assert_snapshot!(run_with(&sandbox, "acme", &lines).snapshot(), @"
    exit code: 2
    --- stderr
    error: no model is known for provider acme
      hint: choose one with --llm-provider acme --llm-model MODEL, or set models.main of acme in ~/.claude-reactor/providers.yaml
    ");
    lines.push_str("ANTHROPIC_MODEL=acme-large\n");
    run_with(&sandbox, "acme", &lines).assert_code(NO_ENGINE);
}

#[test]
fn an_empty_line_is_no_key() {
    let sandbox = Sandbox::new();
    let output = run_with(&sandbox, "zai", "ZAI_API_KEY=\n");
    output.assert_code(USAGE).assert_stderr_contains("there is no API key for Z.AI yet");
}

#[test]
fn a_file_without_a_key_says_under_which_name_one_is_looked_for() {
    let sandbox = Sandbox::new();
    let output =
        run_with(&sandbox, "acme", "ANTHROPIC_BASE_URL=https://x.example\nANTHROPIC_MODEL=m\nKEY=x\n");
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: no key for provider acme: llms/acme/.env has no ACME_API_KEY
      hint: add the line ACME_API_KEY='…' to it
    ");
}
