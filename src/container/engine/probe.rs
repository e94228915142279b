//! A short-lived container that looks at an image: one script, no capabilities, no network and no mounts unless they are what
//! is looked at, and gone at the end, whatever the end is.

use std::collections::HashMap;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig, Mount as ApiMount, MountType};
use bollard::query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder};
use futures_util::StreamExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::header::HOST;

use super::stream::Dialer;
use super::{Engine, Error, afterwards, connect};
use crate::container::mount::Mount;
use crate::container::name::LABEL_PREFIX;
use crate::container::spec::{HOST_NAMES, User};

/// The most that a script may say, in bytes.
const LARGEST: usize = 64 * 1024;

/// What to look at, and how.
#[derive(Debug)]
pub struct ProbeRequest<'a> {
    /// The image.
    pub image: &'a str,
    /// Who looks.
    pub user: User,
    /// The script, for `sh -c`.
    pub script: &'a str,
    /// Variables for it; a name without a value takes the image's away.
    pub env: Vec<String>,
    /// What it has of the world.
    pub reach: Reach,
}

/// What a container that looks at an image has of the world; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Whether it has the network that a session has.
    pub network: bool,
    /// Host paths inside.
    pub mounts: Vec<Mount>,
}

/// A container that looks at an image. Dropping it removes it.
#[derive(Debug)]
pub struct Probe<'a> {
    engine: &'a Engine,
    id: String,
}

/// What became of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// It ended, and said this on its standard output.
    Said(String),
    /// It did not end in time.
    TooLong,
    /// The container could not start; the engine's words.
    NotStarted(String),
}

impl Engine {
    /// Makes the container. It is not started.
    pub async fn probe(&self, request: ProbeRequest<'_>) -> Result<Probe<'_>, Error> {
        let Reach { network, mounts } = request.reach;
        let mounts = mounts.into_iter().map(|mount| ApiMount {
            source: Some(mount.source),
            target: Some(mount.target),
            read_only: Some(mount.read_only),
            typ: Some(MountType::BIND),
            ..ApiMount::default()
        });
        let body = ContainerCreateBody {
            image: Some(request.image.to_owned()),
            user: Some(format!("{}:{}", request.user.uid, request.user.gid)),
            working_dir: Some("/".to_owned()),
            env: Some(request.env),
            entrypoint: Some(["sh", "-c", request.script].map(str::to_owned).to_vec()),
            cmd: Some(Vec::new()),
            attach_stdout: Some(true),
            labels: Some(HashMap::from([(format!("{LABEL_PREFIX}image-check"), request.image.to_owned())])),
            network_disabled: Some(!network),
            host_config: Some(HostConfig {
                network_mode: (!network).then(|| "none".to_owned()),
                extra_hosts: network.then(|| HOST_NAMES.map(str::to_owned).to_vec()),
                mounts: Some(mounts.collect()),
                cap_drop: Some(vec!["ALL".to_owned()]),
                security_opt: Some(vec!["no-new-privileges".to_owned()]),
                pids_limit: Some(256),
                // Should we be killed, it goes with its script.
                auto_remove: Some(true),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().build();
        let created = self.docker.create_container(Some(options), body).await;
        let id = created.map_err(|source| Error::api("make a container to look at the image", source))?.id;
        Ok(Probe { engine: self, id })
    }

    /// The architecture that the engine's containers are of, in its own words: `amd64`, `arm64`.
    pub async fn architecture(&self) -> Result<Option<String>, Error> {
        let version = self.docker.version().await;
        Ok(version.map_err(|source| Error::api("say what it is", source))?.arch)
    }
}

impl Probe<'_> {
    /// The container's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts it, for commands that come by exec.
    pub async fn start(&self) -> Result<(), Error> {
        self.engine.start(&self.id).await
    }

    /// Whether a path exists in the image.
    pub async fn has_path(&self, path: &str) -> Result<bool, Error> {
        self.engine.has_path(&self.id, path).await
    }

    /// Runs the script.
    pub async fn run(&self, limit: Duration) -> Result<Ran, Error> {
        let docker = &self.engine.docker;
        let options = AttachContainerOptionsBuilder::default().stream(true).stdout(true).build();
        // Before the start, so that nothing is missed.
        let attached = docker.attach_container(&self.id, Some(options)).await;
        let mut output =
            attached.map_err(|source| Error::api("listen to a look at the image", source))?.output;
        match self.engine.start(&self.id).await {
            Ok(()) => {}
            Err(Error::Refused { message, .. }) => return Ok(Ran::NotStarted(message)),
            Err(error) => return Err(error),
        }
        let listen = async {
            let mut said = Vec::new();
            while let Some(piece) = output.next().await {
                let piece = piece.map_err(|source| Error::api("listen to a look at the image", source))?;
                if let LogOutput::StdOut { message } = piece {
                    said.extend_from_slice(&message);
                }
                if said.len() > LARGEST {
                    break;
                }
            }
            Ok(Ran::Said(String::from_utf8_lossy(&said).into_owned()))
        };
        tokio::time::timeout(limit, listen).await.unwrap_or(Ok(Ran::TooLong))
    }
}

impl Drop for Probe<'_> {
    /// With an engine that does not answer, the container goes with its script.
    fn drop(&mut self) {
        let (dialer, id) = (self.engine.dialer.clone(), self.id.clone());
        afterwards::in_any_case(async move { remove(&dialer, &id).await });
    }
}

/// Removes a container, and waits until it is gone: the engine may be about to remove it by itself, and says so by a
/// conflict. The version in a path is optional to the engines.
async fn remove(dialer: &Dialer, id: &str) -> std::io::Result<()> {
    let mut wait = Duration::from_millis(2);
    loop {
        let mut sender = connect::handshake(dialer).await?;
        let request = hyper::Request::delete(format!("/containers/{id}?force=1&v=1"))
            .header(HOST, "localhost")
            .body(Empty::<Bytes>::new())
            .expect("a container's id is hexadecimal");
        let response = sender.send_request(request).await.map_err(std::io::Error::other)?;
        if response.status() != hyper::StatusCode::CONFLICT {
            return Ok(());
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}
