//! Amazon Bedrock.

use super::{Cloud, first_time};
use crate::engine;
use crate::support::fake_api::Script;
use crate::support::sandbox::Sandbox;

fn answers(cloud: Cloud) {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let (place, vars) = cloud.set_up(&sandbox, Script::new());
    let project = sandbox.project("app");
    first_time(&project, cloud, &vars);
    let output = project.reactor(&["run", "--", "-p", "hi"]).run();
    output.assert_success().assert_stdout("pong from fake-bedrock\n");
    let url = place.fake.base_url();
    output.assert_stderr_contains(&format!("· bedrock · global.anthropic.claude-sonnet-5 · {url} · AWS_"));

    let secret = place.secrets[0].clone();
    let signs = cloud == Cloud::BedrockPair;
    for request in place.assert_requests(if signs { &[] } else { &["AWS4-HMAC"] }) {
        // A secret that signs is never sent itself.
        assert!(!signs || !secret.is_in(request.headers_text()));
        assert!(request.model().unwrap().starts_with("global.anthropic.claude-"), "{}", request.line());
        assert_eq!(request.header("x-api-key"), None);
    }
    assert!(
        place.fake.messages().iter().any(|request| request.path.ends_with("/invoke-with-response-stream"))
    );
}

#[test]
fn a_question_is_answered_by_a_bearer() {
    answers(Cloud::Bedrock);
}

#[test]
fn a_question_is_answered_by_a_signature() {
    answers(Cloud::BedrockPair);
}
