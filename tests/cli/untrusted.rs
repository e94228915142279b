//! A repository is not trusted with the user's safety or keys: what its file may not say is refused by name.

use crate::common::{NO_ENGINE, USAGE, store_key};
use crate::support::sandbox::Sandbox;

#[test]
fn a_projects_file_may_not_set_what_harms_its_user() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let show = |text: &str| {
        project.write(".claude-reactor", text);
        project.reactor(&["run"]).run().snapshot()
    };
    insta::assert_snapshot!(show("variant: base\ndanger: true\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:1: a project's file may not set danger: it would let an agent act without asking
      hint: remove the line; if you want it for yourself: `claude-reactor run --danger`
    ");
    insta::assert_snapshot!(show("llm:\n  provider: claude\n  env: container\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:3:3: a project's file may not set llm.env: it would show your key in `inspect`
      hint: remove the line; if you want it for yourself: CLAUDE_REACTOR_LLM_ENV=container
    ");
    insta::assert_snapshot!(show("llm: {export_key: true}\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:1:7: a project's file may not set llm.export_key: it would show your key to the agent's tools
      hint: remove the line; if you want it for yourself: CLAUDE_REACTOR_LLM_EXPORT_KEY=true
    ");
}

#[test]
fn not_even_to_say_no() {
    // Whether `false` harms depends on what the other layers say; one answer for the key is easier to trust.
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: false\n");
    project.reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains("may not set danger");
}

#[test]
fn a_flag_does_not_make_such_a_file_acceptable() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: true\n");
    project.reactor(&["--danger=false"]).run().assert_code(USAGE);
}

#[test]
fn what_endangers_nobody_is_taken_from_it() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    project.write(".claude-reactor", "variant: base\nllm:\n  model: claude-opus-4-1\n  small_model: haiku\n");
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
}

#[test]
fn the_same_keys_are_the_users_own_to_set_in_the_session_file() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let session_file = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    sandbox.write_home(&session_file, "danger: true\nllm: {env: container, export_key: true}\n");
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
}
