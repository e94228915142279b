//! Containers: making, starting and removing them, and their files.

use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig, Mount as ApiMount, MountType};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::TryStreamExt;
use secrecy::{ExposeSecret, SecretString};

use super::facts::Kind;
use super::{Engine, Error, Facts};
use crate::container::name::Identity;
use crate::container::spec::{ContainerSpec, WORKDIR};

/// How long a removal that is under way already may take.
const LONGEST_REMOVAL: Duration = Duration::from_secs(60);
/// The status of a refusal because of what there is already.
const CONFLICT: u16 = 409;

impl Engine {
    /// Makes a container and returns its id. It is not started.
    pub async fn create(
        &self,
        name: &str,
        spec: &ContainerSpec,
        identity: &Identity,
        session_env: &[(String, SecretString)],
    ) -> Result<String, Error> {
        let create = async |init| {
            let options = CreateContainerOptionsBuilder::default().name(name).build();
            let body = create_body(self.facts, init, spec, identity, session_env);
            self.docker.create_container(Some(options), body).await
        };
        let created = match create(true).await {
            // Podman says this of a name that is taken, and where its init, catatonit, is missing, which is a package of
            // its own. Either comes before anything is made.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 500, message })
                if self.facts.kind == Kind::Podman =>
            {
                if self.inspect(name).await.is_ok() {
                    return Err(Error::Refused { action: "create the container", status: CONFLICT, message });
                }
                create(false).await
            }
            created => created,
        };
        Ok(created.map_err(|source| Error::api("create the container", source))?.id)
    }

    /// Starts a container that does not run.
    pub async fn start(&self, id: &str) -> Result<(), Error> {
        let started = self.docker.start_container(id, None).await;
        started.map_err(|source| Error::api("start the container", source))
    }

    /// Thaws a paused container.
    pub async fn unpause(&self, id: &str) -> Result<(), Error> {
        let thawed = self.docker.unpause_container(id).await;
        thawed.map_err(|source| Error::api("unpause the container", source))
    }

    /// Removes a container, running or not, and returns when it is gone. One that is gone already is no error, nor is
    /// one that is being removed already.
    pub async fn remove(&self, id: &str) -> Result<(), Error> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(source) => match Error::api("remove the container", source) {
                error if error.is_missing() => Ok(()),
                error if error.is_conflict() && self.goes_within(id, LONGEST_REMOVAL).await? => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Whether a path exists in a container. Docker answers within a millisecond or two, and starts nothing for it.
    pub async fn has_path(&self, id: &str, path: &str) -> Result<bool, Error> {
        let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
        match self.docker.get_container_archive_info(id, Some(options)).await {
            Ok(_) => Ok(true),
            Err(source) => match Error::api("look for a file of the container", source) {
                error if error.is_missing() => Ok(false),
                error => Err(error),
            },
        }
    }

    /// Reads one file of a container, as the tar stream that holds it.
    pub async fn read_archive(&self, id: &str, path: &str) -> Result<Vec<u8>, Error> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let stream = self.docker.download_from_container(id, Some(options));
        let collected = stream.try_fold(Vec::new(), async |mut all, chunk| {
            all.extend_from_slice(&chunk);
            Ok(all)
        });
        collected.await.map_err(|source| Error::api("read a file of the container", source))
    }

    /// Unpacks a tar stream at the root of a container that need not run.
    pub async fn write_archive(&self, id: &str, tar: Vec<u8>) -> Result<(), Error> {
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let sent = self.docker.upload_to_container(id, Some(options), bollard::body_full(tar.into())).await;
        sent.map_err(|source| Error::api("put files into the container", source))
    }
}

/// The spec's options, and what the engine needs in addition. With `SELinux`, the alternative would be to label the user's
/// own files for containers, which changes them for good.
fn security_opt(facts: Facts, spec: &ContainerSpec) -> Vec<String> {
    let unlabelled = facts.selinux.then(|| "label=disable".to_owned());
    spec.security_opt.iter().cloned().chain(unlabelled).collect()
}

/// A main process that does what an init does: it ends at a signal, and collects processes whose parents have ended.
fn without_init(command: &[String]) -> Vec<String> {
    let script = r#"trap 'exit 0' TERM INT; "$@" & wait "$!""#;
    ["sh", "-c", script, "sh"].into_iter().map(str::to_owned).chain(command.iter().cloned()).collect()
}

fn create_body(
    facts: Facts,
    init: bool,
    spec: &ContainerSpec,
    identity: &Identity,
    session_env: &[(String, SecretString)],
) -> ContainerCreateBody {
    let public = spec.env.iter().map(|(name, value)| format!("{name}={value}"));
    let session = session_env.iter().map(|(name, value)| format!("{name}={}", value.expose_secret()));
    // Docker takes an image's variable away by its bare name. Podman keeps the image's value then, so there it is empty.
    let unset = |name: &String| match facts.kind {
        Kind::Docker => name.clone(),
        Kind::Podman => format!("{name}="),
    };
    let mounts = spec.mounts.iter().map(|mount| ApiMount {
        source: Some(mount.source.clone()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        typ: Some(MountType::BIND),
        ..ApiMount::default()
    });
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        user: Some(format!("{}:{}", spec.user.uid, spec.user.gid)),
        working_dir: Some(WORKDIR.to_owned()),
        env: Some(public.chain(session).chain(spec.unset.iter().map(unset)).collect()),
        // The image's own entry point is not for us: the session comes later, by exec.
        entrypoint: Some(if init { spec.command.clone() } else { without_init(&spec.command) }),
        cmd: Some(Vec::new()),
        labels: Some(spec.labels(identity).into_iter().collect()),
        host_config: Some(HostConfig {
            init: Some(init),
            userns_mode: spec.userns.clone(),
            mounts: Some(mounts.collect()),
            cap_drop: Some(spec.cap_drop.clone()),
            extra_hosts: Some(spec.extra_hosts.clone()),
            pids_limit: Some(spec.pids_limit),
            nano_cpus: spec.nano_cpus,
            memory: spec.memory,
            security_opt: Some(security_opt(facts, spec)),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}
