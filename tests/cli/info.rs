//! `info` without an engine: what only an engine knows is left open.

use crate::common::{USAGE, state, store_key};
use crate::support::fake_api::Script;
use crate::support::sandbox::Sandbox;

#[test]
fn without_an_engine_the_rest_is_shown() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("zai", Script::new());
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let project = sandbox.project("app");
    project.write(".claude-reactor", "variant: base\n");
    let data = sandbox.path().join("data");
    std::fs::create_dir(&data).unwrap();
    sandbox.write_home(".claude-reactor/config.yaml", format!("mounts: [{}:/mnt/data:ro]\n", data.display()));
    let before = state(&sandbox);
    let report = project.reactor(&["info", "--json", "--llm-provider", "zai"]).run().assert_success().json();
    assert_eq!(state(&sandbox), before);
    let engine = &report["engine"];
    assert_eq!((&engine["answers"], &engine["kind"]), (&false.into(), &serde_json::Value::Null));
    assert!(engine["error"].as_str().unwrap().starts_with("no container engine answers"));
    assert!(engine["hint"].is_string());
    assert_eq!(report["image"]["present"], serde_json::Value::Null);
    assert_eq!(report["project"]["hash"], project.hash());
    assert_eq!(report["project"]["files"].as_array().unwrap().len(), 3, "{:#}", report["project"]);
    assert_eq!(report["account"]["name"], "user");
    let provider = &report["provider"];
    assert_eq!((&provider["id"], &provider["from"]), (&"zai".into(), &"flag".into()));
    assert_eq!(provider["endpoint"], fake.base_url());
    assert_eq!(provider["credential"], "key ZAI_API_KEY");
    assert_eq!(report["container"]["state"], serde_json::Value::Null);
    let kinds: Vec<_> = report["mounts"].as_array().unwrap().iter().map(|mount| &mount["kind"]).collect();
    assert_eq!(kinds, ["project", "carried", "claude-state", "history", "mount"]);

    let output = project.reactor(&["info"]).run();
    output.assert_success().assert_stdout_contains("no container engine answers");
    output.assert_stdout_contains("credential: none yet: `run` asks for it");
    assert!(fake.requests().is_empty(), "nobody is asked");
}

#[test]
fn a_key_that_cannot_be_used_is_said_and_the_rest_is_shown() {
    let sandbox = Sandbox::new();
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", "not a line\n");
    let report = sandbox.project("app").reactor(&["info", "--json", "--llm-provider", "zai"]).run();
    let report = report.assert_success().json();
    assert!(report["provider"]["error"].as_str().unwrap().contains("line 1"), "{report:#}");
}

#[test]
fn a_configuration_that_cannot_be_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write_home(".claude-reactor/config.yaml", "acount: alice\n");
    let output = sandbox.project("app").reactor(&["info"]).run();
    output.assert_code(USAGE).assert_stdout("").assert_stderr_contains("unknown key `acount`");
}
