use super::*;

fn id(text: &str) -> ProviderId {
    text.parse().unwrap()
}

fn load(text: &str) -> Result<Catalog, Error> {
    Catalog::load(Some((Path::new("/home/alice/.claude-reactor/providers.yaml"), text)))
}

fn row(text: &str, name: &str) -> Provider {
    load(text).unwrap().get(&id(name)).unwrap().clone()
}

/// The message and the hint, without the folder.
fn failure(text: &str) -> String {
    let error = load(text).unwrap_err();
    let message = error.to_string().replace("/home/alice/.claude-reactor/", "");
    match error.hint() {
        Some(hint) => format!("{message}\n  {hint}"),
        None => message,
    }
}

#[test]
fn every_built_in_row_is_valid_and_says_what_its_wire_needs() {
    let catalog = Catalog::built_in();
    let names: Vec<&str> = catalog.iter().map(|row| row.id.as_str()).collect();
    insta::assert_snapshot!(names.join(" "), @"azure bedrock cerebras claude cohere deepseek doubao foundry gemini groq huggingface kimi-coding llamacpp lmstudio minimax minimax-cn mistral moonshot moonshot-cn ollama ollama-cloud ollama-native openai openrouter qwen qwen-cn vercel vertex vllm xai zai zai-cn");
    for row in catalog.iter() {
        assert_eq!(row.origin, Origin::BuiltIn, "{}", row.id);
        let has_none = matches!(row.id.as_str(), "claude" | "azure") || row.cloud.is_some();
        assert_eq!(row.base_url.is_none(), has_none, "{}", row.id);
        let is_pinned = row.models.main.is_some() && row.models.small.is_some();
        assert!(is_pinned || row.cloud.is_none(), "{}", row.id);
        assert_eq!(row.key_env.is_empty(), row.auth == Auth::None, "{}", row.id);
    }
}

#[test]
fn a_row_says_what_it_means() {
    let catalog = Catalog::built_in();
    let zai = catalog.get(&id("zai")).unwrap();
    assert_eq!(zai.name, "Z.AI");
    assert_eq!(zai.endpoint(), Some("https://api.z.ai/api/anthropic"));
    assert_eq!(zai.key_env, ["ZAI_API_KEY", "Z_AI_API_KEY"]);
    assert_eq!(zai.key_variable(), Some("ZAI_API_KEY"));
    assert_eq!((zai.wire, zai.auth), (Wire::Anthropic, Auth::Bearer));

    let claude = catalog.get(&id("claude")).unwrap();
    assert_eq!((claude.auth, claude.endpoint()), (Auth::XApiKey, Some("https://api.anthropic.com")));
    assert_eq!(claude.models, Models::default());
    assert_eq!(catalog.get(&id("ollama")).unwrap().key_variable(), None);
    assert_eq!(catalog.get(&id("kimi-coding")).unwrap().endpoint(), Some("https://api.kimi.com/coding"));
}

#[test]
fn a_users_row_goes_over_a_built_in_one_field_by_field() {
    let minimax = row(
        "providers:\n  minimax:\n    models: {small: tiny}\n    auth: x-api-key\n    env: {EXTRA: 'yes', API_TIMEOUT_MS: '1'}\n",
        "minimax",
    );
    let built_in = Catalog::built_in().get(&id("minimax")).unwrap().clone();
    let expected = Provider {
        models: Models {
            main: Some("MiniMax-M3".to_owned()),
            small: Some("tiny".to_owned()),
            ..Models::default()
        },
        auth: Auth::XApiKey,
        env: [("EXTRA", "yes"), ("API_TIMEOUT_MS", "1")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        origin: Origin::Overridden,
        ..built_in
    };
    assert_eq!(minimax, expected);
}

#[test]
fn a_row_of_the_users_own_has_defaults_for_all_but_its_endpoint() {
    let acme = row("providers:\n  acme:\n    base_url: https://llm.acme.example/anthropic/\n", "acme");
    assert_eq!(
        acme,
        Provider {
            base_url: Some("https://llm.acme.example/anthropic".to_owned()),
            key_env: Vec::new(),
            ..Provider::unlisted(id("acme"))
        }
    );
    assert_eq!(acme.key_variable(), Some("ANTHROPIC_AUTH_TOKEN"));
}

#[test]
fn a_row_of_the_users_own_can_say_everything() {
    let text = "
providers:
  acme:
    name: ACME
    wire: anthropic
    base_url: https://llm.acme.example/anthropic
    auth: x-api-key
    key_env: [ACME_API_KEY, ACME_KEY]
    key_url: https://acme.example/keys?tab=1
    key_optional: true
    models: {main: acme-large, small: acme-mini}
    context_window: 200000
    env: {API_TIMEOUT_MS: \"3000000\"}
";
    let acme = row(text, "acme");
    assert_eq!(acme.name, "ACME");
    assert_eq!(acme.auth, Auth::XApiKey);
    assert_eq!(acme.key_env, ["ACME_API_KEY", "ACME_KEY"]);
    assert_eq!(acme.key_url.as_deref(), Some("https://acme.example/keys?tab=1"));
    assert!(acme.key_optional);
    assert_eq!(acme.models.main.as_deref(), Some("acme-large"));
    assert_eq!(acme.context_window, Some(200_000));
    assert_eq!(acme.env["API_TIMEOUT_MS"], "3000000");
    assert_eq!(acme.origin, Origin::User);
}

#[test]
fn a_file_without_rows_changes_nothing() {
    let built_in: Vec<Provider> = Catalog::built_in().iter().cloned().collect();
    for text in ["", "providers:\n", "providers: {}\n", "# nothing yet\n"] {
        let loaded: Vec<Provider> = load(text).unwrap().iter().cloned().collect();
        assert_eq!(loaded, built_in, "{text:?}");
    }
}

#[test]
fn a_wrong_field_is_named_with_its_place_and_what_to_do() {
    let failures = [
        "context_window: 0",
        "models: {main: ''}",
        "key_env: sk-acme-0123456789",
        "key_env: [ACME_KEY, PATH]",
        "key_env: ANTHROPIC_MODEL",
        "key_env: ANTHROPIC_API_KEY",
        "key_url: acme.example/keys",
        "env: {'A B': x}",
        "env: {ANTHROPIC_BASE_URL: 'https://other.example'}",
        "env: {CLAUDE_CONFIG_DIR: /tmp}",
        "env: {CLAUDE_CODE_OAUTH_TOKEN: x}",
        "key_env: ACME_KEY\n    env: {ACME_KEY: sk-1}",
    ]
    .map(|rest| failure(&format!("providers:\n  acme:\n    base_url: https://acme.example\n    {rest}\n")));
    insta::assert_snapshot!(failures.join("\n"), @r#"
    providers.yaml:4:5: provider acme, context_window: it is 0
      give the number of tokens the main model takes, or leave it out
    providers.yaml:4:14: provider acme, models.main: it is empty, or holds a space at an end or a control character
      give it a text, or leave the field out
    providers.yaml:4:5: provider acme, key_env: it is not the name of a variable
      a variable's name is letters, digits and `_`, and does not begin with a digit
    providers.yaml:4:5: provider acme, key_env: a row may not name PATH: the image has it, and it decides which `claude` is started
      leave it out
    providers.yaml:4:5: provider acme, key_env: ANTHROPIC_MODEL is set from the row's models.main
      say it in models.main instead
    providers.yaml:4:5: provider acme, key_env: ANTHROPIC_API_KEY is always sent as x-api-key, but the row's auth is bearer
      set auth: x-api-key, or let key_env name a variable of the backend's own
    providers.yaml:4:5: provider acme, key_url: it does not begin with http:// or https://
      give it in the form https://host/path or http://host:port
    providers.yaml:4:11: provider acme, env.A B: it is not the name of a variable
      a variable's name is letters, digits and `_`, and does not begin with a digit
    providers.yaml:4:11: provider acme, env.ANTHROPIC_BASE_URL: ANTHROPIC_BASE_URL is set from the row's base_url
      say it in base_url instead
    providers.yaml:4:11: provider acme, env.CLAUDE_CONFIG_DIR: a row may not name CLAUDE_CONFIG_DIR: it keeps each provider's state and login in a folder of its own
      leave it out
    providers.yaml:4:11: provider acme, env.CLAUDE_CODE_OAUTH_TOKEN: a row may not name CLAUDE_CODE_OAUTH_TOKEN: it is the login of a Claude subscription, which no other endpoint may see
      leave it out
    providers.yaml:5:11: provider acme, env.ACME_KEY: ACME_KEY is this row's key, which this file is no place for
      put the line ACME_KEY='…' into the provider's .env
    "#);
}

#[test]
fn a_value_of_the_wrong_form_is_named_with_its_place() {
    let failures = [
        failure("providers:\n  acme:\n    baseurl: https://acme.example\n"),
        failure("providers:\n  acme:\n    wire: grpc\n"),
        failure("providers:\n  acme:\n    key_env: {a: b}\n"),
    ];
    insta::assert_snapshot!(failures.join("\n"), @r#"
    providers.yaml:3:5: unknown key `providers.acme.baseurl`
      did you mean `providers.acme.base_url`?
    providers.yaml:3:5: `providers.acme.wire` is the text "grpc", not anthropic, openai, gemini, ollama or plugin
    providers.yaml:3:5: `providers.acme.key_env` is a mapping, not a text or a list of texts
    "#);
}

#[test]
fn an_endpoint_that_cannot_work_is_refused() {
    let at = |url: &str| failure(&format!("providers:\n  acme: {{base_url: '{url}'}}\n"));
    let failures = [
        at("https://acme.example/v1/"),
        at("https://user:hunter2@acme.example"),
        at("llm.acme.example"),
        failure("providers:\n  acme:\n    models: {main: x}\n"),
        failure("providers:\n  Zai:\n    models: {main: x}\n"),
        failure("providers:\n  ../x: {base_url: 'https://acme.example'}\n"),
    ];
    insta::assert_snapshot!(failures.join("\n"), @r#"
    providers.yaml:2:10: provider acme, base_url: it ends in /v1, which Claude Code appends itself
      give the address without that end
    providers.yaml:2:10: provider acme, base_url: it holds a user name or password
      leave it out, and put the key into the provider's .env
    providers.yaml:2:10: provider acme, base_url: it does not begin with http:// or https://
      give it in the form https://host/path or http://host:port
    providers.yaml:2:3: provider acme: it has no base_url
      add the endpoint, as in https://host/path
    providers.yaml:2:3: provider Zai: it has no base_url
      add it; to override a built-in row, use its name: is it `zai`?
    providers.yaml:2:3: provider ../x: provider name "../x": it begins with '.'
      a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);
}

#[test]
fn a_field_that_no_longer_fits_the_built_in_ones_is_refused_where_the_user_wrote_it() {
    let failures = [
        failure("providers:\n  openai:\n    wire: anthropic\n"),
        failure("providers:\n  ollama:\n    key_env: OLLAMA_API_KEY\n"),
        failure("providers:\n  claude:\n    auth: bearer\n"),
    ];
    insta::assert_snapshot!(failures.join("\n"), @r"
    providers.yaml:2:3: provider openai, base_url: it ends in /v1, which Claude Code appends itself
      give the address without that end
    providers.yaml:3:5: provider ollama, key_env: the row's auth is none, so that no key is ever sent
      set auth: bearer or auth: x-api-key, or key_env: []
    providers.yaml:2:3: provider claude, key_env: ANTHROPIC_API_KEY is always sent as x-api-key, but the row's auth is bearer
      set auth: x-api-key, or let key_env name a variable of the backend's own
    ");
}

#[test]
fn a_row_on_another_wire_is_listed_and_says_why_it_cannot_be_used() {
    let catalog = Catalog::built_in();
    let gemini = catalog.get(&id("gemini")).unwrap();
    let error = catalog.check_usable(gemini).unwrap_err();
    insta::assert_snapshot!(format!("{error}\n  {}", error.hint().unwrap()), @r"
    provider gemini speaks the gemini API, which sessions cannot use in this version
      providers that work: bedrock, claude, deepseek, doubao, foundry, kimi-coding, llamacpp, lmstudio, minimax, minimax-cn, moonshot, moonshot-cn, ollama, ollama-cloud, openrouter, qwen, qwen-cn, vercel, vertex, vllm, zai, zai-cn
    ");
    catalog.check_usable(catalog.get(&id("zai")).unwrap()).unwrap();
}

#[test]
fn a_name_that_is_nearly_known_finds_the_row_that_is_meant() {
    let catalog = Catalog::built_in();
    for (typed, meant) in [
        ("ZAI", Some("zai")),
        ("z.ai", Some("zai")),
        ("openruoter", Some("openrouter")),
        ("deepsek", Some("deepseek")),
        ("claud", Some("claude")),
        ("acme", None),
        ("x", None),
    ] {
        assert_eq!(catalog.nearest(&id(typed)).map(ProviderId::as_str), meant, "{typed}");
    }
}

#[test]
fn the_guide_names_every_provider() {
    let guide = include_str!("../../../docs/multi-llm-support.md");
    for provider in Catalog::built_in().iter() {
        assert!(guide.contains(&format!("`{}`", provider.id)), "{} is not in the guide", provider.id);
    }
}

#[test]
fn a_row_with_a_mode_has_what_our_row_of_that_mode_has() {
    let text = "providers:\n  my-bedrock:\n    mode: bedrock\n    models: {main: eu.anthropic.claude-opus-5}\n    env: {AWS_REGION: eu-west-1}\n    ask: {AWS_SESSION_TOKEN: {optional: false}, AWS_EXTRA: {}}\n";
    let (mine, ours) = (row(text, "my-bedrock"), row(text, "bedrock"));
    assert_eq!(
        (mine.name.as_str(), mine.origin, mine.mode()),
        ("my-bedrock", Origin::User, Some(Mode::Bedrock))
    );
    assert_eq!(mine.models.main.as_deref(), Some("eu.anthropic.claude-opus-5"));
    assert_eq!(mine.models.small, ours.models.small);
    let (mine, ours) = (mine.cloud.unwrap(), ours.cloud.unwrap());
    let [first @ .., token, extra] = &mine.questions[..] else { panic!("all questions") };
    assert_eq!(first, &ours.questions[..4]);
    assert_eq!((token.secret, token.optional, token.way.as_deref()), (true, false, Some("access-key")));
    assert_eq!((extra.var.as_str(), extra.ask.as_str(), extra.secret), ("AWS_EXTRA", "AWS_EXTRA", false));

    // Our row itself is changed field by field, and a known name can become another mode.
    let changed =
        row("providers:\n  vertex:\n    ask: {CLOUD_ML_REGION: {default: europe-west1}}\n", "vertex");
    assert_eq!(changed.cloud.unwrap().questions[1].default.as_deref(), Some("europe-west1"));
    let other = row("providers:\n  zai: {mode: foundry}\n", "zai");
    assert_eq!((other.base_url, other.auth, other.key_env), (None, Auth::None, Vec::new()));
}

#[test]
fn a_wrong_mode_is_named_with_its_place_and_what_to_do() {
    let failures = [
        "mode: azure",
        "mode: bedrock\n    auth: bearer",
        "mode: bedrock\n    key_env: AWS_KEY",
        "mode: bedrock\n    base_url: aws.example",
        "base_url: https://acme.example\n    ask: {A: {}}",
        "mode: bedrock\n    ask: {'A B': {}}",
        "mode: bedrock\n    ask: {CLAUDE_CODE_USE_VERTEX: {}}",
        "mode: bedrock\n    ask: {ANTHROPIC_VERTEX_BASE_URL: {}}",
        "mode: bedrock\n    ask: {ANTHROPIC_API_KEY: {}}",
        "mode: bedrock\n    ask: {A: {secret: true, default: x}}",
        "mode: bedrock\n    ask: {A: {way: 'a b'}}",
        "mode: bedrock\n    ask: {A: {hidden: true}}",
        "mode: vertex\n    files: {A: {}}",
        "mode: vertex\n    files: {A: {file: ../x}}",
        "mode: vertex\n    files: {CLOUD_ML_REGION: {file: x}}",
        "mode: bedrock\n    env: {AWS_SECRET_ACCESS_KEY: x}",
        "mode: bedrock\n    env: {ANTHROPIC_BEDROCK_BASE_URL: 'https://acme.example'}",
        "mode: bedrock\n    env: {CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1'}",
    ]
    .map(|rest| failure(&format!("providers:\n  acme:\n    {rest}\n")));
    insta::assert_snapshot!(failures.join("\n"), @r#"
    providers.yaml:3:5: `providers.acme.mode` is the text "azure", not bedrock, vertex or foundry
    providers.yaml:4:5: provider acme, auth: a cloud mode has none: what it needs is in ask and files
      leave it out
    providers.yaml:4:5: provider acme, key_env: a cloud mode has none: what it needs is in ask and files
      leave it out
    providers.yaml:4:5: provider acme, base_url: it does not begin with http:// or https://
      give it in the form https://host/path or http://host:port
    providers.yaml:4:5: provider acme, ask: only a row with a mode has this
      add mode: bedrock, vertex or foundry, or leave it out
    providers.yaml:4:11: provider acme, ask.A B: it is not the name of a variable
      a variable's name is letters, digits and `_`, and does not begin with a digit
    providers.yaml:4:11: provider acme, ask.CLAUDE_CODE_USE_VERTEX: a row may not name CLAUDE_CODE_USE_VERTEX: it would send the session to another backend than the endpoint of this provider
      leave it out
    providers.yaml:4:11: provider acme, ask.ANTHROPIC_VERTEX_BASE_URL: a row may not name ANTHROPIC_VERTEX_BASE_URL: it is the endpoint of another cloud mode
      leave it out
    providers.yaml:4:11: provider acme, ask.ANTHROPIC_API_KEY: a row may not name ANTHROPIC_API_KEY: it is for Anthropic's own API, which a cloud mode does not use
      leave it out
    providers.yaml:4:29: provider acme, ask.A.default: a secret has no default
      leave it out
    providers.yaml:4:15: provider acme, ask.A.way: it is not a word of small letters, digits and `-`
      for example way: api-key
    providers.yaml:4:15: unknown key `providers.acme.ask.A.hidden`
      known keys here: ask, secret, optional, default, way
    providers.yaml:4:13: provider acme, files.A: it has no file
      add the name it is stored under, as in file: adc.json
    providers.yaml:4:17: provider acme, files.A.file: it is not a plain file name, or another file of the row has it
      letters, digits, `.`, `_` and `-`, as in adc.json
    providers.yaml:4:13: provider acme, files.CLOUD_ML_REGION: CLOUD_ML_REGION is in ask already
      leave it out
    providers.yaml:4:11: provider acme, env.AWS_SECRET_ACCESS_KEY: AWS_SECRET_ACCESS_KEY is this row's key, which this file is no place for
      put the line AWS_SECRET_ACCESS_KEY='…' into the provider's .env
    providers.yaml:4:11: provider acme, env.ANTHROPIC_BEDROCK_BASE_URL: ANTHROPIC_BEDROCK_BASE_URL is set from the row's base_url
      say it in base_url instead
    providers.yaml:4:11: provider acme, env.CLAUDE_CODE_SKIP_BEDROCK_AUTH: a row may not name CLAUDE_CODE_SKIP_BEDROCK_AUTH: without its credentials a session would not be this provider's
      leave it out
    "#);
}
