//! `clean` on the disk: what goes at which flag, and that nothing else does. Containers and images take an engine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, state, store_key};
use crate::support::sandbox::{Project, Sandbox};

/// Something on the disk is gone, but containers could not be looked at.
const NOT_ALL: i32 = 1;

/// A project that an account was used in, as far as the disk knows.
fn used(sandbox: &Sandbox, project: &Project, account: &str) {
    let folder = project.path().file_name().unwrap().to_str().unwrap();
    let dir = format!(".claude-reactor/{account}/{folder}-{}", project.hash());
    sandbox.write_home(&format!("{dir}/project-path"), format!("{}\n", project.path().display()));
    sandbox.write_home(&format!("{dir}/projects/-app/c.jsonl"), "{}\n");
    sandbox.write_home(&format!("{dir}/providers/zai/.claude.json"), "{}");
}

fn session_dir(sandbox: &Sandbox, project: &Project, account: &str) -> std::path::PathBuf {
    let folder = project.path().file_name().unwrap().to_str().unwrap();
    sandbox.reactor_home().join(account).join(format!("{folder}-{}", project.hash()))
}

#[test]
fn containers_alone_take_an_engine() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    used(&sandbox, &project, "user");
    let before = state(&sandbox);
    for args in [&["clean"][..], &["clean", "--force"], &["clean", "-i", "-f"], &["clean", "-g", "--dry-run"]]
    {
        project.reactor(args).run().assert_code(NO_ENGINE).assert_stdout("");
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn sessions_go_without_keys_other_projects_other_accounts_and_what_links_lead_to() {
    let sandbox = Sandbox::new();
    let (project, other) = (sandbox.project("app"), sandbox.project("other"));
    let key = store_key(&sandbox, "zai", "ZAI_API_KEY");
    let work = project.write("src/main.rs", "fn main() {}\n");
    used(&sandbox, &project, "user");
    used(&sandbox, &other, "user");
    used(&sandbox, &project, "bob");
    let dir = session_dir(&sandbox, &project, "user");
    symlink(project.path(), dir.join("projects/-app/link")).unwrap();

    let unasked = project.reactor(&["clean", "--sessions"]).run();
    unasked.assert_code(USAGE).assert_stderr_contains("although a session may be running on it");
    assert!(dir.exists());

    let output = project.reactor(&["clean", "--sessions", "--force"]).run();
    output.assert_code(NOT_ALL).assert_stdout("");
    output.assert_stderr_contains("whether a session runs is not known");
    output.assert_stderr_contains(&format!("{}", dir.display())).assert_stderr_contains("removed: 1 folder");
    assert!(!dir.exists() && work.exists());
    assert!(session_dir(&sandbox, &other, "user").exists());
    assert!(session_dir(&sandbox, &project, "bob").exists());
    assert_eq!(sandbox.files_with(&key).len(), 1);
}

#[test]
fn keys_go_with_their_old_files_and_only_those_of_the_account() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let key = store_key(&sandbox, "zai", "ZAI_API_KEY");
    used(&sandbox, &project, "user");
    used(&sandbox, &project, "bob");
    sandbox.write_home(".claude-reactor/bob/llms/zai/.env", "ZAI_API_KEY='x'\n");
    for account in ["user", "bob"] {
        sandbox.write_home(&format!(".claude-reactor/.{account}-claude.json"), "{}");
        sandbox.write_home(&format!(".claude-reactor/.claude-reactor-{account}-env"), "sk-ant-old");
    }
    project.reactor(&["clean", "--auth", "--force"]).run().assert_code(NOT_ALL);
    assert!(sandbox.files_with(&key).is_empty());
    let home = sandbox.reactor_home();
    assert!(!home.join("user").exists(), "nothing is left in it");
    assert!(!home.join(".user-claude.json").exists() && !home.join(".claude-reactor-user-env").exists());
    assert!(home.join("bob/llms/zai/.env").exists() && session_dir(&sandbox, &project, "bob").exists());
    assert!(home.join(".bob-claude.json").exists() && home.join(".claude-reactor-bob-env").exists());
}

#[test]
fn everything_everywhere_leaves_nothing_of_ours_and_all_of_the_rest() {
    let sandbox = Sandbox::new();
    let (project, gone) = (sandbox.project("app"), sandbox.project("gone"));
    used(&sandbox, &project, "user");
    used(&sandbox, &gone, "bob");
    fs::remove_dir(gone.path()).unwrap();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    sandbox.write_home(".claude-reactor/user/config.yaml", "variant: base\n");
    sandbox.write_home(".claude-reactor/config.yaml", "account: user\n");
    sandbox.write_home(".claude-reactor/.run/checked-images.json", "{}");
    sandbox.write_home(".claude-reactor/.run/0123456789ab/docker/x", "");
    let home = sandbox.reactor_home();

    let report = project.reactor(&["clean", "-g", "-a", "--dry-run", "--json"]).run().assert_success().json();
    let kinds: Vec<&str> =
        report["paths"].as_array().unwrap().iter().map(|path| path["kind"].as_str().unwrap()).collect();
    let of = |kind| kinds.iter().filter(|other| **other == kind).count();
    assert_eq!((of("session"), of("credentials"), of("settings"), of("cache")), (2, 1, 2, 2), "{report:#}");
    assert_eq!((&report["project_path"], &report["account"]), (&().into(), &().into()));

    project.reactor(&["clean", "-g", "-a", "-f"]).run().assert_code(NOT_ALL);
    assert!(!home.exists() && project.path().exists());
    let again = project.reactor(&["clean", "-g", "-a", "-f"]).run();
    again.assert_code(NOT_ALL).assert_stderr_contains("nothing to remove of every account in every project");
}

#[test]
fn settings_of_an_account_stay_while_it_has_other_projects() {
    let sandbox = Sandbox::new();
    let (project, other) = (sandbox.project("app"), sandbox.project("other"));
    used(&sandbox, &project, "user");
    used(&sandbox, &other, "user");
    let file = sandbox.write_home(".claude-reactor/user/config.yaml", "variant: base\n");
    let all = |project: &Project| project.reactor(&["clean", "--all", "--force"]).run();
    all(&project).assert_code(NOT_ALL);
    assert!(file.exists() && session_dir(&sandbox, &other, "user").exists());
    all(&other).assert_code(NOT_ALL);
    assert!(!sandbox.reactor_home().join("user").exists());
}

#[test]
fn what_is_reached_by_a_link_or_only_looks_like_a_session_dir_stays() {
    let sandbox = Sandbox::new();
    let (project, other) = (sandbox.project("app"), sandbox.project("other"));
    let home = sandbox.reactor_home();
    used(&sandbox, &project, "user");
    fs::rename(home.join("user"), sandbox.path().join("elsewhere")).unwrap();
    symlink(sandbox.path().join("elsewhere"), home.join("user")).unwrap();
    let photo = sandbox.write_home(".claude-reactor/photos/trip-20261127/photo", "a photo\n");
    used(&sandbox, &other, "bob");
    fs::create_dir_all(sandbox.path().join("keys")).unwrap();
    fs::write(sandbox.path().join("keys/key"), "").unwrap();
    symlink(sandbox.path().join("keys"), home.join("bob/llms")).unwrap();

    let output = project.reactor(&["clean", "--sessions", "--force"]).run();
    output.assert_code(NOT_ALL).assert_stderr_contains(" is a link");
    let output = project.reactor(&["clean", "--global", "--all", "--force"]).run();
    output.assert_code(NOT_ALL).assert_stderr_contains("nothing in it says that it is a session dir");
    output.assert_stderr_contains("it is a link, or reached by one");
    assert!(session_dir(&sandbox, &project, "user").join("projects/-app/c.jsonl").exists());
    assert!(photo.exists() && sandbox.path().join("keys/key").exists());
    assert!(!session_dir(&sandbox, &other, "bob").exists());
}

#[test]
fn a_home_behind_a_link_is_cleaned_like_any_other() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    used(&sandbox, &project, "user");
    let link = sandbox.path().join("link");
    symlink(sandbox.reactor_home(), &link).unwrap();
    let call = project.reactor(&["clean", "-s", "-f"]).env("CLAUDE_REACTOR_HOME", &link);
    call.run().assert_code(NOT_ALL).assert_stderr_contains("removed: 1 folder");
    assert!(!session_dir(&sandbox, &project, "user").exists());
}

#[test]
fn a_project_whose_folder_is_gone_is_cleaned_by_its_hash() {
    let sandbox = Sandbox::new();
    let (project, gone) = (sandbox.project("app"), sandbox.project("gone"));
    used(&sandbox, &project, "user");
    used(&sandbox, &gone, "user");
    used(&sandbox, &gone, "bob");
    fs::remove_dir(gone.path()).unwrap();
    let hash = gone.hash();
    let clean = |args: &[&str]| project.reactor(&[&["clean", "-s", "-f"], args].concat()).run();
    clean(&[&hash]).assert_code(USAGE).assert_stderr_contains("2 accounts were used in this project");
    clean(&[&hash, "--account", "bob"]).assert_code(NOT_ALL).assert_stderr_contains("removed: 1 folder");
    clean(&[&hash]).assert_code(NOT_ALL).assert_stderr_contains("account user in ");
    clean(&[&hash]).assert_code(USAGE).assert_stderr_contains("no project's hash begins with");
    clean(&[&hash, "--global"]).assert_code(USAGE);
    assert!(
        !session_dir(&sandbox, &gone, "user").exists() && session_dir(&sandbox, &project, "user").exists()
    );
}

#[test]
fn a_lock_that_somebody_holds_stays() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let free = sandbox.write_home(".claude-reactor/.run/build-one.lock", "");
    let held = sandbox.write_home(".claude-reactor/.run/build-two.lock", "");
    let file = fs::File::open(&held).unwrap();
    rustix::fs::flock(&file, FlockOperation::LockExclusive).unwrap();
    let output = project.reactor(&["clean", "--cache", "--force"]).run();
    output.assert_code(NOT_ALL).assert_stderr_contains("somebody waits for something");
    assert!(held.exists() && !free.exists());
}

#[test]
fn nothing_goes_unasked() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    used(&sandbox, &project, "user");
    let before = state(&sandbox);
    let output = project.reactor(&["clean", "-s"]).run();
    output.assert_code(USAGE).assert_stderr_contains("hint: say so with --force");
    for args in [&["clean", "-s", "--dry-run"][..], &["clean", "-f", "--all", "--dry-run", "--json"]] {
        let output = project.reactor(args).run();
        output.assert_success().assert_stdout_contains("app-").assert_stdout_contains("session");
    }
    assert_eq!(state(&sandbox), before);

    let pty = project.reactor(&["clean", "-s"]).on_pty(WIDE);
    pty.wait_for("Remove all of this, although a session may be running on it?", SOON);
    pty.write_line("n");
    let exit = pty.wait(SOON);
    exit.assert_code(1).assert_terminal_restored();
    assert!(exit.transcript().contains("nothing was done"), "{}", exit.transcript());
    let pty = project.reactor(&["clean", "-s"]).on_pty(WIDE);
    pty.wait_for("Remove all of this, although a session may be running on it?", SOON);
    pty.ctrl_c();
    pty.wait(SOON).assert_code(130).assert_terminal_restored();
    assert_eq!(state(&sandbox), before);

    let pty = project.reactor(&["clean", "-s"]).on_pty(WIDE);
    pty.wait_for("Remove all of this, although a session may be running on it?", SOON);
    pty.write_line("y");
    pty.wait(SOON).assert_code(NOT_ALL);
    assert!(!session_dir(&sandbox, &project, "user").exists());
}

#[test]
fn a_folder_that_its_tool_closed_goes_too() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can run a command as somebody else");
        return;
    }
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    used(&sandbox, &project, "user");
    let dir = session_dir(&sandbox, &project, "user");
    let closed = dir.join("providers/zai/mod");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("file"), "").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    let output = project.reactor(&["clean", "-s", "-f"]).user(12345, 12345).run();
    output.assert_code(NOT_ALL).assert_stderr_contains("removed: 1 folder");
    assert!(!dir.exists());

    // What belongs to somebody else stays, and is said with the way out; everything else goes.
    used(&sandbox, &project, "user");
    let foreign = dir.join("providers/zai");
    let call = project.reactor(&["clean", "--auth", "-f"]).user(12345, 12345);
    std::os::unix::fs::chown(&foreign, Some(0), Some(0)).unwrap();
    let output = call.run();
    output.assert_code(NOT_ALL).assert_stderr_contains("sudo rm -rf");
    assert!(foreign.join(".claude.json").exists() && !Path::new(&dir.join("projects")).exists());
}
