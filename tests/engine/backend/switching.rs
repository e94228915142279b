//! One project goes from one provider to another and back.

use std::collections::BTreeMap;

use super::{ACCOUNT, assert_credential, containers, engine, store};
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::sandbox::{Project, Sandbox};

/// The variables that a command of the session's has.
struct Variables(BTreeMap<String, String>);

impl Variables {
    fn of(project: &Project<'_>) -> Self {
        let output = project.reactor(&["exec", "--", "env", "-0"]).shows_secrets().run();
        let lines = output.assert_success().stdout().split_terminator('\0');
        let pairs = lines.filter_map(|line| line.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// These variables have these values. The values are not shown: keys are among them.
    #[track_caller]
    fn assert_are(&self, expected: &[(&str, &str)]) -> &Self {
        for (name, value) in expected {
            assert!(self.0.get(*name).is_some_and(|found| found == value), "{name} is not as it should be");
        }
        self
    }

    /// No name and no value holds one of these texts.
    #[track_caller]
    fn assert_lack(&self, foreign: &[&str]) {
        for (name, value) in &self.0 {
            let found = foreign.iter().any(|text| name.contains(text) || value.contains(text));
            assert!(!found, "{name} is the other provider's, or its value");
        }
    }
}

#[test]
fn from_zai_to_claude_and_back() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let (zai_key, claude_key) = (sandbox.canary("zai"), sandbox.canary("claude"));
    let zai = sandbox.fake("zai", Script::new().requires(Credential::Bearer(zai_key.clone())));
    let claude = sandbox.fake("claude", Script::new().requires(Credential::ApiKey(claude_key.clone())));
    store(&sandbox, ACCOUNT, "zai", &[("ZAI_API_KEY", zai_key.key()), ("ZAI_EXTRA", "of-zai")]);
    store(
        &sandbox,
        ACCOUNT,
        "claude",
        &[("ANTHROPIC_API_KEY", claude_key.key()), ("CLAUDE_EXTRA", "of-claude")],
    );
    let project = sandbox.project("app");
    let ask = |args: &[&str], question: &str, answer: &str| {
        let output = project.reactor(&[&["run"], args, &["-p", question]].concat()).run();
        output.assert_success().assert_stdout(&format!("{answer}\n"));
    };
    let (zai_url, claude_url) = (zai.base_url(), claude.base_url());
    let assert_zai = || {
        let expected = [
            ("ANTHROPIC_BASE_URL", zai_url.as_str()),
            ("ANTHROPIC_AUTH_TOKEN", zai_key.key()),
            ("ANTHROPIC_API_KEY", ""),
            ("ANTHROPIC_MODEL", "glm-5.2[1m]"),
            ("ANTHROPIC_DEFAULT_OPUS_MODEL", "glm-5.2[1m]"),
            ("ANTHROPIC_DEFAULT_SONNET_MODEL", "glm-5.2[1m]"),
            ("ANTHROPIC_DEFAULT_FABLE_MODEL", "glm-5.2[1m]"),
            ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "glm-4.5-air"),
            ("CLAUDE_CODE_MAX_CONTEXT_TOKENS", "1000000"),
            ("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1"),
            ("ZAI_API_KEY", zai_key.key()),
            ("ZAI_EXTRA", "of-zai"),
        ];
        let foreign = [claude_key.tail(), &claude_url, "CLAUDE_EXTRA", "of-claude"];
        Variables::of(&project).assert_are(&expected).assert_lack(&foreign);
    };
    let assert_claude = || {
        let expected = [
            ("ANTHROPIC_BASE_URL", claude_url.as_str()),
            ("ANTHROPIC_API_KEY", claude_key.key()),
            ("ANTHROPIC_AUTH_TOKEN", ""),
            ("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1"),
            ("CLAUDE_EXTRA", "of-claude"),
        ];
        let foreign = [zai_key.tail(), &zai_url, "ZAI", "of-zai", "MODEL", "glm", "MAX_CONTEXT_TOKENS"];
        Variables::of(&project).assert_are(&expected).assert_lack(&foreign);
    };

    ask(&["--llm-provider", "zai", "--"], "the first question", "pong from fake-zai");
    assert_zai();
    let first = containers(&engine, &project);
    // Claude Code finds the conversation of the other provider, and goes on with it.
    ask(&["--llm-provider", "claude", "--", "--continue"], "the second question", "pong from fake-claude");
    assert_claude();
    let both = containers(&engine, &project);
    ask(&["--llm-provider", "zai", "--", "--continue"], "the third question", "pong from fake-zai");
    assert_zai();
    let mut after = containers(&engine, &project);

    assert_eq!((first.len(), both.len()), (1, 2));
    assert!(both.contains(&first[0]));
    after.retain(|id| !both.contains(id));
    assert!(after.is_empty(), "a third container was made");
    assert_credential(&zai.messages(), &Credential::Bearer(zai_key));
    assert_credential(&claude.messages(), &Credential::ApiKey(claude_key));
    let last = |fake: &FakeApi| fake.messages().pop().unwrap().body["messages"].to_string();
    assert!(last(&claude).contains("the first question") && last(&claude).contains("the second question"));
    assert!(last(&zai).contains("the second question") && last(&zai).contains("pong from fake-claude"));
    assert!(
        zai.messages().iter().all(|request| request.model().is_some_and(|model| model.starts_with("glm-")))
    );
}
