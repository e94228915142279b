//! What of the host's a session may use while it lives: the caller's SSH agent, and the machine's container engine.

use std::path::{Path, PathBuf};

use crate::config::Settings;
use crate::config::agent_socket::AgentSocket;
use crate::container::carried::ssh_files;
use crate::container::engine::Engine;
use crate::container::mount::Mount;
use crate::container::name::Identity;
use crate::container::relay::bytes::{self, End};
use crate::container::relay::{Relay, ssh_agent};
use crate::container::spec::User;
use crate::error::Error;
use crate::host::Host;
use crate::private_file;
use crate::ui;

/// Where the folders with the sessions' sockets are inside.
const AGENT: &str = "/run/claude-reactor/ssh-agent";
const DOCKER: &str = "/run/claude-reactor/docker";

/// What is forwarded, and by which folders of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    reactor_home: PathBuf,
    /// This container's own: another one's sessions have nothing to do with it.
    folder: PathBuf,
    agent: bool,
    docker: bool,
}

/// An agent that answers.
#[derive(Debug)]
pub struct Agent {
    socket: PathBuf,
    keys: u32,
}

/// Sockets that a session listens on, and the variables that name them inside.
#[derive(Debug, Default)]
pub struct Forwarded {
    /// Held for as long as the session lives.
    relays: Vec<Relay>,
    /// The variables.
    pub vars: Vec<(String, String)>,
}

impl Forward {
    /// What the settings say.
    pub fn new(settings: &Settings, identity: &Identity, reactor_home: &Path) -> Self {
        Self {
            reactor_home: reactor_home.to_owned(),
            // No account can have this folder's name. A digest, because a socket's path has to be short.
            folder: reactor_home.join(".run").join(identity.digest()),
            agent: settings.ssh_agent.value,
            docker: settings.host_docker.value,
        }
    }

    /// The mounts that it takes.
    pub fn mounts(&self, user: User) -> Vec<Mount> {
        let mount = |(name, target)| Mount::read_only(self.folder.join(name).to_string_lossy(), target);
        places(self.agent, self.docker, user).into_iter().map(mount).collect()
    }

    /// The places inside that it takes, for others to keep away from; what is there is not known yet.
    pub fn places(settings: &Settings, user: User) -> Vec<Mount> {
        let places = places(settings.ssh_agent.value, settings.host_docker.value, user);
        places.into_iter().map(|(name, target)| Mount::read_only(name, target)).collect()
    }

    /// Finds the agent, if one is wanted. One that does not answer is said before anything is made or remembered.
    pub fn find_agent(&self, settings: &Settings, host: &Host) -> Result<Option<Agent>, ssh_agent::Error> {
        if (self.agent || self.docker) && !cfg!(target_os = "linux") {
            return Err(ssh_agent::Error::NotHere);
        }
        if !self.agent {
            return Ok(None);
        }
        let socket = match &settings.ssh_agent_socket.value {
            AgentSocket::Auto => {
                host.var("SSH_AUTH_SOCK").map(PathBuf::from).ok_or(ssh_agent::Error::NoneNamed)?
            }
            AgentSocket::Path(path) => host.absolute(&path.to_string_lossy()),
        };
        let keys = ssh_agent::count_keys(&socket)?;
        Ok(Some(Agent { socket, keys }))
    }

    /// Makes the folders that are mounted, and the files in them.
    pub fn prepare(&self, host: &Host) -> Result<(), Error> {
        for (name, wanted) in [("ssh-agent", self.agent), ("dot-ssh", self.agent), ("docker", self.docker)] {
            if wanted {
                private_file::create_dir(&self.reactor_home, &self.folder.join(name))?;
            }
        }
        if !self.agent {
            return Ok(());
        }
        let folder = self.folder.join("dot-ssh");
        let files = ssh_files::files(host);
        for (name, text) in &files {
            let path = folder.join(name);
            if private_file::read(&path)?.as_ref() != Some(text) {
                private_file::write(&path, text.as_bytes())?;
            }
        }
        let gone = |source| Error::Io { action: "tidy up the session's ~/.ssh", source };
        for entry in folder.read_dir().map_err(gone)?.flatten() {
            if entry.file_name().to_str().is_none_or(|name| !files.contains_key(name)) {
                std::fs::remove_file(entry.path()).map_err(gone)?;
            }
        }
        Ok(())
    }

    /// Begins to listen for a session, and says what the user should know of it. A container that is joined as it runs
    /// may lack a folder that `has` asks for: nobody would come to a socket there.
    pub fn start(
        &self,
        agent: Option<&Agent>,
        settings: &Settings,
        engine: &Engine,
        has: impl Fn(&str) -> bool,
    ) -> Result<Forwarded, Error> {
        let failed = |source| Error::Io { action: "open a socket for the session", source };
        let mut forwarded = Forwarded::default();
        if let Some(agent) = agent.filter(|_| has(AGENT)) {
            if agent.keys == 0 {
                ui::note("your SSH agent holds no key; `ssh-add` gives it one, also while the session runs");
            }
            let socket = agent.socket.clone();
            let relay = Relay::start(&self.folder.join("ssh-agent"), move |inside| {
                let socket = socket.clone();
                async move {
                    let served = async {
                        let agent = tokio::net::UnixStream::connect(&socket).await?;
                        ssh_agent::serve(inside, agent).await
                    };
                    if let Err(error) = served.await {
                        tracing::debug!(%error, "a request to the SSH agent failed");
                    }
                }
            });
            forwarded.add(relay.map_err(failed)?, "SSH_AUTH_SOCK", AGENT);
        }
        if self.docker && has(DOCKER) {
            ui::warn("this session may use your machine's container engine, and so do there what root may");
            let (engine, timeout) = (engine.clone(), settings.host_docker_timeout.value);
            let relay = Relay::start(&self.folder.join("docker"), move |inside| {
                let engine = engine.clone();
                async move {
                    match engine.open().await {
                        Ok(outside) => {
                            if bytes::pass(inside, outside, timeout.limit()).await == End::TimedOut {
                                tracing::info!(limit = %timeout, "a use of the host's engine took too long");
                            }
                        }
                        Err(error) => tracing::debug!(%error, "the host's engine does not answer"),
                    }
                }
            });
            forwarded.add(relay.map_err(failed)?, "DOCKER_HOST", &format!("unix://{DOCKER}"));
        }
        Ok(forwarded)
    }
}

/// The flag that asks for what is mounted at a place inside, where it is one of these.
pub fn flag_of(target: &str) -> Option<&'static str> {
    match target {
        DOCKER => Some("--host-docker"),
        AGENT => Some("--ssh-agent"),
        _ => target.ends_with("/.ssh").then_some("--ssh-agent"),
    }
}

/// The folders of ours by name, and where they are inside.
fn places(agent: bool, docker: bool, user: User) -> Vec<(&'static str, String)> {
    let mut places = Vec::new();
    if agent {
        places.push(("ssh-agent", AGENT.to_owned()));
        places.push(("dot-ssh", format!("{}/.ssh", user.home())));
    }
    if docker {
        places.push(("docker", DOCKER.to_owned()));
    }
    places
}

impl Forwarded {
    fn add(&mut self, relay: Relay, variable: &str, folder: &str) {
        self.vars.push((variable.to_owned(), format!("{folder}/{}", relay.name())));
        self.relays.push(relay);
    }
}
