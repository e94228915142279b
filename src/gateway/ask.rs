//! One question to a backend, and its answer as it comes: the same translation as clients of the gateway get, with nobody in
//! between.

use std::collections::VecDeque;
use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::Value;

use super::backend::{Backend, Speaks};
use super::body::Translated;
use super::client::Client;
use super::conversation::Conversation;
use super::estimate;
use super::event::Event;
use super::failure::Failure;
use super::message::Request;
use super::reply::{Asked, Reply};
use super::server::new_id;
use super::translate::{Incoming, Origin, Outgoing, Target, outgoing};

/// The version of Anthropic's API that is spoken.
const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));

/// An answer on its way.
#[derive(Debug)]
pub struct Answer {
    translated: Translated,
    events: VecDeque<Event>,
}

/// Sends a question, a request of the Messages API.
pub async fn question(backend: &Arc<Backend>, client: &Client, question: &Value) -> Result<Answer, Failure> {
    let wrong = |error: serde_json::Error| Failure::new(StatusCode::BAD_REQUEST, error.to_string());
    let request: Request = serde_json::from_value(question.clone()).map_err(wrong)?;
    let conversation = Conversation::new(&request);
    let model = backend.model(&request.model);
    let (origin, sent) = match backend.speaks {
        Speaks::Anthropic => {
            let mut question = question.clone();
            question["model"] = model.into();
            let body = question.to_string().into_bytes();
            (Origin::Anthropic, Outgoing { path: "/v1/messages".to_owned(), body })
        }
        Speaks::Other(target) => {
            (Origin::Other(target), outgoing(target, &request, &conversation, model, &backend.dialect))
        }
    };
    let asked = Asked::new(&request.model, &conversation, estimate::tokens(&request), new_id());
    let headers: HeaderMap = (origin == Origin::Anthropic).then_some(VERSION).into_iter().collect();
    let response = backend.send(client, Method::POST, &sent.path, headers, sent.body.into()).await?;
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let is_stream = !is_json || origin == Origin::Other(Target::Ollama);
    let incoming = Incoming::new(origin, is_stream);
    let translated = Translated::new(response.into_body(), incoming, Reply::new(asked), Arc::clone(backend));
    Ok(Answer { translated, events: VecDeque::new() })
}

impl Answer {
    /// The next of it; nothing when it is complete.
    pub async fn next(&mut self) -> Option<Result<Event, Failure>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(Ok(event));
            }
            match self.translated.next().await? {
                Ok(events) => self.events.extend(events),
                Err(failure) => return Some(Err(failure)),
            }
        }
    }
}
