//! Flags, commands and variables that are not read, and what is said of them.

use crate::common::{NO_ENGINE, USAGE, store_key};
use crate::support::fake_api::{Credential, Script};
use crate::support::sandbox::Sandbox;

#[test]
fn what_earlier_versions_had_is_answered_with_what_takes_its_place() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (args, instead) in [
        (&["--list-variants"][..], "claude-reactor info"),
        (&["--show-config"], "`claude-reactor config show`"),
        (&["debug", "cache", "clear"], "`claude-reactor clean --cache`"),
        (&["run", "--log-level", "debug"], "`--debug`"),
        (&["run", "--rebuild"], "`claude-reactor build --no-cache`"),
        (&["template", "new"], "Claude Code"),
    ] {
        let output = project.reactor(args).run();
        output.assert_code(USAGE).assert_stdout("").assert_stderr_contains("hint: ");
        output.assert_stderr_contains(instead).assert_stderr_contains("earlier versions");
    }
    insta::assert_snapshot!(project.reactor(&["--show-config"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: `--show-config` was a part of earlier versions and is none of this one
      hint: use `claude-reactor config show`
    ");
}

#[test]
fn what_follows_the_dashes_is_for_claude_and_none_of_ours() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let args = ["run", "--llm-provider", "zai", "--", "--continue"];
    sandbox.project("app").reactor(&args).run().assert_code(NO_ENGINE);
}

#[test]
fn a_misspelt_variable_is_told_once_with_the_one_that_was_meant() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let run = sandbox.project("app").reactor(&["run", "--llm-provider", "zai"]);
    let output = run.env("CLAUDE_REACTOR_LLM_MODLE", "glm-5").run();
    output.assert_code(NO_ENGINE);
    let said = "CLAUDE_REACTOR_LLM_MODLE is not read; did you mean CLAUDE_REACTOR_LLM_MODEL?";
    assert_eq!(output.stderr().matches(said).count(), 1, "{}", output.stderr());
}

#[test]
fn a_variable_that_says_how_much_is_said_is_checked() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let wrong = project.reactor(&["run", "--dry-run"]).env("CLAUDE_REACTOR_DEBUG", "much").run();
    wrong
        .assert_code(USAGE)
        .assert_stderr_contains("CLAUDE_REACTOR_DEBUG: \"much\" is neither true nor false");
    let right = project.reactor(&["run", "--dry-run"]).env("CLAUDE_REACTOR_DEBUG", "true").run();
    right.assert_code(NO_ENGINE);
}

#[test]
fn a_key_is_stored_untried_where_a_variable_says_so() {
    let sandbox = Sandbox::new();
    let (wrong, right) = (sandbox.canary("wrong"), sandbox.canary("right"));
    let _fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(right)));
    let args = ["run", "--llm-provider", "zai", "--key-stdin"];
    let run = || sandbox.project("app").reactor(&args).stdin(wrong.key());
    run().run().assert_code(USAGE);
    run().env("CLAUDE_REACTOR_NO_VERIFY", "true").run().assert_code(NO_ENGINE);
}

#[test]
fn a_mount_of_a_variable_is_one_of_the_run() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let run = sandbox.project("app").reactor(&["run", "--llm-provider", "zai"]);
    let output = run.env("CLAUDE_REACTOR_MOUNTS", "/nowhere/to/be/found").run();
    output.assert_code(USAGE).assert_stderr_contains("CLAUDE_REACTOR_MOUNTS");
    output.assert_stderr_contains("/nowhere/to/be/found");
}
