//! The fake speaks HTTP and the Messages API. That it is enough for Claude Code, the engine tests show.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::fake_api::{Credential, Failure, FakeApi, Script};
use crate::support::secrets::Canary;

const SOON: Duration = Duration::from_secs(20);

fn ask(fake: &FakeApi, headers: &[(&str, &str)], body: &Value) -> (u16, Option<String>, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("{}/v1/messages?beta=true", fake.base_url());
    let request =
        headers.iter().fold(agent.post(url), |request, (name, value)| request.header(*name, *value));
    let mut response = request.send(body.to_string()).expect("the fake answers");
    let retry = response.headers().get("x-should-retry").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), retry, response.body_mut().read_to_string().unwrap())
}

fn request(stream: bool) -> Value {
    json!({
        "model": "glm-4.6",
        "stream": stream,
        "max_tokens": 100,
        "messages": [{ "role": "user", "content": "ping" }],
    })
}

/// The data of the events of a stream, each of which is named by its own type.
fn events(stream: &str) -> Vec<Value> {
    let event = |text: &str| {
        let (name, data) = text.split_once('\n').expect("an event has two lines");
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap()));
        data
    };
    stream.split_terminator("\n\n").map(event).collect()
}

#[test]
fn a_message_comes_whole_with_the_model_that_was_asked_for() {
    let fake = FakeApi::start("zai", Script::new());
    let (status, _, body) = ask(&fake, &[], &request(false));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(body["content"], json!([{ "type": "text", "text": "pong from fake-zai" }]));
    assert_eq!((&body["model"], &body["stop_reason"]), (&json!("glm-4.6"), &json!("end_turn")));
}

#[test]
fn a_streamed_message_has_every_event_in_order() {
    let fake = FakeApi::start("zai", Script::new().replies("zwölf ✓"));
    let (_, _, body) = ask(&fake, &[], &request(true));
    let events = events(&body);
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(text, "zwölf ✓");
    assert_eq!(events[0]["message"]["model"], "glm-4.6");
}

#[test]
fn a_tool_is_called_once_where_it_is_offered() {
    let fake = FakeApi::start("zai", Script::new().writes_file("/app/a.txt", "content\n"));
    let (_, _, without) = ask(&fake, &[], &request(true));
    assert!(without.contains("pong"), "{without}");

    let mut conversation = request(true);
    conversation["tools"] = json!([{ "name": "Write", "input_schema": {} }]);
    let (_, _, call) = ask(&fake, &[], &conversation);
    let call = events(&call);
    assert_eq!(call[1]["content_block"]["name"], "Write");
    assert_eq!(call[1]["content_block"]["input"], json!({}));
    let input: String = call.iter().filter_map(|event| event["delta"]["partial_json"].as_str()).collect();
    let input: Value = serde_json::from_str(&input).unwrap();
    assert_eq!(input, json!({ "file_path": "/app/a.txt", "content": "content\n" }));
    assert_eq!(call[6]["delta"]["stop_reason"], "tool_use");

    let id = &call[1]["content_block"]["id"];
    conversation["messages"].as_array_mut().unwrap().extend([
        json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": id, "name": "Write", "input": {} }] }),
        json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": "ok" }] }),
    ]);
    let (_, _, reply) = ask(&fake, &[], &conversation);
    assert!(reply.contains("\"end_turn\""), "{reply}");
}

#[test]
fn a_request_without_its_credential_is_refused_for_good() {
    let key = Canary::new("zai");
    let bearer = FakeApi::start("zai", Script::new().requires(Credential::Bearer(key.clone())));
    let api_key = FakeApi::start("claude", Script::new().requires(Credential::ApiKey(key.clone())));
    let as_bearer = format!("Bearer {}", key.key());

    let (status, retry, body) = ask(&bearer, &[("x-api-key", key.key())], &request(true));
    assert_eq!((status, retry.as_deref()), (401, Some("false")));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!("authentication_error")));

    assert_eq!(ask(&bearer, &[("Authorization", &as_bearer)], &request(true)).0, 200);
    assert_eq!(ask(&api_key, &[("Authorization", &as_bearer)], &request(true)).0, 401);
    assert_eq!(ask(&api_key, &[("X-Api-Key", key.key())], &request(true)).0, 200);
}

#[test]
fn a_script_can_fail_and_be_replaced() {
    let fake = FakeApi::start("zai", Script::new().fails(Failure { status: 429, final_: false }));
    let (status, retry, body) = ask(&fake, &[], &request(true));
    assert_eq!((status, retry), (429, None));
    assert!(body.contains("rate_limit_error"), "{body}");
    fake.follow(Script::new().fails(Failure { status: 500, final_: true }));
    let (status, retry, _) = ask(&fake, &[], &request(true));
    assert_eq!((status, retry.as_deref()), (500, Some("false")));
    fake.follow(Script::new());
    assert_eq!(ask(&fake, &[], &request(true)).0, 200);
}

#[test]
fn every_request_is_recorded_as_it_came() {
    let fake = FakeApi::start("zai", Script::new());
    ask(&fake, &[("X-App", "cli")], &request(true));
    let url = |path: &str| format!("{}{path}", fake.base_url());
    ureq::head(url("/")).call().unwrap();
    let count = ureq::post(url("/v1/messages/count_tokens?beta=true")).send("{}").unwrap();
    assert_eq!(count.into_body().read_to_string().unwrap(), r#"{"input_tokens":11}"#);
    assert!(
        ureq::get(url("/v1/models?limit=1000"))
            .call()
            .unwrap()
            .into_body()
            .read_to_string()
            .unwrap()
            .contains("claude-")
    );
    assert!(matches!(ureq::get(url("/elsewhere")).call(), Err(ureq::Error::StatusCode(404))));

    let lines: Vec<_> = fake.requests().iter().map(crate::support::fake_api::Recorded::line).collect();
    assert_eq!(
        lines,
        [
            "POST /v1/messages?beta=true glm-4.6",
            "HEAD / ",
            "POST /v1/messages/count_tokens?beta=true ",
            "GET /v1/models?limit=1000 ",
            "GET /elsewhere ",
        ]
    );
    let [message] = &fake.messages()[..] else { panic!("one request for a message") };
    assert_eq!(message.header("x-app").as_deref(), Some("cli"));
    assert_eq!(message.body, request(true));
}

#[test]
fn an_awaited_request_is_found_before_and_after_it_came() {
    let fake = FakeApi::start("zai", Script::new());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| fake.await_message(SOON));
        ask(&fake, &[], &request(true));
        assert_eq!(waiting.join().unwrap().model(), Some("glm-4.6"));
    });
    assert_eq!(fake.await_message(Duration::ZERO).model(), Some("glm-4.6"));
}

#[test]
fn an_answer_is_held_before_it_begins_and_in_its_middle() {
    let fake = FakeApi::start("zai", Script::new().replies("first second"));
    fake.hold();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&fake, &[], &request(true)));
        fake.await_message(SOON);
        assert!(!waiting.is_finished());
        fake.release();
        assert_eq!(waiting.join().unwrap().0, 200);
    });

    fake.hold_in_the_middle();
    let mut response =
        ureq::post(format!("{}/v1/messages", fake.base_url())).send(request(true).to_string()).unwrap();
    let mut lines = BufReader::new(response.body_mut().as_reader()).lines().map(Result::unwrap);
    assert!(
        lines.by_ref().any(|line| line.contains("\"first \"")),
        "the first half arrives while the rest is held"
    );
    fake.release();
    assert!(lines.any(|line| line.contains("\"second\"")));
}

#[test]
fn a_delay_is_kept() {
    let delay = Duration::from_millis(30);
    let fake = FakeApi::start("zai", Script::new().delays(delay));
    let started = Instant::now();
    ask(&fake, &[], &request(false));
    assert!(started.elapsed() >= delay);
}

#[test]
fn connections_are_kept_and_served_side_by_side() {
    let fake = FakeApi::start("zai", Script::new());
    let open = || TcpStream::connect(fake.address()).unwrap();
    let head = |connection: &mut TcpStream| {
        connection.write_all(b"HEAD / HTTP/1.1\r\nHost: fake\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    };
    let (mut one, mut other) = (open(), open());
    head(&mut one);
    head(&mut other);
    head(&mut one);
    assert_eq!(fake.requests().len(), 3);
}

#[test]
fn a_dropped_fake_closes_its_port() {
    let fake = FakeApi::start("zai", Script::new());
    let address = fake.address();
    let mut open = TcpStream::connect(address).unwrap();
    drop(fake);
    assert_eq!(open.read(&mut [0]).unwrap_or(0), 0);
    assert!(TcpStream::connect(address).is_err());
}
