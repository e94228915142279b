//! Why a provider's row, `.env` and settings do not make a session.

use super::Credential;
use crate::name::ProviderId;
use crate::provider::base_url;
use crate::provider::catalog::{Need, Wire};

/// Why there are no variables for a session. Files are named below the account's folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The backend speaks an API that Claude Code does not.
    #[error("provider {provider} speaks the {wire} API, which Claude Code does not")]
    Wire {
        /// The provider.
        provider: ProviderId,
        /// What it speaks.
        wire: Wire,
    },
    /// There is no key to send.
    #[error("no key for provider {provider}: llms/{provider}/.env has no {variable}")]
    NoKey {
        /// The provider.
        provider: ProviderId,
        /// The variable a key would be stored under.
        variable: String,
    },
    /// A cloud mode has not been told all it needs.
    #[error("{provider} is not set up: llms/{provider}/.env lacks {}", in_words(needs))]
    Incomplete {
        /// The provider.
        provider: ProviderId,
        /// What is missing.
        needs: Vec<Need>,
    },
    /// The endpoint that the `.env` gives a cloud mode is not one.
    #[error("llms/{provider}/.env: {name}: {problem}")]
    ModeBaseUrl {
        /// The provider.
        provider: ProviderId,
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        problem: base_url::Problem,
    },
    /// Claude Code would send both.
    #[error(
        "llms/{provider}/.env sets both ANTHROPIC_AUTH_TOKEN and ANTHROPIC_API_KEY, and both would be sent"
    )]
    TwoKeys {
        /// The provider.
        provider: ProviderId,
    },
    /// A subscription's credential would go to somebody else.
    #[error("the {credential} is for Anthropic alone, and provider claude is at {endpoint}")]
    SubscriptionElsewhere {
        /// Which credential.
        credential: Credential,
        /// Where it would go.
        endpoint: String,
    },
    /// Nothing says which model to ask.
    #[error("no model is known for provider {provider}")]
    NoModel {
        /// The provider.
        provider: ProviderId,
    },
    /// Nothing says where the backend is.
    #[error("no endpoint is known for provider {provider}")]
    NoBaseUrl {
        /// The provider.
        provider: ProviderId,
    },
    /// The endpoint of the `.env` is not one.
    #[error("llms/{provider}/.env: ANTHROPIC_BASE_URL: {problem}")]
    BaseUrl {
        /// The provider.
        provider: ProviderId,
        /// What is wrong with it.
        problem: base_url::Problem,
    },
    /// The `.env` sets a variable that it may not set.
    #[error("llms/{provider}/.env may not set {name}: {why}")]
    Reserved {
        /// The provider.
        provider: ProviderId,
        /// The variable.
        name: String,
        /// What it is for.
        why: &'static str,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Wire { .. } => "choose another provider with --llm-provider".to_owned(),
            Self::NoKey { variable, .. } => format!("add the line {variable}='…' to it"),
            Self::Incomplete { provider, .. } => {
                format!("`claude-reactor run --llm-provider {provider}` asks for it in a terminal")
            }
            Self::TwoKeys { .. } => "remove the one that is not to be sent".to_owned(),
            Self::Reserved { .. } => "remove the line".to_owned(),
            Self::SubscriptionElsewhere { .. } => {
                "remove that address from providers.yaml or llms/claude/.env, or store a key for it with --key-stdin"
                    .to_owned()
            }
            Self::NoModel { provider } => format!(
                "choose one with --llm-provider {provider} --llm-model MODEL, or set models.main of {provider} in \
                 ~/.claude-reactor/providers.yaml"
            ),
            Self::NoBaseUrl { provider } => format!(
                "add a row {provider} with its base_url to ~/.claude-reactor/providers.yaml, or a line \
                 ANTHROPIC_BASE_URL='https://…' to llms/{provider}/.env"
            ),
            Self::BaseUrl { problem, .. } | Self::ModeBaseUrl { problem, .. } => problem.hint().to_owned(),
        })
    }
}

fn in_words(needs: &[Need]) -> String {
    needs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
