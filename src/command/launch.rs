//! From settled choices to a running container: folders, Claude Code's own files, spec, plan, image, apply.

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::forward::{Agent, Forwarded};
use super::image;
use super::image::built_in;
use super::image::kept_variant;
use super::lock::lock;
use super::subscription;
use super::target::Target;
use crate::claude_version::ClaudeVersion;
use crate::config::registry_use::RegistryUse;
use crate::config::{EnvMode, Settings};
use crate::container::apply::{self, Running, Wanted, apply, refuse_if_in_use, remove_unless_in_use};
use crate::container::carried::{self, git_identity};
use crate::container::claude_config::{self, Needs};
use crate::container::drift::{Reason, join};
use crate::container::engine::exec::ExecRequest;
use crate::container::engine::facts::SessionUser;
use crate::container::engine::{self, Engine, Facts};
use crate::container::found::State;
use crate::container::image::labelled_claude_version;
use crate::container::local_image::LocalImage;
use crate::container::name::{Identity, slug};
use crate::container::plan::Plan;
use crate::container::session::{self, Session};
use crate::container::spec::{ContainerSpec, Parts, User, WORKDIR};
use crate::container::terminal;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::private_file::{self, Lock};
use crate::provider::catalog::Provider;
use crate::provider::credential_files;
use crate::provider::credentials::Credentials;
use crate::provider::login;
use crate::provider::session_env::{self, Login, ModelChoice, SessionEnv};
use crate::signals::EndSignals;
use crate::ui;

/// What to do with a container that runs, but is not as it would be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// Make it anew, if nobody is in it.
    AsWanted,
    /// Take it as it is: a command beside a session must not end the session. Unless a flag of this very command asks
    /// for something else.
    AsItRuns,
}

/// What a command inside is started with.
#[derive(Debug)]
pub struct Inside {
    /// Who runs inside.
    user: User,
    /// The variables that follow from the caller's surroundings.
    vars: Vec<(String, String)>,
}

/// A running container, and how it was reached.
#[derive(Debug)]
struct Launched {
    /// Held until a session is in the container, so that nobody takes it for idle before.
    lock: Lock,
    engine: Engine,
    container: String,
    inside: Inside,
    /// What the session may use of the host's, for as long as this lives.
    forwarded: Forwarded,
    claude_version: Option<ClaudeVersion>,
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
    let has_login = login::is_chosen(&target.reactor_home, &target.account);
    Ok(session_env::session_env(provider, credentials.iter(), choice, has_login)?)
}

/// The container that is wanted; `custom` is the image where it is one of the user's.
pub fn spec(
    target: &Target,
    custom: Option<&LocalImage>,
    env: Option<&SessionEnv>,
    facts: Facts,
    host: &Host,
) -> ContainerSpec {
    let claude_config = target.session_dir.claude_config(target.settings.provider.value.as_str());
    let in_container = target.settings.env.value == EnvMode::Container;
    let SessionUser { user, userns } = facts.session_user(User { uid: host.uid, gid: host.gid });
    let files = credential_files(target);
    let spec = ContainerSpec::new(Parts {
        image: &image::reference(&target.settings),
        custom,
        user,
        project: target.project.root(),
        claude_config: &claude_config.to_string_lossy(),
        history: &target.session_dir.history().to_string_lossy(),
        carried: &target.session_dir.carried().to_string_lossy(),
        credential_files: files.as_deref().map(Path::to_string_lossy).as_deref(),
        login: env.and_then(|env| subscription::folders(target, env)),
        ca_file: target.ca_file.as_ref(),
        mounts: [target.carried.mounts.as_slice(), &target.forward.mounts(user), &target.mounts].concat(),
        variables: target.variables(),
        sudo: target.settings.sudo.value,
        limits: target.limits(),
        session_env: env.filter(|_| in_container).map(SessionEnv::digests).unwrap_or_default(),
    });
    ContainerSpec { userns: userns.map(str::to_owned), ..spec }
}

/// The folder of the provider's credential files, for a provider that has some.
fn credential_files(target: &Target) -> Option<PathBuf> {
    let id = &target.settings.provider.value;
    let cloud = target.catalog.get(id)?.cloud.as_ref()?;
    (!cloud.files.is_empty()).then(|| credential_files::folder(&target.reactor_home, &target.account, id))
}

/// A session that has begun, and its container.
#[derive(Debug)]
pub struct Entered {
    /// The engine.
    pub engine: Engine,
    /// The container's id.
    pub container: String,
    /// The session.
    pub session: Session,
    /// What the session may use of the host's, for as long as this lives.
    pub forwarded: Forwarded,
    /// The version of Claude Code in the image, as far as the image says.
    pub claude_version: Option<ClaudeVersion>,
}

/// Makes sure that the target's container runs, and begins a session in it.
pub async fn enter(
    target: &Target,
    env: &SessionEnv,
    host: &Host,
    joining: Joining,
    signals: &mut EndSignals,
    request: impl Fn(&Inside) -> ExecRequest,
) -> Result<Entered, Error> {
    /// A container may be stopped or removed just before the session begins; by the same hand not for ever.
    const ATTEMPTS: u32 = 3;
    let agent = target.forward.find_agent(&target.settings, host)?;
    for problem in &target.carried.problems {
        ui::warn(problem);
    }
    let mut attempt = 1;
    loop {
        let launching = Box::pin(launch(target, env, host, joining, agent.as_ref()));
        let launched = signals.unless(launching).await??;
        let Launched { lock, engine, container, inside, forwarded, claude_version } = launched;
        if target.chosen.await_the_image() {
            target.remember()?;
        }
        match session::start(&engine, &container, request(&inside)).await {
            Err(error) if error.is_too_late() && attempt < ATTEMPTS => {
                tracing::info!(%error, "the container ended before the session began");
                attempt += 1;
            }
            session => {
                drop(lock);
                return Ok(Entered { session: session?, engine, container, forwarded, claude_version });
            }
        }
    }
}

/// Makes sure that the target's container runs.
async fn launch(
    target: &Target,
    env: &SessionEnv,
    host: &Host,
    joining: Joining,
    agent: Option<&Agent>,
) -> Result<Launched, Error> {
    make_folders(target)?;
    let asked = git_identity::ask(host, Path::new(target.project.root()));
    let identity = &target.identity;
    let engine = Engine::connect(host, target.settings.engine.as_ref()).await?;
    let choice = &target.settings.image.value;
    let custom =
        image::of_the_users(&engine, choice, host).await.map_err(|error| target.unfit_image(error))?;
    let custom = custom.as_ref();
    if target.registry_use == RegistryUse::Always && custom.is_none() {
        image::ensure(&engine, target, custom, host).await?;
    }
    let claude_version = match choice {
        ImageChoice::BuiltIn(variant) => Some(built_in::recipe(&target.settings, *variant).claude_version()),
        ImageChoice::Custom(_) => custom.and_then(|image| labelled_claude_version(&image.labels)),
    };
    let spec = spec(target, custom, Some(env), engine.facts(), host);
    let session_env = match target.settings.env.value {
        EnvMode::Session => Vec::new(),
        EnvMode::Container => owned(env.for_command()),
    };
    let wanted = Wanted { identity, spec: &spec, session_env: &session_env };
    let mut not_started = None;
    loop {
        let lock = lock_launch(target).await?;
        prepare_claude_config(target, env)?;
        subscription::prepare(target, env)?;
        target.forward.prepare(host)?;
        let compared = apply::look(&engine, &spec, identity).await?;
        let refused = not_started.take().map(|error: engine::Error| Reason::CannotStart(error.to_string()));
        let plan = settled(compared, joining, target, refused);
        tracing::info!(container = %identity.container_name(), plan = plan.verb(), why = %plan.why());
        let makes = matches!(plan, Plan::Create | Plan::Recreate(..));
        if makes && !image::is_ready(&engine, &target.settings, custom, host).await? {
            if let Plan::Recreate(found, reasons) = &plan {
                // Asked before the image is built: minutes of building would be for nothing.
                let refused = refuse_if_in_use(&engine, found, reasons).await;
                refused.map_err(|error| refusal(error, joining, target))?;
            }
            // Nobody who only wants to join a container that runs has to wait for a build.
            drop(lock);
            image::ensure(&engine, target, custom, host).await.map_err(|error| target.unfit_image(error))?;
            continue;
        }
        if let Plan::Recreate(found, reasons) = &plan {
            refuse_if_in_use(&engine, found, reasons)
                .await
                .map_err(|error| refusal(error, joining, target))?;
            ui::note(&format!("making the container anew: {}", join(reasons)));
        }
        if makes && !spec.unset.is_empty() {
            let names = spec.unset.join(", ");
            ui::note(&format!("the image sets {names}, which the session does not get from it"));
        }
        let joined = match &plan {
            Plan::Reuse(found) => Some(found.mounted.clone()),
            _ => None,
        };
        match apply(&engine, plan, &wanted).await {
            Err(apply::Error::NotStarted(error)) => not_started = Some(error),
            Err(error) => return Err(refusal(error, joining, target)),
            Ok(running) => {
                say_if_renamed(&running, identity);
                target.carried.write(&target.session_dir, asked)?;
                let has = |place: &str| {
                    joined.as_ref().is_none_or(|mounted| mounted.iter().any(|known| known == place))
                };
                let forwarded = target.forward.start(agent, &target.settings, &engine, has)?;
                let vars = [forwarded.vars.clone(), carried_vars(target, host)].concat();
                let inside = Inside { user: spec.user, vars };
                kept_variant::record(target)?;
                let container = running.id;
                return Ok(Launched { lock, engine, container, inside, forwarded, claude_version });
            }
        }
    }
}

/// The plan that is carried out, where the comparison alone does not decide it.
fn settled(plan: Plan, joining: Joining, target: &Target, refused: Option<Reason>) -> Plan {
    // Everything worth keeping lies in its mounts, and as it is it would never be of use again.
    match (plan, refused) {
        (Plan::Start(found), Some(refused)) => Plan::Recreate(found, vec![refused]),
        (Plan::Recreate(found, reasons), _)
            if joining == Joining::AsItRuns
                && found.state == State::Running
                && reasons.iter().all(|reason| target.flag_behind(reason).is_none()) =>
        {
            ui::warn(&format!("the running container is joined as it is, although {}", join(&reasons)));
            Plan::Reuse(found)
        }
        (plan, _) => plan,
    }
}

/// What a refusal says to whom: who asked for something by a flag hears of the flag.
fn refusal(error: apply::Error, joining: Joining, target: &Target) -> Error {
    match &error {
        apply::Error::InUse { reasons, .. } if joining == Joining::AsItRuns => {
            let mut flags: Vec<_> = reasons.iter().filter_map(|reason| target.flag_behind(reason)).collect();
            flags.dedup();
            if flags.is_empty() { error.into() } else { Error::Flag { flags, source: error } }
        }
        _ => error.into(),
    }
}

/// A name is what people look for, so they hear of another one.
fn say_if_renamed(running: &Running, identity: &Identity) {
    let usual = identity.container_name();
    if let Some(name) = running.made_as.as_ref().filter(|name| **name != usual) {
        ui::note(&format!("another container has the name {usual}; this one is {name}"));
    }
}

/// Holds off other launches of this container, so that two terminals make one of it.
async fn lock_launch(target: &Target) -> Result<Lock, Error> {
    let Settings { image, provider, .. } = &target.settings;
    let name = format!("launch-{}-{}", slug(&image.value), provider.value);
    let path = target.session_dir.path().join(name);
    lock(&path, "another claude-reactor that is starting this container").await
}

/// The folders that are mounted, made as the caller: an engine would make missing ones as root.
fn make_folders(target: &Target) -> Result<(), Error> {
    let claude_config = target.session_dir.claude_config(target.settings.provider.value.as_str());
    for folder in [target.session_dir.history(), target.session_dir.carried(), claude_config.clone()] {
        private_file::create_dir(&target.reactor_home, &folder)?;
    }
    if let Some(folder) = credential_files(target) {
        private_file::create_dir(&target.reactor_home, &folder)?;
    }
    target.session_dir.record(&target.project)?;
    make_mount_point(&claude_config.join("projects"))
}

/// What has to stand in Claude Code's own folder for this session.
fn prepare_claude_config(target: &Target, env: &SessionEnv) -> Result<(), Error> {
    let claude_config = target.session_dir.claude_config(target.settings.provider.value.as_str());
    // Once more, now that nothing but the engine comes after it: a session may have been at it since.
    make_mount_point(&claude_config.join("projects"))?;
    let api_key = match env.login() {
        Login::XApiKey(key) => Some(key.expose_secret()),
        Login::Bearer(_) | Login::Subscription => None,
    };
    Ok(claude_config::prepare(&claude_config, Needs { api_key, danger: target.settings.danger.value })?)
}

/// The history is mounted inside the other mount, so a folder has to be there: an engine follows a link that a session laid
/// instead, and would cover with the history whatever it leads to inside.
fn make_mount_point(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Io { action: "make the folder for the conversation history", source };
    // Another launch may be doing the same.
    if path.is_symlink() {
        // Of no use to anybody: in a container, the history covers it.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    if !path.symlink_metadata().map_err(failed)?.is_dir() {
        return Err(private_file::Error::NotAFolder(path.to_owned()).into());
    }
    Ok(())
}

/// A command inside, with a terminal if the caller has one.
pub fn exec_request(
    command: Vec<String>,
    mut env: Vec<(String, SecretString)>,
    inside: &Inside,
    host: &Host,
) -> ExecRequest {
    let User { uid, gid } = inside.user;
    let tty = host.terminal.is_interactive();
    for (name, value) in &inside.vars {
        // What was chosen for the session counts more than what it happens to be started from.
        if !env.iter().any(|(chosen, _)| chosen == name) {
            env.push((name.clone(), SecretString::from(value.as_str())));
        }
    }
    ExecRequest {
        command,
        env,
        tty,
        size: if tty { terminal::size() } else { None },
        user: format!("{uid}:{gid}"),
        workdir: WORKDIR,
    }
}

/// The variables that follow from the caller's surroundings, but for those that the user set for every process inside.
pub fn carried_vars(target: &Target, host: &Host) -> Vec<(String, String)> {
    let mut vars = carried::vars(host, host.terminal.is_interactive());
    vars.retain(|(name, _)| !target.settings.variables.contains_key(name));
    vars
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
pub async fn remove_if_idle(target: &Target, engine: &Engine, container: &str) -> Result<(), Error> {
    let _lock = lock_launch(target).await?;
    if remove_unless_in_use(engine, container).await? > 0 {
        ui::note("the container stays: another session is in it");
    }
    Ok(())
}
