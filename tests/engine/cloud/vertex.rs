//! Google Vertex AI.

use std::os::unix::fs::PermissionsExt;

use super::{Cloud, first_time};
use crate::engine;
use crate::support::fake_api::Script;
use crate::support::sandbox::Sandbox;

#[test]
fn a_question_is_answered_with_a_token_by_the_file() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let (place, vars) = Cloud::Vertex.set_up(&sandbox, Script::new());
    let project = sandbox.project("app");
    first_time(&project, Cloud::Vertex, &vars);
    let stored = sandbox.reactor_home().join("user/llms/vertex/files/adc.json");
    assert_eq!(stored.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    // It is a copy: what becomes of the original does not matter.
    std::fs::remove_file(sandbox.home().join("adc.json")).unwrap();

    let output = project.reactor(&["run", "--", "-p", "hi"]).run();
    output.assert_success().assert_stdout("pong from fake-vertex\n");
    output.assert_stderr_contains("· GOOGLE_APPLICATION_CREDENTIALS");
    for request in place.assert_requests(&[]) {
        let models = "/projects/acme-project/locations/global/publishers/anthropic/models/";
        assert!(request.path.contains(models), "{}", request.line());
        assert!(["claude-sonnet-5", "claude-haiku-4-5@20251001"].contains(&request.model().unwrap()));
        assert_eq!(request.header("x-api-key"), None);
    }

    let inside = "cat \"$GOOGLE_APPLICATION_CREDENTIALS\"; touch /etc/claude-reactor/files/x";
    let output = project.reactor(&["exec", "--", "sh", "-c", inside]).run();
    output.assert_stdout_contains("external_account").assert_stderr_contains("Read-only file system");
}
