//! `doctor` and `info` on a real engine.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use rustix::process::Signal;
use serde_json::Value;

use super::{Place, SOON};
use crate::support::doctor_report::{assert_outcome, check};
use crate::support::engine::Engine;
use crate::support::fake_api::{FakeApi, Script};

/// A name of its own for the built-in image, by which the containers that look at it are this test's.
struct Named {
    engine: Engine,
    name: String,
}

impl Named {
    fn new(engine: &Engine, name: &str) -> Self {
        let name = format!("reactor-test/doctor-{name}:{}", std::process::id());
        let base = engine.image("claude-reactor/base").expect("the built-in image is there");
        engine.docker(&["tag", &base, &name]);
        Self { engine: engine.clone(), name }
    }

    /// The containers that look at it, in whatever state.
    fn lookers(&self) -> String {
        let filter = format!("label=dev.claude-reactor.image-check={}", self.name);
        self.engine.docker(&["ps", "--all", "--quiet", "--filter", &filter])
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.engine.docker_output(&["rmi", &self.name]);
    }
}

#[track_caller]
fn doctor(place: &Place, flags: &[&str]) -> (Option<i32>, Value) {
    let output = place.reactor(&[&["doctor", "--json"], flags].concat()).run();
    (output.code(), output.json())
}

#[test]
fn a_healthy_machine_passes_and_no_key_is_sent() {
    let Some(place) = Place::new() else { return };
    let image = Named::new(&place.engine, "healthy");
    let (code, report) = doctor(&place, &["--image", &image.name]);
    assert_eq!(code, Some(0), "{report:#}");
    for id in ["engine", "engine-api", "engine-files", "engine-users", "image", "claude-code", "key"] {
        assert_outcome(&report, id, "pass");
    }
    for id in ["endpoint", "endpoint-inside", "clock", "clock-inside", "home-modes", "leftovers"] {
        assert_outcome(&report, id, "pass");
    }
    let inside = check(&report, "endpoint-inside")["found"].as_str().unwrap();
    assert!(inside.ends_with("a short-lived container"), "{inside}");
    assert_eq!(image.lookers(), "", "nothing is left");
    let requests = place.fake.requests();
    assert_eq!(requests.len(), 2, "one from here and one from inside: {requests:?}");
    for request in requests {
        assert_eq!((request.header("authorization"), request.header("x-api-key")), (None, None));
    }
}

#[test]
fn a_container_that_runs_is_asked_itself_and_told_of() {
    let Some(place) = Place::new() else { return };
    place.exec(&["true"]).run().assert_success();
    let id = place.id();
    let (code, report) = doctor(&place, &[]);
    assert_eq!(code, Some(0), "{report:#}");
    let inside = check(&report, "endpoint-inside");
    assert!(inside["found"].as_str().unwrap().ends_with("this project's container"), "{inside:#}");
    assert_eq!(place.id(), id);

    let info = place.reactor(&["info", "--json"]).run().assert_success().json();
    let container = &info["container"];
    assert_eq!(
        (&container["state"], &container["next_run"]),
        (&"running".into(), &"reuse".into()),
        "{container:#}"
    );
    assert_eq!(container["sessions"], 0);
    assert!(container["created"].is_string());
    let kind = if place.engine.is_podman() { "podman" } else { "docker" };
    assert_eq!((&info["engine"]["answers"], &info["engine"]["kind"]), (&true.into(), &kind.into()));
    assert_eq!(info["engine"]["endpoint"], place.engine.host());
    assert_eq!(info["image"]["present"], true);
    assert_eq!(info["image"]["claude_code_version"], info["claude_code_version"]);
    assert!(info["image"]["size"].as_u64().unwrap() > 100_000_000);
    // What is shown is what the container has.
    let mut shown: Vec<_> =
        info["mounts"].as_array().unwrap().iter().map(|mount| mount["target"].clone()).collect();
    let container = place.container();
    let mut there: Vec<_> =
        container["Mounts"].as_array().unwrap().iter().map(|mount| mount["Destination"].clone()).collect();
    shown.sort_by_key(Value::to_string);
    there.sort_by_key(Value::to_string);
    assert_eq!(shown, there);

    let shell = place.reactor(&["info"]).run();
    shell.assert_success().assert_stdout_contains("0 sessions inside; the next run: reuse");
}

#[test]
fn an_image_that_is_not_there_is_no_failure() {
    let Some(place) = Place::new() else { return };
    let (code, report) = doctor(&place, &["--image", "reactor-test/none:1"]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_outcome(&report, "image", "warn");
    assert_outcome(&report, "claude-code", "skipped");
    assert_outcome(&report, "endpoint-inside", "skipped");
}

#[test]
fn an_image_without_claude_code_is_one() {
    let Some(place) = Place::new() else { return };
    let (code, report) = doctor(&place, &["--image", "debian:trixie-slim", "--offline"]);
    assert_eq!(code, Some(1), "{report:#}");
    assert_outcome(&report, "claude-code", "fail");
}

#[test]
fn an_image_that_a_repository_names_is_not_started_before_its_user_has_consented() {
    let Some(place) = Place::new() else { return };
    let image = Named::new(&place.engine, "unasked");
    place.project().write(".claude-reactor", format!("variant: {}\n", image.name));
    let (code, report) = doctor(&place, &["--offline"]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_outcome(&report, "image", "pass");
    for id in ["claude-code", "clock-inside"] {
        assert_outcome(&report, id, "skipped");
    }
    place.reactor(&["config", "trust", "--yes"]).run().assert_success();
    assert_outcome(&doctor(&place, &["--offline"]).1, "claude-code", "pass");
}

#[test]
fn a_server_that_listens_to_this_machine_alone_is_not_reached_from_inside() {
    let Some(place) = Place::new() else { return };
    let alone = FakeApi::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST), "alone", Script::new());
    let rows =
        format!("providers:\n  zai:\n    base_url: http://host.docker.internal:{}\n", alone.address().port());
    place.sandbox.write_home(".claude-reactor/providers.yaml", rows);
    let (code, report) = doctor(&place, &[]);
    assert_eq!(code, Some(1), "{report:#}");
    assert_outcome(&report, "endpoint", "pass");
    assert_outcome(&report, "endpoint-inside", "fail");
    let remedy = check(&report, "endpoint-inside")["remedy"].as_str().unwrap();
    assert!(remedy.contains("0.0.0.0"), "{remedy}");
}

#[test]
fn what_is_left_of_a_project_that_is_gone_is_named() {
    let Some(place) = Place::new() else { return };
    let gone = place.sandbox.project("gone");
    let exec = gone.reactor(&["exec", "--", "true"]).env("CLAUDE_REACTOR_LLM_PROVIDER", "zai");
    exec.run().assert_success();
    let container = place.engine.containers(gone.path()).remove(0);
    let name = container["Name"].as_str().unwrap().trim_start_matches('/').to_owned();
    let path = gone.path().to_owned();
    fs::remove_dir_all(&path).unwrap();
    let (_, report) = doctor(&place, &["--offline"]);
    assert_outcome(&report, "leftovers", "warn");
    let leftovers = check(&report, "leftovers");
    assert!(leftovers["remedy"].as_str().unwrap().ends_with(&format!(" rm -f {name}")), "{leftovers:#}");
    assert_outcome(&report, "gone-projects", "warn");
    assert!(check(&report, "gone-projects")["found"].as_str().unwrap().contains(path.to_str().unwrap()));
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    let image = Named::new(&place.engine, "interrupted");
    let gate = place.gate("gate");
    gate.hold("POST", "/exec");
    let call = place.reactor(&["doctor", "--image", &image.name]).env("DOCKER_HOST", gate.host());
    let running = call.spawn();
    gate.wait_for_held(SOON);
    assert_ne!(image.lookers(), "", "a look began");
    running.signal(Signal::INT);
    running.wait(SOON).assert_code(130).assert_stdout("").assert_stderr_contains("cancelled");
    assert_eq!(image.lookers(), "");
}
