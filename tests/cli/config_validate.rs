//! `config validate` and `config edit`: everything that is wrong, with its place, and mending it.

use std::fs;

use crate::common::{SOON, USAGE, WIDE, store_key};
use crate::support::sandbox::{Project, Sandbox};

fn config(project: &Project, args: &[&str]) -> crate::support::output::Output {
    project.reactor(&[&["config"], args].concat()).run()
}

#[test]
fn everything_that_is_wrong_is_listed() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let canary = store_key(&sandbox, "zai", "ZAI_API_KEY");
    sandbox
        .write_home(".claude-reactor/user/llms/zai/.env", format!("ZAI_API_KEY='{}'\nB='\n", canary.key()));
    sandbox.write_home(".claude-reactor/config.yaml", "acount: alice\nengine: a b\nca_file: gone.pem\n");
    sandbox.write_home(".claude-reactor/user/config.yaml", "danger: [true]\nmounts: ~/x\n");
    sandbox.write_home(
        ".claude-reactor/providers.yaml",
        "providers:\n  acme: {wire: anthropi}\n  mine: {base_url: 'ftp://x'}\n",
    );
    project.write(
        ".claude-reactor",
        "llm:\n  provider: zai\n  env: sesion\nmounts: [/etc, /nowhere, {a: b}]\nlimits: {pids: 0}\nenv: {HOME: x}\n",
    );
    let file = format!(".claude-reactor/user/app-{}/.claude-reactor", project.hash());
    sandbox.write_home(&file, "danger=true\nsudo: true\n");
    let output = config(&project, &["validate"]);
    insta::assert_snapshot!(output.assert_code(USAGE).snapshot(), @r#"
    exit code: 2
    --- stdout
    wrong   ~/.claude-reactor/config.yaml (user)
    error: [HOME]/.claude-reactor/config.yaml:1:1: unknown key `acount`
      hint: did you mean `account`?
    error: [HOME]/.claude-reactor/config.yaml:2:1: engine: "a b" is neither docker, podman, an address nor the name of a Docker context
      hint: an address begins with unix://, tcp:// or ssh://
    error: [HOME]/.claude-reactor/config.yaml:3:1: ca_file: [HOME]/.claude-reactor/gone.pem cannot be read: No such file or directory (os error 2)
      hint: correct the path, or leave it out
    wrong   ~/.claude-reactor/user/config.yaml (account)
    error: [HOME]/.claude-reactor/user/config.yaml:1:1: `danger` is a list, not true or false
    error: [HOME]/.claude-reactor/user/config.yaml:2:1: `mounts` is the text "~/x", not a list
      hint: put it into brackets: `[…]`
    wrong   [ROOT]/app/.claude-reactor (project)
    error: [ROOT]/app/.claude-reactor:3:3: llm.env: "sesion" is not session or container
      hint: did you mean `session`?
    error: [ROOT]/app/.claude-reactor:4:26: an item of `mounts` is a mapping, not a text
      hint: put it into quotes, where `: ` is a part of it
    error: [ROOT]/app/.claude-reactor:5:10: limits.pids: "0" is not a number of processes
      hint: a whole number from 1 upwards
    error: [ROOT]/app/.claude-reactor:6:7: env.HOME: claude-reactor sets this variable itself: the session's user has it from claude-reactor
      hint: remove the line
    wrong   ~/.claude-reactor/user/app-[HASH:app]/.claude-reactor (session)
    error: [HOME]/.claude-reactor/user/app-[HASH:app]/.claude-reactor:2: a line of YAML in a file of the old key=value form
      hint: write the whole file as YAML: `key: value` instead of `key=value`
    wrong   ~/.claude-reactor/providers.yaml (providers)
    error: [HOME]/.claude-reactor/providers.yaml:2:10: `providers.acme.wire` is the text "anthropi", not anthropic, openai, gemini, ollama or plugin
      hint: did you mean `anthropic`?
    error: [HOME]/.claude-reactor/providers.yaml:3:10: provider mine, base_url: it does not begin with http:// or https://
      hint: give it in the form https://host/path or http://host:port
    wrong   ~/.claude-reactor/user/llms/zai/.env (credentials)
    error: [HOME]/.claude-reactor/user/llms/zai/.env:2: B: not of the form KEY='value'
      hint: write KEY='value', one to a line; `#` begins a comment
    "#);
    let json = config(&project, &["validate", "--json"]).assert_code(USAGE).json();
    assert_eq!(json["valid"], false);
    let error = &json["files"][0]["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&1.into(), &1.into()));
    assert_eq!(error["message"], "unknown key `acount`");
    assert_eq!(error["hint"], "did you mean `account`?");
}

#[test]
fn what_is_right_is_said_to_be() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "variant=base\n");
    insta::assert_snapshot!(config(&project, &["validate"]).snapshot(), @"
    exit code: 0
    --- stdout
    absent  ~/.claude-reactor/config.yaml (user)
    absent  ~/.claude-reactor/user/config.yaml (account)
    ok      [ROOT]/app/.claude-reactor (project, of the old key=value form, YAML from the next change on)
    absent  ~/.claude-reactor/user/app-[HASH:app]/.claude-reactor (session)
    absent  ~/.claude-reactor/providers.yaml (providers)
    absent  ~/.claude-reactor/user/llms/claude/.env (credentials)
    ");
    let json = config(&project, &["validate", "--json"]).assert_success().json();
    assert_eq!((&json["valid"], &json["files"][2]["legacy"]), (&true.into(), &true.into()));
}

#[test]
fn one_file_is_judged_by_its_name() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (name, text) in [
        ("config.yaml", "engine: podman\naccount: bob\n"),
        ("providers.yaml", "providers: {acme: {base_url: 'https://acme.example'}}\n"),
        ("draft.yaml", "danger: true\n"),
    ] {
        project.write(name, text);
        config(&project, &["validate", name]).assert_success();
    }
    project.write("draft.yaml", "engine: podman\n");
    config(&project, &["validate", "draft.yaml"])
        .assert_code(USAGE)
        .assert_stdout_contains("draft.yaml:1:1: unknown key `engine`");
    config(&project, &["validate", "nowhere"]).assert_code(1).assert_stderr_contains("cannot be read");
}

#[test]
fn a_variable_that_is_wrong_is_listed_too() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    let output = project.reactor(&["config", "validate"]).env("CLAUDE_REACTOR_DANGER", "yes").run();
    output
        .assert_code(USAGE)
        .assert_stdout_contains("CLAUDE_REACTOR_DANGER: \"yes\" is neither true nor false");
}

/// An editor that writes the lines of a file, one each time it is called.
fn editor(project: &Project, texts: &[&str]) -> String {
    for (index, text) in texts.iter().enumerate() {
        project.write(&format!("text-{index}"), text);
    }
    let script =
        "#!/bin/sh\nn=$(cat count 2>/dev/null || echo 0)\necho $((n + 1)) >count\ncat \"text-$n\" >\"$2\"\n";
    let path = project.write("editor.sh", script);
    format!("sh '{}' arg", path.display())
}

#[test]
fn an_edit_takes_the_files_place_once_it_is_right() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "# ours\n");
    let command = editor(&project, &["danger: yes\n", "danger: true\n"]);
    let pty = project.reactor(&["config", "edit", "--shared"]).env("EDITOR", command).on_pty(WIDE);
    pty.wait_for("danger` is the text \"yes\"", SOON);
    pty.wait_for("Edit it again?", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.canonical);
    pty.write("y");
    pty.wait(SOON).assert_code(0);
    assert_eq!(fs::read_to_string(project.path().join(".claude-reactor")).unwrap(), "danger: true\n");
}

#[test]
fn an_edit_that_is_dropped_leaves_the_file_as_it_was() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    project.write(".claude-reactor", "# ours\n");
    let command = editor(&project, &["danger: yes\n"]);
    let pty = project.reactor(&["config", "edit", "--shared"]).env("VISUAL", command).on_pty(WIDE);
    pty.wait_for("Edit it again?", SOON);
    pty.wait_for_mode(SOON, |mode| !mode.canonical);
    pty.write("n");
    pty.wait(SOON).assert_code(2);
    assert_eq!(fs::read_to_string(project.path().join(".claude-reactor")).unwrap(), "# ours\n");
    let drafts = sandbox.reactor_home().read_dir().unwrap().count();
    assert_eq!(drafts, 0, "no draft is left behind");
}

#[test]
fn an_edit_that_somebody_else_overtook_writes_over_nothing_and_is_kept() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    for (number, name) in ["draft.yaml.bak", "draft.yaml.bak.1"].into_iter().enumerate() {
        let theirs = format!("# theirs {number}\n");
        let file = project.write(".claude-reactor", "# ours\n");
        let script = format!("printf '{theirs}' >'{}'; echo '# mine {number}' >", file.display());
        let output = project.reactor(&["config", "edit", "--shared"]).env("EDITOR", script).run();
        output.assert_code(1).assert_stderr_contains("was changed by somebody else while you edited it");
        assert_eq!(fs::read_to_string(&file).unwrap(), theirs);
        let draft = sandbox.reactor_home().join(".run").join(name);
        assert_eq!(fs::read_to_string(draft).unwrap(), format!("# mine {number}\n"));
    }
}

#[test]
fn without_a_terminal_or_an_editor_nothing_is_edited() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("app");
    insta::assert_snapshot!(config(&project, &["edit"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: there is no terminal to edit in
      hint: run it in a terminal, or name an editor with VISUAL or EDITOR
    ");
    let pty = project.reactor(&["config", "edit", "--global"]).env("EDITOR", "no-such-editor").on_pty(WIDE);
    pty.wait(SOON).assert_code(2);
    assert!(!sandbox.reactor_home().join("config.yaml").exists());
}
