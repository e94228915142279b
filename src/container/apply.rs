//! Carrying a plan out: afterwards the container of the spec runs.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use secrecy::SecretString;

use super::drift::{Reason, join};
use super::engine::{self, Engine};
use super::found::Found;
use super::host_address;
use super::name::Identity;
use super::plan::{Plan, plan};
use super::spec::{CA_BUNDLE, CA_FILE, CLAUDE_CONFIG_DIR, ContainerSpec, User};
use super::user_files::{FILES, UserDatabase, only_file};

/// How long a started container may take to put two files together; it takes milliseconds.
const CA_BUNDLE_LIMIT: Duration = Duration::from_secs(5);

/// What is to be done so that the container of the spec runs: a look at what there is.
pub async fn look(engine: &Engine, spec: &ContainerSpec, identity: &Identity) -> Result<Plan, engine::Error> {
    let found = engine.find(identity).await?;
    // Another machine's clock says nothing of our folders.
    let is_younger = |folder: &str, time| !engine.may_be_elsewhere() && is_younger(folder, time);
    Ok(plan(spec, identity, found, &is_younger))
}

/// Whether a folder was made after a time, in seconds since 1970. Not every file system knows it.
fn is_younger(folder: &str, time: i64) -> bool {
    let made =
        Path::new(folder).metadata().ok().filter(Metadata::is_dir).and_then(|meta| meta.created().ok());
    let made = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    made.and_then(|made| i64::try_from(made.as_secs()).ok()).is_some_and(|made| made > time)
}

/// What a plan is carried out for.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Whose container it is.
    pub identity: &'a Identity,
    /// What it is to look like.
    pub spec: &'a ContainerSpec,
    /// With `llm.env: container`, the session's variables.
    pub session_env: &'a [(String, SecretString)],
}

/// A running container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The engine's id.
    pub id: String,
    /// The name it was made under, where it was made just now.
    pub made_as: Option<String>,
}

impl Running {
    fn as_found(found: Found) -> Self {
        Self { id: found.id, made_as: None }
    }
}

/// Why a plan could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine's part.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// Making the container anew would end sessions that others are in.
    #[error(
        "the container {name} has to be made anew ({}), but {sessions} other session{} in it",
        join(reasons),
        if *sessions == 1 { " is" } else { "s are" }
    )]
    InUse {
        /// The container's name.
        name: String,
        /// How many commands run inside.
        sessions: usize,
        /// Why it has to be made anew.
        reasons: Vec<Reason>,
    },
    /// The engine refused to start a container that is as it should be.
    #[error(transparent)]
    NotStarted(engine::Error),
    /// Every name the container could have belongs to another one.
    #[error("the container cannot be made: other containers have all of its names, {}", .0.join(", "))]
    NamesTaken(Vec<String>),
    /// Whether the engine has the same files could not be tried out.
    #[error("no file can be written in the folder that is mounted for Claude Code")]
    Probe(#[source] io::Error),
    /// A file that the engine sent from the image is not as it should be.
    #[error("the image's user database cannot be read")]
    UserDatabase(#[source] io::Error),
    /// The container's main process did not get its first task done.
    #[error("the container did not put the CA certificates together within {} s", CA_BUNDLE_LIMIT.as_secs())]
    CaBundle,
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) | Self::NotStarted(error) => error.hint(),
            Self::NamesTaken(names) => Some(format!(
                "rename or remove one that you do not need: `docker rename {} other`",
                names.first().map_or("NAME", String::as_str)
            )),
            Self::InUse { .. } => Some(
                "leave those sessions first, or end them with `claude-reactor stop`; `claude-reactor exec` joins them as \
                 they are"
                    .to_owned(),
            ),
            Self::CaBundle => Some(format!(
                "see that you may read the CA file, which is {CA_FILE} inside, and that the engine's disk is not full"
            )),
            Self::Probe(_) => Some("see that your disk is not full".to_owned()),
            Self::UserDatabase(_) => Some("rebuild the image, and run again".to_owned()),
        }
    }
}

/// Does what the plan says, and returns the running container.
pub async fn apply(engine: &Engine, plan: Plan, wanted: &Wanted<'_>) -> Result<Running, Error> {
    match plan {
        Plan::Reuse(found) => Ok(Running::as_found(found)),
        Plan::Unpause(found) => {
            engine.unpause(&found.id).await?;
            Ok(Running::as_found(found))
        }
        Plan::Start(found) => match start(engine, &found.id, wanted.spec).await {
            Ok(()) => Ok(Running::as_found(found)),
            Err(Error::Engine(error @ engine::Error::Refused { .. })) => Err(Error::NotStarted(error)),
            Err(error) => Err(error),
        },
        Plan::Create => create(engine, wanted).await,
        Plan::Recreate(found, reasons) => match remove_unless_in_use(engine, &found.id).await? {
            0 => create(engine, wanted).await,
            sessions => Err(in_use(&found, sessions, &reasons)),
        },
    }
}

/// Refuses to make a container anew that somebody is in.
pub async fn refuse_if_in_use(engine: &Engine, found: &Found, reasons: &[Reason]) -> Result<(), Error> {
    match sessions(engine, &found.id).await? {
        0 => Ok(()),
        sessions => Err(in_use(found, sessions, reasons)),
    }
}

fn in_use(found: &Found, sessions: usize, reasons: &[Reason]) -> Error {
    Error::InUse { name: found.name.clone(), sessions, reasons: reasons.to_vec() }
}

/// Removes a container that nobody is in; of one that somebody is in, says by how many sessions.
///
/// Other tools know nothing of our locks, and may enter between a look and the removal. Nobody can enter a frozen
/// container, so it is looked at again while it is one. A session that came in between stands still for that moment.
pub async fn remove_unless_in_use(engine: &Engine, id: &str) -> Result<usize, engine::Error> {
    match sessions(engine, id).await? {
        0 => {}
        inside => return Ok(inside),
    }
    // Refused where it does not run, and then nobody can enter either; or by an engine that cannot freeze.
    let frozen = engine.freeze(id).await;
    let inside = sessions(engine, id).await;
    match inside {
        Ok(0) => frozen.remove().await?,
        _ => frozen.thaw().await?,
    }
    inside
}

/// How many are in a container; nobody is in one that is gone.
async fn sessions(engine: &Engine, id: &str) -> Result<usize, engine::Error> {
    match engine.live_execs(id).await {
        Err(error) if error.is_missing() => Ok(0),
        counted => counted,
    }
}

async fn create(engine: &Engine, wanted: &Wanted<'_>) -> Result<Running, Error> {
    let Wanted { identity, spec, session_env } = wanted;
    engine.refuse_remapped_users().await?;
    let names = identity.container_names();
    let mut made = None;
    for name in &names {
        match engine.create(name, spec, identity, session_env).await {
            // None of our identity was found, so another identity, or no container of ours at all, has the name.
            Err(error) if error.is_conflict() => {}
            created => {
                made = Some((created?, name.clone()));
                break;
            }
        }
    }
    let Some((id, name)) = made else { return Err(Error::NamesTaken(names.to_vec())) };
    let finished = async {
        if engine.may_be_elsewhere() {
            refuse_other_files(engine, &id, spec).await?;
        }
        if !spec.knows_user() {
            introduce(engine, &id, spec.user).await?;
        }
        start(engine, &id, spec).await
    };
    if let Err(error) = finished.await {
        // What could not be finished must not be found again as ours; the first error is the one that counts.
        let _ = engine.remove(&id).await;
        return Err(error);
    }
    Ok(Running { id, made_as: Some(name) })
}

/// Refuses an engine that has folders of the same names as the caller's, but on another machine. A file is laid into
/// one that is mounted, and looked for through the engine.
async fn refuse_other_files(engine: &Engine, id: &str, spec: &ContainerSpec) -> Result<(), Error> {
    let Some(mount) = spec.mounts.iter().find(|mount| mount.target == CLAUDE_CONFIG_DIR) else {
        return Ok(());
    };
    let probe = tempfile::Builder::new().prefix(".engine-probe-").tempfile_in(&mount.source);
    let probe = probe.map_err(Error::Probe)?;
    let name = probe.path().file_name().unwrap_or_default().to_string_lossy();
    if engine.has_path(id, &format!("{CLAUDE_CONFIG_DIR}/{name}")).await? {
        return Ok(());
    }
    Err(engine::Error::OtherFiles.into())
}

/// Starts a container and waits until a command in it finds everything.
async fn start(engine: &Engine, id: &str, spec: &ContainerSpec) -> Result<(), Error> {
    engine.start(id).await?;
    host_address::make_known(engine, id).await?;
    if spec.ca_digest.is_none() {
        return Ok(());
    }
    let mut wait = Duration::from_millis(1);
    let deadline = Instant::now() + CA_BUNDLE_LIMIT;
    while !engine.has_path(id, CA_BUNDLE).await? {
        if Instant::now() >= deadline {
            return Err(Error::CaBundle);
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    Ok(())
}

/// Makes a user known inside that the image does not have.
async fn introduce(engine: &Engine, id: &str, user: User) -> Result<(), Error> {
    let mut texts = Vec::with_capacity(FILES.len());
    for path in FILES {
        texts.push(match engine.read_archive(id, path).await {
            Ok(tar) => only_file(&tar).map_err(Error::UserDatabase)?,
            // A small image need not have all of them.
            Err(error) if error.is_missing() => String::new(),
            Err(error) => return Err(error.into()),
        });
    }
    let [passwd, shadow, group] = <[String; FILES.len()]>::try_from(texts).expect("one text a file");
    let database = UserDatabase { passwd, shadow, group }.with(user);
    engine.write_archive(id, database.tar(user).map_err(Error::UserDatabase)?).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_when_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        if folder.path().metadata().unwrap().created().is_err() {
            return;
        }
        let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        assert!(is_younger(path, now - 60) && !is_younger(path, now));
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(!is_younger(&format!("{path}/file"), 0), "a file takes its place by another name");
        assert!(!is_younger(&format!("{path}/none"), 0));
    }
}
