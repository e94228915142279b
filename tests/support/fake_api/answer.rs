//! From a request to the response it gets.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use serde_json::{Value, json};

use super::cloud;
use super::message::Message;
use super::recorded::Recorded;
use super::script::{Failure, Script};
use super::{Hold, Shared};

/// A whole body or a stream of events.
pub(super) type Body = BoxBody<Bytes, Infallible>;

/// The response to `request` by `script`, after all the waiting that the script and the test ask for.
pub(super) async fn answer(shared: Arc<Shared>, script: &Script, request: &Recorded) -> Response<Body> {
    released(&shared, Hold::BeforeTheAnswer).await;
    match (request.method.as_str(), request.route()) {
        ("HEAD", "/") => json_response(200, &Value::Null),
        ("POST", "/v1/messages") => message(shared, script, request).await,
        ("POST", "/v1/messages/count_tokens") => checked(script, request, &json!({ "input_tokens": 11 })),
        ("POST", "/v1/oauth/token") if script.grant().is_some() => {
            json_response(200, &script.grant().unwrap_or_default())
        }
        ("GET", "/v1/models") => checked(script, request, &models()),
        ("POST", route) if cloud::model(route).is_some() => message(shared, script, request).await,
        ("POST", cloud::TOKEN) => json_response(200, &cloud::token(script)),
        ("GET", cloud::SUBJECT) => json_response(200, &cloud::subject()),
        _ => failure(Failure { status: 404, final_: false }),
    }
}

async fn message(shared: Arc<Shared>, script: &Script, request: &Recorded) -> Response<Body> {
    tokio::time::sleep(script.delay()).await;
    if let Some(refusal) = script.refusal(|name| request.header(name)) {
        return failure(refusal);
    }
    let message = match script.tool_for(&request.body) {
        Some(tool) => Message::tool(request.model(), tool),
        None => Message::text(request.model(), script.text()),
    };
    if cloud::wants_aws_frames(request.route()) {
        return aws_event_stream(&message.events());
    }
    if request.body["stream"] == true {
        event_stream(shared, message.events())
    } else {
        json_response(200, &message.whole())
    }
}

fn checked(script: &Script, request: &Recorded, value: &Value) -> Response<Body> {
    match script.refusal(|name| request.header(name)) {
        Some(refusal) => failure(refusal),
        None => json_response(200, value),
    }
}

fn models() -> Value {
    json!({
        "data": [{
            "type": "model",
            "id": "claude-fake-1",
            "display_name": "Fake 1",
            "created_at": "2026-01-01T00:00:00Z",
        }],
        "first_id": "claude-fake-1",
        "last_id": "claude-fake-1",
        "has_more": false,
    })
}

/// An error as Anthropic's API sends it.
fn failure(failure: Failure) -> Response<Body> {
    let kind = match failure.status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    let body = json!({
        "type": "error",
        "error": { "type": kind, "message": format!("the fake answers {}", failure.status) },
        "request_id": "req_fake_0001",
    });
    let mut response = json_response(failure.status, &body);
    if failure.final_ {
        let no = hyper::header::HeaderValue::from_static("false");
        response.headers_mut().insert("x-should-retry", no);
    }
    response
}

fn json_response(status: u16, value: &Value) -> Response<Body> {
    let body = if value.is_null() { Bytes::new() } else { Bytes::from(value.to_string()) };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("request-id", "req_fake_0001")
        .body(Full::new(body).boxed())
        .expect("the parts of a response are valid")
}

fn event_stream(shared: Arc<Shared>, events: Vec<Value>) -> Response<Body> {
    let middle = events.len() / 2;
    let frames = stream::iter(events.into_iter().enumerate()).then(move |(index, event)| {
        let shared = Arc::clone(&shared);
        async move {
            if index == middle {
                released(&shared, Hold::InTheMiddle).await;
            }
            let name = event["type"].as_str().unwrap_or_default();
            Ok(Frame::data(Bytes::from(format!("event: {name}\ndata: {event}\n\n"))))
        }
    });
    Response::builder()
        .status(200)
        .header("content-type", "text/event-stream; charset=utf-8")
        .header("cache-control", "no-cache")
        .header("request-id", "req_fake_0001")
        .body(BodyExt::boxed(StreamBody::new(frames)))
        .expect("the parts of a response are valid")
}

fn aws_event_stream(events: &[Value]) -> Response<Body> {
    let frames: Vec<u8> = events.iter().flat_map(|event| cloud::aws_frame(&event.to_string())).collect();
    Response::builder()
        .status(200)
        .header("content-type", "application/vnd.amazon.eventstream")
        .header("x-amzn-requestid", "req_fake_0001")
        .body(Full::new(Bytes::from(frames)).boxed())
        .expect("the parts of a response are valid")
}

/// Waits while answers are held at this place.
async fn released(shared: &Shared, place: Hold) {
    let mut hold = shared.hold.subscribe();
    // An error means that the fake is going away, and every connection with it.
    let _ = hold.wait_for(|hold| *hold != place).await;
}
