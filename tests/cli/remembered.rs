//! What flags leave behind: the session dir's file, edited line by line, and the account in the user's own file.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use crate::common::{NO_ENGINE, USAGE, store_key};
use crate::support::sandbox::Sandbox;

/// A sandbox with keys for three providers.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for (provider, variable) in
        [("claude", "ANTHROPIC_API_KEY"), ("zai", "ZAI_API_KEY"), ("deepseek", "DEEPSEEK_API_KEY")]
    {
        store_key(&sandbox, provider, variable);
    }
    sandbox
}

/// The session file before, if any; a run with these arguments; the session file after.
fn after(sandbox: &Sandbox, before: Option<&str>, args: &[&str]) -> String {
    let project = sandbox.project("app");
    let path = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    if let Some(before) = before {
        sandbox.write_home(&path, before);
    }
    project.reactor(args).run().assert_code(NO_ENGINE);
    std::fs::read_to_string(sandbox.home().join(path)).unwrap_or_else(|_| "(no file)".to_owned())
}

#[test]
fn flags_are_remembered() {
    let all = ["--llm-provider", "zai", "--llm-model", "glm-4.6", "--image", "base", "--danger"];
    insta::assert_snapshot!(after(&sandbox(), None, &all), @"
    llm:
      provider: zai
      model: glm-4.6
    variant: base
    danger: true
    ");
    insta::assert_snapshot!(after(&sandbox(), None, &["--danger=false"]), @"danger: false");
    insta::assert_snapshot!(after(&sandbox(), None, &["exec", "--llm-provider", "zai", "--", "true"]), @"
    llm:
      provider: zai
    ");
}

#[test]
fn so_are_the_flags_for_what_a_session_may_use() {
    let place = sandbox();
    let socket = place.path().join("agent.sock");
    // An agent has to answer to be forwarded. This one says that it has no keys.
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut question = [0; 5];
            let asked = connection.read_exact(&mut question);
            asked.and_then(|()| connection.write_all(&[0, 0, 0, 5, 12, 0, 0, 0, 0])).expect("it is asked");
        }
    });
    let agent = format!("--ssh-agent={}", socket.display());
    let all = ["--host-docker", "--host-docker-timeout", "1h30m", &agent];
    insta::assert_snapshot!(place.redactions().apply(&after(&place, None, &all)), @"
    host_docker: true
    host_docker_timeout: 1h30m
    ssh_agent: true
    ssh_agent_socket: [ROOT]/agent.sock
    ");
    insta::assert_snapshot!(after(&sandbox(), None, &["--ssh-agent=off", "--host-docker-timeout", "0"]), @"
    host_docker_timeout: '0'
    ssh_agent: false
    ");
    let before = "ssh_agent: true # for deploys\nhost_docker: true\nssh_agent_socket: auto\n";
    insta::assert_snapshot!(after(&sandbox(), Some(before), &["--ssh-agent=off", "--host-docker=false"]), @"
    ssh_agent: false # for deploys
    host_docker: false
    ssh_agent_socket: auto
    ");
    insta::assert_snapshot!(after(&sandbox(), Some(before), &["--ssh-agent=false"]), @"
    ssh_agent: false # for deploys
    host_docker: true
    ssh_agent_socket: auto
    ");
}

#[test]
fn without_such_a_flag_no_file_is_made() {
    let sandbox = sandbox();
    let args = ["run", "--mount", "./", "--no-persist", "--shell", "--engine", "docker"];
    assert_eq!(after(&sandbox, None, &args), "(no file)");
    let project = sandbox.project("app");
    project.reactor(&["run"]).env("CLAUDE_REACTOR_LLM_PROVIDER", "zai").run().assert_code(NO_ENGINE);
    assert_eq!(after(&sandbox, None, &["run"]), "(no file)");
}

#[test]
fn comments_order_and_everything_else_stay() {
    let before = "# mine\nllm:\n    small_model: haiku   # cheap\n    # the good one\n    model: opus\n\ndanger: true # yes\n";
    insta::assert_snapshot!(after(&sandbox(), Some(before), &["--llm-model", "sonnet", "--danger=false"]), @"
    # mine
    llm:
        small_model: haiku   # cheap
        # the good one
        model: sonnet

    danger: false # yes
    ");
    insta::assert_snapshot!(after(&sandbox(), Some(before), &["--llm-provider", "claude"]), @"
    # mine
    llm:
        small_model: haiku   # cheap
        # the good one
        model: opus
        provider: claude

    danger: true # yes
    ");
}

#[test]
fn another_provider_drops_the_models_of_the_one_before() {
    let before = "# here\nllm:\n  provider: zai # for now\n  model: glm-4.6\n  small_model: glm-4.5-air\n  env: container\n";
    insta::assert_snapshot!(after(&sandbox(), Some(before), &["--llm-provider", "deepseek"]), @"
    # here
    llm:
      provider: deepseek # for now
      env: container
    ");
    insta::assert_snapshot!(after(&sandbox(), Some(before), &["--llm-provider", "claude", "--llm-model", "opus"]), @"
    # here
    llm:
      provider: claude # for now
      env: container
      model: opus
    ");
    insta::assert_snapshot!(after(&sandbox(), Some(before), &["--llm-provider", "zai"]), @"
    # here
    llm:
      provider: zai # for now
      model: glm-4.6
      small_model: glm-4.5-air
      env: container
    ");
}

#[test]
fn the_provider_before_may_be_the_projects_choice() {
    let run = |args: &[&str]| {
        let sandbox = sandbox();
        sandbox.project("app").write(".claude-reactor", "llm: {provider: zai}\n");
        after(&sandbox, Some("llm:\n  model: glm-4.6\n"), args)
    };
    insta::assert_snapshot!(run(&["--llm-provider", "zai"]), @"
    llm:
      model: glm-4.6
      provider: zai
    ");
    insta::assert_snapshot!(run(&["--llm-provider", "claude"]), @"
    llm:
      provider: claude
    ");
}

#[test]
fn a_model_for_a_provider_of_this_run_alone_is_not_remembered() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let path = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    sandbox.write_home(&path, "llm:\n  provider: zai\n");
    let run =
        project.reactor(&["--llm-model", "deepseek-v4"]).env("CLAUDE_REACTOR_LLM_PROVIDER", "deepseek").run();
    insta::assert_snapshot!(run.snapshot(), @"
    exit code: 125
    --- stderr
    error: no container engine answers at DOCKER_HOST; tried:
      unix://[ROOT]/no-engine.sock: no such socket
      hint: start that engine, or unset DOCKER_HOST to have the usual sockets tried
    ");
    insta::assert_snapshot!(std::fs::read_to_string(sandbox.home().join(path)).unwrap(), @"
    llm:
      provider: zai
    ");
}

#[test]
fn an_account_is_remembered_for_this_project_alone() {
    let sandbox = Sandbox::new();
    sandbox.write_home(".claude-reactor/alice/llms/claude/.env", "ANTHROPIC_API_KEY='k'\n");
    sandbox.write_home(".claude-reactor/config.yaml", "# defaults\naccount: bob # at home\n");
    // As an editor leaves it: it holds no secret.
    let path = sandbox.reactor_home().join("config.yaml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (app, other) = (sandbox.project("app"), sandbox.project("other"));
    app.reactor(&["--account", "alice"]).run().assert_code(NO_ENGINE);
    let text = std::fs::read_to_string(&path).unwrap();
    // A hash that could be read as a number is written with quotes.
    let text = text.replace(['\'', '"'], "");
    insta::assert_snapshot!(sandbox.redactions().apply(&text), @"
    # defaults
    account: bob # at home
    projects:
      [HASH:app]:
        account: alice
    ");
    app.reactor(&["run"]).run().assert_code(NO_ENGINE);
    other.reactor(&["run"]).run().assert_code(USAGE).assert_stderr_contains("--account bob");
}

#[test]
fn a_file_that_cannot_be_edited_safely_says_what_to_write_by_hand() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let path = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    let text = "llm: &mine\n  provider: claude\n  model: *model\n";
    let file = sandbox.write_home(&path, text);
    let output = project.reactor(&["--llm-provider", "zai"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:3:10: not valid YAML: unknown anchor
    ");
    assert_eq!(std::fs::read_to_string(file).unwrap(), text);
}

#[test]
fn the_projects_own_file_is_never_written() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let file = project.write(".claude-reactor", "llm: {provider: claude}\n");
    project.reactor(&["--llm-provider", "zai", "--danger"]).run().assert_code(NO_ENGINE);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "llm: {provider: claude}\n");
}
