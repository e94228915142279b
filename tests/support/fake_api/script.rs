//! What a fake does with a request.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::secrets::Canary;

/// The behaviour of a fake, stated before it starts or changed later by [`super::FakeApi::follow`].
#[derive(Debug, Clone, Default)]
pub struct Script {
    credential: Option<Credential>,
    text: Option<String>,
    tool: Option<ToolCall>,
    failure: Option<Failure>,
    delay: Duration,
    grant: Option<Grant>,
}

/// What the token endpoint gives out.
#[derive(Debug, Clone)]
struct Grant {
    access: Canary,
    refresh: Canary,
}

/// What a request must carry.
#[derive(Debug, Clone)]
pub enum Credential {
    /// `Authorization: Bearer KEY`.
    Bearer(Canary),
    /// `x-api-key: KEY`.
    ApiKey(Canary),
    /// An AWS signature (version 4) by the access key of this id.
    Signature(Canary),
}

impl Credential {
    /// The name of the header, in lower case, and its whole value.
    pub fn header(&self) -> (&'static str, String) {
        match self {
            Self::Bearer(key) => ("authorization", format!("Bearer {}", key.key())),
            Self::ApiKey(key) => ("x-api-key", key.key().to_owned()),
            Self::Signature(id) => ("authorization", format!("AWS4-HMAC-SHA256 Credential={}/", id.key())),
        }
    }

    /// Whether a request with these headers carries it.
    pub fn is_in(&self, header: impl Fn(&str) -> Option<String>) -> bool {
        let (name, wanted) = self.header();
        header(name).is_some_and(|value| match self {
            // The rest is the scope and the signature itself.
            Self::Signature(_) => value.starts_with(&wanted) && value.contains("Signature="),
            _ => value == wanted,
        })
    }
}

/// An answer that is an error in Anthropic's envelope.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// Whether `x-should-retry: false` keeps the client from trying again.
    pub final_: bool,
}

/// A tool that the model asks for before it replies.
#[derive(Debug, Clone)]
pub(super) struct ToolCall {
    pub(super) name: String,
    pub(super) input: Value,
}

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers 401, finally, to a request without this credential.
    pub fn requires(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Says this in the end, instead of its default.
    pub fn replies(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// Asks for a file with Claude Code's own `Write` tool, then replies.
    pub fn writes_file(self, path: impl AsRef<Path>, content: &str) -> Self {
        self.calls_tool("Write", json!({ "file_path": path.as_ref(), "content": content }))
    }

    /// Asks for a tool once in every conversation that offers it, then replies.
    pub fn calls_tool(mut self, name: &str, input: Value) -> Self {
        self.tool = Some(ToolCall { name: name.to_owned(), input });
        self
    }

    /// Answers every request for a message with an error.
    pub fn fails(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// Takes its time before every message, as a distant backend does.
    pub fn delays(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Gives these tokens to whoever asks at the token endpoint of a Claude subscription; without this it answers 404.
    pub fn grants(mut self, access: &Canary, refresh: &Canary) -> Self {
        self.grant = Some(Grant { access: access.clone(), refresh: refresh.clone() });
        self
    }

    pub(super) fn grant(&self) -> Option<Value> {
        let Grant { access, refresh } = self.grant.as_ref()?;
        Some(json!({
            "token_type": "Bearer",
            "access_token": access.key(),
            "refresh_token": refresh.key(),
            "expires_in": 28800,
            "scope": "user:inference user:profile",
        }))
    }

    pub(super) fn or_replies(mut self, text: &str) -> Self {
        self.text.get_or_insert_with(|| text.to_owned());
        self
    }

    /// The bearer that requests must carry, which a cloud's token endpoint hands out.
    pub(super) fn bearer(&self) -> Option<&str> {
        match &self.credential {
            Some(Credential::Bearer(key)) => Some(key.key()),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    pub(super) fn delay(&self) -> Duration {
        self.delay
    }

    /// The error for a request with these headers, if it gets one.
    pub(super) fn refusal(&self, header: impl Fn(&str) -> Option<String>) -> Option<Failure> {
        let refused = self.credential.as_ref().is_some_and(|credential| !credential.is_in(&header));
        if refused { Some(Failure { status: 401, final_: true }) } else { self.failure }
    }

    /// The tool call for this request: the request must offer the tool, and not answer an earlier call of ours.
    pub(super) fn tool_for(&self, request: &Value) -> Option<&ToolCall> {
        let tool = self.tool.as_ref()?;
        let offers = |tools: &Vec<Value>| tools.iter().any(|offer| offer["name"] == tool.name.as_str());
        let messages = request["messages"].as_array().into_iter().flatten();
        let mut blocks = messages.filter_map(|message| message["content"].as_array()).flatten();
        let offered = request["tools"].as_array().is_some_and(offers);
        (offered && !blocks.any(|block| block["type"] == "tool_result")).then_some(tool)
    }
}
