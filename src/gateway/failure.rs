//! What a client of Anthropic's API is told when there is no reply: its envelope, with the type and the status that make
//! Claude Code do the right thing, and nothing else of what the backend said than its message.

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};

use super::upstream::Trouble;

/// Says whether trying again could help; Claude Code obeys it.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// The longest message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 600;

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status.
    pub status: StatusCode,
    /// Anthropic's word for what went wrong.
    pub kind: &'static str,
    /// What went wrong.
    pub message: String,
    /// Whether trying again could help, where that does not follow from the status.
    pub should_retry: Option<bool>,
    /// When to try again, as the backend says it.
    pub retry_after: Option<HeaderValue>,
}

impl Failure {
    /// A failure with the status that is usual for its kind.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let kind = match status.as_u16() {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 | 405 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            503 | 529 => "overloaded_error",
            400..500 => "invalid_request_error",
            _ => "api_error",
        };
        // What is wrong with a key or a name stays so, however often it is sent.
        let final_ = matches!(status.as_u16(), 401..=404);
        Self {
            status,
            kind,
            message: message.into(),
            should_retry: final_.then_some(false),
            retry_after: None,
        }
    }

    /// What a backend answered with another status than 200.
    pub fn answered(status: StatusCode, headers: &HeaderMap, body: &[u8], backend: &str, key: &str) -> Self {
        let said = message_in(body).filter(|said| !shares_a_part(said, key));
        let said = said.map(|said| cut(&said));
        let of_backend = |otherwise: &str| match &said {
            Some(said) => format!("{backend}: {said}"),
            None => format!("{backend} {otherwise}"),
        };
        let failure = match status.as_u16() {
            400 | 413 | 422 if said.as_deref().is_some_and(is_overflow) => {
                Self::new(StatusCode::BAD_REQUEST, overflow(said.as_deref().unwrap_or_default()))
            }
            401 => Self::new(status, of_backend("refused the key")),
            status if status >= 500 => Self::new(
                StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY),
                of_backend(&format!("failed (HTTP {status})")),
            ),
            _ if status.is_redirection() => {
                let address = format!(
                    "{backend} answered with a redirection, which is not followed: the key is for its address"
                );
                Self { should_retry: Some(false), ..Self::new(StatusCode::BAD_GATEWAY, address) }
            }
            code => Self::new(status, of_backend(&format!("answered HTTP {code}"))),
        };
        Self { retry_after: headers.get(RETRY_AFTER).cloned(), ..failure }
    }

    /// What went wrong with a reply that began well.
    pub fn trouble(trouble: &Trouble, backend: &str, key: &str) -> Self {
        let status = match trouble {
            Trouble::Reported { status: Some(status), .. } => StatusCode::from_u16(*status).ok(),
            _ => None,
        };
        let message = match trouble {
            Trouble::Reported { message, .. } if shares_a_part(message, key) => {
                "it reports an error".to_owned()
            }
            Trouble::Reported { message, .. } if is_overflow(message) => {
                return Self::new(StatusCode::BAD_REQUEST, overflow(message));
            }
            other => cut(&other.to_string()),
        };
        Self::new(status.unwrap_or(StatusCode::BAD_GATEWAY), format!("{backend}: {message}"))
    }

    /// The headers beside the usual ones.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let retry = self
            .should_retry
            .map(|retry| (SHOULD_RETRY, HeaderValue::from_static(if retry { "true" } else { "false" })));
        let after = self.retry_after.clone().map(|after| (RETRY_AFTER, after));
        retry.into_iter().chain(after)
    }

    /// The envelope.
    pub fn envelope(&self) -> String {
        json!({"type": "error", "error": {"type": self.kind, "message": self.message}}).to_string()
    }

    /// The envelope as an event in the midst of a stream.
    pub fn event(&self) -> String {
        format!("event: error\ndata: {}\n\n", self.envelope())
    }
}

/// The message in an error's body, wherever backends put it. What is no JSON is some proxy's page, and says nothing.
fn message_in(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    // Gemini wraps some into a list.
    let value = if let Value::Array(mut all) = value { all.drain(..).next()? } else { value };
    let error = &value["error"];
    let said = [&error["message"], error, &value["message"], &value["detail"]]
        .into_iter()
        .find_map(Value::as_str)?;
    let line: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST_MESSAGE {
        return text.to_owned();
    }
    text.chars().take(LONGEST_MESSAGE).chain(['…']).collect()
}

/// Whether a text repeats a part of the key: backends like to quote it back, in part.
fn shares_a_part(text: &str, key: &str) -> bool {
    const SHORTEST: usize = 6;
    let key: Vec<char> = key.chars().collect();
    key.len() >= SHORTEST && key.windows(SHORTEST).any(|part| text.contains(&part.iter().collect::<String>()))
}

/// Whether a backend says that the conversation is too long for it.
fn is_overflow(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let names_it = [
        "context length",
        "context_length",
        "context window",
        "maximum context",
        "prompt is too long",
        "input token count",
    ];
    names_it.iter().any(|words| message.contains(words))
        && ["exceed", "too long", "maximum", "reduce", "longer"].iter().any(|words| message.contains(words))
}

/// The words by which Claude Code knows that it has to compact the conversation: `prompt is too long: N tokens > M maximum`.
fn overflow(message: &str) -> String {
    let numbers: Vec<u64> = message
        .split(|c: char| !c.is_ascii_digit() && c != ',')
        .filter_map(|digits| digits.replace(',', "").parse().ok())
        .filter(|number| *number >= 1000)
        .collect();
    match (numbers.iter().max(), numbers.iter().min()) {
        (Some(tokens), Some(most)) if tokens > most => {
            format!("prompt is too long: {tokens} tokens > {most} maximum")
        }
        _ => "prompt is too long".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Failure {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        Failure::answered(
            StatusCode::from_u16(status).unwrap(),
            &headers,
            body.as_bytes(),
            "Acme",
            "sk-canary-0123456789",
        )
    }

    #[test]
    fn a_backends_error_is_anthropics() {
        let limited = answered(429, r#"{"error":{"message":"slow down"}}"#);
        assert_eq!((limited.kind, limited.message.as_str()), ("rate_limit_error", "Acme: slow down"));
        assert_eq!(limited.headers().count(), 1, "Retry-After, and no word against trying again");
        let refused = answered(401, r#"{"error":"bad key sk-canary-0123456789"}"#);
        assert_eq!(
            (refused.kind, refused.message.as_str()),
            ("authentication_error", "Acme refused the key")
        );
        assert_eq!(refused.should_retry, Some(false));
        let page = answered(502, "<html>nginx</html>");
        assert_eq!((page.kind, page.message.as_str()), ("api_error", "Acme failed (HTTP 502)"));
        assert_eq!(answered(302, "").should_retry, Some(false));
        assert_eq!(answered(404, r#"[{"error":{"message":"no\nmodel"}}]"#).message, "Acme: no model");
    }

    #[test]
    fn an_overflow_is_told_in_the_words_that_make_claude_code_compact() {
        for (said, told) in [
            (
                "This model's maximum context length is 128000 tokens. However, your messages resulted in 130,452 tokens.",
                "prompt is too long: 130452 tokens > 128000 maximum",
            ),
            (
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
                "prompt is too long: 1200000 tokens > 1048576 maximum",
            ),
            ("Please reduce the length: the context window is exceeded", "prompt is too long"),
        ] {
            let failure = answered(400, &json!({"error": {"message": said}}).to_string());
            assert_eq!((failure.status, failure.message.as_str()), (StatusCode::BAD_REQUEST, told));
        }
        assert_eq!(
            answered(400, r#"{"error":{"message":"max_tokens is too large"}}"#).message,
            "Acme: max_tokens is too large"
        );
    }

    #[test]
    fn trouble_in_a_stream_has_its_status_where_it_says_one() {
        let overloaded = Trouble::Reported { status: Some(503), message: "busy".to_owned() };
        assert_eq!(Failure::trouble(&overloaded, "Acme", "k").kind, "overloaded_error");
        assert_eq!(
            Failure::trouble(&Trouble::Cut, "Acme", "k").message,
            "Acme: the backend's reply was cut off"
        );
    }
}
