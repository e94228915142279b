//! From settled choices to a running container: folders, Claude Code's own files, spec, plan, image, apply.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::image;
use super::lock::lock;
use super::target::Target;
use crate::config::EnvMode;
use crate::container::apply::{Wanted, apply, refuse_if_in_use};
use crate::container::claude_config::{self, Needs};
use crate::container::engine::exec::ExecRequest;
use crate::container::engine::facts::SessionUser;
use crate::container::engine::{Engine, Facts};
use crate::container::plan::{Plan, State, join, plan};
use crate::container::session;
use crate::container::spec::{ContainerSpec, Parts, User, WORKDIR};
use crate::container::terminal;
use crate::error::Error;
use crate::host::Host;
use crate::private_file::{self, Lock};
use crate::provider::catalog::Provider;
use crate::provider::credentials::Credentials;
use crate::provider::session_env::{self, Login, ModelChoice, SessionEnv};
use crate::signals::EndSignals;
use crate::ui;

/// What to do with a container that runs, but is not as it would be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// Make it anew, if nobody is in it.
    AsWanted,
    /// Take it as it is: a command beside a session must not end the session.
    AsItRuns,
}

/// A running container, and how it was reached.
#[derive(Debug)]
pub struct Launched {
    /// Held until a session is in the container, so that nobody takes it for idle before.
    lock: Option<Lock>,
    /// The engine.
    pub engine: Engine,
    /// The container's id.
    pub container: String,
    /// Who runs inside.
    pub user: User,
}

/// The variables of the session: what the provider's row, its `.env` and the settings make.
pub fn session_env(
    target: &Target,
    provider: &Provider,
    credentials: &Credentials,
) -> Result<SessionEnv, Error> {
    let model = |setting: &Option<crate::config::Setting<String>>| {
        setting.as_ref().map(|setting| setting.value.clone())
    };
    let (main, small) = (model(&target.settings.model), model(&target.settings.small_model));
    let choice = ModelChoice { main: main.as_deref(), small: small.as_deref() };
    Ok(session_env::session_env(provider, credentials.iter(), choice)?)
}

/// The container that is wanted.
pub fn spec(target: &Target, env: Option<&SessionEnv>, facts: Facts, host: &Host) -> ContainerSpec {
    let claude_config = target.session_dir.claude_config(target.settings.provider.value.as_str());
    let in_container = target.settings.env.value == EnvMode::Container;
    let SessionUser { user, userns } = facts.session_user(User { uid: host.uid, gid: host.gid });
    let spec = ContainerSpec::new(Parts {
        image: &target.variant.tag(),
        user,
        project: target.project.root(),
        claude_config: &claude_config.to_string_lossy(),
        history: &target.session_dir.history().to_string_lossy(),
        ca_file: target.ca_file.as_ref(),
        mounts: target.mounts.clone(),
        variables: target.variables(),
        sudo: target.settings.sudo.value,
        limits: target.limits(),
        session_env_digest: env.filter(|_| in_container).map(SessionEnv::digest),
    });
    ContainerSpec { userns: userns.map(str::to_owned), ..spec }
}

/// Makes sure that the target's container runs.
pub async fn launch(
    target: &Target,
    env: &SessionEnv,
    host: &Host,
    joining: Joining,
) -> Result<Launched, Error> {
    let engine = Engine::connect(host, target.settings.engine.as_ref()).await?;
    make_folders(target)?;
    let spec = spec(target, Some(env), engine.facts(), host);
    let identity = target.identity();
    let lock = lock_launch(target).await?;
    prepare_claude_config(target, env)?;
    let mut plan = plan(&spec, engine.find(&identity).await?);
    if let Plan::Recreate(found, reasons) = &plan
        && joining == Joining::AsItRuns
        && found.state == State::Running
    {
        ui::warn(&format!("the running container is joined as it is, although {}", join(reasons)));
        plan = Plan::Reuse(found.clone());
    }
    tracing::info!(container = %identity.container_name(), plan = plan.verb(), why = %plan.why());
    if let Plan::Recreate(found, reasons) = &plan {
        // Asked before the image is built: minutes of building would be for nothing.
        refuse_if_in_use(&engine, found, reasons).await?;
        ui::note(&format!("making the container anew: {}", join(reasons)));
    }
    if matches!(plan, Plan::Create | Plan::Recreate(..)) {
        let ca_file = target.ca_file.as_ref().map(|file| file.path.as_path());
        image::ensure(&engine, target.variant, ca_file, host).await?;
    }
    let session_env = match target.settings.env.value {
        EnvMode::Session => Vec::new(),
        EnvMode::Container => owned(env.for_command()),
    };
    let wanted = Wanted { identity: &identity, spec: &spec, session_env: &session_env };
    let running = apply(&engine, plan, &wanted).await?;
    Ok(Launched { lock: Some(lock), engine, container: running.id, user: spec.user })
}

/// Runs a session in a launched container, and returns its exit code.
pub async fn session(
    launched: &mut Launched,
    request: ExecRequest,
    signals: &mut EndSignals,
) -> Result<u8, Error> {
    let session = session::start(&launched.engine, &launched.container, request).await?;
    drop(launched.lock.take());
    Ok(session::join(session, signals).await?)
}

/// Holds off other launches of this container, so that two terminals make one container and build one image.
async fn lock_launch(target: &Target) -> Result<Lock, Error> {
    let name = format!("launch-{}-{}", target.variant, target.settings.provider.value);
    let path = target.session_dir.path().join(name);
    lock(&path, "another claude-reactor that is starting this container").await
}

/// The folders that are mounted, made as the caller: an engine would make missing ones as root.
fn make_folders(target: &Target) -> Result<(), Error> {
    let claude_config = target.session_dir.claude_config(target.settings.provider.value.as_str());
    for folder in [target.session_dir.history(), claude_config.clone()] {
        private_file::create_dir(&target.reactor_home, &folder)?;
    }
    make_mount_point(&claude_config.join("projects"))
}

/// What has to stand in Claude Code's own files for this session.
fn prepare_claude_config(target: &Target, env: &SessionEnv) -> Result<(), Error> {
    let claude_config = target.session_dir.claude_config(target.settings.provider.value.as_str());
    let api_key = match env.login() {
        Login::XApiKey(key) => Some(key.expose_secret()),
        Login::Bearer(_) => None,
    };
    Ok(claude_config::prepare(&claude_config, Needs { api_key, danger: target.settings.danger.value })?)
}

/// The history is mounted inside the other mount. What a session laid there instead of a folder is not followed.
fn make_mount_point(path: &Path) -> Result<(), Error> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Io { action: "make the folder for the conversation history", source })
        }
        _ => Ok(()),
    }
}

/// A command inside, with a terminal if the caller has one.
pub fn exec_request(
    command: Vec<String>,
    mut env: Vec<(String, SecretString)>,
    launched: &Launched,
    host: &Host,
) -> ExecRequest {
    let tty = host.terminal.is_interactive();
    if tty {
        let terminal = ["TERM", "COLORTERM"].into_iter().filter_map(|name| Some((name, host.var(name)?)));
        env.extend(terminal.map(|(name, value)| (name.to_owned(), SecretString::from(value))));
    }
    let User { uid, gid } = launched.user;
    ExecRequest {
        command,
        env,
        tty,
        size: if tty { terminal::size() } else { None },
        user: format!("{uid}:{gid}"),
        workdir: WORKDIR,
    }
}

/// Variables to give away.
pub fn owned<'a>(vars: impl Iterator<Item = (&'a str, &'a SecretString)>) -> Vec<(String, SecretString)> {
    vars.map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

/// With `llm.env: container`, every process inherits the key under its own name; this takes it from the `claude`
/// process again, whose tools would write it into transcripts.
pub fn without_own_key(target: &Target, env: &SessionEnv) -> Vec<String> {
    if target.settings.env.value == EnvMode::Session || target.settings.export_key.value {
        return Vec::new();
    }
    let unset = env.own_keys().flat_map(|name| ["-u".to_owned(), name.to_owned()]);
    std::iter::once("env".to_owned()).chain(unset).collect()
}

/// Removes the container unless another session is in it.
pub async fn remove_if_idle(target: &Target, launched: &Launched) -> Result<(), Error> {
    let _lock = lock_launch(target).await?;
    match launched.engine.live_execs(&launched.container).await {
        Ok(0) => Ok(launched.engine.remove(&launched.container).await?),
        Ok(_) => {
            ui::note("the container stays: another session is in it");
            Ok(())
        }
        Err(error) if error.is_missing() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
