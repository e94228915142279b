use super::*;
use crate::provider::catalog::Catalog;
use crate::provider::session_env::session_env as any_session_env;

const KEY: &str = "sk-canary-0123456789";

fn session(id: &str, lines: &[(&str, &str)]) -> Result<SessionEnv, Error> {
    let catalog = Catalog::built_in();
    let lines: Vec<(&str, SecretString)> =
        lines.iter().map(|(name, value)| (*name, (*value).into())).collect();
    let lines = lines.iter().map(|(name, value)| (*name, value));
    any_session_env(catalog.get(&id.parse().unwrap()).unwrap(), lines, ModelChoice::default(), false)
}

fn table(env: &SessionEnv) -> String {
    let summary = format!("{} · {} · {}", env.model().unwrap_or("-"), env.endpoint(), env.credential());
    let line = |(name, value): (&str, &SecretString)| format!("{name}={}", value.expose_secret());
    [vec![summary], env.for_claude(false).map(line).collect()].concat().join("\n")
}

fn failure(id: &str, lines: &[(&str, &str)]) -> String {
    let error = session(id, lines).unwrap_err();
    format!("{error}\n  {}", error.hint().unwrap())
}

#[test]
fn bedrock_with_a_bearer_leaves_the_other_credential_out() {
    let env = session(
        "bedrock",
        &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_BEARER_TOKEN_BEDROCK", KEY),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "other"),
        ],
    );
    insta::assert_snapshot!(table(&env.unwrap()), @r"
    global.anthropic.claude-sonnet-5 · Bedrock in eu-west-1 · AWS_BEARER_TOKEN_BEDROCK
    ANTHROPIC_API_KEY=
    ANTHROPIC_AUTH_TOKEN=
    ANTHROPIC_BASE_URL=
    ANTHROPIC_BEDROCK_BASE_URL=
    ANTHROPIC_DEFAULT_FABLE_MODEL=global.anthropic.claude-sonnet-5
    ANTHROPIC_DEFAULT_HAIKU_MODEL=global.anthropic.claude-haiku-4-5-20251001-v1:0
    ANTHROPIC_DEFAULT_OPUS_MODEL=global.anthropic.claude-sonnet-5
    ANTHROPIC_DEFAULT_SONNET_MODEL=global.anthropic.claude-sonnet-5
    ANTHROPIC_FOUNDRY_BASE_URL=
    ANTHROPIC_MODEL=global.anthropic.claude-sonnet-5
    ANTHROPIC_VERTEX_BASE_URL=
    AWS_ACCESS_KEY_ID=
    AWS_BEARER_TOKEN_BEDROCK=sk-canary-0123456789
    AWS_REGION=eu-west-1
    AWS_SECRET_ACCESS_KEY=
    AWS_SESSION_TOKEN=
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL=1
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST=1
    CLAUDE_CODE_USE_BEDROCK=1
    CLAUDE_CODE_USE_FOUNDRY=
    CLAUDE_CODE_USE_VERTEX=
    NODE_TLS_REJECT_UNAUTHORIZED=
    ");
}

#[test]
fn bedrock_with_an_access_key() {
    let lines = [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", KEY)];
    let env = session("bedrock", &lines).unwrap();
    assert_eq!(env.credential().to_string(), "AWS_SECRET_ACCESS_KEY");
    let value = |name| env.vars[name].expose_secret().to_owned();
    assert_eq!(
        (value("AWS_SECRET_ACCESS_KEY").as_str(), value("AWS_BEARER_TOKEN_BEDROCK").as_str()),
        (KEY, "")
    );
}

#[test]
fn vertex_has_a_region_of_its_own() {
    let file = ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/claude-reactor/files/adc.json");
    let env = session("vertex", &[("ANTHROPIC_VERTEX_PROJECT_ID", "acme"), file]).unwrap();
    assert_eq!(env.endpoint(), "Vertex project acme in global");
    assert_eq!(env.credential().to_string(), "GOOGLE_APPLICATION_CREDENTIALS");
    assert_eq!(env.vars["CLOUD_ML_REGION"].expose_secret(), "global");
}

#[test]
fn foundry_is_reached_by_its_resource_or_by_an_address() {
    let key = ("ANTHROPIC_FOUNDRY_API_KEY", KEY);
    let by_name = session("foundry", &[key, ("ANTHROPIC_FOUNDRY_RESOURCE", "acme")]).unwrap();
    assert_eq!(by_name.endpoint(), "Foundry resource acme");
    let url = "https://acme.example/anthropic";
    let by_url = session("foundry", &[key, ("ANTHROPIC_FOUNDRY_BASE_URL", url)]).unwrap();
    assert_eq!(by_url.endpoint(), url);
    assert_eq!(by_url.vars["ANTHROPIC_FOUNDRY_RESOURCE"].expose_secret(), "");
}

#[test]
fn what_is_missing_or_another_providers_is_said() {
    let key = ("AWS_BEARER_TOKEN_BEDROCK", KEY);
    let with = |line| failure("bedrock", &[("AWS_REGION", "eu-west-1"), key, line]);
    let failures = [
        failure("bedrock", &[("AWS_ACCESS_KEY_ID", "AKIA")]),
        failure("vertex", &[]),
        failure("foundry", &[]),
        with(("CLAUDE_CODE_USE_VERTEX", "1")),
        with(("CLAUDE_CODE_USE_MANTLE", "1")),
        with(("ANTHROPIC_VERTEX_BASE_URL", "https://x.example")),
        with(("ANTHROPIC_BASE_URL", "https://x.example")),
        with(("ANTHROPIC_API_KEY", KEY)),
        with(("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1")),
        with(("ANTHROPIC_BEDROCK_BASE_URL", "x.example")),
    ]
    .join("\n");
    assert!(!failures.contains(KEY));
    insta::assert_snapshot!(failures, @r"
    bedrock is not set up: llms/bedrock/.env lacks AWS_REGION; AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY
      `claude-reactor run --llm-provider bedrock` asks for it in a terminal
    vertex is not set up: llms/vertex/.env lacks ANTHROPIC_VERTEX_PROJECT_ID; GOOGLE_APPLICATION_CREDENTIALS (a file)
      `claude-reactor run --llm-provider vertex` asks for it in a terminal
    foundry is not set up: llms/foundry/.env lacks ANTHROPIC_FOUNDRY_API_KEY; ANTHROPIC_FOUNDRY_RESOURCE or ANTHROPIC_FOUNDRY_BASE_URL
      `claude-reactor run --llm-provider foundry` asks for it in a terminal
    llms/bedrock/.env may not set CLAUDE_CODE_USE_VERTEX: it would send the session to another backend than the endpoint of this provider
      remove the line
    llms/bedrock/.env may not set CLAUDE_CODE_USE_MANTLE: it would send the session to another backend than the endpoint of this provider
      remove the line
    llms/bedrock/.env may not set ANTHROPIC_VERTEX_BASE_URL: it is the endpoint of another cloud mode
      remove the line
    llms/bedrock/.env may not set ANTHROPIC_BASE_URL: it is for Anthropic's own API, which a cloud mode does not use
      remove the line
    llms/bedrock/.env may not set ANTHROPIC_API_KEY: it is for Anthropic's own API, which a cloud mode does not use
      remove the line
    llms/bedrock/.env may not set CLAUDE_CODE_SKIP_BEDROCK_AUTH: without its credentials a session would not be this provider's
      remove the line
    llms/bedrock/.env: ANTHROPIC_BEDROCK_BASE_URL: it does not begin with http:// or https://
      give it in the form https://host/path or http://host:port
    ");
}
