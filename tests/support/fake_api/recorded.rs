//! A request as it arrived.

use hyper::HeaderMap;
use serde_json::Value;

use super::cloud;

/// One request that a fake got.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub method: String,
    /// The path with its query.
    pub path: String,
    headers: HeaderMap,
    /// The body; null when there was none, and a string when it was not JSON.
    pub body: Value,
}

impl Recorded {
    pub(super) fn new(method: String, path: String, headers: HeaderMap, body: &[u8]) -> Self {
        let as_text = || Value::String(String::from_utf8_lossy(body).into_owned());
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(body).unwrap_or_else(|_| as_text())
        };
        Self { method, path, headers, body }
    }

    /// A header's value, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<String> {
        Some(String::from_utf8_lossy(self.headers.get(name)?.as_bytes()).into_owned())
    }

    /// All names and values, as one text to search.
    pub fn headers_text(&self) -> String {
        let line = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
        };
        self.headers.iter().map(line).collect()
    }

    /// The model that was asked for.
    pub fn model(&self) -> Option<&str> {
        cloud::model(self.route()).or_else(|| self.body["model"].as_str())
    }

    /// Whether it asks for a message (and not for a count of its tokens).
    pub fn is_message(&self) -> bool {
        self.method == "POST" && (self.route() == "/v1/messages" || cloud::model(self.route()).is_some())
    }

    /// Whether it asks for a subscription's tokens.
    pub fn is_token_request(&self) -> bool {
        self.method == "POST" && self.route() == "/v1/oauth/token"
    }

    /// The path without its query.
    pub(super) fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Method, path and model, for people.
    pub fn line(&self) -> String {
        format!("{} {} {}", self.method, self.path, self.model().unwrap_or_default())
    }
}
