//! The variables a session gets: a pure function of the provider's row, the lines of its `.env`, and the settings.
//!
//! Three layers, each over the one before: what claude-reactor derives, the row's `env`, the lines of `.env`. What must
//! hold whatever they say: the endpoint is this provider's and is the one shown, one key at most is sent and it is this
//! provider's, every model alias is a model of this provider, and no settings file of a repository can change any of it.

pub(crate) mod cloud;
mod error;
mod lines;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::digest::hex;

use super::catalog::{Provider, Wire, is_anthropic};
use super::login;
use super::variables::{
    ALIAS_MODELS, API_KEY, AUTH_TOKEN, BASE_URL, CLOUD_MODES, CONTEXT_WINDOW, MANAGED_BY_HOST, MODEL,
    OAUTH_TOKEN, SMALL_MODEL,
};
use lines::{Key, Lines};

pub use error::Error;

/// The models the settings choose, over those of the provider's row.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelChoice<'a> {
    /// `llm.model`.
    pub main: Option<&'a str>,
    /// `llm.small_model`.
    pub small: Option<&'a str>,
}

/// The variables of a session. None of their values is in its `Debug` output.
#[derive(Debug, Clone)]
pub struct SessionEnv {
    vars: BTreeMap<String, SecretString>,
    /// Names of keys that one of Claude Code's own variables holds a copy of.
    own_keys: Vec<String>,
    credential: Credential,
    passed_over: Vec<Credential>,
    endpoint: String,
    model: Option<String>,
}

/// Which credential a session uses, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The key in this line of the provider's `.env`.
    Key(String),
    /// The long-lived token of a Claude subscription, in the line `CLAUDE_CODE_OAUTH_TOKEN`.
    Token,
    /// The login of a Claude subscription, which Claude Code keeps itself ([`login`]).
    Login,
    /// None: the backend asks for no key.
    NoKey,
    /// The credentials of a cloud mode, by their variables.
    Cloud(Vec<String>),
}

/// How a session proves who it is.
#[derive(Debug, Clone, Copy)]
pub enum Login<'a> {
    /// `Authorization: Bearer …`.
    Bearer(&'a SecretString),
    /// `x-api-key: …`. Claude Code asks its user about such a key until its state says that the key is approved.
    XApiKey(&'a SecretString),
    /// By a Claude subscription, whose credential Claude Code sends to Anthropic itself only.
    Subscription,
}

/// The variables of a session of `provider`, whose `.env` holds `lines`. `has_login` says whether the account's user chose
/// to log in to a Claude subscription; a key or token in `.env` wins over that.
pub fn session_env<'a>(
    provider: &Provider,
    lines: impl IntoIterator<Item = (&'a str, &'a SecretString)>,
    choice: ModelChoice<'_>,
    has_login: bool,
) -> Result<SessionEnv, Error> {
    let lines: Lines = lines.into_iter().collect();
    if provider.wire != Wire::Anthropic {
        return Err(Error::Wire { provider: provider.id.clone(), wire: provider.wire });
    }
    lines.check_reserved(provider)?;
    if let Some(mode) = &provider.cloud {
        return cloud::session_env(provider, mode, &lines, choice);
    }
    let endpoint = lines.endpoint(provider)?;
    let models = Models::choose(provider, &lines, choice)?;
    let has_login = has_login && provider.is_claude();
    let key = lines.key(provider, has_login)?;
    if matches!(key.credential, Credential::Token | Credential::Login) && !is_anthropic(endpoint) {
        return Err(Error::SubscriptionElsewhere {
            credential: key.credential,
            endpoint: endpoint.to_owned(),
        });
    }
    let passed_over = lines.passed_over(provider, &key, has_login);

    let mut vars = Vars(BTreeMap::new());
    vars.pin(endpoint);
    vars.map_models(provider, models);
    vars.suit_to(provider);
    vars.overlay(provider.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    vars.overlay(lines.iter());
    vars.log_in(provider, &key);

    let is_own = |name: &&String| *name != AUTH_TOKEN && *name != API_KEY;
    Ok(SessionEnv {
        vars: vars.0,
        own_keys: provider.key_env.iter().filter(is_own).cloned().collect(),
        credential: key.credential,
        passed_over,
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        model: models.main.map(str::to_owned),
    })
}

impl SessionEnv {
    /// What the `claude` process gets. Its tools may write their environment into a transcript, and Claude Code keeps
    /// only its own two key variables from them; so a key under its own name is left out, unless `export_key`.
    pub fn for_claude(&self, export_key: bool) -> impl Iterator<Item = (&str, &SecretString)> {
        self.for_command().filter(move |(name, _)| export_key || !self.own_keys.iter().any(|key| key == name))
    }

    /// What a shell or another command of the user's gets, and the container where `llm.env` is `container`: all of it.
    pub fn for_command(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.vars.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names of keys that the `claude` process does without.
    pub fn own_keys(&self) -> impl Iterator<Item = &str> {
        self.own_keys.iter().map(String::as_str)
    }

    /// Where the session's requests go, without a trailing slash.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The model that answers; `None` where it is Claude Code's own choice.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Which credential the session uses.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// What could pay as well, and does not because of that one.
    pub fn passed_over(&self) -> &[Credential] {
        &self.passed_over
    }

    /// What the session sends to prove who it is; where there is no key, a text that is no secret.
    pub fn login(&self) -> Login<'_> {
        if matches!(self.credential, Credential::Token | Credential::Login) {
            return Login::Subscription;
        }
        match &self.vars[API_KEY] {
            key if key.expose_secret().is_empty() => Login::Bearer(&self.vars[AUTH_TOKEN]),
            key => Login::XApiKey(key),
        }
    }

    /// A digest of each variable's value, 16 hex digits by the variable's name: another one means that a container
    /// created with them is out of date, and which of them it is can be said.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let digest = |(name, value): (&str, &SecretString)| {
            let text = format!("{name}={}", value.expose_secret());
            (name.to_owned(), hex(&Sha256::digest(text)[..8]))
        };
        self.for_command().map(digest).collect()
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => write!(f, "key {name}"),
            Self::Token => write!(f, "subscription token {OAUTH_TOKEN}"),
            Self::Login => f.write_str("subscription login"),
            Self::NoKey => f.write_str("no key"),
            Self::Cloud(names) => f.write_str(&names.join(" + ")),
        }
    }
}

/// The models of a session, from the nearest place that states each.
#[derive(Clone, Copy)]
struct Models<'a> {
    main: Option<&'a str>,
    small: Option<&'a str>,
}

impl<'a> Models<'a> {
    fn choose(provider: &'a Provider, lines: &Lines<'a>, choice: ModelChoice<'a>) -> Result<Self, Error> {
        let stated = |choice: Option<&'a str>| choice.filter(|model| !model.is_empty());
        let main = lines.stated(MODEL).or(stated(choice.main)).or(provider.models.main.as_deref());
        let small = lines.stated(SMALL_MODEL).or(stated(choice.small)).or(provider.models.small.as_deref());
        if main.is_none() && !provider.is_claude() {
            return Err(Error::NoModel { provider: provider.id.clone() });
        }
        Ok(Self { main, small })
    }
}

/// The variables while they are put together.
struct Vars(BTreeMap<String, SecretString>);

impl Vars {
    fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), SecretString::from(value));
    }

    /// Where the session goes. A repository's settings lose to variables of the environment, so the ones that would send
    /// it elsewhere are there too, empty.
    fn pin(&mut self, endpoint: &str) {
        self.set(MANAGED_BY_HOST, "1");
        self.set(BASE_URL, endpoint);
        for name in CLOUD_MODES.into_iter().chain(["NODE_TLS_REJECT_UNAUTHORIZED"]) {
            self.set(name, "");
        }
    }

    fn map_models(&mut self, provider: &Provider, models: Models<'_>) {
        if let Some(main) = models.main {
            self.set(MODEL, main);
        }
        if let Some(small) = models.small {
            self.set(SMALL_MODEL, small);
        }
        // Anthropic knows what the aliases mean. To any other backend an alias that is not mapped sends a `claude-*` id.
        if let (false, Some(main)) = (provider.is_claude(), models.main) {
            for alias in ALIAS_MODELS {
                self.set(alias, main);
            }
            self.set(SMALL_MODEL, models.small.unwrap_or(main));
        }
    }

    fn suit_to(&mut self, provider: &Provider) {
        if let Some(window) = provider.context_window {
            self.set(CONTEXT_WINDOW, &window.to_string());
        }
        if !provider.is_claude() {
            // What these fetch and report goes elsewhere than to this provider.
            self.set("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
            self.set("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1");
            // Deferred tools come as blocks of a kind that other backends need not know.
            self.set("ENABLE_TOOL_SEARCH", "false");
        }
    }

    /// Puts a layer over what is there. An empty line for the endpoint or a model would not mean "none" but Anthropic's
    /// endpoint and Anthropic's model ids, so it counts as no line.
    fn overlay<'a>(&mut self, layer: impl Iterator<Item = (&'a str, &'a str)>) {
        let routes = |name| [BASE_URL, MODEL, SMALL_MODEL].contains(&name) || ALIAS_MODELS.contains(&name);
        for (name, value) in layer.filter(|(name, value)| !(value.is_empty() && routes(name))) {
            self.set(name, value);
        }
    }

    /// Both of Claude Code's key variables are sent where both are set; the one not used is empty, not absent, so that
    /// nothing else can set it.
    fn log_in(&mut self, provider: &Provider, key: &Key<'_>) {
        self.set(AUTH_TOKEN, "");
        self.set(API_KEY, "");
        if provider.is_claude() {
            self.set(OAUTH_TOKEN, "");
        }
        if key.credential == Credential::Login {
            // Claude Code takes it for a promise that the credential is in the environment. The managed settings, which
            // are mounted with the login, do instead what it does.
            self.0.remove(MANAGED_BY_HOST);
            self.set(login::VARIABLE, login::INSIDE);
        } else {
            self.set(key.variable, key.value);
        }
    }
}

#[cfg(test)]
mod tests;
