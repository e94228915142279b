//! `config set` and `unset`: one key of one file, and nothing else of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::common::{USAGE, state};
use crate::support::output::Output;
use crate::support::sandbox::{Project, Sandbox};

fn config(project: &Project, args: &[&str]) -> Output {
    project.reactor(&[&["config"], args].concat()).run()
}

/// The file of the user's choices for a project.
fn own(sandbox: &Sandbox, project: &Project) -> PathBuf {
    sandbox.reactor_home().join(format!("user/app-{}/.claude-reactor", project.hash()))
}

/// A file's text without the line for editors.
fn text(path: PathBuf) -> String {
    let text = fs::read_to_string(path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.starts_with("# yaml-language-server: $schema=/"), "{first}");
    rest.to_owned()
}

#[test]
fn what_was_set_is_what_counts() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (key, value) in [
        ("image", "ghcr.io/acme/tools:1"),
        ("llm.model", "qwen3:8b"),
        ("llm.env", "container"),
        ("danger", "true"),
        ("host_docker_timeout", "1h30m"),
        ("limits.cpus", "1.5"),
        ("limits.memory", "4g"),
        ("limits.pids", "200"),
        ("env.GREETING", "hello, world: # not a comment"),
        ("sudo", "false"),
    ] {
        config(&project, &["set", key, value]).assert_success().assert_stdout("");
        config(&project, &["get", key]).assert_success().assert_stdout(&format!("{value}\n"));
    }
    let file = own(&sandbox, &project);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    insta::assert_snapshot!(text(file), @"
    variant: ghcr.io/acme/tools:1
    llm:
      model: qwen3:8b
      env: container
    danger: true
    host_docker_timeout: 1h30m
    limits:
      cpus: 1.5
      memory: 4g
      pids: 200
    env:
      GREETING: 'hello, world: # not a comment'
    sudo: false
    ");
    let validated = config(&project, &["validate"]);
    validated.assert_success();
}

#[test]
fn the_file_is_the_one_that_the_flag_says() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let said = |args: &[&str]| config(&project, args).snapshot();
    insta::assert_snapshot!(said(&["set", "limits.pids", "9", "--global"]), @"
    exit code: 0
    --- stderr
    limits.pids = 9, set in [HOME]/.claude-reactor/config.yaml
    ");
    insta::assert_snapshot!(said(&["set", "limits.pids", "10", "--account-default"]), @"
    exit code: 0
    --- stderr
    limits.pids = 10, set in [HOME]/.claude-reactor/user/config.yaml
    ");
    insta::assert_snapshot!(said(&["set", "limits.pids", "11", "--shared"]), @"
    exit code: 0
    --- stderr
    limits.pids = 11, set in [ROOT]/app/.claude-reactor
    it takes effect only with consent: `run` asks everyone who works on this project, and you too (`claude-reactor config trust`)
    ");
    insta::assert_snapshot!(said(&["set", "limits.pids", "12"]), @"
    exit code: 0
    --- stderr
    limits.pids = 12, set in [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor
    ");
    insta::assert_snapshot!(said(&["set", "limits.pids", "13", "--global"]), @"
    exit code: 0
    --- stderr
    limits.pids = 13, set in [HOME]/.claude-reactor/config.yaml
    warning: it is overruled: limits.pids = 12 (from: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor)
    ");
    insta::assert_snapshot!(said(&["set", "limits.pids", "12"]), @"
    exit code: 0
    --- stderr
    limits.pids = 12 is in [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor already
    ");
    let home = sandbox.reactor_home();
    assert_eq!(text(home.join("config.yaml")), "limits:\n  pids: 13\n");
    assert_eq!(text(home.join("user/config.yaml")), "limits:\n  pids: 10\n");
    assert_eq!(text(own(&sandbox, &project)), "limits:\n  pids: 12\n");
    // No path of one machine in what a team shares.
    assert_eq!(fs::read_to_string(project.path().join(".claude-reactor")).unwrap(), "limits:\n  pids: 11\n");
    insta::assert_snapshot!(said(&["unset", "limits.pids"]), @"
    exit code: 0
    --- stderr
    limits.pids is no longer set in [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor
    what counts now: limits.pids = 11 (from: [ROOT]/app/.claude-reactor)
    ");
    insta::assert_snapshot!(said(&["unset", "limits.pids"]), @"
    exit code: 0
    --- stderr
    limits.pids is not set in [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor
    what counts now: limits.pids = 11 (from: [ROOT]/app/.claude-reactor)
    ");
    insta::assert_snapshot!(said(&["set", "sudo", "true", "--shared", "--global"]), @"
    exit code: 2
    --- stderr
    error: the argument '--shared' cannot be used with '--global'

    Usage: claude-reactor config set --shared <KEY> <VALUE>...

    For more information, try '--help'.
    ");
}

#[test]
fn every_other_byte_stays_and_unset_brings_the_old_text_back() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let before = "# ours\r\nllm:   # backend\r\n    model:  'glm'   # why\r\n\r\n# end";
    let file = project.write(".claude-reactor", before);
    config(&project, &["set", "llm.env", "session", "--shared"]).assert_success();
    let after = fs::read_to_string(&file).unwrap();
    assert_eq!(after, before.replace("# why\r\n", "# why\r\n    env: session\r\n"));
    config(&project, &["unset", "llm.env", "--shared"]).assert_success();
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: false\n");
    let canary = sandbox.canary("pasted");
    let before = state(&sandbox);
    let refused = |args: &[&str]| {
        let output = config(&project, &[&["set", "--shared"], args].concat());
        assert_eq!(state(&sandbox), before);
        output.assert_code(USAGE).snapshot()
    };
    insta::assert_snapshot!(refused(&["danger", "yes"]), @r#"
    exit code: 2
    --- stderr
    error: danger: "yes" is neither true nor false
      hint: did you mean `true`?
    "#);
    insta::assert_snapshot!(refused(&["llm.env", "sesion"]), @r#"
    exit code: 2
    --- stderr
    error: llm.env: "sesion" is not session or container
      hint: did you mean `session`?
    "#);
    insta::assert_snapshot!(refused(&["llm.provider", "../zai"]), @r#"
    exit code: 2
    --- stderr
    error: llm.provider: provider name "../zai": it begins with '.'
      hint: a name is 1 to 64 characters, begins with a letter or a digit, and goes on with letters, digits, `.`, `_` or `-`
    "#);
    insta::assert_snapshot!(refused(&["limits.memory", "lots"]), @r#"
    exit code: 2
    --- stderr
    error: limits.memory: "lots" is not an amount of memory
      hint: 6m or more, for example `512m` or `4g`
    "#);
    insta::assert_snapshot!(refused(&["mounts", "/nowhere"]), @"
    exit code: 2
    --- stderr
    error: mounts: /nowhere: /nowhere does not exist
      hint: create it first, or correct the path
    ");
    insta::assert_snapshot!(refused(&["mounts", "/etc", "/etc:ro"]), @"
    exit code: 2
    --- stderr
    error: mounts: /etc:ro: /mnt/etc inside the container is taken already
      hint: give another place: `--mount SRC:/mnt/other`
    ");
    insta::assert_snapshot!(refused(&["llm.modle", "x"]), @"
    exit code: 2
    --- stderr
    error: unknown key `llm.modle`
      hint: did you mean `llm.model`?
    ");
    insta::assert_snapshot!(refused(&["provider", "zai"]), @"
    exit code: 2
    --- stderr
    error: unknown key `provider`
      hint: did you mean `llm.provider`?
    ");
    insta::assert_snapshot!(refused(&["engine", "podman"]), @"
    exit code: 2
    --- stderr
    error: `engine` cannot stand in [ROOT]/app/.claude-reactor
      hint: which engine is used is not a project's choice: it belongs in ~/.claude-reactor/config.yaml (--global)
    ");
    insta::assert_snapshot!(refused(&["llm", "zai"]), @"
    exit code: 2
    --- stderr
    error: `llm` is a section and has no value of its own
      hint: its keys: llm.provider, llm.model, llm.small_model, llm.env, llm.export_key
    ");
    insta::assert_snapshot!(refused(&["danger", "true", "false"]), @"
    exit code: 2
    --- stderr
    error: `danger` is no list, and takes one value
    ");
    insta::assert_snapshot!(refused(&["danger", "true", "--add"]), @"
    exit code: 2
    --- stderr
    error: `danger` is no list, and takes one value
    ");
    insta::assert_snapshot!(refused(&["env.HOME", "/x"]), @"
    exit code: 2
    --- stderr
    error: env.HOME: claude-reactor sets this variable itself: the session's user has it from claude-reactor
      hint: remove the line
    ");
    insta::assert_snapshot!(refused(&["env.API_KEY", canary.key()]), @"
    exit code: 2
    --- stderr
    error: env.API_KEY: this looks like a secret, which is not to be in this file: `inspect` would show it
      hint: put it into the provider's own file, `~/.claude-reactor/{account}/llms/{provider}/.env`
    ");
    insta::assert_snapshot!(refused(&["variant", "Base"]), @"
    exit code: 2
    --- stderr
    error: variant: `Base` is neither a built-in image nor an image reference: a name is lower-case letters and digits, with single `.`, `_`, `__` or dashes between them
      hint: did you mean `base`? built-in: `base`, `go`, `full`, `cloud`, `k8s`; or a reference, for example `ghcr.io/acme/tools:1.2`
    ");
}

#[test]
fn a_list_is_set_as_a_whole_or_item_by_item() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let file = project.write(".claude-reactor", "mounts:\n  - /usr:ro # tools\n");
    let set = |args: &[&str]| config(&project, &[&["set", "mounts", "--shared"], args].concat());
    set(&["--add", "/etc:ro", "/usr:ro"]).assert_success();
    assert_eq!(fs::read_to_string(&file).unwrap(), "mounts:\n  - /usr:ro # tools\n  - /etc:ro\n");
    insta::assert_snapshot!(set(&["--remove", "/bin"]).snapshot(), @r#"
    exit code: 2
    --- stderr
    error: `mounts` in [ROOT]/app/.claude-reactor has no item "/bin"
      hint: it has: /usr:ro, /etc:ro
    "#);
    set(&["--remove", "/usr:ro"]).assert_success();
    assert_eq!(fs::read_to_string(&file).unwrap(), "mounts:\n  - /etc:ro\n");
    set(&["/usr", "/etc"]).assert_success();
    config(&project, &["get", "mounts"]).assert_stdout("/usr\n/etc\n");
    set(&["--remove", "/usr", "/etc"]).assert_success();
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
}

#[test]
fn another_provider_takes_the_models_along() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    config(&project, &["set", "llm.model", "opus"]).assert_success();
    config(&project, &["set", "llm.provider", "claude"]).assert_success();
    config(&project, &["get", "llm.model"]).assert_stdout("opus\n");
    insta::assert_snapshot!(config(&project, &["set", "llm.provider", "zay"]).snapshot(), @"
    exit code: 0
    --- stderr
    llm.provider = zay, set in [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor
    warning: no provider `zay` is known yet; did you mean `zai`?
    ");
    config(&project, &["get", "llm.model"]).assert_code(1);
    config(&project, &["set", "llm.model", "glm", "--global"])
        .assert_stderr_contains("it does not count with provider zay");
}

#[test]
fn the_account_of_a_project_is_kept_where_the_flag_keeps_it() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    config(&project, &["set", "account", "bob"]).assert_success();
    let users = sandbox.reactor_home().join("config.yaml");
    assert_eq!(text(users.clone()), format!("projects:\n  {}:\n    account: bob\n", quoted(&project.hash())));
    config(&project, &["get", "account"]).assert_stdout("bob\n");
    config(&project, &["set", "account", "eve", "--shared"])
        .assert_stderr_contains("it is overruled: account = bob");
    config(&project, &["unset", "account"]).assert_stderr_contains("what counts now: account = eve");
    config(&project, &["set", "account", "x", "--account-default"]).assert_code(USAGE);
}

/// A hash as the editor writes it: one that could be a number gets quotes.
fn quoted(hash: &str) -> String {
    let number = hash.bytes().all(|b| b.is_ascii_digit() || b == b'e');
    if number { format!("'{hash}'") } else { hash.to_owned() }
}

#[test]
fn a_file_of_the_old_form_becomes_yaml_and_stays_beside_it() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let old = "variant=base\n# mine\ndanger=true\n";
    let file = project.write(".claude-reactor", old);
    insta::assert_snapshot!(config(&project, &["set", "sudo", "false", "--shared"]).snapshot(), @"
    exit code: 0
    --- stderr
    [ROOT]/app/.claude-reactor is YAML now; as it was, it is kept in [ROOT]/app/.claude-reactor.bak
    sudo = false, set in [ROOT]/app/.claude-reactor
    ");
    assert_eq!(fs::read_to_string(&file).unwrap(), "variant: base\n# mine\ndanger: true\nsudo: false\n");
    assert_eq!(fs::read_to_string(project.path().join(".claude-reactor.bak")).unwrap(), old);
}

#[test]
fn a_link_in_a_project_is_not_written_through() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let victim = sandbox.write_home("victim.yaml", "danger: false\n");
    std::os::unix::fs::symlink(&victim, project.path().join(".claude-reactor")).unwrap();
    insta::assert_snapshot!(config(&project, &["set", "danger", "true", "--shared"]).snapshot(), @"
    exit code: 1
    --- stderr
    error: cannot read [ROOT]/app/.claude-reactor
      because: it is a symbolic link
    ");
    assert_eq!(fs::read_to_string(victim).unwrap(), "danger: false\n");
}

#[test]
fn one_fault_does_not_keep_another_from_being_mended() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "danger: 'yes'\nunknown: 1\n");
    insta::assert_snapshot!(config(&project, &["set", "danger", "true", "--shared"]).snapshot(), @"
    exit code: 0
    --- stderr
    danger = true, set in [ROOT]/app/.claude-reactor
    warning: [ROOT]/app/.claude-reactor:2:1: unknown key `unknown`
    warning: `run` would fail: [ROOT]/app/.claude-reactor:2:1: unknown key `unknown`
    ");
    config(&project, &["unset", "unknown", "--shared"]).assert_code(USAGE);
}

#[test]
fn consent_is_asked_for_what_is_shared() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    config(&project, &["set", "danger", "true", "--shared"]).assert_success();
    let report = config(&project, &["show", "--json"]).json();
    assert!(report["awaits_consent"].to_string().contains("danger = true"));
}

#[test]
fn choosing_is_no_use_of_a_project_so_that_what_a_repository_chose_is_still_asked_about() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "llm: {provider: zai}\n");
    config(&project, &["set", "danger", "true"]).assert_success();
    let output = project.reactor(&["run"]).run();
    output.assert_code(USAGE).assert_stderr_contains("which you have not used here before");
    project.reactor(&["config", "trust", "--yes"]).run().assert_success();
    let output = project.reactor(&["run"]).run();
    output.assert_code(USAGE).assert_stderr_lacks("which you have not used here before");
}
