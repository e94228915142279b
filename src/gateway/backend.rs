//! The backend behind a gateway: where it is, how it is spoken to, and with which key. The one place that holds the key,
//! and the one that sends it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::client::Client;
use super::failure::Failure;
use super::translate::Target;
use crate::provider::catalog::Auth;
use crate::provider::catalog::dialect::Dialect;

/// How much of an error's body is read, in bytes.
const LONGEST_ERROR: usize = 64 * 1024;
/// How long an error's body may take.
const ERROR_TIME: Duration = Duration::from_secs(5);

/// A backend.
#[derive(Debug)]
pub struct Backend {
    /// The provider's id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it speaks.
    pub speaks: Speaks,
    /// Its address, without a slash at the end.
    pub base_url: String,
    /// How it takes its key.
    pub auth: Auth,
    /// The header for the key, where it is one of its own.
    pub key_header: Option<HeaderName>,
    /// The key; none where it wants none.
    pub key: Option<SecretString>,
    /// Its names for models that clients call otherwise.
    pub models: BTreeMap<String, String>,
    /// The model for those who ask which there are.
    pub main_model: Option<String>,
    /// What it can do.
    pub dialect: Dialect,
}

/// What a backend speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Anthropic's API itself: everything goes through as it is.
    Anthropic,
    /// Another.
    Other(Target),
}

impl Backend {
    /// The backend's name for a model.
    pub fn model<'a>(&'a self, asked: &'a str) -> &'a str {
        // `[1m]` is Claude Code's own wish for a larger window, and no part of a name.
        let plain = asked.strip_suffix("[1m]").unwrap_or(asked);
        self.models.get(asked).or_else(|| self.models.get(plain)).map_or(plain, String::as_str)
    }

    /// The key as text, for what must not repeat it.
    pub fn key_text(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.expose_secret())
    }

    /// Sends a request, and gives the answer if it is a good one.
    pub async fn send(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let unusable = |what: &str| Failure::new(StatusCode::BAD_GATEWAY, format!("{}: {what}", self.name));
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base_url));
        let mut request = request.body(Full::new(body)).map_err(|_| unusable("its base URL is not a URL"))?;
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("claude-reactor/", env!("CARGO_PKG_VERSION"))));
        if let Some((name, value)) = self.key_line().ok_or_else(|| unusable("its key cannot be sent"))? {
            headers.insert(name, value);
        }
        let response = client.send(request).await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ERROR).collect();
        let body = match tokio::time::timeout(ERROR_TIME, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            // What cannot be read of it is only missing from the message.
            _ => Bytes::new(),
        };
        Err(Failure::answered(parts.status, &parts.headers, &body, &self.name, self.key_text()))
    }

    /// The header that carries the key; `None` for a key that none can carry.
    #[expect(clippy::option_option, reason = "no key, and a key that cannot be sent, are two things")]
    fn key_line(&self) -> Option<Option<(HeaderName, HeaderValue)>> {
        let Some(key) = &self.key else { return Some(None) };
        let key = key.expose_secret();
        let (name, value) = match (&self.key_header, self.auth) {
            (Some(name), _) => (name.clone(), HeaderValue::from_str(key)),
            (None, Auth::XApiKey) => (HeaderName::from_static("x-api-key"), HeaderValue::from_str(key)),
            (None, Auth::Bearer) => (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}"))),
            (None, Auth::None) => return Some(None),
        };
        let mut value = value.ok()?;
        value.set_sensitive(true);
        Some(Some((name, value)))
    }

    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let what = if error.is_connect() { "cannot be reached" } else { "broke the connection off" };
        Failure::new(StatusCode::BAD_GATEWAY, format!("{} {what}: {cause}", self.name))
    }
}
