//! `llm test --host-only`: what this machine can tell of a provider.

use std::net::TcpListener;

use crate::common::{USAGE, answer_once, dead_end, store_key};
use crate::support::fake_api::{Credential, Failure, Script};
use crate::support::output::Output;
use crate::support::sandbox::Sandbox;

fn test(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.project("app").reactor(&[&["llm", "test", "--host-only"], args].concat()).run()
}

/// The one check.
fn check(sandbox: &Sandbox, provider: &str) -> serde_json::Value {
    let output = test(sandbox, &[provider, "--json"]);
    let report = output.json();
    assert_eq!(output.code(), Some(i32::from(report["ok"] == false)), "{report}");
    assert_eq!(report["checks"].as_array().unwrap().len(), 1);
    report["checks"][0].clone()
}

#[test]
fn a_provider_that_works_is_reached_and_takes_key_and_model() {
    let sandbox = Sandbox::new();
    let key = store_key(&sandbox, "zai", "ZAI_API_KEY");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(key)));
    let found = check(&sandbox, "zai");
    assert_eq!(
        (&found["from"], &found["reached"], &found["key"], &found["model"], &found["status"]),
        (&"host".into(), &true.into(), &"good".into(), &"found".into(), &200.into())
    );
    assert!(found["latency_ms"].is_u64() && found["problem"].is_null());
    assert_eq!(fake.messages()[0].body["max_tokens"], 1);
    test(&sandbox, &["zai"]).assert_success().assert_stdout_contains("yes");
    assert!(!sandbox.path().join("app/.claude-reactor").exists());
}

#[test]
fn each_failure_comes_with_its_remedy() {
    let sandbox = Sandbox::new();
    let key = store_key(&sandbox, "zai", "ZAI_API_KEY");
    let other = sandbox.canary("other");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(other)));
    let fails = |status| {
        Script::new().requires(Credential::Bearer(key.clone())).fails(Failure { status, final_: true })
    };
    let found = check(&sandbox, "zai");
    assert_eq!((&found["key"], &found["status"]), (&"refused".into(), &401.into()));
    assert!(found["remedy"].as_str().unwrap().contains("claude-reactor llm add zai --key-stdin"), "{found}");
    for (status, model, remedy) in [
        (404, "not-found", "claude-reactor llm use zai --model MODEL"),
        (429, "unclear", "try again later"),
        (402, "unclear", "wants to be paid"),
        (529, "unclear", "try again later"),
    ] {
        fake.follow(fails(status));
        let found = check(&sandbox, "zai");
        assert_eq!((&found["model"], &found["reached"]), (&model.into(), &true.into()), "{found}");
        assert!(found["remedy"].as_str().unwrap().contains(remedy), "{found}");
    }
}

#[test]
fn an_endpoint_where_nobody_answers_is_said() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let (_held, address) = dead_end();
    sandbox.redact(address.to_string(), "[NOBODY]");
    sandbox.write_home(
        ".claude-reactor/providers.yaml",
        format!("providers:\n  zai:\n    base_url: http://{address}\n"),
    );
    insta::assert_snapshot!(test(&sandbox, &["zai"]).snapshot(), @r"
    exit code: 1
    --- stdout
    zai, Z.AI · http://[NOBODY] · glm-5.2 · ZAI_API_KEY in llms/zai/.env

    FROM  REACHED  KEY        MODEL      TIME
    host  no       not tried  not tried

    host: no connection to [NOBODY]: Connection refused (os error 111)
      hint: check the address, your network, and HTTPS_PROXY; a network that re-signs TLS needs ca_file in ~/.claude-reactor/config.yaml
    ");
}

#[test]
fn a_provider_without_its_key_is_wrong_usage() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(test(&sandbox, &["zai"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: there is no API key for Z.AI yet, and no terminal to ask for one
      hint: run `claude-reactor llm add zai --key-from-env` with ZAI_API_KEY or Z_AI_API_KEY set, or `claude-reactor llm add zai --key-stdin < key.txt`
    ");
    test(&sandbox, &["vertex"]).assert_code(USAGE).assert_stderr_contains("ANTHROPIC_VERTEX_PROJECT_ID");
    test(&sandbox, &["openai"]).assert_code(USAGE);
    test(&sandbox, &["nobody"]).assert_code(USAGE).assert_stderr_contains("is not known");
}

#[test]
fn of_a_cloud_only_the_endpoint_is_tried() {
    let sandbox = Sandbox::new();
    let key = sandbox.canary("bedrock");
    let fake = sandbox.fake("bedrock", Script::new());
    let text = format!("AWS_REGION='eu-west-1'\nAWS_BEARER_TOKEN_BEDROCK='{}'\n", key.key());
    sandbox.write_home(".claude-reactor/user/llms/bedrock/.env", text);
    let report = test(&sandbox, &["bedrock", "--json"]).json();
    assert_eq!((&report["ok"], &report["model"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(report["checks"][0]["key"], "not-tried");
    assert_eq!(report["not_tested"].as_array().unwrap().len(), 1);
    let [request] = &fake.requests()[..] else { panic!("one request") };
    assert!(!key.is_in(request.headers_text()) && !request.is_message());
}

#[test]
fn a_login_is_looked_at_and_not_used() {
    let sandbox = Sandbox::new();
    sandbox.write_home(".claude-reactor/user/llms/claude/login/.keep", "");
    let report = test(&sandbox, &["claude", "--json"]);
    let report = report.assert_code(1).json();
    assert_eq!(report["credential"]["kind"], "login");
    assert_eq!(report["checks"][0]["key"], "absent");
}

#[test]
fn without_an_engine_the_try_from_inside_says_so() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let _fake = sandbox.fake("zai", Script::new());
    let output = sandbox.project("app").reactor(&["llm", "test", "zai"]).run();
    output.assert_code(1).assert_stdout_contains("container: not tried: no container engine answers");
    output.assert_stdout_contains("--host-only tries it from this machine alone");
}

#[test]
fn what_a_repository_chooses_is_asked_about_before_its_container_is_started() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let _fake = sandbox.fake("zai", Script::new());
    let project = sandbox.project("app");
    let session_dir = sandbox.reactor_home().join(format!("user/app-{}", project.hash()));
    for (file, said) in [
        ("llm: {provider: deepseek}\n", "this project's file chooses provider deepseek"),
        ("danger: true\n", "what takes effect only with your consent"),
    ] {
        project.write(".claude-reactor", file);
        let output = project.reactor(&["llm", "test", "zai"]).run();
        output.assert_code(1).assert_stdout_contains(said);
        assert!(!session_dir.exists(), "{file}");
    }
}

#[test]
fn a_page_in_the_place_of_the_endpoint_is_no_answer_of_it() {
    let sandbox = Sandbox::new();
    store_key(&sandbox, "zai", "ZAI_API_KEY");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    sandbox.write_home(
        ".claude-reactor/providers.yaml",
        format!("providers:\n  zai:\n    base_url: http://{address}\n"),
    );
    let portal = std::thread::spawn(move || {
        let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 22\r\nconnection: close\r\n\r\n\
                    <html>log in to</html>";
        answer_once(listener.accept().unwrap().0, b"}", page);
    });
    let found = check(&sandbox, "zai");
    portal.join().unwrap();
    assert_eq!(
        (&found["reached"], &found["key"], &found["model"], &found["status"]),
        (&true.into(), &"unclear".into(), &"unclear".into(), &200.into())
    );
    assert!(found["remedy"].as_str().unwrap().contains("base_url"), "{found}");
}
