//! Folders that an earlier version left open, and accounts that cannot be one any more.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Old;
use crate::common::{NO_ENGINE, USAGE};
use crate::support::old_home::Generation;

#[test]
fn folders_of_this_version_that_were_opened_are_refused_as_ever() {
    let old = Old::new(Generation::Go);
    old.run(&["run"]).assert_code(NO_ENGINE);
    fs::set_permissions(old.account(""), fs::Permissions::from_mode(0o755)).unwrap();
    let output = old.run(&["--llm-model", "opus"]);
    output.assert_code(USAGE).assert_stderr_contains("is open to other users of this machine (mode 0755)");
}

#[test]
fn folders_that_others_could_change_are_for_the_user_to_look_at() {
    let old = Old::new(Generation::Go);
    fs::set_permissions(old.account(""), fs::Permissions::from_mode(0o775)).unwrap();
    let output = old.run(&["run"]);
    output.assert_code(USAGE).assert_stderr_contains("is open to other users of this machine (mode 0775)");
}

#[test]
fn an_account_that_cannot_be_one_any_more_is_named() {
    let old = Old::new(Generation::Go);
    old.sandbox.write_home(".claude-reactor/.my team-claude.json", "{}");
    insta::assert_snapshot!(old.run(&["run"]).snapshot(), @r#"
    exit code: 125
    --- stderr
    "my team" in [HOME]/.claude-reactor cannot be an account any more: it contains ' ' (a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`). To use it, rename what is called so there, and choose the new name with --account
    closed [HOME]/.claude-reactor/user, [HOME]/.claude-reactor/user/app-[HASH:app], [HOME]/.claude-reactor/user/app-[HASH:app]/projects to other users of this machine; an earlier version had left it open
    took over the account's Claude state from [HOME]/.claude-reactor/.user-claude.json
    took over settings.json, CLAUDE.md, agents, commands, skills from [HOME]/.claude-reactor/user/app-[HASH:app]
    imported the API key in [HOME]/.claude-reactor/.claude-reactor-user-env into [HOME]/.claude-reactor/user/llms/claude/.env; others can read that file; it is not needed any more and may be deleted
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    "#);
    old.run(&["run"]).assert_code(NO_ENGINE).assert_stderr_lacks("my team");
}

#[test]
fn consent_can_be_given_before_the_first_run() {
    let old = Old::new(Generation::Go);
    old.project().write(".claude-reactor", "danger=true\n");
    let output = old.run(&["config", "trust", "--yes"]);
    output.assert_success().assert_stderr_contains("closed ").assert_stderr_lacks("imported");
    old.run(&["run"]).assert_stderr_contains("imported the API key in");
}
