//! Microsoft Foundry.

use super::{Cloud, first_time};
use crate::engine;
use crate::support::fake_api::Script;
use crate::support::sandbox::Sandbox;

#[test]
fn a_question_is_answered_by_a_key() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let (place, vars) = Cloud::Foundry.set_up(&sandbox, Script::new());
    let project = sandbox.project("app");
    first_time(&project, Cloud::Foundry, &vars);
    let output = project.reactor(&["run", "--", "-p", "hi"]).run();
    output.assert_success().assert_stdout("pong from fake-foundry\n");
    output.assert_stderr_contains("· ANTHROPIC_FOUNDRY_API_KEY");
    for request in place.assert_requests(&[]) {
        assert!(["claude-sonnet-5", "claude-haiku-4-5"].contains(&request.model().unwrap()));
        assert_eq!(request.header("authorization"), None);
    }
}
