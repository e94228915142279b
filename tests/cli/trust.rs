//! What a project's file may say only with its user's consent: asked for once, remembered for exactly that content.

use std::os::unix::fs::symlink;

use crate::common::{NO_ENGINE, SOON, USAGE, WIDE, state, store_key};
use crate::support::pty::{Exit, Pty};
use crate::support::sandbox::{Project, Sandbox};

/// A sandbox with a key for Claude, and a project that its account has used.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    std::fs::create_dir(sandbox.path().join("data")).unwrap();
    sandbox
}

fn session_dir(project: &Project) -> String {
    format!(".claude-reactor/user/app-{}", project.hash())
}

fn trusted(sandbox: &Sandbox, project: &Project) -> std::path::PathBuf {
    sandbox.home().join(session_dir(project)).join("trusted")
}

/// A run that gets as far as the engine had everything it needs.
fn assert_runs(project: &Project) {
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
}

fn assert_asks(project: &Project) {
    let output = project.reactor(&["run"]).run();
    output.assert_code(USAGE).assert_stderr_contains("takes effect only with your consent");
}

fn asked(project: &Project, args: &[&str]) -> Pty {
    let pty = project.reactor(args).on_pty(WIDE);
    pty.wait_for("Trust exactly this?", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.canonical);
    pty
}

fn answering(project: &Project, args: &[&str], answer: &str) -> Exit {
    let pty = asked(project, args);
    pty.write(answer);
    let exit = pty.wait(SOON);
    exit.assert_terminal_restored();
    exit
}

const CLAIMS: &str = "\
# what this team would like
variant: base
danger: true
llm: {env: container, export_key: true}
host_docker: true
ssh_agent: true
mounts:
  - ../data:/srv/data:ro
env:
  EDITOR: vim
limits: {pids: 100000}
";

#[test]
fn without_a_terminal_everything_is_named_with_its_place_and_nothing_is_written() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", CLAIMS);
    let before = state(&sandbox);
    let output = project.reactor(&["run"]).run();
    insta::assert_snapshot!(output.snapshot());
    for args in [&["run", "--shell"][..], &["exec", "--", "true"], &["config", "trust"]] {
        project.reactor(args).run().assert_code(USAGE).assert_stderr_contains(":3:1: danger = true\n");
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_yes_is_for_exactly_that_content() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: true\n");
    let exit = answering(&project, &["run"], "y");
    exit.assert_code(NO_ENGINE);
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    This project's file says what takes effect only with your consent:
      [ROOT]/app/.claude-reactor:1:1: danger = true
    Trust exactly this? yes
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_runs(&project);

    project.write(".claude-reactor", "# the same\ndanger:   true\nllm:\n  model: opus\n");
    assert_runs(&project);
    project.write(".claude-reactor", "danger: true\nenv: {A: b}\n");
    assert_asks(&project);
    project.write(".claude-reactor", "danger: true\n");
    assert_runs(&project);
}

#[test]
fn consent_does_not_outlive_what_it_was_given_to() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let (first, second) = ("danger: true\n", "env: {A: b}\n");
    for text in [first, second] {
        project.write(".claude-reactor", text);
        project.reactor(&["config", "trust", "--yes"]).run().assert_code(0);
        assert_runs(&project);
    }
    // A session may bring back what its user agreed to before.
    project.write(".claude-reactor", first);
    assert_asks(&project);
    project.write(".claude-reactor", "variant: base\n");
    assert_runs(&project);
    project.write(".claude-reactor", second);
    assert_asks(&project);
}

#[test]
fn a_no_ends_it_and_leaves_nothing_behind() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "ssh_agent: true\n");
    let before = state(&sandbox);
    for (answer, code) in [("n", USAGE), ("\r", USAGE), ("\u{3}", 130)] {
        answering(&project, &["run"], answer).assert_code(code);
        answering(&project, &["config", "trust"], answer).assert_code(code);
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn what_is_used_is_what_was_asked_about() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "env: {A: shown}\n");
    let pty = asked(&project, &["config", "trust"]);
    // A session may write the file while its user reads the question.
    project.write(".claude-reactor", "env: {A: swapped}\n");
    pty.write("y");
    pty.wait(SOON).assert_code(0);
    assert_asks(&project);
    project.write(".claude-reactor", "env: {A: shown}\n");
    assert_runs(&project);
}

#[test]
fn account_and_provider_are_part_of_the_same_question() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "account: work\nllm:\n  provider: zai\ndanger: true\n");
    let canary = sandbox.canary("work");
    sandbox.write_home(".claude-reactor/work/llms/zai/.env", format!("ZAI_API_KEY='{}'\n", canary.key()));
    let exit = answering(&project, &["run"], "y");
    exit.assert_code(NO_ENGINE);
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    This project's file says what takes effect only with your consent:
      [ROOT]/app/.claude-reactor:1:1: account work
      [ROOT]/app/.claude-reactor:3:3: provider zai
      [ROOT]/app/.claude-reactor:4:1: danger = true
    Trust exactly this? yes
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    assert_runs(&project);
}

#[test]
fn the_command_consents_once_for_one_account() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let trust = |args: &[&str]| project.reactor(&[&["config", "trust"], args].concat()).run().snapshot();
    insta::assert_snapshot!(trust(&[]), @"
    exit code: 0
    --- stderr
    nothing in this project's file needs your consent
    ");
    project.write(".claude-reactor", "danger: true\nmounts: [../data]\n");
    insta::assert_snapshot!(trust(&["--yes"]), @r#"
    exit code: 0
    --- stderr
    This project's file says what takes effect only with your consent:
      [ROOT]/app/.claude-reactor:1:1: danger = true
      [ROOT]/app/.claude-reactor:2:10: mounts = ../data (which is "[ROOT]/data" at "/mnt/data")
    consent remembered; `claude-reactor config trust --revoke` takes it back
    "#);
    insta::assert_snapshot!(trust(&["--yes"]), @"
    exit code: 0
    --- stderr
    you have consented to this project's file already
    ");
    assert_runs(&project);

    let file = trusted(&sandbox, &project);
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let other = sandbox.canary("other");
    let env = format!("ANTHROPIC_API_KEY='{}'\n", other.key());
    sandbox.write_home(".claude-reactor/other/llms/claude/.env", env);
    let output = project.reactor(&["run", "--account", "other"]).run();
    output.assert_code(USAGE).assert_stderr_contains("`claude-reactor config trust --account other`");

    insta::assert_snapshot!(trust(&["--revoke"]), @"
    exit code: 0
    --- stderr
    consent taken back
    ");
    assert_asks(&project);
    insta::assert_snapshot!(trust(&["--revoke"]), @"
    exit code: 0
    --- stderr
    there was no consent to take back
    ");
}

#[test]
fn consent_on_a_terminal_by_the_command() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "sudo: true\nhost_docker: true\nhost_docker_timeout: 0\n");
    let exit = answering(&project, &["config", "trust"], "y");
    exit.assert_code(0);
    insta::assert_snapshot!(sandbox.redactions().apply(exit.screen()), @"
    This project's file says what takes effect only with your consent:
      [ROOT]/app/.claude-reactor:1:1: sudo = true
      [ROOT]/app/.claude-reactor:2:1: host_docker = true
      [ROOT]/app/.claude-reactor:3:1: host_docker_timeout = 0
    Trust exactly this? yes
    consent remembered; `claude-reactor config trust --revoke` takes it back
    ");
    assert_runs(&project);
}

#[test]
fn consent_counts_in_one_project_alone() {
    let sandbox = sandbox();
    let (one, other) = (sandbox.project("app"), sandbox.project("other"));
    for project in [&one, &other] {
        project.write(".claude-reactor", "danger: true\n");
    }
    one.reactor(&["config", "trust", "--yes"]).run().assert_code(0);
    assert_runs(&one);
    assert_asks(&other);
}

#[test]
fn what_the_user_has_said_themselves_needs_no_consent() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: true\n");
    assert_asks(&project);
    for danger in ["--danger", "--danger=false"] {
        project.reactor(&["run", danger]).run().assert_code(NO_ENGINE);
        // It is remembered, so the file's word does not count any more.
        assert_runs(&project);
    }
    let file = format!("{}/.claude-reactor", session_dir(&project));
    sandbox.write_home(&file, "");
    assert_asks(&project);
    sandbox.write_home(".claude-reactor/config.yaml", "danger: true\n");
    assert_runs(&project);

    project.write(".claude-reactor", "mounts: [../data]\nenv: {A: b}\n");
    assert_asks(&project);
    let mount = format!("mounts: ['{}']\nenv: {{A: b}}\n", sandbox.path().join("data").display());
    sandbox.write_home(".claude-reactor/config.yaml", mount);
    assert_runs(&project);
}

#[test]
fn what_takes_away_needs_no_consent() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    for text in [
        "danger: false\nhost_docker: false\nssh_agent: false\nsudo: false\n",
        "limits: {cpus: 1, memory: 1g, pids: 100}\n",
        "session_persistence: false\n",
        "sudo: true\n",
        "variant: base\nllm: {model: claude-opus-4-1, small_model: haiku, env: session, export_key: false}\n",
    ] {
        project.write(".claude-reactor", text);
        assert_runs(&project);
    }
}

#[test]
fn a_folder_that_becomes_another_by_a_link_asks_again() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let (shared, secret) = (sandbox.path().join("shared"), sandbox.home().join("secret"));
    std::fs::create_dir(&secret).unwrap();
    symlink(sandbox.path().join("data"), &shared).unwrap();
    project.write(".claude-reactor", "mounts: ['../shared:/srv']\n");
    project.reactor(&["config", "trust", "--yes"]).run().assert_code(0);
    assert_runs(&project);
    std::fs::remove_file(&shared).unwrap();
    symlink(&secret, &shared).unwrap();
    let output = project.reactor(&["run"]).run();
    output.assert_code(USAGE).assert_stderr_contains("/home/secret\" at \"/srv\")");
}

#[test]
fn a_link_that_a_session_may_have_laid_is_not_followed_out_of_the_project() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    symlink(sandbox.path().join("data"), project.path().join("cache")).unwrap();
    let file = format!("{}/.claude-reactor", session_dir(&project));
    sandbox.write_home(&file, "mounts:\n  - ./cache:/srv\n");
    insta::assert_snapshot!(project.reactor(&["run"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:2:5: mounts: ./cache:/srv: a link leads from there out of the project, to [ROOT]/data
      hint: a session could have laid that link: name the folder it leads to instead
    ");
    project.write("own/x", "");
    sandbox.write_home(&file, "mounts: ['./own:/srv']\n");
    assert_runs(&project);
}

#[test]
fn nothing_of_the_file_reaches_the_terminal_as_it_is() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let long = "x".repeat(1000);
    project.write(".claude-reactor", format!("env:\n  A: \"\\e[2J\\u202e\"\n  B: {long}\n"));
    insta::assert_snapshot!(project.reactor(&["run"]).run().snapshot(), @r#"
    exit code: 2
    --- stderr
    error: this project's file says what takes effect only with your consent:
        [ROOT]/app/.claude-reactor:2:3: env.A = "\u{1b}[2J\u{202e}"
        [ROOT]/app/.claude-reactor:3:3: env.B = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"…"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" (1000 characters)
      hint: if that is what you want: `claude-reactor config trust`, with `--yes` where there is no terminal
    "#);
}

#[test]
fn a_dry_run_says_what_is_awaited_and_asks_nothing() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: true\n");
    let before = state(&sandbox);
    // Without an engine there is no plan; with one, `engine::session` sees it.
    project.reactor(&["run", "--dry-run"]).run().assert_code(NO_ENGINE);
    let pty = project.reactor(&["run", "--dry-run"]).on_pty(WIDE);
    pty.wait(SOON).assert_code(NO_ENGINE);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn consent_that_others_could_have_given_is_refused() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: true\n");
    project.reactor(&["config", "trust", "--yes"]).run().assert_code(0);
    let file = trusted(&sandbox, &project);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    project.reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains("chmod");
}

#[test]
fn the_help_has_examples() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.project("app").reactor(&["config", "trust", "--help"]).run().snapshot());
}

#[test]
fn a_provider_that_the_file_chooses_is_asked_about_again_once_consent_is_taken_back() {
    let sandbox = sandbox();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let project = sandbox.project("app");
    project.write(".claude-reactor", "llm: {provider: zai}\n");
    let unseen = || {
        let output = project.reactor(&["run"]).run();
        output.assert_code(USAGE).assert_stderr_contains("provider zai");
    };
    unseen();
    project.reactor(&["config", "trust", "--yes"]).run().assert_success();
    assert_runs(&project);
    let revoked = project.reactor(&["config", "trust", "--revoke"]).run();
    revoked.assert_success().assert_stderr_contains("consent taken back");
    unseen();
    project.reactor(&["config", "trust", "--revoke"]).run().assert_stderr_contains("there was no consent");
}
