//! `config show`, `get`, `path` and `schema`: what is configured, and from where.

use crate::common::{USAGE, state};
use crate::support::output::Output;
use crate::support::sandbox::{Project, Sandbox};

/// A snapshot in which columns are as wide as their cells: how wide the widest path is depends on the machine.
fn narrow(output: &Output) -> String {
    let narrow = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    output.snapshot().lines().map(narrow).collect::<Vec<_>>().join("\n")
}

/// A project with a value in every layer.
fn layered(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("app");
    sandbox
        .write_home(".claude-reactor/config.yaml", "engine: podman\nenv: {EDITOR: vim}\nmounts: [/usr:ro]\n");
    sandbox.write_home(".claude-reactor/user/config.yaml", "limits: {memory: 4g}\n");
    project.write(".claude-reactor", "llm: {model: glm-5.2}\ndanger: true\nmounts: [/etc:ro]\n");
    let file = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    sandbox.write_home(&file, "variant=base\nssh_agent=true\nssh_agent_socket=/run/agent\n");
    project
}

#[test]
fn every_value_has_its_origin() {
    let sandbox = Sandbox::new();
    let project = layered(&sandbox);
    let output = project.reactor(&["config", "show"]).env("CLAUDE_REACTOR_SUDO", "false").run();
    insta::assert_snapshot!(narrow(&output), @r#"
    exit code: 0
    --- stdout
    project [ROOT]/app ([HASH:app])
    account user

    KEY VALUE FROM
    variant base ~/.claude-reactor/user/app-[HASH:app]/.claude-reactor (key=value)
    account user default
    llm.provider claude default
    llm.model glm-5.2 [ROOT]/app/.claude-reactor
    llm.small_model the provider's default
    llm.env session default
    llm.export_key false default
    danger true [ROOT]/app/.claude-reactor
    host_docker false default
    host_docker_timeout 5m default
    ssh_agent true ~/.claude-reactor/user/app-[HASH:app]/.claude-reactor (key=value)
    ssh_agent_socket /run/agent ~/.claude-reactor/user/app-[HASH:app]/.claude-reactor (key=value)
    session_persistence true default
    mounts /usr:ro ~/.claude-reactor/config.yaml
    mounts /etc:ro [ROOT]/app/.claude-reactor
    env.EDITOR vim ~/.claude-reactor/config.yaml
    sudo false CLAUDE_REACTOR_SUDO
    limits.cpus no limit default
    limits.memory 4g ~/.claude-reactor/user/config.yaml
    limits.pids 4096 default
    engine podman ~/.claude-reactor/config.yaml
    registry - default
    claude_version the one that this claude-reactor pins default
    ca_file what SSL_CERT_FILE names default

    FILE LAYER STATE
    ~/.claude-reactor/config.yaml user present
    ~/.claude-reactor/user/config.yaml account present
    [ROOT]/app/.claude-reactor project present
    ~/.claude-reactor/user/app-[HASH:app]/.claude-reactor session present, of the old key=value form, YAML from the next change on

    `run` asks for your consent first:
    [ROOT]/app/.claude-reactor:2:1: danger = true
    [ROOT]/app/.claude-reactor:3:10: mounts = /etc:ro (which is "/etc" at "/mnt/etc", read-only)
    "#);
    let output = project.reactor(&["config", "show", "--chosen"]).run();
    output.assert_success().assert_stdout_contains("limits.memory").assert_stderr_lacks("warning");
    assert!(!output.stdout().contains("host_docker"), "{}", output.stdout());
}

#[test]
fn the_json_has_stable_fields_and_nothing_else_on_standard_output() {
    let sandbox = Sandbox::new();
    let project = layered(&sandbox);
    let output = project.reactor(&["config", "show", "--json"]).env("CLAUDE_REACTOR_IMAGE", "ubuntu").run();
    let json = output.assert_success().json();
    let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["project", "project_hash", "account", "entries", "files", "awaits_consent", "warnings"]
    );
    let entry = |key: &str| {
        let entries = json["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["key"] == key).unwrap().clone()
    };
    let session = project.hash();
    let session = sandbox.reactor_home().join(format!("user/app-{session}/.claude-reactor"));
    assert_eq!(
        entry("ssh_agent"),
        serde_json::json!({
            "key": "ssh_agent", "value": "true", "source": session, "source_kind": "session", "legacy": true,
        })
    );
    assert_eq!(entry("variant")["source"], "CLAUDE_REACTOR_IMAGE");
    assert_eq!(entry("variant")["source_kind"], "environment");
    assert_eq!(entry("llm.model")["source_kind"], "project");
    assert_eq!(entry("llm.small_model")["value"], serde_json::Value::Null);
    assert_eq!(entry("limits.memory")["source_kind"], "account");
    assert_eq!(entry("limits.pids")["value"], "4096");
    assert_eq!(entry("env.EDITOR")["source_kind"], "user");
    let layers: Vec<_> = json["files"].as_array().unwrap().iter().map(|file| &file["layer"]).collect();
    assert_eq!(layers, ["user", "account", "project", "session"]);
    assert_eq!(json["files"][3]["legacy"], true);
    let awaited = json["awaits_consent"].to_string();
    assert!(awaited.contains("danger = true") && awaited.contains("mounts = /etc:ro"), "{awaited}");
}

#[test]
fn what_a_run_would_trip_over_is_a_warning() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    sandbox.write_home(".claude-reactor/config.yaml", "mounts: [/nowhere]\n");
    let output = project.reactor(&["config", "show", "--chosen"]).run();
    output.assert_success().assert_stdout_contains("/nowhere").assert_stderr_contains("`run` would fail");
}

#[test]
fn showing_writes_nothing() {
    let sandbox = Sandbox::new();
    let project = layered(&sandbox);
    let before = state(&sandbox);
    for args in
        [&["show"][..], &["get", "danger"], &["path"], &["validate"], &["schema"], &["show", "--json"]]
    {
        project.reactor(&[&["config"], args].concat()).run();
    }
    assert_eq!(state(&sandbox), before);
}

#[test]
fn get_prints_the_value_alone() {
    let sandbox = Sandbox::new();
    let project = layered(&sandbox);
    let get = |args: &[&str]| project.reactor(&[&["config", "get"], args].concat()).run();
    get(&["llm.model"]).assert_success().assert_stdout("glm-5.2\n");
    get(&["image"]).assert_success().assert_stdout("base\n");
    get(&["mounts"]).assert_success().assert_stdout("/usr:ro\n/etc:ro\n");
    get(&["env.EDITOR"]).assert_success().assert_stdout("vim\n");
    get(&["account"]).assert_success().assert_stdout("user\n");
    get(&["limits.pids", "--show-origin"]).assert_success().assert_stdout("default\t4096\n");
    for nothing in ["llm.small_model", "env.OTHER", "registry", "projects.76a2e845.account"] {
        get(&[nothing]).assert_code(1).assert_stdout("");
        get(&[nothing, "--json"]).assert_code(1).assert_stdout("");
    }
    let json = get(&["danger", "--json"]).assert_success().json();
    assert_eq!((&json["key"], &json["entries"][0]["value"]), (&"danger".into(), &"true".into()));
    insta::assert_snapshot!(get(&["llm.modl"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: unknown key `llm.modl`
      hint: did you mean `llm.model`?
    ");
    insta::assert_snapshot!(get(&["llm"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: `llm` is a section and has no value of its own
      hint: its keys: llm.provider, llm.model, llm.small_model, llm.env, llm.export_key
    ");
    insta::assert_snapshot!(get(&["env"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: `env` is a section and has no value of its own
      hint: name one: `env.NAME`
    ");
}

#[test]
fn path_says_where_each_file_is() {
    let sandbox = Sandbox::new();
    let project = layered(&sandbox);
    insta::assert_snapshot!(narrow(&project.reactor(&["config", "path"]).run()), @"
    exit code: 0
    --- stdout
    LAYER FILE STATE
    user [HOME]/.claude-reactor/config.yaml present
    account [HOME]/.claude-reactor/user/config.yaml present
    project [ROOT]/app/.claude-reactor present
    session [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor present, of the old key=value form, YAML from the next change on
    ");
    let shared = format!("{}/.claude-reactor\n", project.path().display());
    project.reactor(&["config", "path", "--shared"]).run().assert_success().assert_stdout(&shared);
    // Where a file is broken one needs to know most.
    project.write(".claude-reactor", "a: [\n");
    project.reactor(&["config", "path", "--shared"]).run().assert_success().assert_stdout(&shared);
    let json = project.reactor(&["config", "path", "--json", "--global"]).run().json();
    assert_eq!(json["files"][0]["layer"], "user");
}

#[test]
fn the_schema_is_json_and_needs_no_project() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("home");
    for of in ["project", "user", "account", "providers"] {
        let json = project.reactor(&["config", "schema", "--of", of]).run().assert_success().json();
        assert_eq!(json["$schema"], "https://json-schema.org/draft/2020-12/schema", "{of}");
    }
    project.reactor(&["config", "schema", "--of", "world"]).run().assert_code(USAGE);
}
