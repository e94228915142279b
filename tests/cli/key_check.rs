//! Where a new key is tried: where the sessions will send it, and nowhere else.

use crate::common::NO_ENGINE;
use crate::support::fake_api::{Credential, FakeApi, Script};
use crate::support::sandbox::Sandbox;

/// A sandbox whose `zai` is one fake by its row, and another by a line of its `.env`.
fn two_endpoints(lines: &str) -> (Sandbox, FakeApi, FakeApi) {
    let sandbox = Sandbox::new();
    let row = sandbox.fake("zai", Script::new());
    let line = FakeApi::start("line", Script::new());
    let text = format!("ANTHROPIC_BASE_URL='{}'\n{lines}", line.base_url());
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", text);
    (sandbox, row, line)
}

#[test]
fn a_line_of_the_env_file_that_moves_the_endpoint_moves_the_check_too() {
    let (sandbox, row, line) = two_endpoints("ANTHROPIC_MODEL='glm-of-mine'\n");
    let key = sandbox.canary("zai");
    let args = ["run", "--llm-provider", "zai", "--key-stdin"];
    sandbox.project("app").reactor(&args).stdin(key.key()).run().assert_code(NO_ENGINE);
    assert_eq!(row.requests().len(), 0, "the key went to the row's endpoint");
    let [request] = &line.requests()[..] else { panic!("one request") };
    assert_eq!(request.model(), Some("glm-of-mine"));
    assert_eq!(request.header("authorization"), Some(format!("Bearer {}", key.key())));
}

#[test]
fn a_key_that_a_line_written_by_hand_wins_over_is_said() {
    let (sandbox, _row, _line) = two_endpoints("ANTHROPIC_AUTH_TOKEN='by-hand'\n");
    let key = sandbox.canary("zai");
    let args = ["run", "--llm-provider", "zai", "--key-stdin"];
    let output = sandbox.project("app").reactor(&args).stdin(key.key()).run();
    output.assert_code(NO_ENGINE).assert_stderr_contains(
        "warning: sessions go on using the line ANTHROPIC_AUTH_TOKEN of that file, which wins over ZAI_API_KEY",
    );
}

#[test]
fn what_keeps_a_session_from_starting_is_said_before_a_key_is_asked_for() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("openrouter", Script::new());
    let key = sandbox.canary("openrouter");
    let args = ["run", "--llm-provider", "openrouter", "--key-stdin"];
    let output = sandbox.project("app").reactor(&args).stdin(key.key()).run();
    output.assert_code(2).assert_stderr_contains("no model is known for provider openrouter");
    assert_eq!(fake.requests().len(), 0);

    let args = [&args[..], &["--llm-model", "vendor/model"]].concat();
    fake.follow(Script::new().requires(Credential::Bearer(key.clone())));
    sandbox.project("app").reactor(&args).stdin(key.key()).run().assert_code(NO_ENGINE);
    assert_eq!(fake.requests()[0].model(), Some("vendor/model"));
}
