//! One LLM backend: a row of the catalogue after defaults, overrides and checks.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::dialect::Dialect;
use super::mode::{Cloud, Mode};

use crate::name::ProviderId;
use crate::provider::variables;

/// Where Claude Code goes when nothing names another endpoint.
pub(super) const CLAUDE_BASE_URL: &str = "https://api.anthropic.com";

/// An LLM backend and everything a session needs to know of it, short of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The row's name.
    pub id: ProviderId,
    /// What people call it, as in "Enter your Z.AI API key".
    pub name: String,
    /// The API it speaks.
    pub wire: Wire,
    /// The endpoint, without a trailing slash; `None` where it is Claude Code's own, or the user's to say.
    pub base_url: Option<String>,
    /// How the key is sent.
    pub auth: Auth,
    /// The variables that may hold the key in the provider's `.env`: the first that is set is used.
    pub key_env: Vec<String>,
    /// Where to get a key.
    pub key_url: Option<String>,
    /// Whether the backend may run without a key, so that nobody is to be asked for one.
    pub key_optional: bool,
    /// The models a session uses where the user chooses no other.
    pub models: Models,
    /// How many tokens the main model takes.
    pub context_window: Option<u64>,
    /// What it can do and how it wants things said, where the gateway speaks to it.
    pub dialect: Dialect,
    /// Where it is a cloud mode of Claude Code: which, and what it has to be told.
    pub cloud: Option<Cloud>,
    /// Further variables of a session.
    pub env: BTreeMap<String, String>,
    /// Whose row it is.
    pub origin: Origin,
}

/// The API a backend speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// Anthropic's Messages API: what Claude Code speaks.
    Anthropic,
    /// `OpenAI`'s Chat Completions.
    Openai,
    /// Google's Gemini API.
    Gemini,
    /// Ollama's own API.
    Ollama,
    /// A program of the user's.
    Plugin,
}

/// How the key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `Authorization: Bearer …`, from `ANTHROPIC_AUTH_TOKEN`.
    Bearer,
    /// `x-api-key: …`, from `ANTHROPIC_API_KEY`.
    XApiKey,
    /// The backend asks for no key.
    None,
}

/// Model ids of a backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Models {
    /// The one that answers.
    pub main: Option<String>,
    /// The one for quick background work; the main one where it is `None`.
    pub small: Option<String>,
    /// The backend's names of models that clients of the gateway call otherwise.
    pub map: BTreeMap<String, String>,
}

/// Whose row a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Ours, as it is.
    BuiltIn,
    /// Ours, with fields of the user's `providers.yaml` over it.
    Overridden,
    /// The user's own.
    User,
}

/// Whether an endpoint is Anthropic's own: the only one that a Claude subscription's credential may go to.
pub fn is_anthropic(endpoint: &str) -> bool {
    endpoint.trim_end_matches('/') == CLAUDE_BASE_URL
}

/// What the variable of a backend's key is usually called: `ACME_API_KEY` for `acme`.
pub fn usual_key_variable(id: &ProviderId) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = id.as_str().chars().map(upper).collect();
    let digit = if name.starts_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    format!("{digit}{name}_API_KEY")
}

impl Provider {
    /// A backend that is in no row: its `.env` alone says where it is and which model answers, and holds its key under
    /// the [usual name](usual_key_variable).
    pub fn unlisted(id: ProviderId) -> Self {
        Self {
            name: id.to_string(),
            key_env: vec![usual_key_variable(&id)],
            id,
            wire: Wire::Anthropic,
            base_url: None,
            auth: Auth::Bearer,
            key_url: None,
            key_optional: false,
            models: Models::default(),
            context_window: None,
            dialect: Dialect::default(),
            cloud: None,
            env: BTreeMap::new(),
            origin: Origin::User,
        }
    }

    /// Whether this is Anthropic itself, whose endpoint and models Claude Code knows.
    pub fn is_claude(&self) -> bool {
        self.id.is_claude()
    }

    /// Which cloud mode of Claude Code this is, if it is one.
    pub fn mode(&self) -> Option<Mode> {
        self.cloud.as_ref().map(|cloud| cloud.mode)
    }

    /// The endpoint of a session, where the row knows one.
    pub fn endpoint(&self) -> Option<&str> {
        self.base_url.as_deref().or_else(|| self.is_claude().then_some(CLAUDE_BASE_URL))
    }

    /// The variable that a new key is stored under; `None` where the backend asks for no key.
    pub fn key_variable(&self) -> Option<&str> {
        let unnamed = match self.auth {
            Auth::Bearer => variables::AUTH_TOKEN,
            Auth::XApiKey => variables::API_KEY,
            Auth::None => return None,
        };
        Some(self.key_env.first().map_or(unnamed, String::as_str))
    }
}

impl Wire {
    /// The word for it in `providers.yaml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai => "openai",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            Self::Plugin => "plugin",
        }
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
