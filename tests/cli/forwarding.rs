//! Forwarding an SSH agent that is not there: said before anything is made, remembered or asked.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use crate::common::{NO_ENGINE, USAGE, store_key};
use crate::support::sandbox::Sandbox;

#[test]
fn an_agent_that_is_not_there_is_said_and_not_remembered() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let project = sandbox.project("app");
    let socket = sandbox.path().join("agent.sock");
    let show = |flag: &str, socket: &str| {
        let output = project.reactor(&["run", flag]).env("SSH_AUTH_SOCK", socket).run();
        output.assert_code(USAGE);
        sandbox.redactions().apply(output.stderr())
    };
    insta::assert_snapshot!(show("--ssh-agent", ""), @r#"
    error: there is no SSH agent to forward: SSH_AUTH_SOCK is not set
      hint: start one and add your key: `eval "$(ssh-agent)" && ssh-add`; or go without: `claude-reactor run --ssh-agent=off`
    "#);
    insta::assert_snapshot!(show("--ssh-agent", socket.to_str().unwrap()), @r#"
    error: the SSH agent at [ROOT]/agent.sock does not answer
      because: No such file or directory (os error 2)
      hint: start one and add your key: `eval "$(ssh-agent)" && ssh-add`; or go without: `claude-reactor run --ssh-agent=off`
    "#);
    // A socket whose owner has gone.
    drop(UnixListener::bind(&socket).unwrap());
    insta::assert_snapshot!(show(&format!("--ssh-agent={}", socket.display()), "/elsewhere"), @r#"
    error: the SSH agent at [ROOT]/agent.sock does not answer
      because: Connection refused (os error 111)
      hint: start one and add your key: `eval "$(ssh-agent)" && ssh-add`; or go without: `claude-reactor run --ssh-agent=off`
    "#);
    let session_dir = sandbox.reactor_home().join(format!("user/app-{}", project.hash()));
    assert!(!session_dir.exists(), "nothing is made or remembered");
}

#[test]
fn something_else_that_answers_is_no_agent() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let socket = sandbox.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // One that is closed with something unread in it would be broken rather than answered.
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let output = sandbox.project("app").reactor(&["run", "--ssh-agent"]).env("SSH_AUTH_SOCK", &socket).run();
    insta::assert_snapshot!(sandbox.redactions().apply(output.assert_code(USAGE).stderr()), @"
    error: [ROOT]/engine.sock is no SSH agent: it answered something else
      hint: name the agent's socket: `--ssh-agent=SOCK`, or `--ssh-agent` for $SSH_AUTH_SOCK
    ");
    answering.join().unwrap();
}

#[test]
fn without_the_setting_nobody_looks_for_an_agent() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    for flag in ["--ssh-agent=off", "--host-docker=false"] {
        let output = sandbox.project("app").reactor(&["run", flag]).env("SSH_AUTH_SOCK", "/nowhere").run();
        output.assert_code(NO_ENGINE);
    }
}

#[test]
fn places_that_come_with_it_are_not_to_be_mounted_over() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let project = sandbox.project("app");
    let home = if rustix::process::getuid().is_root() { "/root" } else { "/home/claude" };
    for target in ["/run/claude-reactor", "/run", "/etc/claude-code", "/etc/claude-code/.claude/agents"] {
        let output = project.reactor(&["run", "--mount", &format!(".:{target}")]).run();
        output.assert_code(USAGE).assert_stderr_contains("inside the container is taken already");
    }
    let mount = format!(".:{home}/.ssh");
    project.reactor(&["run", "--mount", &mount]).run().assert_code(NO_ENGINE);
    let output = project.reactor(&["run", "--ssh-agent", "--mount", &mount]).run();
    output.assert_code(USAGE).assert_stderr_contains("inside the container is taken already");
}
