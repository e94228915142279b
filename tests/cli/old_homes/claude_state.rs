//! Claude Code's own state, files and login: copied to where they belong now, and to no other provider.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::Old;
use crate::common::{NO_ENGINE, state};
use crate::support::old_home::Generation;

#[test]
fn history_and_what_is_not_claudes_own_stay_where_they_are() {
    let old = Old::new(Generation::Go);
    let history = old.session("projects/-app/3f0c8a52-6b1d-4c7e-9a45-0d1e2f3a4b5c.jsonl");
    let before = fs::read(&history).unwrap();
    old.run(&["run"]).assert_code(NO_ENGINE);
    assert_eq!(fs::read(&history).unwrap(), before);
    for left in ["projects/-app", "statsig", "shell-snapshots", ".credentials.json"] {
        assert!(!old.session("providers/claude").join(left).exists(), "{left}");
    }
    let mode = |path: &str| old.session(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("providers/claude/agents"), mode("providers/claude/agents/reviewer.md")),
        (0o700, 0o600)
    );
    assert_eq!(mode("providers/claude/skills/notes/list.sh"), 0o700);
}

#[test]
fn a_login_becomes_the_accounts_once() {
    let old = Old::new(Generation::Go);
    let token = old.sandbox.canary("login");
    let login = format!(
        r#"{{"claudeAiOauth":{{"accessToken":"{}","refreshToken":"r","expiresAt":1}}}}"#,
        token.key()
    );
    fs::write(old.session(".credentials.json"), &login).unwrap();
    // The user's own login, which the old tool mounted into every account's container, is nobody's here.
    let main = old.sandbox.canary("main");
    old.sandbox.write_home(
        ".claude/.credentials.json",
        format!(r#"{{"claudeAiOauth":{{"accessToken":"{}"}}}}"#, main.key()),
    );
    old.run(&["run"]).assert_code(NO_ENGINE).assert_stderr_contains("imported the subscription login in");
    let new = old.account("llms/claude/login/.credentials.json");
    assert_eq!(fs::read_to_string(&new).unwrap(), login);
    assert_eq!(new.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut places = old.sandbox.files_with(&token);
    places.retain(|path| !path.ends_with("llms/claude/login/.credentials.json"));
    assert_eq!(places.len(), 1, "only where it was: {places:?}");
    assert_eq!(old.sandbox.files_with(&main), [PathBuf::from("home/.claude/.credentials.json")]);

    fs::remove_file(&new).unwrap();
    old.run(&["run"]).assert_code(NO_ENGINE).assert_stderr_lacks("login");
    assert!(!new.exists(), "the user logged out");
}

#[test]
fn no_other_provider_gets_anything() {
    let old = Old::new(Generation::Go);
    let token = old.sandbox.canary("login");
    let login = format!(r#"{{"claudeAiOauth":{{"accessToken":"{}"}}}}"#, token.key());
    fs::write(old.session(".credentials.json"), login).unwrap();
    old.sandbox.write_home(".claude-reactor/user/llms/zai/.env", "ZAI_API_KEY='k'\n");
    fs::set_permissions(old.account(""), fs::Permissions::from_mode(0o700)).unwrap();
    let run = || old.project().reactor(&["run"]).env("CLAUDE_REACTOR_LLM_PROVIDER", "zai").run();
    let output = run();
    output.assert_code(NO_ENGINE).assert_stderr_contains("closed ").assert_stderr_lacks("took over");
    assert!(!old.account("llms/claude").exists());
    assert!(!old.session("providers/zai/.claude.json").exists());
    let before = state(&old.sandbox);
    run().assert_code(NO_ENGINE);
    assert_eq!(state(&old.sandbox), before);
}

#[test]
fn another_project_of_the_account_begins_with_the_accounts_state() {
    let old = Old::new(Generation::Go);
    old.run(&["run"]).assert_code(NO_ENGINE);
    let other = old.sandbox.project("other");
    other.reactor(&["run"]).run().assert_code(NO_ENGINE).assert_stderr_lacks("took over");
    let state = old.read(old.account(&format!("other-{}/providers/claude/.claude.json", other.hash())));
    assert!(state.contains("daltonized") && state.contains("notes-mcp"), "{state}");
    assert!(!state.contains("make test"), "what is known of /app is another project's: {state}");
}

#[test]
fn state_that_cannot_be_used_is_said_once() {
    let old = Old::new(Generation::Go);
    fs::write(old.sandbox.reactor_home().join(".user-claude.json"), "{broken").unwrap();
    let output = old.run(&["run"]);
    output
        .assert_code(NO_ENGINE)
        .assert_stderr_contains(".user-claude.json is not taken over: it is not a JSON object");
    old.run(&["run"]).assert_code(NO_ENGINE).assert_stderr_lacks("warning");
}

#[test]
fn what_a_session_laid_there_is_not_followed() {
    let old = Old::new(Generation::Go);
    let secret = old.sandbox.canary("elsewhere");
    let elsewhere = old.sandbox.write_home("elsewhere", secret.key());
    symlink(&elsewhere, old.session("agents/secret.md")).unwrap();
    fs::remove_file(old.session("settings.json")).unwrap();
    symlink(&elsewhere, old.session("settings.json")).unwrap();
    let output = old.run(&["run"]);
    output.assert_code(NO_ENGINE).assert_stderr_contains(
        "was taken over: settings.json (it is a symbolic link), agents/secret.md (it is a symbolic link)",
    );
    assert_eq!(old.sandbox.files_with(&secret), [PathBuf::from("home/elsewhere")]);
    assert!(old.session("providers/claude/agents/reviewer.md").exists());
}

#[test]
fn what_the_user_removed_from_the_new_place_does_not_come_back() {
    let old = Old::new(Generation::Go);
    old.run(&["run"]).assert_code(NO_ENGINE);
    fs::remove_file(old.session("providers/claude/agents/reviewer.md")).unwrap();
    old.run(&["run"]).assert_code(NO_ENGINE);
    assert!(!old.session("providers/claude/agents/reviewer.md").exists());
    fs::remove_dir_all(old.session("providers/claude")).unwrap();
    old.run(&["run"]).assert_code(NO_ENGINE).assert_stderr_lacks("took over");
    assert!(!old.session("providers/claude/agents").exists());
}

#[test]
fn whoever_chose_to_log_in_gets_no_old_key() {
    let old = Old::new(Generation::Go);
    let login = old.sandbox.write_home(".claude-reactor/user/llms/claude/login/.credentials.json", "{}");
    old.run(&["run"]).assert_stderr_contains("took over").assert_stderr_lacks("imported");
    assert!(!old.account("llms/claude/.env").exists());
    assert_eq!(fs::read_to_string(login).unwrap(), "{}");
}
