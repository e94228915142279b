//! `gateway serve` and `ask`: Anthropic's API in front of backends that speak others.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::USAGE;
use crate::support::fake_api::{Credential, Script};
use crate::support::fake_upstream::{Answer, FakeUpstream};
use crate::support::running::Running;
use crate::support::sandbox::Sandbox;
use crate::support::secrets::Canary;

const SOON: Duration = Duration::from_secs(30);

const SSE: &str = "text/event-stream";

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
}

/// A reply of a few words, cut in the midst of a character.
fn pong() -> Answer {
    let text = [
        chunk(&json!({"content": "pong "}), None),
        chunk(&json!({"content": "✓"}), Some("stop")),
        "data: [DONE]\n\n".to_owned(),
    ];
    Answer::stream(SSE, &[&text.concat()])
}

/// A sandbox whose `openai` is a fake, and whose key is in place.
fn with_openai(answers: impl IntoIterator<Item = Answer>) -> (Sandbox, FakeUpstream, Canary) {
    let sandbox = Sandbox::new();
    let upstream = FakeUpstream::start(answers);
    sandbox.redact(upstream.address().to_string(), "[UPSTREAM]");
    let row = format!(
        "providers:\n  openai:\n    base_url: http://{}/v1\n    models: {{main: gpt-main}}\n",
        upstream.address()
    );
    sandbox.write_home(".claude-reactor/providers.yaml", row);
    let key = sandbox.canary("openai");
    sandbox.write_home(".claude-reactor/user/llms/openai/.env", format!("OPENAI_API_KEY='{}'\n", key.key()));
    (sandbox, upstream, key)
}

/// A gateway that serves, with where it does and the token that it wants.
struct Served {
    running: Running,
    url: String,
    token: String,
}

impl Served {
    fn start(sandbox: &Sandbox, provider: &str) -> Self {
        let project = sandbox.project("app");
        let args = ["gateway", "serve", "--llm-provider", provider, "--listen", "127.0.0.1:0"];
        let files = ["--port-file", "port", "--token-file", "token"];
        let running = project.reactor(&[&args[..], &files[..]].concat()).spawn();
        running.wait_for_stderr("its token is in", SOON);
        let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap().trim().to_owned();
        Self { running, url: format!("http://127.0.0.1:{}", read("port")), token: read("token") }
    }

    fn post(&self, path: &str, body: &Value) -> (u16, ureq::http::HeaderMap, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{}{path}", self.url)).header("x-api-key", &self.token);
        let mut response = request.send(body.to_string()).unwrap();
        let headers = response.headers().clone();
        (response.status().as_u16(), headers, response.body_mut().read_to_string().unwrap())
    }
}

fn question(stream: bool) -> Value {
    json!({"model": "gpt-main", "max_tokens": 100, "stream": stream, "messages": [{"role": "user", "content": "ping"}]})
}

#[test]
fn a_question_is_answered_with_what_it_took() {
    let (sandbox, upstream, key) = with_openai([pong()]);
    let project = sandbox.project("app");
    let output = project
        .reactor(&["ask", "--llm-provider", "openai", "--system", "short", "ping"])
        .stdin("below")
        .run();
    output.assert_success().assert_stdout("pong ✓\n");
    let requests = upstream.requests();
    assert_eq!(requests[0].line, "POST /v1/chat/completions");
    assert_eq!(requests[0].header("authorization"), Some(format!("Bearer {}", key.key()).as_str()));
    assert_eq!(requests[0].json()["messages"][1]["content"], "ping\n\nbelow");

    let args =
        ["ask", "--llm-provider", "openai", "--json", "--model", "gpt-other", "--max-tokens", "7", "ping"];
    let report = project.reactor(&args).stdin("").run().assert_success().json();
    assert_eq!(
        (&report["content"], &report["provider"], &report["model"]),
        (&json!("pong ✓"), &json!("openai"), &json!("gpt-other"))
    );
    assert!(report["milliseconds"].is_number() && report["usage"]["output_tokens"] == 2, "{report}");
    let body = upstream.requests()[1].json();
    assert_eq!((&body["model"], &body["max_completion_tokens"]), (&json!("gpt-other"), &json!(7)));
}

#[test]
fn a_provider_that_speaks_anthropics_api_is_asked_the_same_way() {
    let sandbox = Sandbox::new();
    let key = sandbox.canary("zai");
    let fake = sandbox.fake("zai", Script::new().requires(Credential::Bearer(key.clone())));
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", format!("ZAI_API_KEY='{}'\n", key.key()));
    let output = sandbox.project("app").reactor(&["ask", "--llm-provider", "zai", "ping"]).stdin("").run();
    output.assert_success().assert_stdout("pong from fake-zai\n");
    assert_eq!(fake.await_message(Duration::ZERO).header("anthropic-version").as_deref(), Some("2023-06-01"));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let refusal = Answer::error(401, r#"{"error":{"message":"Incorrect API key"}}"#);
    let (sandbox, _upstream, _) = with_openai([refusal]);
    let project = sandbox.project("app");
    let show = |args: &[&str]| project.reactor(&[&["ask", "--llm-provider"], args].concat()).stdin("").run();
    insta::assert_snapshot!(show(&["openai", "ping"]).snapshot(), @"
    exit code: 1
    --- stderr
    error: OpenAI: Incorrect API key
      hint: give another key with --key-stdin or --key-from-env
    ");
    insta::assert_snapshot!(show(&["openai"]).snapshot(), @"
    exit code: 2
    --- stderr
    error: there is no question
      hint: give it as an argument, or on standard input
    ");
    let asked = show(&["groq", "ping"]);
    asked.assert_code(USAGE).assert_stderr_contains("there is no API key for Groq yet");
    asked.assert_stderr_contains("`claude-reactor ask hello --llm-provider groq --key-from-env`");
    show(&["bedrock", "ping"]).assert_code(USAGE);
}

#[test]
fn the_gateway_speaks_anthropics_api_to_who_has_the_token() {
    let (sandbox, upstream, key) = with_openai([pong()]);
    let served = Served::start(&sandbox, "openai");
    let health: Value = serde_json::from_reader(
        ureq::get(format!("{}/health", served.url)).call().unwrap().into_body().into_reader(),
    )
    .unwrap();
    assert_eq!(health, json!({"status": "ok", "provider": "openai"}));

    let stranger = Served {
        token: "wrong".to_owned(),
        url: served.url.clone(),
        running: sandbox.project("app").command("true", &[] as &[&str]).spawn(),
    };
    let (status, headers, body) = stranger.post("/v1/messages", &question(false));
    assert_eq!((status, headers["x-should-retry"].to_str().unwrap()), (401, "false"));
    assert!(body.contains("authentication_error"), "{body}");
    stranger.running.wait(SOON);
    assert!(upstream.requests().is_empty(), "nothing was asked for a stranger");

    let (status, headers, body) = served.post("/v1/messages?beta=true", &question(true));
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, SSE));
    for part in
        ["event: message_start", "\"text\":\"pong \"", "\"stop_reason\":\"end_turn\"", "event: message_stop"]
    {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(!body.contains(key.key()) && !served.token.contains(key.tail()));

    let (status, _, body) = served.post("/v1/messages/count_tokens?beta=true", &question(false));
    let count: Value = serde_json::from_str(&body).unwrap();
    assert!(status == 200 && count["input_tokens"].as_u64().unwrap() > 0, "{body}");
    let (status, _, body) = served.post("/v1/nothing", &json!({}));
    assert!(status == 404 && body.contains("not_found_error"), "{body}");
    let (status, _, body) = served.post("/v1/messages", &json!({"messages": 7}));
    assert!(status == 400 && body.contains("invalid_request_error"), "{body}");
}

#[test]
fn the_token_is_kept_and_private() {
    use std::os::unix::fs::MetadataExt;
    let (sandbox, _upstream, _) = with_openai([pong()]);
    let first = Served::start(&sandbox, "openai");
    let token = first.token.clone();
    let file = sandbox.project("app").path().join("token");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    let running = first.running;
    running.signal(rustix::process::Signal::INT);
    running.wait(SOON).assert_success();
    assert_eq!(Served::start(&sandbox, "openai").token, token);
}

#[test]
fn a_backends_refusals_are_anthropics_errors() {
    let (sandbox, _upstream, _) = with_openai([
        Answer::error(429, r#"{"error":{"message":"slow down"}}"#).header("retry-after", "7"),
        Answer::error(
            400,
            r#"{"error":{"message":"This model's maximum context length is 8000 tokens, however you requested 9000 tokens"}}"#,
        ),
        Answer::error(502, "<html>bad gateway</html>"),
    ]);
    let served = Served::start(&sandbox, "openai");
    let (status, headers, body) = served.post("/v1/messages", &question(true));
    assert_eq!((status, headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert!(body.contains("rate_limit_error") && body.contains("slow down"), "{body}");
    let (status, _, body) = served.post("/v1/messages", &question(true));
    assert!(status == 400 && body.contains("prompt is too long: 9000 tokens > 8000 maximum"), "{body}");
    let (status, _, body) = served.post("/v1/messages", &question(false));
    assert!(status == 502 && body.contains("api_error") && !body.contains("html"), "{body}");
}

#[test]
fn a_reply_that_is_cut_off_is_never_a_success() {
    let half = chunk(&json!({"content": "half"}), None);
    let (sandbox, _upstream, _) = with_openai([
        Answer::stream(SSE, &[&half]).cut(),
        Answer::stream(SSE, &[&half]),
        Answer::stream(SSE, &[&half, "data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n"]),
    ]);
    let served = Served::start(&sandbox, "openai");
    for said in ["api_error", "api_error", "overloaded_error"] {
        let (status, _, body) = served.post("/v1/messages", &question(true));
        assert!(status == 200 && body.contains("event: error") && body.contains(said), "{said} in {body}");
        assert!(!body.contains("message_stop"), "{body}");
    }
}

#[test]
fn a_client_that_goes_takes_the_backends_reply_with_it() {
    let first = chunk(&json!({"content": "first"}), None);
    let (sandbox, upstream, _) = with_openai([Answer::stream(SSE, &[&first]).then_silent()]);
    let served = Served::start(&sandbox, "openai");
    let request = ureq::post(format!("{}/v1/messages", served.url))
        .header("authorization", format!("Bearer {}", served.token));
    let response = request.send(question(true).to_string()).unwrap();
    let mut lines = BufReader::new(response.into_body().into_reader()).lines();
    assert!(lines.any(|line| line.unwrap().contains("first")), "it comes as it is said");
    drop(lines);
    upstream.await_gone(Duration::from_secs(5));
}

#[test]
fn what_speaks_anthropics_api_goes_through_as_it_is() {
    let sandbox = Sandbox::new();
    let body = "event: message_start\ndata: {\"unknown\":  1}\n\n";
    let upstream = FakeUpstream::start([Answer::stream(SSE, &[body]).header("x-own", "kept")]);
    let row = format!("providers:\n  zai:\n    base_url: http://{}/api\n", upstream.address());
    sandbox.write_home(".claude-reactor/providers.yaml", row);
    let key = sandbox.canary("zai");
    sandbox.write_home(".claude-reactor/user/llms/zai/.env", format!("ZAI_API_KEY='{}'\n", key.key()));
    let served = Served::start(&sandbox, "zai");
    let sent = "{\"model\": \"m\",   \"brand_new\": [1, 2]}";
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request =
        agent.post(format!("{}/v1/messages?beta=true", served.url)).header("x-api-key", &served.token);
    let mut response = request.header("anthropic-beta", "a,b").send(sent).unwrap();
    assert_eq!(response.headers()["x-own"], "kept");
    let mut text = String::new();
    response.body_mut().as_reader().read_to_string(&mut text).unwrap();
    assert_eq!(text, body);
    let request = &upstream.requests()[0];
    assert_eq!(
        (request.line.as_str(), request.header("anthropic-beta")),
        ("POST /api/v1/messages?beta=true", Some("a,b"))
    );
    assert_eq!(request.body, sent.as_bytes());
    assert_eq!(request.header("authorization"), Some(format!("Bearer {}", key.key()).as_str()));
    assert_eq!(request.header("x-api-key"), None, "the client's token stays here");
}
