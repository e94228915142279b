//! A sandbox lets nothing in, and shows the same on every machine.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::fake_api::Script;
use crate::support::sandbox::Sandbox;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn the_environment_holds_only_what_any_login_has() {
    let sandbox = Sandbox::new();
    let output = sandbox.project("app").command("env", &[] as &[&str]).env("K", "V").run();
    let mut names: Vec<_> =
        output.stdout().lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, ["DOCKER_HOST", "HOME", "K", "LANG", "PATH", "TERM"]);
}

#[test]
fn a_command_gets_its_folder_input_and_arguments_and_gives_its_streams_and_code() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let script = "pwd; cat; echo \"$1\" >&2; exit 42";
    let output = project
        .command("sh", &["-c", script, "sh", "an argument"])
        .stdin("from stdin\n")
        .in_folder("sub")
        .run();
    output.assert_code(42).assert_stderr_contains("an argument");
    output.assert_stdout(&format!("{}/sub\nfrom stdin\n", project.path().display()));
}

#[test]
fn a_snapshot_is_the_same_in_every_sandbox() {
    let show = || {
        let sandbox = Sandbox::new();
        let fake = sandbox.fake("zai", Script::new());
        let canary = sandbox.canary("zai");
        let project = sandbox.project("app");
        let text = format!(
            "{} {} base:0123456789ab claude-reactor-base-amd64-{} {} {} at 12:34\n",
            project.path().display(),
            fake.base_url(),
            project.hash(),
            format_args!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw()),
            canary.key(),
        );
        let command = "cat; echo \"$HOME\"; echo deadbeef >&2; exit 3";
        project.command("sh", &["-c", command]).stdin(text).shows_secrets().run().snapshot()
    };
    insta::assert_snapshot!(show(), @r"
    exit code: 3
    --- stdout
    [ROOT]/app http://[FAKE:zai] base:[DIGEST] claude-reactor-base-[ARCH]-[HASH:app] [UID:GID] [SECRET:zai] at 12:34
    [HOME]
    --- stderr
    deadbeef
    ");
    assert_eq!(show(), show());
}

#[test]
#[should_panic(expected = "a key is in standard error")]
fn an_output_with_a_key_fails_the_test() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    sandbox.project("app").command("sh", &["-c", "cat >&2"]).stdin(canary.tail()).run();
}

#[test]
fn a_fake_becomes_the_endpoint_of_its_provider() {
    let sandbox = Sandbox::new();
    let (zai, claude) = (sandbox.fake("zai", Script::new()), sandbox.fake("claude", Script::new()));
    let rows = std::fs::read_to_string(sandbox.reactor_home().join("providers.yaml")).unwrap();
    let expected = format!(
        "providers:\n  claude:\n    base_url: {}\n  zai:\n    base_url: {}\n",
        claude.base_url(),
        zai.base_url()
    );
    assert_eq!(rows, expected);
}

#[test]
fn the_keys_that_lie_about_in_a_sandbox_are_found() {
    let sandbox = Sandbox::new();
    let canary = sandbox.canary("zai");
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", format!("ZAI_API_KEY='{}'\n", canary.key()));
    let found = sandbox.files_with(&canary);
    assert_eq!(found, [std::path::Path::new("home/.claude-reactor/user/llms/zai/.env")]);
}

#[test]
fn a_command_beside_the_test_takes_input_and_signals() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let mut running = project.command("cat", &[] as &[&str]).spawn();
    running.write(b"hello\n");
    running.wait_for_stdout("hello", SOON);
    running.signal(Signal::TERM);
    let output = running.wait(SOON);
    assert_eq!((output.code(), output.signal()), (None, Some(Signal::TERM.as_raw())));

    let mut running = project.command("sh", &["-c", "cat; exit 5"]).spawn();
    running.close_stdin();
    running.wait(SOON).assert_code(5).assert_stdout("");
}

#[test]
#[should_panic(expected = "something it started still holds its output")]
fn an_orphan_that_holds_the_output_is_noticed() {
    let sandbox = Sandbox::new();
    let running = sandbox.project("app").command("sh", &["-c", "exec 3<&0; cat <&3 &"]).spawn();
    running.wait(Duration::from_millis(200));
}

#[test]
fn much_output_arrives_complete() {
    let sandbox = Sandbox::new();
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|at| (at % 251) as u8).collect();
    let output = sandbox.project("app").command("cat", &[] as &[&str]).stdin(bytes.clone()).run();
    assert!(output.stdout_bytes() == bytes, "{} bytes came back", output.stdout_bytes().len());
}

#[test]
fn two_sandboxes_share_no_project() {
    let (one, other) = (Sandbox::new(), Sandbox::new());
    assert_ne!(one.project("app").hash(), other.project("app").hash());
    assert!(!one.project("app").path().starts_with(other.path()));
}
