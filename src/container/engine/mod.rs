//! The container engine, Docker or Podman, through its HTTP API.
//!
//! This folder is the only importer of bollard: what the rest of the program knows of the engine are the types here.

pub mod build;
pub mod connect;
pub mod container;
pub mod exec;
pub mod probe;
pub mod pull;

use std::io;

use bollard::{ClientVersion, Docker};
use tokio::io::{AsyncRead, AsyncWrite};

pub use connect::{Endpoint, Tried};

use crate::host::Host;

/// How long the engine may take to answer a request; pulling and building send their answer piece by piece.
const TIMEOUT_SECONDS: u64 = 120;

/// A connection to a container engine.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
    endpoint: Endpoint,
}

impl Engine {
    /// Finds the engine of this machine and agrees on an API version with it.
    pub async fn connect(host: &Host) -> Result<Self, Error> {
        let (endpoint, theirs) = connect::find(host).await?;
        let ours = (bollard::API_DEFAULT_VERSION.major_version, bollard::API_DEFAULT_VERSION.minor_version);
        let (major_version, minor_version) = ours.min(theirs);
        let version = ClientVersion { major_version, minor_version };
        let docker = match &endpoint {
            Endpoint::Unix(path) => {
                Docker::connect_with_unix(&path.to_string_lossy(), TIMEOUT_SECONDS, &version)
            }
            Endpoint::Tcp(address) => {
                Docker::connect_with_http(&format!("tcp://{address}"), TIMEOUT_SECONDS, &version)
            }
        };
        tracing::debug!(%endpoint, api = %format_args!("{major_version}.{minor_version}"), "engine found");
        Ok(Self { docker: docker.map_err(|source| Error::api("connect to the engine", source))?, endpoint })
    }
}

impl Engine {
    /// A byte stream to the engine, for somebody who speaks its API themselves.
    pub async fn open(&self) -> io::Result<impl AsyncRead + AsyncWrite + Send + use<>> {
        connect::open(&self.endpoint).await
    }
}

/// What went wrong with the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No engine answers.
    #[error("no container engine answers{}", list(.0))]
    NotFound(Vec<Tried>),
    /// No engine answers where `DOCKER_HOST` says.
    #[error("no container engine answers at DOCKER_HOST{}", list(.0))]
    NotThere(Vec<Tried>),
    /// `DOCKER_HOST` is of a kind that is not supported.
    #[error("DOCKER_HOST is `{0}`, which is not of the form unix:///PATH or tcp://HOST:PORT")]
    Address(String),
    /// The engine refused a request.
    #[error("the engine could not {action}: {message}")]
    Refused {
        /// What was asked of it.
        action: &'static str,
        /// The HTTP status it answered with.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The engine went away, or said something that is not of its API.
    #[error("the engine could not {action}")]
    Broken {
        /// What was asked of it.
        action: &'static str,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    pub(crate) fn api(action: &'static str, source: bollard::errors::Error) -> Self {
        match source {
            bollard::errors::Error::DockerResponseServerError { status_code: status, message } => {
                Self::Refused { action, status, message }
            }
            other => Self::Broken { action, source: Box::new(other) },
        }
    }

    /// Whether the engine said that there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the engine said that a name is taken, or a thing in use.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound(tried) => Some(start_one(tried)),
            Self::NotThere(_) => {
                Some("start that engine, or unset DOCKER_HOST to have the usual sockets tried".to_owned())
            }
            Self::Address(_) => {
                Some("correct DOCKER_HOST, or unset it to have the usual sockets tried".to_owned())
            }
            Self::Refused { .. } => None,
            Self::Broken { .. } => {
                Some("see whether the engine still runs: `docker info` or `podman info`".to_owned())
            }
        }
    }
}

fn list(tried: &[Tried]) -> String {
    use std::fmt::Write;
    tried.iter().fold(String::from("; tried:"), |mut text, Tried { endpoint, error }| {
        let _ = write!(text, "\n  {endpoint}: {}", reason(error));
        text
    })
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such socket".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::ConnectionRefused => "nothing listens".to_owned(),
        _ => error.to_string(),
    }
}

fn start_one(tried: &[Tried]) -> String {
    let denied = tried.iter().find(|tried| tried.error.kind() == std::io::ErrorKind::PermissionDenied);
    match denied {
        Some(Tried { endpoint, .. }) => {
            format!("you may not use {endpoint}: `sudo usermod -aG docker $USER`, then log in again")
        }
        None => "start one: `sudo systemctl start docker`, `systemctl --user start podman.socket`, or Docker Desktop; \
                 none installed: https://docs.docker.com/engine/install/"
            .to_owned(),
    }
}
