//! Which credentials the agent's tools see in a cloud mode: Claude Code itself needs them in its environment.

use serde_json::json;

use super::{Cloud, first_time};
use crate::engine;
use crate::support::fake_api::Script;
use crate::support::sandbox::Sandbox;

/// Whether a tool's environment has these variables, as it went to the backend.
fn assert_tools_see(cloud: Cloud, wanted: &[(&str, bool)]) {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let tool = json!({ "command": "env", "description": "Show the environment" });
    let (place, vars) = cloud.set_up(&sandbox, Script::new().calls_tool("Bash", tool));
    let project = sandbox.project("app");
    first_time(&project, cloud, &vars);
    let output = project.reactor(&["run", "--", "-p", "go", "--allowedTools", "Bash"]).run();
    output.assert_success().assert_stdout(&format!("{}\n", place.fake.text()));
    let last = place.fake.messages().pop().expect("the tool's result is sent");
    let seen = last.body["messages"].to_string();
    assert!(seen.contains("CLAUDECODE=1"), "a tool's environment is there");
    for (name, is_seen) in wanted {
        let has_value = seen.split(&format!("{name}=")).nth(1).is_some_and(|rest| !rest.starts_with("\\n"));
        assert_eq!(has_value, *is_seen, "{name}");
    }
}

#[test]
fn a_bearer_of_bedrocks_is_kept_from_them() {
    assert_tools_see(Cloud::Bedrock, &[("AWS_REGION", true), ("AWS_BEARER_TOKEN_BEDROCK", false)]);
}

/// What docs/security.md says of it. Claude Code passes these on, as it does to any program that works with AWS.
#[test]
fn an_access_key_is_seen_by_them() {
    assert_tools_see(
        Cloud::BedrockPair,
        &[("AWS_ACCESS_KEY_ID", true), ("AWS_SECRET_ACCESS_KEY", true), ("AWS_SESSION_TOKEN", true)],
    );
}

/// And so is the place of a file, which they may read.
#[test]
fn the_place_of_a_file_is_seen_by_them() {
    assert_tools_see(Cloud::Vertex, &[("GOOGLE_APPLICATION_CREDENTIALS", true)]);
}

#[test]
fn a_key_of_foundrys_is_kept_from_them() {
    assert_tools_see(Cloud::Foundry, &[("ANTHROPIC_FOUNDRY_API_KEY", false)]);
}
