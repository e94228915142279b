use proptest::prelude::*;

use super::*;
use crate::name::ProviderId;
use crate::provider::catalog::{Auth, Catalog};

const KEY: &str = "sk-canary-0123456789-0123456789-0123456789-0123456789-0123456789";

fn provider(id: &str) -> Provider {
    let id: ProviderId = id.parse().unwrap();
    Catalog::built_in().get(&id).cloned().unwrap_or_else(|| Provider::unlisted(id))
}

/// The session of a provider with these lines in its `.env` and these models chosen.
fn with(
    provider: &Provider,
    lines: &[(&str, &str)],
    main: Option<&str>,
    small: Option<&str>,
) -> Result<SessionEnv, Error> {
    let lines: Vec<(&str, SecretString)> =
        lines.iter().map(|(name, value)| (*name, SecretString::from(*value))).collect();
    session_env(
        provider,
        lines.iter().map(|(name, value)| (*name, value)),
        ModelChoice { main, small },
        false,
    )
}

fn session(id: &str, lines: &[(&str, &str)]) -> SessionEnv {
    with(&provider(id), lines, None, None).unwrap()
}

fn failure(provider: &Provider, lines: &[(&str, &str)]) -> Error {
    with(provider, lines, None, None).unwrap_err()
}

fn value<'a>(env: &'a SessionEnv, name: &str) -> Option<&'a str> {
    env.for_command().find(|(known, _)| *known == name).map(|(_, value)| value.expose_secret())
}

/// The summary's facts and the variables of `claude`, and after them what only a command gets.
fn table(env: &SessionEnv) -> String {
    let show = |(name, value): (&str, &SecretString)| {
        let value = value.expose_secret();
        format!("{name}={}", if value.contains(KEY) { "<the key>" } else { value })
    };
    let claude: Vec<String> = env.for_claude(false).map(show).collect();
    let more = env.for_command().map(show).filter(|line| !claude.contains(line));
    let summary = format!("{} · {} · {}", env.model().unwrap_or("-"), env.endpoint(), env.credential());
    let more: Vec<String> = more.map(|line| format!("a command: {line}")).collect();
    [vec![summary], claude.clone(), more].concat().join("\n")
}

#[test]
fn zai() {
    let env =
        session("zai", &[("ZAI_API_KEY", KEY), ("Z_AI_API_KEY", KEY), ("HTTPS_PROXY", "http://proxy:3128")]);
    insta::assert_snapshot!(table(&env), @r"
    glm-5.2[1m] · https://api.z.ai/api/anthropic · key ZAI_API_KEY
    ANTHROPIC_API_KEY=
    ANTHROPIC_AUTH_TOKEN=<the key>
    ANTHROPIC_BASE_URL=https://api.z.ai/api/anthropic
    ANTHROPIC_DEFAULT_FABLE_MODEL=glm-5.2[1m]
    ANTHROPIC_DEFAULT_HAIKU_MODEL=glm-4.5-air
    ANTHROPIC_DEFAULT_OPUS_MODEL=glm-5.2[1m]
    ANTHROPIC_DEFAULT_SONNET_MODEL=glm-5.2[1m]
    ANTHROPIC_MODEL=glm-5.2[1m]
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL=1
    CLAUDE_CODE_MAX_CONTEXT_TOKENS=1000000
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST=1
    CLAUDE_CODE_USE_BEDROCK=
    CLAUDE_CODE_USE_FOUNDRY=
    CLAUDE_CODE_USE_VERTEX=
    ENABLE_TOOL_SEARCH=false
    HTTPS_PROXY=http://proxy:3128
    NODE_TLS_REJECT_UNAUTHORIZED=
    a command: ZAI_API_KEY=<the key>
    a command: Z_AI_API_KEY=<the key>
    ");
}

#[test]
fn claude_with_its_key() {
    insta::assert_snapshot!(table(&session("claude", &[("ANTHROPIC_API_KEY", KEY)])), @r"
    - · https://api.anthropic.com · key ANTHROPIC_API_KEY
    ANTHROPIC_API_KEY=<the key>
    ANTHROPIC_AUTH_TOKEN=
    ANTHROPIC_BASE_URL=https://api.anthropic.com
    CLAUDE_CODE_OAUTH_TOKEN=
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST=1
    CLAUDE_CODE_USE_BEDROCK=
    CLAUDE_CODE_USE_FOUNDRY=
    CLAUDE_CODE_USE_VERTEX=
    NODE_TLS_REJECT_UNAUTHORIZED=
    ");
}

#[test]
fn claude_gets_the_models_that_were_chosen_and_no_others() {
    let env =
        with(&provider("claude"), &[("ANTHROPIC_API_KEY", KEY)], Some("opus"), Some("claude-small")).unwrap();
    assert_eq!(env.model(), Some("opus"));
    assert_eq!(value(&env, MODEL), Some("opus"));
    assert_eq!(value(&env, SMALL_MODEL), Some("claude-small"));
    for alias in ALIAS_MODELS {
        assert_eq!(value(&env, alias), None);
    }
}

#[test]
fn openrouter_with_a_chosen_model() {
    let lines = [("OPENROUTER_API_KEY", KEY), ("ANTHROPIC_API_KEY", "")];
    let env = with(&provider("openrouter"), &lines, Some("vendor/model"), None).unwrap();
    insta::assert_snapshot!(table(&env), @r"
    vendor/model · https://openrouter.ai/api · key OPENROUTER_API_KEY
    ANTHROPIC_API_KEY=
    ANTHROPIC_AUTH_TOKEN=<the key>
    ANTHROPIC_BASE_URL=https://openrouter.ai/api
    ANTHROPIC_DEFAULT_FABLE_MODEL=vendor/model
    ANTHROPIC_DEFAULT_HAIKU_MODEL=vendor/model
    ANTHROPIC_DEFAULT_OPUS_MODEL=vendor/model
    ANTHROPIC_DEFAULT_SONNET_MODEL=vendor/model
    ANTHROPIC_MODEL=vendor/model
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL=1
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST=1
    CLAUDE_CODE_USE_BEDROCK=
    CLAUDE_CODE_USE_FOUNDRY=
    CLAUDE_CODE_USE_VERTEX=
    ENABLE_TOOL_SEARCH=false
    NODE_TLS_REJECT_UNAUTHORIZED=
    a command: OPENROUTER_API_KEY=<the key>
    ");
}

#[test]
fn ollama_without_a_key() {
    let env = with(&provider("ollama"), &[], Some("qwen3-coder"), None).unwrap();
    insta::assert_snapshot!(table(&env), @r"
    qwen3-coder · http://host.docker.internal:11434 · no key
    ANTHROPIC_API_KEY=
    ANTHROPIC_AUTH_TOKEN=none
    ANTHROPIC_BASE_URL=http://host.docker.internal:11434
    ANTHROPIC_DEFAULT_FABLE_MODEL=qwen3-coder
    ANTHROPIC_DEFAULT_HAIKU_MODEL=qwen3-coder
    ANTHROPIC_DEFAULT_OPUS_MODEL=qwen3-coder
    ANTHROPIC_DEFAULT_SONNET_MODEL=qwen3-coder
    ANTHROPIC_MODEL=qwen3-coder
    API_TIMEOUT_MS=3000000
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL=1
    CLAUDE_CODE_MAX_CONTEXT_TOKENS=64000
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST=1
    CLAUDE_CODE_USE_BEDROCK=
    CLAUDE_CODE_USE_FOUNDRY=
    CLAUDE_CODE_USE_VERTEX=
    ENABLE_TOOL_SEARCH=false
    NODE_TLS_REJECT_UNAUTHORIZED=
    ");
}

#[test]
fn a_backend_that_only_its_env_describes() {
    let lines = [
        ("ANTHROPIC_BASE_URL", "https://llm.acme.example/anthropic/"),
        ("ANTHROPIC_API_KEY", KEY),
        ("ANTHROPIC_MODEL", "acme-large"),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", "acme-medium"),
    ];
    insta::assert_snapshot!(table(&session("acme", &lines)), @r"
    acme-large · https://llm.acme.example/anthropic · key ANTHROPIC_API_KEY
    ANTHROPIC_API_KEY=<the key>
    ANTHROPIC_AUTH_TOKEN=
    ANTHROPIC_BASE_URL=https://llm.acme.example/anthropic/
    ANTHROPIC_DEFAULT_FABLE_MODEL=acme-large
    ANTHROPIC_DEFAULT_HAIKU_MODEL=acme-large
    ANTHROPIC_DEFAULT_OPUS_MODEL=acme-large
    ANTHROPIC_DEFAULT_SONNET_MODEL=acme-medium
    ANTHROPIC_MODEL=acme-large
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL=1
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST=1
    CLAUDE_CODE_USE_BEDROCK=
    CLAUDE_CODE_USE_FOUNDRY=
    CLAUDE_CODE_USE_VERTEX=
    ENABLE_TOOL_SEARCH=false
    NODE_TLS_REJECT_UNAUTHORIZED=
    ");
}

#[test]
fn every_built_in_row_of_the_anthropic_wire_makes_a_session_on_its_endpoint() {
    let is_plain = |row: &&Provider| row.wire == Wire::Anthropic && row.cloud.is_none();
    for row in Catalog::built_in().iter().filter(is_plain) {
        let lines: Vec<(&str, &str)> =
            row.key_env.first().map(|name| (name.as_str(), KEY)).into_iter().collect();
        let env = with(row, &lines, Some("some-model"), None).unwrap();
        assert_eq!(Some(env.endpoint()), row.endpoint(), "{}", row.id);
        match (row.auth, env.login()) {
            (Auth::Bearer, Login::Bearer(key)) | (Auth::XApiKey, Login::XApiKey(key)) => {
                assert_eq!(key.expose_secret(), KEY, "{}", row.id);
            }
            (Auth::None, Login::Bearer(key)) => assert_eq!(key.expose_secret(), "none", "{}", row.id),
            (auth, login) => panic!("{}: {auth:?} made {login:?}", row.id),
        }
    }
}

#[test]
fn a_row_of_another_wire_makes_none() {
    for row in Catalog::built_in().iter().filter(|row| row.wire != Wire::Anthropic) {
        let error = with(row, &[(AUTH_TOKEN, KEY)], Some("m"), None).unwrap_err();
        assert_eq!(error, Error::Wire { provider: row.id.clone(), wire: row.wire });
    }
}

#[test]
fn a_chosen_model_goes_over_the_rows_and_leaves_its_small_one() {
    let env = with(&provider("zai"), &[("ZAI_API_KEY", KEY)], Some("glm-4.6"), None).unwrap();
    assert_eq!(value(&env, MODEL), Some("glm-4.6"));
    assert_eq!(value(&env, SMALL_MODEL), Some("glm-4.5-air"));
    assert!(ALIAS_MODELS.iter().all(|alias| value(&env, alias) == Some("glm-4.6")));
}

#[test]
fn a_line_of_env_goes_over_everything_derived() {
    let lines = [
        ("ZAI_API_KEY", KEY),
        ("ANTHROPIC_BASE_URL", "http://localhost:9/x"),
        ("ANTHROPIC_MODEL", "mine"),
        ("ENABLE_TOOL_SEARCH", "true"),
        ("CLAUDE_CODE_MAX_CONTEXT_TOKENS", "5"),
    ];
    let env = with(&provider("zai"), &lines, Some("chosen"), None).unwrap();
    assert_eq!((env.endpoint(), env.model()), ("http://localhost:9/x", Some("mine")));
    for (name, expected) in &lines[1..] {
        assert_eq!(value(&env, name), Some(*expected));
    }
    assert!(ALIAS_MODELS.iter().all(|alias| value(&env, alias) == Some("mine")));
}

#[test]
fn a_line_of_env_goes_over_the_rows_env_and_that_over_what_is_derived() {
    let mut row = provider("zai");
    row.env = [("ENABLE_TOOL_SEARCH", "auto"), ("API_TIMEOUT_MS", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let env = with(&row, &[("ZAI_API_KEY", KEY), ("API_TIMEOUT_MS", "2")], None, None).unwrap();
    assert_eq!(value(&env, "ENABLE_TOOL_SEARCH"), Some("auto"));
    assert_eq!(value(&env, "API_TIMEOUT_MS"), Some("2"));
}

#[test]
fn an_empty_line_never_sends_a_session_to_anthropic() {
    let lines = [
        ("ZAI_API_KEY", KEY),
        ("ANTHROPIC_BASE_URL", ""),
        ("ANTHROPIC_MODEL", ""),
        ("ANTHROPIC_DEFAULT_OPUS_MODEL", ""),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", ""),
    ];
    assert_eq!(table(&session("zai", &lines)), table(&session("zai", &lines[..1])));
}

#[test]
fn the_other_header_by_hand_wins() {
    let env = session("zai", &[("ZAI_API_KEY", "derived"), ("ANTHROPIC_API_KEY", KEY)]);
    assert_eq!((value(&env, AUTH_TOKEN), value(&env, API_KEY)), (Some(""), Some(KEY)));
    assert_eq!(env.credential().to_string(), "key ANTHROPIC_API_KEY");
    let env = session("claude", &[("ANTHROPIC_AUTH_TOKEN", KEY)]);
    assert_eq!((value(&env, AUTH_TOKEN), value(&env, API_KEY)), (Some(KEY), Some("")));
    assert_eq!(env.credential().to_string(), "key ANTHROPIC_AUTH_TOKEN");
}

#[test]
fn an_alias_of_the_key_counts_where_the_first_name_has_no_value() {
    let env = session("zai", &[("ZAI_API_KEY", ""), ("Z_AI_API_KEY", KEY)]);
    assert_eq!(value(&env, AUTH_TOKEN), Some(KEY));
    assert_eq!(env.credential().to_string(), "key Z_AI_API_KEY");
}

#[test]
fn an_optional_key_is_sent_where_there_is_one() {
    let send = |lines: &[(&str, &str)]| with(&provider("vllm"), lines, Some("m"), None).unwrap();
    assert_eq!(value(&send(&[("VLLM_API_KEY", KEY)]), AUTH_TOKEN), Some(KEY));
    let env = send(&[]);
    assert_eq!((value(&env, AUTH_TOKEN), env.credential()), (Some("none"), &Credential::NoKey));
}

#[test]
fn the_key_under_its_own_name_reaches_claude_only_when_it_is_exported() {
    let env = session("zai", &[("ZAI_API_KEY", KEY), ("OTHER_API_KEY", "mine")]);
    let names = |export| env.for_claude(export).map(|(name, _)| name).collect::<Vec<_>>();
    assert!(!names(false).contains(&"ZAI_API_KEY"));
    assert!(names(false).contains(&"OTHER_API_KEY"));
    assert_eq!(names(true), env.for_command().map(|(name, _)| name).collect::<Vec<_>>());
}

#[test]
fn what_makes_no_session_is_named_with_what_to_do() {
    let zai = provider("zai");
    let acme = provider("acme");
    let failures = [
        failure(&zai, &[]),
        failure(&zai, &[("ZAI_API_KEY", "")]),
        failure(&zai, &[("ANTHROPIC_AUTH_TOKEN", KEY), ("ANTHROPIC_API_KEY", KEY)]),
        failure(&zai, &[("ZAI_API_KEY", KEY), ("ANTHROPIC_BASE_URL", "https://u:hunter2@x")]),
        failure(&zai, &[("ZAI_API_KEY", KEY), ("CLAUDE_CONFIG_DIR", "/tmp")]),
        failure(&zai, &[("ZAI_API_KEY", KEY), ("CLAUDE_CODE_OAUTH_TOKEN", KEY)]),
        failure(&provider("openrouter"), &[("OPENROUTER_API_KEY", KEY)]),
        failure(&acme, &[("ANTHROPIC_AUTH_TOKEN", KEY), ("ANTHROPIC_MODEL", "m")]),
        failure(&acme, &[("ANTHROPIC_BASE_URL", "https://acme.example"), ("ANTHROPIC_MODEL", "m")]),
        failure(&provider("gemini"), &[("GEMINI_API_KEY", KEY)]),
    ]
    .map(|error| format!("{error}\n  {}", error.hint().unwrap()));
    insta::assert_snapshot!(failures.join("\n"), @r"
    no key for provider zai: llms/zai/.env has no ZAI_API_KEY
      add the line ZAI_API_KEY='…' to it
    no key for provider zai: llms/zai/.env has no ZAI_API_KEY
      add the line ZAI_API_KEY='…' to it
    llms/zai/.env sets both ANTHROPIC_AUTH_TOKEN and ANTHROPIC_API_KEY, and both would be sent
      remove the one that is not to be sent
    llms/zai/.env: ANTHROPIC_BASE_URL: it holds a user name or password
      leave it out, and put the key into the provider's .env
    llms/zai/.env may not set CLAUDE_CONFIG_DIR: it keeps each provider's state and login in a folder of its own
      remove the line
    llms/zai/.env may not set CLAUDE_CODE_OAUTH_TOKEN: it is the login of a Claude subscription, which no other endpoint may see
      remove the line
    no model is known for provider openrouter
      choose one with --llm-provider openrouter --llm-model MODEL, or set models.main of openrouter in ~/.claude-reactor/providers.yaml
    no endpoint is known for provider acme
      add a row acme with its base_url to ~/.claude-reactor/providers.yaml, or a line ANTHROPIC_BASE_URL='https://…' to llms/acme/.env
    no key for provider acme: llms/acme/.env has no ACME_API_KEY
      add the line ACME_API_KEY='…' to it
    provider gemini speaks the gemini API, which Claude Code does not
      choose another provider with --llm-provider
    ");
}

#[test]
fn of_key_token_and_login_one_pays_and_the_others_are_not_sent() {
    let claude = |lines: &[(&str, &str)], has_login| {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, SecretString::from(*value))).collect();
        let lines = lines.iter().map(|(name, value)| (*name, value));
        session_env(&provider("claude"), lines, ModelChoice::default(), has_login).unwrap()
    };
    let (key, token) = (("ANTHROPIC_API_KEY", KEY), ("CLAUDE_CODE_OAUTH_TOKEN", "t"));
    let sent = |env: &SessionEnv| {
        [API_KEY, OAUTH_TOKEN, MANAGED_BY_HOST, login::VARIABLE]
            .map(|name| value(env, name).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());

    let all = claude(&[key, token], true);
    assert_eq!(*all.credential(), Credential::Key("ANTHROPIC_API_KEY".to_owned()));
    assert_eq!(all.passed_over(), [Credential::Token, Credential::Login]);
    assert_eq!(sent(&all), [some(KEY), some(""), some("1"), None]);

    let by_token = claude(&[token], true);
    assert_eq!(
        (by_token.credential(), by_token.passed_over()),
        (&Credential::Token, &[Credential::Login][..])
    );
    assert_eq!(sent(&by_token), [some(""), some("t"), some("1"), None]);

    let by_login = claude(&[], true);
    assert_eq!((by_login.credential(), by_login.passed_over()), (&Credential::Login, &[][..]));
    assert_eq!(sent(&by_login), [some(""), some(""), None, some(login::INSIDE)]);
    assert!(matches!(by_login.login(), Login::Subscription));
}

#[test]
fn the_login_of_a_subscription_goes_to_anthropic_alone() {
    let elsewhere =
        Provider { base_url: Some("https://proxy.acme.example".to_owned()), ..provider("claude") };
    let error = failure(&elsewhere, &[("CLAUDE_CODE_OAUTH_TOKEN", "t")]);
    assert!(matches!(error, Error::SubscriptionElsewhere { credential: Credential::Token, .. }), "{error:?}");
    let error = session_env(&elsewhere, [], ModelChoice::default(), true).unwrap_err();
    assert!(matches!(error, Error::SubscriptionElsewhere { credential: Credential::Login, .. }), "{error:?}");
    let env = session_env(&provider("zai"), [("ZAI_API_KEY", &KEY.into())], ModelChoice::default(), true);
    let env = env.unwrap();
    assert!(env.passed_over().is_empty() && value(&env, login::VARIABLE).is_none());
}

#[test]
fn debug_output_holds_no_value() {
    let env = session("zai", &[("ZAI_API_KEY", KEY), ("NOTE", "hunter2")]);
    let debug = format!("{env:?} {:?}", env.login());
    assert!(debug.contains("NOTE"));
    assert!(!debug.contains(KEY) && !debug.contains("hunter2"), "{debug}");
}

#[test]
fn a_digest_changes_with_its_value_and_with_nothing_else() {
    let digests = |key| session("zai", &[("ZAI_API_KEY", key)]).digests();
    assert_eq!(digests("a"), digests("a"));
    let (one, two) = (digests("a"), digests("b"));
    let changed: Vec<_> = one.keys().filter(|name| one[*name] != two[*name]).collect();
    assert_eq!(changed, [AUTH_TOKEN, "ZAI_API_KEY"], "the key, by both of its names, and nothing else");
    assert!(one.values().all(|digest| digest.len() == 16));
}

/// A line a user may write: of the variables that matter here, another provider's key, or anything else.
fn line() -> impl Strategy<Value = (String, String)> {
    let names: Vec<String> = Catalog::built_in()
        .iter()
        .flat_map(|row| row.key_env.clone())
        .chain(
            [AUTH_TOKEN, API_KEY, BASE_URL, MODEL, SMALL_MODEL, ALIAS_MODELS[0], "OTHER"].map(str::to_owned),
        )
        .collect();
    (
        proptest::sample::select(names),
        prop_oneof![Just(String::new()), Just(KEY.to_owned()), "https://[a-z]{1,8}"],
    )
}

proptest! {
    #[test]
    fn a_session_sends_one_key_to_the_endpoint_it_shows_and_holds_nothing_of_another_provider(
        row in proptest::sample::select(
            Catalog::built_in().iter().filter(|row| row.wire == Wire::Anthropic).cloned().collect::<Vec<_>>()
        ),
        lines in proptest::collection::vec(line(), 0..6),
        own_key in any::<bool>(),
        main in proptest::option::of("[a-z]{0,4}"),
    ) {
        let mut lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        lines.extend(row.key_env.first().filter(|_| own_key).map(|name| (name.as_str(), KEY)));
        let Ok(env) = with(&row, &lines, main.as_deref(), None) else { return Ok(()) };

        let sent = [AUTH_TOKEN, API_KEY].map(|name| value(&env, name).unwrap());
        prop_assert_eq!(sent.iter().filter(|key| !key.is_empty()).count(), 1);
        prop_assert_eq!(value(&env, BASE_URL).unwrap().trim_end_matches('/'), env.endpoint());
        prop_assert_eq!(value(&env, MANAGED_BY_HOST), Some("1"));
        if !row.is_claude() {
            for name in ALIAS_MODELS.into_iter().chain([MODEL, SMALL_MODEL]) {
                prop_assert!(value(&env, name).is_some_and(|model| !model.is_empty()), "{} is not set", name);
            }
        }
        for other in Catalog::built_in().iter() {
            for name in other.key_env.iter().chain(other.env.keys()) {
                let allowed = row.key_env.contains(name)
                    || row.env.contains_key(name)
                    || [AUTH_TOKEN, API_KEY].contains(&name.as_str())
                    || lines.iter().any(|(line, _)| line == name);
                prop_assert!(allowed || value(&env, name).is_none(), "{} of {} is in a session of {}", name, other.id, row.id);
            }
        }
        for name in row.key_env.iter().filter(|name| *name != API_KEY) {
            prop_assert!(env.for_claude(false).all(|(known, _)| known != name), "claude gets {}", name);
        }
    }
}
