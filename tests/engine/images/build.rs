//! `build`: what it prints, what it remembers, and what it says when it cannot.

use super::BUILD;
use crate::support::sandbox::Sandbox;

#[test]
fn an_image_that_is_there_is_named_with_its_size() {
    let Some(engine) = crate::engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let output = sandbox.project("app").reactor(&["build"]).run();
    output.assert_success().assert_stderr_contains("is there already; `--no-cache` builds it anew");
    let report = sandbox.project("app").reactor(&["run", "--dry-run", "--json"]).run().json();
    let image = report["image"].as_str().expect("a reference");
    let line = output.stdout();
    assert!(
        line.starts_with(&format!("{image}  ")) && line.contains(" MB  ") && line.ends_with(" s\n"),
        "{line}"
    );
}

#[test]
fn a_version_that_npm_does_not_have_is_said_and_not_remembered() {
    let Some(engine) = crate::engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let app = sandbox.project("app");
    let output = app.reactor(&["build", "base", "--claude-version", "0.0.987654"]).timeout(BUILD).run();
    output
        .assert_code(125)
        .assert_stdout("")
        .assert_stderr_contains("npm has no Claude Code of that version")
        .assert_stderr_contains("@anthropic-ai/claude-code@0.0.987654");
    assert!(!sandbox.reactor_home().join("config.yaml").exists());
}

#[test]
fn a_pinned_version_of_ones_own_is_remembered_and_forgotten() {
    let Some(engine) = crate::engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let app = sandbox.project("app");
    let image = engine.image("claude-reactor/base").expect("it was built");
    let labels = &engine.inspect_image(&image)[0]["Config"]["Labels"];
    let pinned = labels["dev.claude-reactor.claude-code-version"].as_str().expect("a version");
    sandbox.write_home(".claude-reactor/config.yaml", "# mine\ndanger: false\n");
    app.reactor(&["build", "base", "--claude-version", pinned]).run().assert_success();
    let config = || std::fs::read_to_string(sandbox.reactor_home().join("config.yaml")).unwrap();
    assert_eq!(config(), format!("# mine\ndanger: false\nclaude_version: {pinned}\n"));
    app.reactor(&["build", "base", "--claude-version", "pinned"]).run().assert_success();
    assert_eq!(config(), "# mine\ndanger: false\n");
}
