//! `llm test` from inside a container: what it finds, and that nobody sees the key.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::engine;
use crate::support::engine::Engine;
use crate::support::fake_api::{Credential, Failure, FakeApi, Script};
use crate::support::sandbox::{Project, Sandbox};
use crate::support::secrets::Canary;

const SOON: Duration = Duration::from_secs(60);

/// A project whose account has a key for zai.
struct Place<'s> {
    sandbox: &'s Sandbox,
    project: Project<'s>,
    key: Canary,
}

impl<'s> Place<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let key = sandbox.canary("zai");
        sandbox.write_home(".claude-reactor/user/llms/zai/.env", format!("ZAI_API_KEY='{}'\n", key.key()));
        Self { sandbox, project: sandbox.project("app"), key }
    }

    fn row(&self, base_url: &str) {
        let rows = format!("providers:\n  zai:\n    base_url: {base_url}\n");
        self.sandbox.write_home(".claude-reactor/providers.yaml", rows);
    }

    fn script(&self) -> Script {
        Script::new().requires(Credential::Bearer(self.key.clone()))
    }

    /// The try from this machine and the one from inside; the exit code says whether both are good.
    #[track_caller]
    fn test(&self) -> [Value; 2] {
        let output = self.project.reactor(&["llm", "test", "zai", "--json"]).run();
        let report = output.json();
        assert_eq!(output.code(), Some(i32::from(report["ok"] == false)), "{report:#}");
        let checks = report["checks"].as_array().expect("there are checks");
        assert_eq!((&checks[0]["from"], &checks[1]["from"]), (&"host".into(), &"container".into()));
        [checks[0].clone(), checks[1].clone()]
    }
}

#[track_caller]
fn assert_found(check: &Value, reached: bool, key: &str, model: &str) {
    let found = (check["reached"] == reached, check["key"] == key, check["model"] == model);
    assert_eq!(found, (true, true, true), "{check:#}");
}

#[test]
fn what_is_wrong_is_found_from_inside_as_well() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let place = Place::new(&sandbox);
    let fake = FakeApi::start_on(engine.gateway(), "zai", place.script());
    place.row(&fake.base_url());
    for check in place.test() {
        assert_found(&check, true, "good", "found");
        assert!(check["latency_ms"].is_u64() && check["problem"].is_null(), "{check:#}");
    }
    assert_eq!(fake.messages().len(), 2);
    assert_eq!(engine.containers(place.project.path()).len(), 1);
    let choices = sandbox.reactor_home().join(format!("user/app-{}/.claude-reactor", place.project.hash()));
    assert!(!choices.exists(), "a try chooses nothing");

    fake.follow(Script::new().requires(Credential::Bearer(sandbox.canary("other"))));
    for check in place.test() {
        assert_found(&check, true, "refused", "not-tried");
        assert!(check["remedy"].as_str().unwrap().contains("llm add zai --key-stdin"), "{check:#}");
    }
    fake.follow(place.script().fails(Failure { status: 404, final_: true }));
    for check in place.test() {
        assert_found(&check, true, "unclear", "not-found");
        assert!(check["problem"].as_str().unwrap().contains("the fake answers 404"), "{check:#}");
    }
}

#[test]
fn a_server_that_listens_to_this_machine_alone_is_not_reached_from_inside() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let place = Place::new(&sandbox);
    let fake = FakeApi::start("zai", place.script());
    place.row(&format!("http://host.docker.internal:{}", fake.address().port()));
    let [host, container] = place.test();
    assert_found(&host, true, "good", "found");
    assert_found(&container, false, "not-tried", "not-tried");
    let remedy = container["remedy"].as_str().unwrap();
    assert!(remedy.contains("more than 127.0.0.1"), "{container:#}");

    place.row("http://no-such-host.invalid");
    let [_, container] = place.test();
    assert!(container["remedy"].as_str().unwrap().contains("cannot resolve"), "{container:#}");
}

#[test]
fn nobody_sees_the_key_of_a_try() {
    let Some(engine) = engine() else { return };
    let sandbox = Sandbox::on(&engine);
    let place = Place::new(&sandbox);
    let fake = FakeApi::start_on(engine.gateway(), "zai", place.script());
    // From this machine nobody is there, so that what is held is the try from inside.
    place.row(&format!("http://host.docker.internal:{}", fake.address().port()));
    let events = engine.record_events();
    fake.hold();
    let running = place.project.reactor(&["llm", "test", "zai", "--debug", "--json"]).spawn();
    fake.await_message(SOON);
    let [container] = &engine.containers(place.project.path())[..] else { panic!("one container") };
    let id = container["Id"].as_str().unwrap();
    assert_not_in_sight(&engine, &sandbox, id);
    fake.release();
    let output = running.wait(SOON);
    assert_found(&output.assert_code(1).json()["checks"][1], true, "good", "found");
    for event in events.lines() {
        sandbox.redactions().assert_no_secret_in("an event of the engine", event.as_bytes());
    }
    let env = sandbox.reactor_home().join("user/llms/zai/.env");
    assert_eq!(sandbox.files_with(&place.key), [env.strip_prefix(sandbox.path()).unwrap()]);
}

/// Nothing that the engine or the machine shows of the container and of curl in it holds a key.
fn assert_not_in_sight(engine: &Engine, sandbox: &Sandbox, id: &str) {
    let redactions = sandbox.redactions();
    let execs = engine.execs(id);
    assert!(execs.iter().any(|exec| exec["Running"] == true), "{execs:#?}");
    redactions.assert_no_secret_in("an inspected exec", format!("{execs:?}").as_bytes());
    redactions.assert_no_secret_in("the inspected container", engine.inspect(id).to_string().as_bytes());
    let mut seen = 0;
    for process in fs::read_dir("/proc").expect("processes are listed in /proc").flatten() {
        let Ok(arguments) = fs::read(process.path().join("cmdline")) else { continue };
        let is_curl = arguments.starts_with(b"curl\0");
        redactions.assert_no_secret_in("the arguments of a process", &arguments);
        if is_curl {
            seen += 1;
            let environment = fs::read(process.path().join("environ")).unwrap_or_default();
            redactions.assert_no_secret_in("curl's environment", &environment);
        }
    }
    assert!(seen > 0, "curl itself is not in /proc");
}
