//! One project goes from a plain provider to a cloud mode and back: nothing of one is in the other.

use super::{Cloud, first_time};
use crate::engine;
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, Script};
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;

/// The environment, the mounts and the files of what `exec` is in.
fn inside(project: &Project<'_>, provider: &str) -> String {
    let script = "env; echo; cat /proc/self/mountinfo; cat /etc/claude-reactor/files/* 2>&1; ls -a ~; true";
    let args = ["exec", "--llm-provider", provider, "--", "sh", "-c", script];
    project.reactor(&args).shows_secrets().run().assert_success().stdout().to_owned()
}

fn there_and_back(engine: &Engine, cloud: Cloud, marks: &[&str]) {
    let sandbox = Sandbox::on(engine);
    let zai_key = sandbox.canary("zai");
    let zai = sandbox.fake("zai", Script::new().requires(Credential::Bearer(zai_key.clone())));
    let line = format!("ZAI_API_KEY='{}'\n", zai_key.key());
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", line);
    let (place, vars) = cloud.set_up(&sandbox, Script::new());
    let project = sandbox.project("app");
    let ask = |provider: &str, answer: &str| {
        let args = ["run", "--llm-provider", provider, "--", "-p", "hi"];
        project.reactor(&args).run().assert_success().assert_stdout(&format!("{answer}\n"));
    };
    let assert_lacks = |seen: &str, keys: &[Canary], texts: &[&str]| {
        assert!(!keys.iter().any(|key| key.is_in(seen)), "a key of the other provider is inside");
        for text in texts {
            assert!(!seen.contains(text), "{text} is inside");
        }
    };

    ask("zai", "pong from fake-zai");
    first_time(&project, cloud, &vars);
    ask(cloud.provider(), &place.fake.text());
    let seen = inside(&project, cloud.provider());
    assert_lacks(&seen, std::slice::from_ref(&zai_key), &["ZAI", &zai.base_url(), "glm-", "/llms/zai"]);
    for mark in marks {
        assert!(seen.contains(mark), "{mark} is not inside");
    }

    ask("zai", "pong from fake-zai");
    let seen = inside(&project, "zai");
    assert_lacks(&seen, &place.secrets, &[marks, &[&place.fake.base_url(), "anthropic.claude"]].concat());
    place.assert_requests(&[zai_key.tail()]);
    for request in zai.messages() {
        assert_eq!(request.header("authorization"), Some(format!("Bearer {}", zai_key.key())));
        let all = format!("{}{}", request.headers_text(), request.body);
        assert!(!place.secrets.iter().any(|key| key.is_in(&all)), "a key of the cloud's arrived at zai");
    }
}

#[test]
fn zai_bedrock_zai() {
    let Some(engine) = engine() else { return };
    there_and_back(
        &engine,
        Cloud::Bedrock,
        &["AWS_REGION", "AWS_BEARER_TOKEN_BEDROCK", "CLAUDE_CODE_USE_BEDROCK=1"],
    );
}

#[test]
fn zai_vertex_zai() {
    let Some(engine) = engine() else { return };
    let marks =
        ["GOOGLE_APPLICATION_CREDENTIALS", "/etc/claude-reactor/files ", "external_account", "acme-project"];
    there_and_back(&engine, Cloud::Vertex, &marks);
}

#[test]
fn zai_foundry_zai() {
    let Some(engine) = engine() else { return };
    there_and_back(&engine, Cloud::Foundry, &["ANTHROPIC_FOUNDRY_API_KEY", "CLAUDE_CODE_USE_FOUNDRY=1"]);
}
