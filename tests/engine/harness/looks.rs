//! What the tests see of the engine, and that nothing is left there.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use serde_json::Value;

use super::engine_and_image;
use crate::support::engine::Engine;
use crate::support::sandbox::{Project, Sandbox};

const SOON: Duration = Duration::from_secs(60);

/// A container of this project that stays up, with the label by which the project's containers are found.
fn container(engine: &Engine, image: &str, project: &Project<'_>) -> String {
    let label = format!("{}={}", Engine::PROJECT_LABEL, project.path().display());
    let args = ["run", "--detach", "--init", "--label", &label, "--entrypoint", "sleep", image, "infinity"];
    engine.docker(&args).trim().to_owned()
}

#[test]
fn the_containers_of_a_project_are_found_and_go_with_their_sandbox() {
    let Some((engine, image)) = engine_and_image() else { return };
    let (sandbox, other) = (Sandbox::on(&engine), Sandbox::on(&engine));
    let (app, neighbour) = (sandbox.project("app"), other.project("app"));
    let (mine, its) = (container(&engine, &image, &app), container(&engine, &image, &neighbour));
    let id =
        |found: &[Value]| found.iter().map(|one| one["Id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(id(&engine.containers(app.path())), [mine]);

    let path = app.path().to_owned();
    drop(app);
    drop(sandbox);
    assert!(engine.containers(&path).is_empty());
    assert_eq!(id(&engine.containers(neighbour.path())), [its]);
}

#[test]
fn containers_go_when_a_test_fails() {
    let Some((engine, image)) = engine_and_image() else { return };
    let failed = std::thread::spawn({
        let engine = engine.clone();
        move || {
            let sandbox = Sandbox::on(&engine);
            let project = sandbox.project("app");
            container(&engine, &image, &project);
            std::panic::panic_any(project.path().to_owned());
        }
    });
    let path = failed.join().expect_err("it panics").downcast::<std::path::PathBuf>().unwrap();
    assert!(!path.exists());
    assert!(engine.containers(&path).is_empty());
}

#[test]
fn execs_and_events_are_seen() {
    let Some((engine, image)) = engine_and_image() else { return };
    let sandbox = Sandbox::on(&engine);
    let project = sandbox.project("app");
    let events = engine.record_events();
    let container = container(&engine, &image, &project);
    let args = ["exec", "--interactive", &container, "sh", "-c", "echo in-exec; cat"];
    let mut running = project.command("docker", &args).spawn();
    running.wait_for_stdout("in-exec", SOON);
    let [exec] = &engine.execs(&container)[..] else { panic!("one exec runs") };
    assert_eq!((&exec["Running"], &exec["ProcessConfig"]["entrypoint"]), (&true.into(), &"sh".into()));
    running.close_stdin();
    running.wait(SOON).assert_success();

    let lines = events.lines();
    let seen = |action: &str| {
        lines.iter().any(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            event["Actor"]["ID"] == container.as_str()
                && event["Action"].as_str().unwrap().starts_with(action)
        })
    };
    assert!(seen("create") && seen("start"), "{lines:#?}");
    if engine.is_podman() {
        // Podman announces that something was executed, and not what.
        assert!(seen("exec"), "{lines:#?}");
        return;
    }
    assert!(lines.iter().any(|line| line.contains("exec_start: sh -c echo in-exec")), "{lines:#?}");
}

#[test]
fn a_container_is_looked_into() {
    let Some((engine, image)) = engine_and_image() else { return };
    let sandbox = Sandbox::on(&engine);
    let container = container(&engine, &image, &sandbox.project("app"));
    assert_eq!(engine.exec(&container, &["echo", "inside"]), "inside\n");
    assert_eq!(engine.inspect(&container)["State"]["Running"], true);
    assert!(engine.history(&image).lines().count() > 1);
    assert_eq!(engine.inspect_image(&image)[0]["Id"], engine.inspect(&container)["Image"]);
    assert_eq!(engine.api("/containers/no-such-container/json"), None);
}

#[test]
fn another_user_owns_the_sandbox_and_may_use_the_engine() {
    let Some((engine, _)) = engine_and_image() else { return };
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can run a command as somebody else");
        return;
    }
    let sandbox = Sandbox::on(&engine);
    let project = sandbox.project("app");
    let script = "id -u; id -g; touch \"$HOME/here\" mine; docker version --format '{{.Server.Os}}'";
    let output = project.command("sh", &["-c", script]).user(12345, 12346).run();
    output.assert_success().assert_stdout("12345\n12346\nlinux\n");
    let file = project.path().join("mine").metadata().unwrap();
    assert_eq!((file.uid(), file.gid()), (12345, 12346));
    project.reactor(&["--help"]).user(12345, 12346).run().assert_success();
}
