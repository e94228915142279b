//! What is tried: where the provider's sessions send their requests, and with what.

use std::time::SystemTime;

use secrecy::SecretString;

use crate::command::target::Target;
use crate::error::Error;
use crate::name::ProviderId;
use crate::provider::catalog::{Auth, Mode, Provider};
use crate::provider::check::Endpoint;
use crate::provider::login::{self, State};
use crate::provider::session_env::{Credential, Login, SessionEnv};
use crate::provider::variables::OAUTH_TOKEN;

/// What is tried.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The provider.
    pub id: ProviderId,
    /// Where to get a key.
    pub key_url: Option<String>,
    /// How.
    pub way: Way,
    address: String,
}

/// How it is tried.
#[derive(Debug, Clone)]
pub enum Way {
    /// By a request like a session's.
    Ask {
        /// Where.
        endpoint: Endpoint,
        /// With which key.
        key: SecretString,
        /// Whether that is one.
        is_key: bool,
    },
    /// Only whether somebody answers: a request would take the login, which Claude Code keeps.
    Login(State),
    /// Only whether somebody answers: what a cloud takes, Claude Code alone knows how to send.
    Cloud,
}

impl Subject {
    /// What is to be tried of a provider with these variables.
    pub fn of(target: &Target, provider: &Provider, env: &SessionEnv) -> Result<Self, Error> {
        let ask = |auth, key: &SecretString, is_key| Way::Ask {
            endpoint: Endpoint::new(env.endpoint(), auth, env.model()),
            key: key.clone(),
            is_key,
        };
        let is_key = env.credential() != &Credential::NoKey;
        let way = match (env.credential(), env.login()) {
            (Credential::Cloud(_), _) => Way::Cloud,
            (Credential::Login, _) => {
                let folder = login::folder(&target.reactor_home, &target.account);
                Way::Login(login::state(&folder, SystemTime::now())?)
            }
            (_, Login::Bearer(key)) => ask(Auth::Bearer, key, is_key),
            (_, Login::XApiKey(key)) => ask(Auth::XApiKey, key, is_key),
            (_, Login::Subscription) => {
                let token = env.for_command().find(|(name, _)| *name == OAUTH_TOKEN);
                let key = token.map(|(_, value)| value.clone()).unwrap_or_default();
                let endpoint = Endpoint::new(env.endpoint(), Auth::Bearer, env.model()).with_token();
                Way::Ask { endpoint, key, is_key }
            }
        };
        let address = match provider.mode() {
            Some(mode) => cloud_address(mode, env),
            None => env.endpoint().to_owned(),
        };
        Ok(Self { id: provider.id.clone(), key_url: provider.key_url.clone(), way, address })
    }

    /// Where the requests go.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The model that is asked.
    pub fn model(&self) -> Option<&str> {
        if let Way::Ask { endpoint, .. } = &self.way { Some(endpoint.model()) } else { None }
    }

    /// What no try can tell.
    pub fn not_tested(&self) -> Vec<&'static str> {
        match self.way {
            Way::Ask { .. } => Vec::new(),
            Way::Login(_) => vec!["whether Anthropic still takes the login: a session tells"],
            Way::Cloud => {
                vec!["whether the cloud takes the credentials, and has the model for you: a session tells"]
            }
        }
    }
}

/// Where Claude Code sends the requests of a cloud mode (the addresses are those of the clouds' own documentation).
fn cloud_address(mode: Mode, env: &SessionEnv) -> String {
    use secrecy::ExposeSecret;

    let value = |name: &str| {
        let found = env.for_command().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.expose_secret()).filter(|value| !value.is_empty())
    };
    if let Some(url) = value(mode.base_url()) {
        return url.trim_end_matches('/').to_owned();
    }
    let named = |name| value(name).unwrap_or_default();
    match mode {
        Mode::Bedrock => format!("https://bedrock-runtime.{}.amazonaws.com", named("AWS_REGION")),
        Mode::Vertex => match named("CLOUD_ML_REGION") {
            "global" => "https://aiplatform.googleapis.com".to_owned(),
            region => format!("https://{region}-aiplatform.googleapis.com"),
        },
        Mode::Foundry => {
            format!("https://{}.services.ai.azure.com/anthropic", named("ANTHROPIC_FOUNDRY_RESOURCE"))
        }
    }
}
