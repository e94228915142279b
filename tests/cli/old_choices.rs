//! The `key=value` form of `.claude-reactor`: read as it is, YAML from the first change on.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::common::{NO_ENGINE, USAGE, state, store_key};
use crate::support::sandbox::{Project, Sandbox};
use crate::support::ssh_agent::Agent;

/// A sandbox with a key, so that a run gets as far as the engine.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    sandbox
}

fn session_file(project: &Project<'_>) -> String {
    format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash())
}

const OLD: &str = "# my choices\n\nvariant=base\naccount=user\n  danger = true\n\n# noted\ncontainer_id=0a1b2c\ntheme=dark\n";

#[test]
fn it_is_read_as_it_is_and_not_written_without_need() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let file = sandbox.write_home(&session_file(&project), OLD);
    project.write(".claude-reactor", "variant=base\r\naccount=user\r\n");
    insta::assert_snapshot!(project.reactor(&["run"]).run().snapshot(), @"
    exit code: 125
    --- stderr
    warning: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:9: `theme` is no key of the old key=value form; the line is ignored
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    let before = state(&sandbox);
    project.reactor(&["--danger", "--image", "base"]).run().assert_code(NO_ENGINE);
    assert_eq!(state(&sandbox), before, "nothing was said that was not there");
    assert_eq!(fs::read_to_string(file).unwrap(), OLD);
}

#[test]
fn the_first_change_makes_it_yaml_and_keeps_it_beside() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let file = sandbox.write_home(&session_file(&project), OLD);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let output = project.reactor(&["--llm-provider", "zai", "--danger=false"]).run();
    output.assert_code(NO_ENGINE);
    insta::assert_snapshot!(sandbox.redactions().apply(output.stderr()), @"
    warning: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:9: `theme` is no key of the old key=value form; the line is ignored
    [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor is YAML now; as it was, it is kept in [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor.bak
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    insta::assert_snapshot!(fs::read_to_string(&file).unwrap(), @"
    # my choices

    variant: base
    account: user
    danger: false

    # noted
    # container_id=0a1b2c
    # theme=dark
    llm:
      provider: zai
    ");
    let copy = file.with_file_name(".claude-reactor.bak");
    assert_eq!(fs::read_to_string(&copy).unwrap(), OLD);
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o644);

    let before = state(&sandbox);
    let again = project.reactor(&["run"]).run();
    again.assert_code(NO_ENGINE).assert_stderr_lacks("warning").assert_stderr_lacks("YAML");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn every_key_is_carried_over() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    // One that does not answer would end the run before anything is written.
    let agent = Agent::start(&sandbox.path().join("agent.sock"));
    let text = format!(
        "variant=base\naccount=user\ndanger=yes\nhost_docker=true\nhost_docker_timeout=1h30m\nssh_agent=true\n\
         ssh_agent_socket={}\nsession_persistence=false\nlast_session_id=1\ncontainer_id=2\nproject_path=/x\n",
        agent.socket().display()
    );
    let file = sandbox.write_home(&session_file(&project), &text);
    let output = project.reactor(&["--host-docker-timeout", "0"]).run();
    output.assert_code(NO_ENGINE).assert_stderr_lacks("is no key");
    insta::assert_snapshot!(sandbox.redactions().apply(&fs::read_to_string(&file).unwrap()), @"
    variant: base
    account: user
    danger: false
    host_docker: true
    host_docker_timeout: '0'
    ssh_agent: true
    ssh_agent_socket: [ROOT]/agent.sock
    session_persistence: false
    # last_session_id=1
    # container_id=2
    # project_path=/x
    ");
}

#[test]
fn a_copy_that_is_there_is_not_overwritten() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let file = sandbox.write_home(&session_file(&project), OLD);
    sandbox.write_home(&format!("{}.bak", session_file(&project)), "an older one\n");
    project.reactor(&["--danger=false"]).run().assert_code(NO_ENGINE);
    let copy = |name| fs::read_to_string(file.with_file_name(name)).unwrap();
    assert_eq!(copy(".claude-reactor.bak"), "an older one\n");
    assert_eq!(copy(".claude-reactor.bak.1"), OLD);
}

#[test]
fn what_cannot_be_is_said_in_the_same_words_as_for_yaml() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let said = |text: &str| {
        project.write(".claude-reactor", text);
        let output = project.reactor(&["run"]).run();
        output.assert_code(USAGE);
        output.snapshot()
    };
    for (old, yaml) in [
        ("variant=Go\n", "variant: Go\n"),
        ("# x\nvariant=ubuntu:22.04\n", "# x\nvariant: ubuntu:22.04\n"),
        ("account=../../x\n", "account: ../../x\n"),
        ("host_docker_timeout=5 minutes\n", "host_docker_timeout: 5 minutes\n"),
        ("ssh_agent_socket=agent.sock\n", "ssh_agent_socket: agent.sock\n"),
        ("account=my team\n", "account: my team\n"),
    ] {
        assert_eq!(said(old), said(yaml), "{old:?}");
    }
    insta::assert_snapshot!(said("variant=base\naccount=../../x\n"), @r#"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2:1: account: account name "../../x": it begins with '.'
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);
    insta::assert_snapshot!(said("variant=base\nllm:\n  provider: zai\n"), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:2: a line of YAML in a file of the old key=value form
      hint: write the whole file as YAML: `key: value` instead of `key=value`
    ");
}

#[test]
fn a_repositorys_file_is_trusted_no_more_than_one_in_yaml() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let said = |text: &str| {
        project.write(".claude-reactor", text);
        project.reactor(&["run"]).run().snapshot()
    };
    for (key, value) in [
        ("danger", "true"),
        ("host_docker", "true"),
        ("host_docker_timeout", "0"),
        ("ssh_agent", "true"),
        ("ssh_agent_socket", "auto"),
    ] {
        let (old, yaml) = (
            said(&format!("variant=base\n{key}={value}\n")),
            said(&format!("variant: base\n{key}: {value}\n")),
        );
        assert_eq!(old, yaml);
        // The others mean something beside their switch only.
        assert_eq!(old.contains(key), value == "true", "{old}");
    }
    // A comment that looks like the end of a line to YAML stays one.
    project.write(".claude-reactor", "variant=base\n# x\u{2028}danger: true\n#\u{85}danger: true\n");
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
    project.write(".claude-reactor", "account=work\n");
    project.reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains("chooses account work");
}

#[test]
fn an_account_in_the_session_file_is_nobody() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    sandbox.write_home(&session_file(&project), "account=work\nvariant=base\n");
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
}

#[test]
fn consent_to_it_lasts_when_it_becomes_yaml() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger=true\n");
    project.reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains(".claude-reactor:1:1");
    project.reactor(&["config", "trust", "--yes"]).run().assert_success();
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
    project.write(".claude-reactor", "danger: true\n");
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
}

#[test]
fn what_both_old_files_say_is_the_users_own_word() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    // The old tool wrote a choice into the project's file, and a copy into the session dir.
    project.write(".claude-reactor", "variant=base\ndanger=true\n");
    sandbox.write_home(&session_file(&project), "variant=base\ndanger=true\n");
    project.reactor(&["run"]).run().assert_code(NO_ENGINE);
}
