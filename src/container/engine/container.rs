//! Containers: finding ours by their labels, making, starting and removing them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::models::{
    ContainerCreateBody, ContainerSummary, ContainerSummaryStateEnum, HostConfig, Mount as ApiMount,
    MountPoint, MountType,
};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder,
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Empty};
use hyper::header::HOST;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::facts::Kind;
use super::{Engine, Error, Facts, connect};
use crate::container::found::{Found, State};
use crate::container::name::{Identity, home_label};
use crate::container::spec::{ContainerSpec, WORKDIR, spec_digest_label, spec_label};

/// How long a removal that is under way already may take.
const LONGEST_REMOVAL: Duration = Duration::from_secs(60);
/// The status of a refusal because of what there is already.
const CONFLICT: u16 = 409;

impl Engine {
    /// The containers with an identity's labels, in whatever state they are; of whatever home, because older versions
    /// did not label it.
    pub async fn find(&self, identity: &Identity) -> Result<Vec<Found>, Error> {
        let labels = identity.labels_of_any_home();
        let labels = labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = self.docker.list_containers(Some(options)).await;
        let listed = listed.map_err(|source| Error::api("list containers", source))?;
        let mut found: Vec<Found> = listed.into_iter().filter_map(found_container).collect();
        for found in found.iter_mut().filter(|found| found.mounted.is_empty()) {
            // Podman does not list mounts.
            found.mounted = self.mounted(&found.id).await?;
        }
        Ok(found)
    }

    /// Where host folders stand in a container; nowhere in one that is gone.
    async fn mounted(&self, id: &str) -> Result<Vec<String>, Error> {
        match self.docker.inspect_container(id, None).await {
            Ok(details) => Ok(places(details.mounts)),
            Err(source) => match Error::api("inspect the container", source) {
                error if error.is_missing() => Ok(Vec::new()),
                error => Err(error),
            },
        }
    }

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

    /// Freezes a running container: nobody can enter it then.
    pub async fn pause(&self, id: &str) -> Result<(), Error> {
        let frozen = self.docker.pause_container(id).await;
        frozen.map_err(|source| Error::api("pause the container", source))
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

    /// Whether a container that is being removed is gone within a time.
    async fn goes_within(&self, id: &str, time: Duration) -> Result<bool, Error> {
        let mut wait = Duration::from_millis(5);
        let deadline = Instant::now() + time;
        loop {
            match self.docker.inspect_container(id, None).await {
                Ok(_) if Instant::now() >= deadline => return Ok(false),
                Ok(_) => tokio::time::sleep(wait).await,
                Err(source) => match Error::api("inspect the container", source) {
                    error if error.is_missing() => return Ok(true),
                    error => return Err(error),
                },
            }
            wait = (wait * 2).min(Duration::from_millis(200));
        }
    }

    /// Whether a container ends, or has ended, within a time.
    pub async fn stops_within(&self, id: &str, time: Duration) -> Result<bool, Error> {
        let mut wait = Duration::from_millis(5);
        let deadline = Instant::now() + time;
        while self.is_running(id).await? {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Ok(true)
    }

    async fn is_running(&self, id: &str) -> Result<bool, Error> {
        match self.inspect(id).await {
            Ok(details) => Ok(details["State"]["Running"].as_bool().unwrap_or(false)),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many commands run inside beside the main process: sessions, ours or another tool's.
    pub async fn live_execs(&self, id: &str) -> Result<usize, Error> {
        let details = self.inspect(id).await?;
        let mut live = 0;
        for exec in details["ExecIDs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            // The engine lists ended ones for a while too, and forgets them at any time.
            match self.exec_state(exec).await {
                Ok(state) => live += usize::from(state.running),
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }

    /// What the engine says of a container. Podman has states that Docker's API does not know, so bollard's types cannot
    /// hold its answer at any time.
    async fn inspect(&self, id: &str) -> Result<Value, Error> {
        const ACTION: &str = "inspect the container";
        let broken =
            |source: Box<dyn std::error::Error + Send + Sync>| Error::Broken { action: ACTION, source };
        let request = hyper::Request::get(format!("/containers/{id}/json"))
            .header(HOST, "localhost")
            .body(Empty::<Bytes>::new())
            .map_err(|error| broken(Box::new(error)))?;
        let mut sender = connect::handshake(&self.dialer).await.map_err(|error| broken(Box::new(error)))?;
        let response = sender.send_request(request).await.map_err(|error| broken(Box::new(error)))?;
        if !response.status().is_success() {
            return Err(connect::refusal(ACTION, response).await);
        }
        let body = response.into_body().collect().await.map_err(|error| broken(Box::new(error)))?;
        serde_json::from_slice(&body.to_bytes()).map_err(|error| broken(Box::new(error)))
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

fn found_container(summary: ContainerSummary) -> Option<Found> {
    let mut labels = summary.labels.unwrap_or_default();
    Some(Found {
        id: summary.id?,
        name: summary.names?.first()?.trim_start_matches('/').to_owned(),
        state: match summary.state? {
            ContainerSummaryStateEnum::RUNNING => State::Running,
            ContainerSummaryStateEnum::PAUSED => State::Paused,
            ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::STOPPING => State::Stopped,
            ContainerSummaryStateEnum::RESTARTING => State::Restarting,
            ContainerSummaryStateEnum::REMOVING => State::Removing,
            ContainerSummaryStateEnum::DEAD => State::Dead,
            ContainerSummaryStateEnum::CREATED | ContainerSummaryStateEnum::EMPTY => State::NeverStarted,
        },
        created: summary.created.unwrap_or_default(),
        image: summary.image.unwrap_or_default(),
        mounted: places(summary.mounts),
        home: labels.remove(&home_label()),
        spec_digest: labels.remove(&spec_digest_label()).unwrap_or_default(),
        spec: labels.remove(&spec_label()).unwrap_or_default(),
    })
}

fn places(mounts: Option<Vec<MountPoint>>) -> Vec<String> {
    mounts.into_iter().flatten().filter_map(|mount| mount.destination).collect()
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
