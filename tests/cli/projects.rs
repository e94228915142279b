//! Which folder is the project, seen by where its state is kept.

use std::path::Path;

use crate::common::{NO_ENGINE, USAGE, store_key};
use crate::support::sandbox::{Project, Sandbox};

/// The names of the session dirs that a run made.
fn session_dirs(sandbox: &Sandbox, invocation: crate::support::invocation::Invocation) -> Vec<String> {
    store_key(sandbox, "claude", "ANTHROPIC_API_KEY");
    invocation.run().assert_code(NO_ENGINE);
    let entries = sandbox.reactor_home().join("user").read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut dirs: Vec<_> = names.filter(|name| name != "llms").collect();
    dirs.sort();
    dirs
}

fn dir_of(project: &Project) -> String {
    format!("{}-{}", project.path().file_name().unwrap().to_str().unwrap(), project.hash())
}

#[test]
fn without_a_file_the_working_directory_is_the_project() {
    let sandbox = Sandbox::new();
    let inner = sandbox.project("app/src");
    let invocation = sandbox.project("app").reactor(&["run"]).in_folder("src");
    assert_eq!(session_dirs(&sandbox, invocation), [dir_of(&inner)]);
}

#[test]
fn the_nearest_file_upwards_marks_the_project() {
    let sandbox = Sandbox::new();
    let (outer, inner) = (sandbox.project("outer"), sandbox.project("outer/inner"));
    outer.write(".claude-reactor", "");
    let invocation = inner.reactor(&["run"]).in_folder("src/deep");
    assert_eq!(session_dirs(&sandbox, invocation), [dir_of(&outer)]);

    let sandbox = Sandbox::new();
    let (outer, inner) = (sandbox.project("outer"), sandbox.project("outer/inner"));
    outer.write(".claude-reactor", "");
    inner.write(".claude-reactor", "");
    let invocation = inner.reactor(&["run"]).in_folder("src/deep");
    assert_eq!(session_dirs(&sandbox, invocation), [dir_of(&inner)]);
}

#[test]
fn a_file_in_the_home_folder_marks_nothing() {
    let sandbox = Sandbox::new();
    let inner = sandbox.project("home/work/app");
    sandbox.project("home").write(".claude-reactor", "danger: true\n");
    let reactor_home = sandbox.path().join("state");
    let canary = sandbox.canary("claude");
    let invocation = inner.reactor(&["--apikey", canary.key(), "--no-verify"]);
    let invocation =
        invocation.env("CLAUDE_REACTOR_HOME", &reactor_home).env("HTTPS_PROXY", "http://127.0.0.1:9");
    invocation.run().assert_code(NO_ENGINE);
    assert!(reactor_home.join("user").join(dir_of(&inner)).is_dir());
}

#[test]
fn a_folder_or_a_link_of_that_name_marks_nothing() {
    let sandbox = Sandbox::new();
    let (outer, inner) = (sandbox.project("outer"), sandbox.project("outer/inner"));
    let file = outer.write("elsewhere", "danger: true\n");
    std::os::unix::fs::symlink(file, outer.path().join(".claude-reactor")).unwrap();
    std::fs::create_dir(inner.path().join(".claude-reactor")).unwrap();
    assert_eq!(session_dirs(&sandbox, inner.reactor(&["run"])), [dir_of(&inner)]);
}

#[test]
fn the_path_is_the_one_the_user_came_by() {
    let sandbox = Sandbox::new();
    let real = sandbox.project("real");
    let link = sandbox.path().join("link");
    std::os::unix::fs::symlink(real.path(), &link).unwrap();
    let linked = sandbox.project("link");
    let by_link = real.reactor(&["run"]).env("PWD", &link);
    assert_eq!(session_dirs(&sandbox, by_link), [dir_of(&linked)]);

    // A `PWD` that names another folder, or climbs, is not believed.
    for pwd in [sandbox.home(), link.join("../link"), "real".into()] {
        let dirs = session_dirs(&sandbox, real.reactor(&["run"]).env("PWD", pwd));
        assert_eq!(dirs, [dir_of(&linked), dir_of(&real)]);
    }
}

#[test]
fn the_folder_with_the_keys_is_no_project_and_neither_is_one_around_it() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "claude", "ANTHROPIC_API_KEY");
    let show = |folder: &str| {
        let output = sandbox.project(folder).reactor(&["run"]).run();
        output.assert_code(USAGE);
        sandbox.redactions().apply(output.stderr())
    };
    insta::assert_snapshot!(show("home"), @"
    error: [HOME] cannot be a project: [HOME]/.claude-reactor is where claude-reactor keeps your keys
      hint: change to a project's folder: `mkdir my-app && cd my-app`
    ");
    insta::assert_snapshot!(show("home/.claude-reactor/user"), @"
    error: [HOME]/.claude-reactor/user cannot be a project: [HOME]/.claude-reactor is where claude-reactor keeps your keys
      hint: change to a project's folder: `mkdir my-app && cd my-app`
    ");

    let link = sandbox.path().join("link");
    std::os::unix::fs::symlink(sandbox.home(), &link).unwrap();
    let output = sandbox.project("home").reactor(&["run"]).env("PWD", &link).run();
    output.assert_code(USAGE).assert_stderr_contains("is where claude-reactor keeps your keys");
}

#[test]
fn a_marked_folder_around_the_keys_is_refused_from_below_too() {
    let sandbox = Sandbox::new();
    let inner = sandbox.project("app/src");
    sandbox.project("app").write(".claude-reactor", "");
    let inside = sandbox.path().join("app/state");
    let output = inner.reactor(&["run"]).env("CLAUDE_REACTOR_HOME", &inside).run();
    output.assert_code(USAGE).assert_stderr_contains("is where claude-reactor keeps your keys");
    assert!(!inside.exists());
}

#[test]
fn a_folder_that_is_gone_is_said() {
    let sandbox = Sandbox::new();
    let program = Path::new(env!("CARGO_BIN_EXE_claude-reactor"));
    let script = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\"";
    let output = sandbox.project("app").command("sh", &["-c".as_ref(), script.as_ref(), program]).run();
    insta::assert_snapshot!(output.snapshot(), @"
    exit code: 1
    --- stderr
    error: the working directory cannot be read
      because: No such file or directory (os error 2)
      hint: change to a folder that exists
    ");
}
