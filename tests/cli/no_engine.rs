//! Without an engine: what was tried, and how to start one.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use crate::common::{NO_ENGINE, USAGE, answer_once, dead_end, state, store_key};
use crate::support::output::Output;
use crate::support::sandbox::Sandbox;

fn run_at(address: impl FnOnce(&Sandbox) -> String) -> Output {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let address = address(&sandbox);
    sandbox.project("app").reactor(&["run"]).env("DOCKER_HOST", address).run()
}

#[test]
fn a_socket_that_is_not_there_is_named() {
    let output = run_at(|sandbox| format!("unix://{}/none.sock", sandbox.path().display()));
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/none.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
}

#[test]
fn a_socket_that_nobody_listens_at_is_told_from_one_that_is_not_there() {
    let output = run_at(|sandbox| {
        let path = sandbox.path().join("dead.sock");
        drop(UnixListener::bind(&path).unwrap());
        format!("unix://{}", path.display())
    });
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/dead.sock: nothing listens
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
}

#[test]
fn a_port_that_nobody_listens_at() {
    let (_held, address) = dead_end();
    let output = run_at(|sandbox| {
        sandbox.redact(address.to_string(), "[NOBODY]");
        format!("tcp://{address}")
    });
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    error: no container engine answers at DOCKER_HOST; tried:
      tcp://[NOBODY]: nothing listens
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
}

#[test]
fn something_else_that_answers_is_no_engine() {
    let output = run_at(|sandbox| {
        let path = sandbox.path().join("web.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let response = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        std::thread::spawn(move || answer_once(listener.accept().unwrap().0, b"\r\n\r\n", response));
        format!("unix://{}", path.display())
    });
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 125
    --- stderr
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/web.sock: no container engine: it answered 404 Not Found
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
}

#[test]
fn an_address_of_another_form_is_refused() {
    insta::assert_snapshot!(run_at(|_| "fd://".to_owned()).snapshot(), @"
    exit code: 125
    --- stderr
    error: DOCKER_HOST: the address `fd://` is not of the form unix:///PATH, tcp://HOST[:PORT] or ssh://[USER@]HOST
      hint: correct it, or unset DOCKER_HOST to have the usual sockets tried
    ");
    for address in ["/var/run/docker.sock", "unix://docker.sock", "tcp://", "ssh://-oProxyCommand=x"] {
        run_at(|_| address.to_owned())
            .assert_code(NO_ENGINE)
            .assert_stderr_contains("DOCKER_HOST: the address");
    }
}

#[test]
fn a_port_of_another_machine_needs_encryption() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let call = sandbox.project("app").reactor(&["run"]).env("DOCKER_HOST", "tcp://engine.invalid:2375");
    insta::assert_snapshot!(call.env("CLAUDE_REACTOR_ENGINE_SHARES_FILES", "true").run().snapshot(), @"
    exit code: 125
    --- stderr
    error: DOCKER_HOST: the connection to tcp://engine.invalid:2375 would not be encrypted, and your keys go over it
      hint: encrypt it: set DOCKER_TLS_VERIFY=1 with the files for TLS in DOCKER_CERT_PATH, or use ssh://[USER@]HOST; or unset DOCKER_HOST to have the usual sockets tried
    ");
}

#[test]
fn an_error_says_what_chose_the_engine() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    sandbox.write_home(".docker/config.json", r#"{"currentContext":"colima"}"#);
    let output = sandbox.project("app").reactor(&["run"]).env_remove("DOCKER_HOST").run();
    insta::assert_snapshot!(output.snapshot(), @r"
    exit code: 125
    --- stderr
    error: the current Docker context `colima` of [HOME]/.docker/config.json does not lead to a container engine
      because: there is no Docker context `colima` in [HOME]/.docker/contexts
      hint: `docker context ls` lists the contexts; or choose another with `docker context use`, or with --engine
    ");
    let output = sandbox.project("app").reactor(&["run", "--engine", "unix:///nowhere.sock"]).run();
    insta::assert_snapshot!(output.snapshot(), @r"
    exit code: 125
    --- stderr
    error: no container engine answers for --engine unix:///nowhere.sock; tried:
      unix:///nowhere.sock: no such socket
      hint: start that engine, or choose another with --engine
    ");
}

#[test]
fn without_docker_host_the_usual_sockets_are_tried() {
    // An engine of this machine must not answer, so this runs as somebody who may not use it.
    let open =
        std::fs::metadata("/var/run/docker.sock").is_ok_and(|meta| meta.permissions().mode() & 0o006 != 0);
    if open || !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become somebody who may not use this machine's engine");
        return;
    }
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let invocation = sandbox.project("app").reactor(&["run"]).env_remove("DOCKER_HOST");
    let output = invocation.env("XDG_RUNTIME_DIR", sandbox.path().join("run")).user(12345, 12345).run();
    output.assert_code(NO_ENGINE);
    let root = sandbox.path().display();
    for tried in [
        "unix:///var/run/docker.sock: ".to_owned(),
        format!("unix://{root}/run/docker.sock: no such socket"),
        format!("unix://{root}/home/.docker/run/docker.sock: no such socket"),
        format!("unix://{root}/run/podman/podman.sock: no such socket"),
        "unix:///run/podman/podman.sock: ".to_owned(),
    ] {
        output.assert_stderr_contains(&tried);
    }
    output.assert_stderr_contains("hint: ");
}

#[test]
fn a_dry_run_says_so_too_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let before = state(&sandbox);
    for args in [
        &["run", "--dry-run", "--llm-provider", "zai"][..],
        &["--dry-run", "--json", "--account", "bob", "--danger"],
        &["--dry-run", "--llm-provider", "acme"],
    ] {
        let output = project.reactor(args).run();
        output.assert_code(NO_ENGINE).assert_stdout("").assert_stderr_contains("no container engine answers");
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn exec_says_the_same() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let output = sandbox.project("app").reactor(&["exec", "--", "true"]).run();
    output.assert_code(NO_ENGINE).assert_stdout("").assert_stderr_contains("no container engine answers");
}

#[test]
fn a_standard_error_that_takes_nothing_changes_no_exit_code() {
    let sandbox = Sandbox::new();
    let script = r#""$0" --mount nowhere 2>/dev/full"#;
    let output =
        sandbox.project("app").command("sh", &["-c", script, env!("CARGO_BIN_EXE_claude-reactor")]).run();
    assert_eq!(output.assert_code(USAGE).assert_stdout("").stderr(), "");
}

#[test]
fn a_project_file_that_cannot_be_read_keeps_nobody_from_stopping_an_account_that_is_named() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: maybe\n");
    project.reactor(&["stop"]).run().assert_code(USAGE);
    project.reactor(&["stop", "--account", "user"]).run().assert_code(NO_ENGINE);
    project.reactor(&["clean", "--account", "user"]).run().assert_code(NO_ENGINE);
}
