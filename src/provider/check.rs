//! Trying a new key once, so that a wrong one is said while the user still has the right one at hand.
//!
//! One tiny request goes to where the sessions will send theirs. Only a clear "no" counts against the key: whatever
//! else comes back may have other reasons (a model's name, a quota, a proxy), so it is told but decides nothing. The
//! request follows no redirect, because the key is meant for this endpoint and no other.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use ureq::http::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};
use ureq::http::{StatusCode, Uri};

use super::catalog::{Auth, Provider};

mod network;
pub mod reach;

pub use network::Network;

/// How long the check may take in all.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// The model to ask for where the catalogue names none: small, and known to Anthropic's API and its imitations.
const FALLBACK_MODEL: &str = "claude-haiku-4-5";

/// What Claude Code says of itself beside a subscription's token.
const TOKEN_BETA: &str = "oauth-2025-04-20";

/// What we call ourselves.
const USER_AGENT: &str = concat!("claude-reactor/", env!("CARGO_PKG_VERSION"));

/// More than this, in bytes, no answer to the one tiny request can have.
const MAX_BODY: u64 = 256 * 1024;

/// Answers are cut after this many characters: enough for a sentence, too little to fill the screen.
const ANSWER_LENGTH: usize = 200;

/// Where a key is tried, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    /// The same place by its name in a container.
    inside: String,
    auth: Auth,
    model: String,
    /// Whether what is tried is a Claude subscription's token, which Anthropic takes with a header of its own only.
    token: bool,
}

/// What came of trying a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The endpoint took it.
    Accepted,
    /// The endpoint refused it, by 401 or 403.
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// The endpoint answered something that says nothing about the key.
    Unclear {
        /// What it answered: the HTTP status, and the error message if there was one. Holds no part of the key.
        answer: String,
    },
    /// There was no answer.
    Unreachable {
        /// Why not.
        why: String,
    },
}

impl Endpoint {
    /// The same place, for the token of a Claude subscription.
    #[must_use]
    pub fn with_token(self) -> Self {
        Self { auth: Auth::Bearer, token: true, ..self }
    }

    /// An endpoint of the Messages API below a base URL. `host.docker.internal`, this machine as containers call it,
    /// is `localhost` from here.
    pub fn new(base_url: &str, auth: Auth, model: Option<&str>) -> Self {
        let base = base_url.trim_end_matches('/');
        let url = on_this_machine(base);
        // `[1m]` asks Claude Code for a larger context window; it is no part of the name that goes to the endpoint.
        let model = model.map_or(FALLBACK_MODEL, |model| model.strip_suffix("[1m]").unwrap_or(model));
        let inside = format!("{base}/v1/messages");
        Self { url: format!("{url}/v1/messages"), inside, auth, model: model.to_owned(), token: false }
    }

    /// The endpoint of a provider; `None` for one that has no base URL, unless it is Anthropic itself: its key must
    /// go nowhere else.
    pub fn of(provider: &Provider) -> Option<Self> {
        Some(Self::new(provider.endpoint()?, provider.auth, provider.models.main.as_deref()))
    }
}

/// What an endpoint answered to the one tiny request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error message, where there was one. Holds no part of the key.
    pub message: Option<String>,
    /// Whether it is an answer of the Messages API. A page that asks for a login has a good status as well.
    pub is_message: bool,
}

/// Why there was no answer. Holds no part of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// No request can carry the key.
    Key,
    /// Nothing came back.
    Unreachable(String),
}

impl Answer {
    /// An answer by its status and body. A message that repeats a part of the key is left out.
    pub fn new(status: u16, body: &str, key: &SecretString) -> Self {
        let message = error_message(body).filter(|message| !shares_a_part(message, key.expose_secret()));
        Self { status, message, is_message: is_message(body) }
    }

    /// The status with its name, and the message.
    pub fn shown(&self) -> String {
        let status =
            StatusCode::from_u16(self.status).map_or_else(|_| format!("HTTP {}", self.status), shown);
        self.message.as_ref().map_or(status.clone(), |message| format!("{status}: {message}"))
    }
}

/// Tries a key. Blocks for at most `timeout`.
pub fn check(endpoint: &Endpoint, key: &SecretString, network: &Network, timeout: Duration) -> Verdict {
    match ask(endpoint, key, network, timeout) {
        Ok(answer) => match answer.status {
            401 | 403 => Verdict::Rejected { status: answer.status },
            200..=299 if answer.is_message => Verdict::Accepted,
            200..=299 => Verdict::Unclear { answer: format!("{}, {NO_MESSAGE}", answer.shown()) },
            300..=399 => Verdict::Unclear {
                answer: format!("{}, which is not followed: the key is for this address", answer.shown()),
            },
            _ => Verdict::Unclear { answer: answer.shown() },
        },
        Err(NoAnswer::Key) => Verdict::Unclear { answer: BAD_KEY.to_owned() },
        Err(NoAnswer::Unreachable(why)) => Verdict::Unreachable { why },
    }
}

/// What is said of a key that fits in no header.
pub const BAD_KEY: &str = "the key has characters that no request can carry";

/// What is said of an answer that has a good status and is none of the Messages API.
pub const NO_MESSAGE: &str = "and what it says is no answer of the Messages API";

/// Sends the one tiny request. Blocks for at most `timeout`.
pub fn ask(
    endpoint: &Endpoint,
    key: &SecretString,
    network: &Network,
    timeout: Duration,
) -> Result<Answer, NoAnswer> {
    let (url, agent) = way_to(&endpoint.url, network, timeout).map_err(NoAnswer::Unreachable)?;
    let headers = endpoint.headers(key).map_err(|_| NoAnswer::Key)?;
    let request =
        headers.into_iter().fold(agent.post(&url), |request, (name, value)| request.header(name, value));
    match request.send(endpoint.body()) {
        Ok(mut response) => {
            let status = response.status();
            // What cannot be read of the body is only missing from the message.
            let body = if status.is_redirection() {
                String::new()
            } else {
                response.body_mut().with_config().limit(MAX_BODY).read_to_string().unwrap_or_default()
            };
            Ok(Answer::new(status.as_u16(), &body, key))
        }
        Err(error) => Err(NoAnswer::Unreachable(network::explain(&error, &url, &agent))),
    }
}

/// A client for one request, and the address.
fn way_to(url: &str, network: &Network, timeout: Duration) -> Result<(Uri, ureq::Agent), String> {
    let url: Uri = url.parse().map_err(|_| "the base URL is not a URL".to_owned())?;
    let agent = network.agent(&url, timeout)?;
    Ok((url, agent))
}

/// An address as this machine knows it: `host.docker.internal`, which is what containers call this machine, is `localhost` here.
pub fn on_this_machine(url: &str) -> String {
    match url.parse::<Uri>().ok().as_ref().and_then(Uri::host) {
        Some("host.docker.internal") => url.replacen("host.docker.internal", "localhost", 1),
        _ => url.to_owned(),
    }
}

impl Endpoint {
    /// The address that a session sends its requests to.
    pub fn inside(&self) -> &str {
        &self.inside
    }

    /// The model that is asked.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The body of the request.
    pub fn body(&self) -> String {
        let message = serde_json::json!({"role": "user", "content": "hi"});
        serde_json::json!({"model": self.model, "max_tokens": 1, "messages": [message]}).to_string()
    }

    /// The headers of the request, the key's among them.
    ///
    /// # Errors
    ///
    /// A key that no header can carry.
    pub fn headers(&self, key: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, InvalidHeaderValue> {
        let plain = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let mut headers = vec![
            plain("content-type", "application/json"),
            plain("anthropic-version", "2023-06-01"),
            plain("user-agent", USER_AGENT),
        ];
        headers.extend(auth_header(self.auth, key)?);
        if self.token {
            headers.push(plain("anthropic-beta", TOKEN_BETA));
        }
        Ok(headers)
    }
}

/// The header that carries the key, if one does.
fn auth_header(
    auth: Auth,
    key: &SecretString,
) -> Result<Option<(HeaderName, HeaderValue)>, InvalidHeaderValue> {
    let key = key.expose_secret();
    let (name, mut value) = match auth {
        Auth::Bearer => (AUTHORIZATION, HeaderValue::from_bytes(format!("Bearer {key}").as_bytes())?),
        Auth::XApiKey => (HeaderName::from_static("x-api-key"), HeaderValue::from_bytes(key.as_bytes())?),
        Auth::None => return Ok(None),
    };
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// A status with its name, if it has one. Not all have: 529 is Anthropic's own.
fn shown(status: StatusCode) -> String {
    let name = status.canonical_reason().map(|name| format!(" {name}"));
    format!("HTTP {}{}", status.as_u16(), name.unwrap_or_default())
}

/// The message of the error envelope that the Messages API and most others use.
fn error_message(body: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let message = body.pointer("/error/message")?.as_str()?;
    let clean = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    Some(clean.take(ANSWER_LENGTH).collect())
}

/// Whether a body is a message of the Messages API, as far as every imitation of it goes: it has content.
fn is_message(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body).is_ok_and(|body| body["content"].is_array())
}

/// Whether a message repeats more of the key than its usual prefix: some endpoints quote what they refuse.
fn shares_a_part(message: &str, key: &str) -> bool {
    // Where there is no key, there is no part of one.
    key.as_bytes()
        .windows(key.len().clamp(1, 5))
        .any(|part| message.as_bytes().windows(part.len()).any(|m| m == part))
}

#[cfg(test)]
pub(super) mod test_support;
#[cfg(test)]
mod tests;
