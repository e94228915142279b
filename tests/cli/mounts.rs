//! Mounts that cannot be, and those that must not be.

use crate::common::{NO_ENGINE, USAGE, state, store_key};
use crate::support::sandbox::Sandbox;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    for folder in ["data", "other/data", "home/notes"] {
        std::fs::create_dir_all(sandbox.path().join(folder)).unwrap();
    }
    sandbox
}

#[test]
fn what_cannot_be_mounted_is_refused_with_what_was_given() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    let before = state(&sandbox);
    let show = |mounts: &[&str]| {
        let args: Vec<&str> = mounts.iter().flat_map(|mount| ["--mount", mount]).collect();
        let output = project.reactor(&args).run();
        output.assert_code(USAGE);
        sandbox.redactions().apply(output.stderr())
    };
    insta::assert_snapshot!(show(&["data"]), @"
    error: --mount data: the source must be an absolute path, or begin with ~/ or ./
      hint: for example `--mount ~/data` or `--mount ./data`
    ");
    insta::assert_snapshot!(show(&["../none"]), @"
    error: --mount ../none: [ROOT]/app/../none does not exist
      hint: create it first, or correct the path
    ");
    insta::assert_snapshot!(show(&["../data:srv"]), @"
    error: --mount ../data:srv: the place inside the container must be an absolute path without `..`
      hint: for example `--mount ~/data:/mnt/data:ro`
    ");
    insta::assert_snapshot!(show(&["../data:/srv:/x"]), @"
    error: --mount ../data:/srv:/x: expected SRC[:DST][:ro]
      hint: for example `--mount ~/data:/mnt/data:ro`
    ");
    insta::assert_snapshot!(show(&["../data:/../etc"]), @"
    error: --mount ../data:/../etc: the place inside the container must be an absolute path without `..`
      hint: for example `--mount ~/data:/mnt/data:ro`
    ");
    insta::assert_snapshot!(show(&["../data", "../other/data"]), @"
    error: --mount ../other/data: /mnt/data inside the container is taken already
      hint: give another place: `--mount SRC:/mnt/other`
    ");
    insta::assert_snapshot!(show(&["../data:/app"]), @"
    error: --mount ../data:/app: /app inside the container is taken already
      hint: give another place: `--mount SRC:/mnt/other`
    ");
    insta::assert_snapshot!(show(&["../data:/home/claude/.claude/"]), @"
    error: --mount ../data:/home/claude/.claude/: /home/claude/.claude inside the container is taken already
      hint: give another place: `--mount SRC:/mnt/other`
    ");
    insta::assert_snapshot!(show(&[""]), @"
    error: --mount : expected SRC[:DST][:ro]
      hint: for example `--mount ~/data:/mnt/data:ro`
    ");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn the_keys_are_never_mounted() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    std::os::unix::fs::symlink(sandbox.home(), project.path().join("link")).unwrap();
    for source in
        ["~", "~/.claude-reactor", "~/.claude-reactor/user", "..", "/", "./link", "./link/.claude-reactor"]
    {
        let output = project.reactor(&["--mount", &format!("{source}:/mnt/x:ro")]).run();
        output.assert_code(USAGE).assert_stderr_contains("is where claude-reactor keeps your keys");
    }
    insta::assert_snapshot!(project.reactor(&["-m", "~:/mnt/home"]).run().snapshot(), @"
    exit code: 2
    --- stderr
    error: --mount ~:/mnt/home: [HOME]/.claude-reactor is where claude-reactor keeps your keys
      hint: mount a folder that has nothing to do with it
    ");
}

#[test]
fn other_folders_may_be() {
    let sandbox = sandbox();
    let project = sandbox.project("app");
    for mount in ["../data", "~/notes:/srv/notes:ro", "../other/data:/mnt/t:rw", "."] {
        project.reactor(&["exec", "--mount", mount, "--", "true"]).run().assert_code(NO_ENGINE);
    }
}
