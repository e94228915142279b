//! The image of a project where nobody chose one: by the names in its folder, and never away from a container that is there.

use serde_json::Value;

use crate::support::engine::Engine;
use crate::support::sandbox::{Project, Sandbox};

fn sandbox(engine: &Engine) -> Sandbox {
    let sandbox = Sandbox::on(engine);
    sandbox.write_home(".claude-reactor/user/llms/claude/.env", "ANTHROPIC_API_KEY='none'\n");
    sandbox
}

/// The variant that would be used, and why.
#[track_caller]
fn planned(project: &Project<'_>, flags: &[&str]) -> (String, String) {
    let args = [&["run", "--dry-run", "--json"], flags].concat();
    let report: Value = project.reactor(&args).run().assert_success().json();
    let image = report["image"].as_str().expect("a reference");
    let variant = image.split(['/', ':']).nth(1).expect("a variant").to_owned();
    (variant, report["image_source"].as_str().expect("words").to_owned())
}

fn pair(variant: &str, source: &str) -> (String, String) {
    (variant.to_owned(), source.to_owned())
}

#[test]
fn a_name_in_the_folder_decides_where_nothing_else_does() {
    let Some(engine) = crate::engine() else { return };
    let sandbox = sandbox(&engine);
    let app = sandbox.project("app");
    assert_eq!(planned(&app, &[]), pair("base", "default"));
    app.write("package.json", "{}");
    assert_eq!(planned(&app, &[]), pair("base", "detected: package.json"));
    app.write("terraform/main.tf", "");
    assert_eq!(planned(&app, &[]), pair("base", "detected: package.json"), "the first one counts");
    std::os::unix::fs::symlink("/nowhere", app.path().join("go.mod")).unwrap();
    assert_eq!(planned(&app, &[]), pair("go", "detected: go.mod"));
    assert_eq!(planned(&app, &["--image", "k8s"]), pair("k8s", "flag"));
    let text = app.reactor(&["run", "--dry-run"]).run().assert_success().stdout().to_owned();
    assert!(text.contains("from: detected: go.mod"), "{text}");

    app.write(".claude-reactor", "variant: full\n");
    let file = app.path().join(".claude-reactor").display().to_string();
    assert_eq!(planned(&app, &[]), pair("full", &file));
}

#[test]
fn the_root_of_the_project_counts_and_not_the_working_directory() {
    let Some(engine) = crate::engine() else { return };
    let sandbox = sandbox(&engine);
    let app = sandbox.project("app");
    app.write(".claude-reactor", "danger: false\n");
    app.write("Cargo.toml", "");
    app.write("part/go.mod", "");
    let part = sandbox.project("app/part");
    assert_eq!(planned(&part, &[]), pair("full", "detected: Cargo.toml"));
}

#[test]
fn a_container_that_is_there_is_kept_when_a_name_appears() {
    let Some(engine) = crate::engine() else { return };
    let sandbox = sandbox(&engine);
    let app = sandbox.project("app");
    app.reactor(&["exec", "--", "sh", "-c", "echo mine >~/mine"]).run().assert_success();
    let containers = || engine.containers(app.path()).len();
    assert_eq!(containers(), 1);

    app.write("go.mod", "module x\n");
    assert_eq!(planned(&app, &[]), pair("base", "the container that is there"));
    let first = app.reactor(&["exec", "--", "sh", "-c", "cat ~/mine"]).run();
    first.assert_success().assert_stdout("mine\n").assert_stderr_contains(
        "this project's container has the image `base`, and is kept; go.mod speaks for `go`: `--image go` changes to it, \
         `--image base` ends this note",
    );
    let second = app.reactor(&["exec", "--", "sh", "-c", "cat ~/mine"]).run();
    second.assert_success().assert_stdout("mine\n").assert_stderr_lacks("speaks for");
    assert_eq!(containers(), 1);
    assert_eq!(planned(&app, &["--image", "go"]), pair("go", "flag"), "whoever says so gets the other one");

    engine.remove_containers_below(sandbox.path());
    assert_eq!(planned(&app, &[]), pair("go", "detected: go.mod"), "without a container nothing holds it");
}
