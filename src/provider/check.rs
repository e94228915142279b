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

/// Answers are cut after this many characters: enough for a sentence, too little to fill the screen.
const ANSWER_LENGTH: usize = 200;

/// Where a key is tried, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
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
        let url = from_here(base_url);
        // `[1m]` asks Claude Code for a larger context window; it is no part of the name that goes to the endpoint.
        let model = model.map_or(FALLBACK_MODEL, |model| model.strip_suffix("[1m]").unwrap_or(model));
        Self { url: format!("{url}/v1/messages"), auth, model: model.to_owned(), token: false }
    }

    /// The endpoint of a provider; `None` for one that has no base URL, unless it is Anthropic itself: its key must
    /// go nowhere else.
    pub fn of(provider: &Provider) -> Option<Self> {
        Some(Self::new(provider.endpoint()?, provider.auth, provider.models.main.as_deref()))
    }
}

/// A base URL as this machine calls the place, without a slash at its end.
fn from_here(base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    match base.parse::<Uri>().ok().as_ref().and_then(Uri::host) {
        Some("host.docker.internal") => base.replacen("host.docker.internal", "localhost", 1),
        _ => base.to_owned(),
    }
}

/// Tries a key. Blocks for at most `timeout`.
pub fn check(endpoint: &Endpoint, key: &SecretString, network: &Network, timeout: Duration) -> Verdict {
    let Ok(url) = endpoint.url.parse::<Uri>() else {
        return Verdict::Unreachable { why: "the base URL is not a URL".to_owned() };
    };
    let Ok(header) = auth_header(endpoint.auth, key) else {
        return Verdict::Unclear { answer: "the key has characters that no request can carry".to_owned() };
    };
    let agent = match network.agent(&url, timeout) {
        Ok(agent) => agent,
        Err(why) => return Verdict::Unreachable { why },
    };
    let body = serde_json::json!({
        "model": endpoint.model,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": "hi"}],
    });
    let mut request = agent
        .post(&url)
        .header("content-type", "application/json")
        .header("anthropic-version", "2023-06-01")
        .header("user-agent", USER_AGENT);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    if endpoint.token {
        request = request.header("anthropic-beta", TOKEN_BETA);
    }
    match request.send(body.to_string()) {
        Ok(response) => judge(response, key),
        Err(error) => Verdict::Unreachable { why: network::explain(&error, &url, &agent) },
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

fn judge(mut response: ureq::http::Response<ureq::Body>, key: &SecretString) -> Verdict {
    let status = response.status();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Verdict::Rejected { status: status.as_u16() },
        _ if status.is_success() => Verdict::Accepted,
        _ if status.is_redirection() => Verdict::Unclear {
            answer: format!("{}, which is not followed: the key is for this address", shown(status)),
        },
        _ => {
            // What cannot be read of the body is only missing from the message.
            let body =
                response.body_mut().with_config().limit(64 * 1024).read_to_string().unwrap_or_default();
            let message = error_message(&body).filter(|message| !shares_a_part(message, key.expose_secret()));
            let status = shown(status);
            let answer = message.map_or(status.clone(), |message| format!("{status}: {message}"));
            Verdict::Unclear { answer }
        }
    }
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

/// Whether a message repeats more of the key than its usual prefix: some endpoints quote what they refuse.
fn shares_a_part(message: &str, key: &str) -> bool {
    key.as_bytes()
        .windows(5.min(key.len()))
        .any(|part| message.as_bytes().windows(part.len()).any(|m| m == part))
}

#[cfg(test)]
pub(super) mod test_support;
#[cfg(test)]
mod tests;
