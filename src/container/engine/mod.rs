//! The container engine, Docker or Podman, through its HTTP API.
//!
//! This folder is the only importer of bollard: what the rest of the program knows of the engine are the types here.

pub mod about;
mod afterwards;
pub mod build;
mod connect;
pub mod container;
pub mod docker_config;
pub mod endpoint;
pub mod exec;
pub mod facts;
pub mod freeze;
mod images;
mod inspect;
pub mod locate;
pub mod logs;
pub mod probe;
mod stream;
mod survey;
pub mod tls;
pub mod transfer;

use std::io;

use bollard::Docker;
use tokio::io::{AsyncRead, AsyncWrite};

pub use connect::Tried;
pub use endpoint::Endpoint;
pub use facts::Facts;
pub use locate::ChosenBy;

use crate::config::Setting;
use crate::engine_choice::EngineChoice;
use crate::host::Host;
use facts::Kind;

/// The variable by which a user vouches that an engine elsewhere has the same files.
pub const SHARED_FILES: &str = "CLAUDE_REACTOR_ENGINE_SHARES_FILES";

/// A connection to a container engine.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
    http: connect::Http,
    dialer: stream::Dialer,
    facts: Facts,
    chosen_by: ChosenBy,
}

impl Engine {
    /// Finds the engine, agrees on an API version with it, and makes sure that it can mount folders of this machine.
    pub async fn connect(host: &Host, choice: Option<&Setting<EngineChoice>>) -> Result<Self, Error> {
        let connected = connect::connect(host, choice).await?;
        let vouched = host.var(SHARED_FILES).is_some_and(|value| value == "true" || value == "1");
        if !vouched && !connect::is_on_this_machine(&connected).await? {
            let endpoint = Box::new(connected.dialer.endpoint().clone());
            return Err(Error::Elsewhere { chosen_by: connected.chosen_by, endpoint });
        }
        let connect::Connected { docker, http, dialer, facts, chosen_by, .. } = connected;
        Ok(Self { docker, http, dialer, facts, chosen_by })
    }

    /// What it is.
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        self.dialer.endpoint()
    }

    /// What said so.
    pub fn chosen_by(&self) -> &ChosenBy {
        &self.chosen_by
    }

    /// Whether it is reached otherwise than by a socket, so that its files may be others than this machine's.
    pub fn may_be_elsewhere(&self) -> bool {
        !matches!(self.dialer.endpoint(), Endpoint::Unix(_))
    }

    /// Refuses an engine under which no user has its own id, so that nothing a session writes would be the caller's.
    /// Asked when a container is made, for it takes a request of its own.
    pub(super) async fn refuse_remapped_users(&self) -> Result<(), Error> {
        let is_docker = self.facts.kind == Kind::Docker && !self.facts.rootless;
        if is_docker && connect::info(&self.docker).await?.remaps_users() {
            return Err(Error::RemappedUsers);
        }
        Ok(())
    }
}

impl Engine {
    /// A byte stream to the engine, for somebody who speaks its API themselves.
    pub async fn open(&self) -> io::Result<impl AsyncRead + AsyncWrite + Send + use<>> {
        self.dialer.open().await
    }
}

/// What went wrong with the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No engine answers.
    #[error("no container engine answers{}{}", place(chosen_by), list(tried))]
    NoAnswer {
        /// What said where to look.
        chosen_by: ChosenBy,
        /// Which engine it has to be.
        kind: Option<Kind>,
        /// What was tried.
        tried: Vec<Tried>,
        /// Whether Podman's command line is there.
        podman_is_installed: bool,
    },
    /// What said where the engine is cannot be followed.
    #[error(transparent)]
    Location(Box<locate::Error>),
    /// The files for TLS are not as they should be.
    #[error("{chosen_by} does not lead to a container engine")]
    Tls {
        /// What said where the engine is.
        chosen_by: ChosenBy,
        /// What is wrong.
        #[source]
        source: Box<tls::Error>,
    },
    /// The engine is on another machine, where the project's folder is not.
    #[error(
        "the container engine at {endpoint} ({chosen_by}) is on another machine: it cannot mount your project"
    )]
    Elsewhere {
        /// What said where the engine is.
        chosen_by: ChosenBy,
        /// Where it is.
        endpoint: Box<Endpoint>,
    },
    /// The engine does not have this machine's files.
    #[error("the container engine does not have this machine's files: it cannot mount your project")]
    OtherFiles,
    /// Docker runs with `userns-remap`.
    #[error("this Docker maps all users to others (`userns-remap`): a session could not write your files")]
    RemappedUsers,
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

impl From<locate::Error> for Error {
    fn from(error: locate::Error) -> Self {
        Self::Location(Box::new(error))
    }
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
            Self::NoAnswer { chosen_by: ChosenBy::Default, tried, podman_is_installed, .. } => {
                Some(start_one(tried, *podman_is_installed))
            }
            Self::NoAnswer { kind: Some(Kind::Podman), podman_is_installed: true, .. } => {
                Some(SERVE_PODMAN.to_owned())
            }
            Self::NoAnswer { tried, .. } if tried.iter().any(Tried::is_mistrust) => Some(TLS_FILES.to_owned()),
            Self::NoAnswer { chosen_by, tried, .. } => Some(match denied(tried) {
                Some(endpoint) => may_not_use(endpoint),
                None => format!("start that engine, or {}", otherwise(chosen_by)),
            }),
            Self::Location(error) => Some(match &**error {
                locate::Error::Address { chosen_by, .. } => format!("correct it, or {}", otherwise(chosen_by)),
                locate::Error::Context { chosen_by, .. } => {
                    format!("`docker context ls` lists the contexts; or {}", otherwise(chosen_by))
                }
                locate::Error::InClear { chosen_by, .. } => format!(
                    "encrypt it: set DOCKER_TLS_VERIFY=1 with the files for TLS in DOCKER_CERT_PATH, or use \
                     ssh://[USER@]HOST; or {}",
                    otherwise(chosen_by)
                ),
                locate::Error::Config(_) => {
                    "correct that file, or say which engine to use with --engine".to_owned()
                }
            }),
            Self::Tls { .. } => Some(TLS_FILES.to_owned()),
            Self::Elsewhere { chosen_by, .. } => Some(format!(
                "use an engine of this machine: {}; where that machine has the same files at the same paths, say so with \
                 {SHARED_FILES}=true",
                otherwise(chosen_by)
            )),
            Self::OtherFiles => Some("use an engine of this machine: `--engine docker` or `--engine podman`".to_owned()),
            Self::RemappedUsers => Some(
                "use rootless Docker or Podman, which keep your files yours, or take `userns-remap` out of Docker's \
                 daemon.json"
                    .to_owned(),
            ),
            Self::Refused { .. } => None,
            Self::Broken { .. } => {
                Some("see whether the engine still runs: `docker info` or `podman info`".to_owned())
            }
        }
    }
}

const TLS_FILES: &str =
    "ca.pem, cert.pem and key.pem are taken from DOCKER_CERT_PATH, or from the Docker context";

fn place(chosen_by: &ChosenBy) -> String {
    match chosen_by {
        ChosenBy::Default => String::new(),
        ChosenBy::Variable(_) | ChosenBy::CurrentContext(..) => format!(" at {chosen_by}"),
        ChosenBy::Setting(..) => format!(" for {chosen_by}"),
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

/// How to have another engine used than the one that was chosen.
fn otherwise(chosen_by: &ChosenBy) -> String {
    match chosen_by {
        ChosenBy::Variable(name) => format!("unset {name} to have the usual sockets tried"),
        ChosenBy::CurrentContext(..) => {
            "choose another with `docker context use`, or with --engine".to_owned()
        }
        ChosenBy::Setting(..) | ChosenBy::Default => "choose another with --engine".to_owned(),
    }
}

const SERVE_PODMAN: &str = "Podman is installed, but serves no socket: `systemctl --user start podman.socket`, or \
                            `podman system service --time=0` where there is no systemd";

fn start_one(tried: &[Tried], podman_is_installed: bool) -> String {
    match denied(tried) {
        Some(endpoint) => may_not_use(endpoint),
        None if podman_is_installed => SERVE_PODMAN.to_owned(),
        None => "start one: `sudo systemctl start docker`, `systemctl --user start podman.socket`, or Docker Desktop; \
                 none installed: https://docs.docker.com/engine/install/"
            .to_owned(),
    }
}

/// The socket of an engine that answers others.
fn denied(tried: &[Tried]) -> Option<&Endpoint> {
    let denied = tried.iter().find(|tried| tried.error.kind() == std::io::ErrorKind::PermissionDenied);
    denied.map(|tried| &tried.endpoint).filter(|endpoint| matches!(endpoint, Endpoint::Unix(_)))
}

fn may_not_use(endpoint: &Endpoint) -> String {
    if endpoint.to_string().contains("podman") {
        return format!(
            "you may not use {endpoint}, which is root's; serve your own: `systemctl --user start podman.socket`"
        );
    }
    format!("you may not use {endpoint}: `sudo usermod -aG docker $USER`, then log in again")
}
