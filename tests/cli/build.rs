//! `build`, as far as it goes without an engine: what it refuses, and its help.

use crate::common::{NO_ENGINE, USAGE, state};
use crate::support::sandbox::Sandbox;

#[test]
fn the_help_has_examples() {
    let sandbox = Sandbox::new();
    let output = sandbox.project("app").reactor(&["build", "--help"]).run();
    insta::assert_snapshot!("build_help", output.snapshot());
}

#[test]
fn what_cannot_be_built_is_said_before_anything_is_done() {
    let sandbox = Sandbox::new();
    let app = sandbox.project("app");
    let before = state(&sandbox);
    for (args, problem) in [
        (
            &["rust"][..],
            "build: `rust` is not a built-in image\n  hint: the built-in images are `base`, `go`, `full`, `cloud`, `k8s`",
        ),
        (&["ubuntu:24.04"], "build: `ubuntu:24.04` is not a built-in image"),
        (&["go", "--all"], "the argument '[VARIANT]' cannot be used with '--all'"),
        (
            &["--claude-version", "newest"],
            "--claude-version: `newest` is no version of Claude Code\n  hint: a version is three numbers, for example `2.1.329`; or `latest`, or `pinned`",
        ),
        (&["--claude-version", "v2.1.3"], "--claude-version: `v2.1.3` is no version of Claude Code"),
        (&["--push", "https://ghcr.io/acme"], "--push: `https://ghcr.io/acme` is not a registry's prefix: "),
        (
            &["--push", "acme/tools:"],
            "--push: `acme/tools:` is neither a built-in image nor an image reference: ",
        ),
        (
            &["--all", "--push", "acme/tools:1"],
            "--push: acme/tools:1 is the name of one image, and --all builds several",
        ),
        (&["--no-cache", "--pull-latest"], "the argument '--no-cache' cannot be used with '--pull-latest'"),
        (&["--dev", "--pull-latest"], "the argument '--dev' cannot be used with '--pull-latest'"),
    ] {
        let output = app.reactor(&[&["build"], args].concat()).run();
        output.assert_code(USAGE).assert_stdout("").assert_stderr_contains(problem);
    }
    assert_eq!(state(&sandbox), before);
    app.reactor(&["build", "k8s"]).run().assert_code(NO_ENGINE).assert_stdout("");
}

#[test]
fn an_image_that_is_named_needs_no_project() {
    let sandbox = Sandbox::new();
    sandbox.write_home(".claude-reactor/config.yaml", "danger: false\n");
    let home = sandbox.project("home");
    home.reactor(&["build"]).run().assert_code(USAGE).assert_stderr_contains("cannot be a project");
    home.reactor(&["build", "go"]).run().assert_code(NO_ENGINE);
    home.reactor(&["build", "--all"]).run().assert_code(NO_ENGINE);
}

#[test]
fn an_image_of_ones_own_is_not_ours_to_build() {
    let sandbox = Sandbox::new();
    let app = sandbox.project("app");
    app.write(".claude-reactor", "variant: ghcr.io/acme/tools:1\n");
    let output = app.reactor(&["build"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: build: this project's image is ghcr.io/acme/tools:1 (from: [ROOT]/app/.claude-reactor), which is yours to build
      hint: name a built-in one: `base`, `go`, `full`, `cloud`, `k8s`
    ");
}

#[test]
fn the_version_and_the_registry_are_not_a_projects_choice() {
    let sandbox = Sandbox::new();
    let app = sandbox.project("app");
    app.write(".claude-reactor", "claude_version: 2.1.0\n");
    let output = app.reactor(&["run"]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 2
    --- stderr
    error: [ROOT]/app/.claude-reactor:1:1: unknown key `claude_version`
      hint: it belongs in ~/.claude-reactor/config.yaml
    ");
    app.write(".claude-reactor", "danger: false\n");
    sandbox.write_home(".claude-reactor/config.yaml", "claude_version: latest\n");
    insta::assert_snapshot!(app.reactor(&["run"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: [HOME]/.claude-reactor/config.yaml:1:1: claude_version: `latest` is no version of Claude Code
      hint: a version is three numbers, for example `2.1.329`
    ");
}
