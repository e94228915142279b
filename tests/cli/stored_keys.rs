//! What storing a key leaves on disk: where, for whom to read, and next to what.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use crate::common::{NO_ENGINE, USAGE, listing, state, store_key};
use crate::support::fake_api::{FakeApi, Script};
use crate::support::output::Output;
use crate::support::sandbox::Sandbox;

fn zai() -> (Sandbox, FakeApi) {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("zai", Script::new());
    (sandbox, fake)
}

fn store(sandbox: &Sandbox, key: &str) -> Output {
    sandbox.project("app").reactor(&["--llm-provider", "zai", "--key-stdin"]).stdin(key).run()
}

fn env_file(sandbox: &Sandbox) -> PathBuf {
    sandbox.reactor_home().join("user/llms/zai/.env")
}

fn set_mode(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn everything_is_private_whatever_the_umask() {
    for umask in ["0000", "0022", "0077"] {
        let (sandbox, _fake) = zai();
        std::fs::remove_dir_all(sandbox.reactor_home()).unwrap();
        let canary = sandbox.canary("claude");
        let script = format!("umask {umask}; exec \"$0\" --no-verify --apikey \"$1\"");
        let program = env!("CARGO_BIN_EXE_claude-reactor");
        let project = sandbox.project("app");
        // No row moves this provider to a fake; a proxy that is not there keeps the key on this machine.
        let command = project.command("sh", &["-c", &script, program, canary.key()]);
        command.env("HTTPS_PROXY", "http://127.0.0.1:9").run().assert_code(NO_ENGINE);
        insta::allow_duplicates! { insta::assert_snapshot!(listing(&sandbox), @"
        0700 /
        0700 user/
        0700 user/app-[HASH:app]/
        0700 user/app-[HASH:app]/carried/
        0600 user/app-[HASH:app]/project-path
        0700 user/app-[HASH:app]/projects/
        0700 user/app-[HASH:app]/providers/
        0700 user/app-[HASH:app]/providers/claude/
        0700 user/app-[HASH:app]/providers/claude/projects/
        0700 user/llms/
        0700 user/llms/claude/
        0600 user/llms/claude/.env
        0600 user/llms/claude/.env.lock
        "); }
    }
}

#[test]
fn any_character_of_a_key_is_read_back_by_a_shell() {
    let (sandbox, _fake) = zai();
    let key = r#"sk-$HOME '"quoted"' \n `id` #!{}="#;
    store(&sandbox, key).assert_code(NO_ENGINE);
    let script = r#". "$0"; printf %s "$ZAI_API_KEY""#;
    let output =
        sandbox.project("app").command("sh", &["-c", script, env_file(&sandbox).to_str().unwrap()]).run();
    output.assert_success().assert_stdout(key);
}

#[test]
fn lines_written_by_hand_are_kept() {
    let (sandbox, _fake) = zai();
    let path = sandbox.write_home(
        ".claude-reactor/user/llms/zai/.env",
        "# work key, expires in May\nAPI_TIMEOUT_MS=60000\nexport ZAI_API_KEY=\"old\" # see above\n\nEXTRA='it is'\n",
    );
    store(&sandbox, "sk-new").assert_code(NO_ENGINE);
    insta::assert_snapshot!(std::fs::read_to_string(path).unwrap(), @"
    # work key, expires in May
    API_TIMEOUT_MS=60000
    ZAI_API_KEY='sk-new'

    EXTRA='it is'
    ");
}

#[test]
fn keys_of_two_accounts_and_of_two_providers_lie_apart() {
    let (sandbox, _fake) = zai();
    let _deepseek = sandbox.fake("deepseek", Script::new());
    let keys = [("alice", "zai"), ("alice", "deepseek"), ("bob", "zai")].map(|(account, provider)| {
        let canary = sandbox.canary(&format!("{account}-{provider}"));
        let args = ["--account", account, "--llm-provider", provider, "--key-stdin"];
        sandbox.project("app").reactor(&args).stdin(canary.key()).run().assert_code(NO_ENGINE);
        (format!("home/.claude-reactor/{account}/llms/{provider}/.env"), canary)
    });
    for (path, canary) in keys {
        assert_eq!(sandbox.files_with(&canary), [PathBuf::from(path)]);
    }
}

#[test]
fn what_others_can_read_is_refused_with_the_command_that_repairs_it() {
    let (sandbox, _fake) = zai();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let path = env_file(&sandbox);
    let run = || sandbox.project("app").reactor(&["--llm-provider", "zai"]).run();

    set_mode(&path, 0o640);
    insta::assert_snapshot!(run().snapshot(), @"
    exit code: 2
    --- stderr
    error: `[HOME]/.claude-reactor/user/llms/zai/.env` is open to other users of this machine (mode 0640)
      hint: run: chmod 600 [HOME]/.claude-reactor/user/llms/zai/.env
    ");
    set_mode(&path, 0o600);
    set_mode(path.parent().unwrap(), 0o755);
    insta::assert_snapshot!(run().snapshot(), @"
    exit code: 2
    --- stderr
    error: `[HOME]/.claude-reactor/user/llms/zai` is open to other users of this machine (mode 0755)
      hint: run: chmod 700 [HOME]/.claude-reactor/user/llms/zai
    ");

    let stderr = run().stderr().to_owned();
    let repair = stderr.split("hint: run: ").nth(1).expect("a command").trim();
    sandbox.project("app").command("sh", &["-c", repair]).run().assert_success();
    run().assert_code(NO_ENGINE);
}

#[test]
fn a_new_key_does_not_go_where_others_can_read_it() {
    let (sandbox, fake) = zai();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    sandbox.project("app");
    for (path, mode) in [(env_file(&sandbox), 0o604), (sandbox.reactor_home().join("user"), 0o750)] {
        let right = path.metadata().unwrap().permissions().mode() & 0o777;
        set_mode(&path, mode);
        let before = state(&sandbox);
        let output = store(&sandbox, sandbox.canary("new").key());
        output.assert_code(USAGE).assert_stderr_contains(&format!("chmod {right:o} {}", path.display()));
        assert_eq!(state(&sandbox), before);
        set_mode(&path, right);
    }
    drop(fake);
}

#[test]
fn a_link_is_not_followed() {
    let (sandbox, _fake) = zai();
    let canary = store_key(&sandbox, "zai", "ZAI_API_KEY");
    let path = env_file(&sandbox);
    let elsewhere = sandbox.home().join("keys");
    std::fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    insta::assert_snapshot!(
        sandbox.project("app").reactor(&["--llm-provider", "zai"]).run().snapshot(),
        @"
    exit code: 2
    --- stderr
    error: `[HOME]/.claude-reactor/user/llms/zai/.env` is a symbolic link, and private files are not followed through links
      hint: replace the link by what it points to: [HOME]/.claude-reactor/user/llms/zai/.env
    "
    );
    store(&sandbox, "sk-new").assert_code(USAGE);
    assert_eq!(sandbox.files_with(&canary), [PathBuf::from("home/keys")]);
}

#[test]
fn a_folder_that_is_a_link_is_not_followed_either() {
    let (sandbox, _fake) = zai();
    let elsewhere = sandbox.home().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    set_mode(&elsewhere, 0o700);
    symlink(&elsewhere, sandbox.reactor_home().join("user")).unwrap();
    let output = store(&sandbox, sandbox.canary("zai").key());
    output.assert_code(USAGE).assert_stderr_contains("is a symbolic link");
    assert_eq!(elsewhere.read_dir().unwrap().count(), 0);
}

#[test]
fn what_others_can_change_decides_nothing() {
    for (path, mode) in [("", 0o777), ("config.yaml", 0o666), ("providers.yaml", 0o664)] {
        let (sandbox, _fake) = zai();
        sandbox.write_home(".claude-reactor/config.yaml", "");
        let path = sandbox.reactor_home().join(path);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let project = sandbox.project("app");
        let before = state(&sandbox);
        let args = ["run", "--llm-provider", "zai", "--key-stdin"];
        let output = project.reactor(&args).stdin("k").run();
        output.assert_code(USAGE).assert_stderr_contains("is open to other users of this machine");
        output.assert_stderr_contains(&format!("chmod {:o} ", mode & !0o022));
        assert_eq!(state(&sandbox), before);
    }
}
