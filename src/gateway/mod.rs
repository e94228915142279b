//! The gateway: Anthropic's Messages API on the one side, the API of any other backend on the other.
//!
//! Translators are pure: [`message`] is what comes in, [`conversation`] puts it in order, a module for each wire (`openai`,
//! `gemini`, `ollama`) writes it down in its backend's form and turns what comes back into a [`reply`], which gives
//! [`event`]s. Sending and receiving is all outside of them.

pub mod anthropic;
mod arguments;
pub mod ask;
pub mod backend;
mod body;
pub mod client;
pub mod conversation;
mod estimate;
pub mod event;
pub mod failure;
pub mod gemini;
pub mod message;
pub mod names;
pub mod ollama;
pub mod openai;
pub mod reply;
pub mod server;
pub mod sse;
pub mod translate;
pub mod upstream;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::name::ProviderId;
use failure::Failure;

/// Why there is no gateway, or no answer through it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A cloud mode is a matter between Claude Code and the cloud.
    #[error("provider {0} is a cloud mode of Claude Code, which only a session can use")]
    Cloud(ProviderId),
    /// A wire that is not spoken.
    #[error("provider {0} speaks the plugin API, which this version does not")]
    Plugin(ProviderId),
    /// A row without an address.
    #[error("provider {0} has no base_url")]
    NoBaseUrl(ProviderId),
    /// A row with a header that cannot be.
    #[error("provider {0} has a `key_header` that is not the name of a header")]
    KeyHeader(ProviderId),
    /// Nobody says which model.
    #[error("no model is chosen for provider {0}, and its row names none")]
    NoModel(ProviderId),
    /// A file for the token without one.
    #[error("the token file {} is empty", .0.display())]
    EmptyToken(PathBuf),
    /// There is nothing to ask.
    #[error("there is no question")]
    NoQuestion,
    /// Nobody can connect there.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// The port could not be told.
    #[error("the port cannot be written to {}", path.display())]
    PortFile {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// No client.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The backend gave no answer.
    #[error("{}", .0.message)]
    Failed(Box<Failure>),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Cloud(_) => Some("choose another provider with --llm-provider".to_owned()),
            Self::Plugin(_) => Some("see docs/gateway.md for the wires there are".to_owned()),
            Self::NoBaseUrl(id) => {
                Some(format!("give its row in providers.yaml one: `providers: {{{id}: {{base_url: …}}}}`"))
            }
            Self::KeyHeader(_) => Some("correct it in providers.yaml".to_owned()),
            Self::NoModel(id) => Some(format!(
                "choose one with --model, or as `models: {{main: …}}` of `{id}` in providers.yaml"
            )),
            Self::EmptyToken(_) => Some("remove it, and one is made".to_owned()),
            Self::NoQuestion => Some("give it as an argument, or on standard input".to_owned()),
            Self::Listen { .. } => {
                Some("choose another address with --listen; port 0 takes a free one".to_owned())
            }
            Self::PortFile { .. } | Self::Client(client::Error::Tls(_)) => None,
            Self::Client(client::Error::CaFile { .. }) => {
                Some("correct --ca-file, or leave it out".to_owned())
            }
            Self::Failed(failure) => match failure.status.as_u16() {
                401 | 403 => Some("give another key with --key-stdin or --key-from-env".to_owned()),
                404 => Some("see whether the model is one of this provider's: --model".to_owned()),
                429 | 503 | 529 => Some("try again a little later".to_owned()),
                _ => None,
            },
        }
    }
}
