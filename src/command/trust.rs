//! Consent to what a project's file says: whether it is needed, asking for it, and remembering it.
//!
//! What is asked about, remembered and used is one reading of the file: a session may write it at any time.

use std::path::Path;

use super::choices::ChoiceArgs;
use super::keys;
use super::target::Target;
use crate::config::file::ProjectFile;
use crate::config::trust::{Claim, claims, digest, matter, without_claims};
use crate::config::{Layer, Settings, Source, resolve};
use crate::container::mount::{Mount, Resolved};
use crate::error::Error;
use crate::host::Host;
use crate::private_file;
use crate::project::{Project, SessionDir};
use crate::provider::setup;
use crate::ui;

/// The claims of a project's file, and how the user stands to them.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Everything in the file that needs consent.
    pub claims: Vec<Claim>,
    /// What consent to exactly these claims is remembered by.
    digest: String,
    /// Whether they make a difference to what the user has chosen.
    matters: bool,
    /// Whether the user has consented to exactly these claims.
    pub given: bool,
    /// Whether there is consent to what the file does not say any more.
    is_stale: bool,
    /// Where the file's account and provider stand.
    places: [String; 2],
}

/// What a project's file is judged against.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// All layers, the lowest first.
    pub layers: &'a [Layer],
    /// What they come to.
    pub settings: &'a Settings,
    /// The mounts of all layers, as they are mounted: resolved anew, a link could lead elsewhere by now.
    pub mounts: &'a [Resolved],
    /// What the agent's socket that the file names is, where it is anything; likewise resolved once.
    pub socket: Option<&'a Path>,
    /// The project.
    pub project: &'a Project,
    /// Where consent is remembered.
    pub session_dir: &'a SessionDir,
}

impl Trust {
    /// How the user stands to this reading of the file.
    pub fn of(file: &ProjectFile, around: &Surroundings) -> Result<Self, Error> {
        let places = [["account"].as_slice(), &["llm", "provider"]].map(|key| file.place(key).to_string());
        let own = || around.mounts.iter().filter(|mount| is_of_project(&mount.source));
        let meanings: Vec<String> = own().map(|own| meaning(&own.mount)).collect();
        let socket = around.socket.map(|path| format!("{:?}", path.to_string_lossy()));
        let claims = claims(file, &meanings, socket.as_deref());
        let trusted = around.session_dir.trusted();
        // The folder of an earlier version may be open to others still; without a file in it, that is no matter here.
        let remembered = if trusted.exists() { private_file::read(&trusted)? } else { None };
        if claims.is_empty() {
            return Ok(Self { places, is_stale: remembered.is_some(), ..Self::default() });
        }
        let users = |target: &str| {
            let at = |mount: &&Resolved| !is_of_project(&mount.source) && mount.mount.target == target;
            around.mounts.iter().rfind(at).map(|users| &users.mount)
        };
        let new = |own: &Resolved| own.counts && users(&own.mount.target) != Some(&own.mount);
        let matters = own().any(new) || matter(around.settings, &without(around.layers));
        let digest = digest(around.project.root(), &claims);
        let given = remembered.as_deref().is_some_and(|remembered| remembered.trim_end() == digest);
        Ok(Self { claims, matters, given, is_stale: remembered.is_some() && !given, digest, places })
    }

    /// Whether nothing may happen before the user has consented.
    pub fn is_awaited(&self) -> bool {
        self.matters && !self.given
    }
}

fn is_of_project(source: &Source) -> bool {
    matches!(source, Source::ProjectFile(_))
}

/// The settings as they are without the claims of the project's file.
fn without(layers: &[Layer]) -> Settings {
    let without = |layer: &Layer| match layer.source {
        Source::ProjectFile(_) => {
            Layer { source: layer.source.clone(), values: without_claims(&layer.values) }
        }
        _ => layer.clone(),
    };
    resolve(&layers.iter().map(without).collect::<Vec<_>>())
}

/// What a mount comes to, so that two different ones never read the same.
fn meaning(mount: &Mount) -> String {
    let Mount { source, target, read_only } = mount;
    format!("{source:?} at {target:?}{}", if *read_only { ", read-only" } else { "" })
}

/// What the user has not agreed to yet, one thing a line, each with its place: first what is confirmed once, then the
/// claims.
pub fn open_points(target: &Target) -> Vec<String> {
    // In the order of the file, where the user will look.
    let mut claims: Vec<&Claim> = target.trust.claims.iter().collect();
    claims.sort_by_key(|claim| claim.place.position);
    let lines = claims.into_iter().map(|claim| ui::one_line(&format!("{}: {claim}", claim.place)));
    unseen(target).chain(lines).collect()
}

/// What is confirmed once, each with its place.
fn unseen(target: &Target) -> impl Iterator<Item = String> {
    let [account, provider] = &target.trust.places;
    target.unseen_choices().into_iter().map(move |choice| {
        let place = if choice.starts_with("account ") { account } else { provider };
        ui::one_line(&format!("{place}: {choice}"))
    })
}

/// What `run` would ask about first.
pub fn awaited(target: &Target) -> Vec<String> {
    if target.trust.is_awaited() { open_points(target) } else { unseen(target).collect() }
}

/// The error for a file that the user has not agreed to.
pub fn refused(target: &Target) -> Error {
    let account = match target.account_source {
        Source::Flag => format!(" --account {}", target.account),
        _ => String::new(),
    };
    Error::Untrusted { claims: open_points(target), command: format!("claude-reactor config trust{account}") }
}

/// Asks once about all that a repository chose and the user has not agreed to. Nothing is remembered yet.
pub async fn confirm(target: &Target, host: &Host) -> Result<(), Error> {
    if !target.trust.is_awaited() {
        return keys::confirm_unseen(target, host).await;
    }
    if host.terminal.can_ask() && ask(target).await? { Ok(()) } else { Err(refused(target)) }
}

/// Asks about all that a repository chose, for a command that starts its container on a provider that the project need not
/// use. What is asked is what a session would ask: what is started makes the account one that was used here, and after that
/// nobody asks about the repository's provider any more.
pub async fn confirm_beside(target: &Target, host: &Host) -> Result<(), Error> {
    target.project.refuse_keys_inside(&target.reactor_home)?;
    let account = (target.account_source == Source::Flag).then(|| target.account.to_string());
    let own = Target::look(&ChoiceArgs { account, ..ChoiceArgs::default() }, host)?;
    confirm(&own, host).await?;
    keep_up(&own)
}

/// Shows what the user has not agreed to, and asks.
pub async fn ask(target: &Target) -> Result<bool, Error> {
    show(target);
    Ok(setup::confirm("Trust exactly this?".to_owned()).await?)
}

/// Shows what the user has not agreed to.
pub fn show(target: &Target) {
    ui::note("This project's file says what takes effect only with your consent:");
    for line in open_points(target) {
        ui::note(&format!("  {line}"));
    }
}

/// Remembers that the user agreed, in place of what they agreed to before.
pub fn remember(target: &Target) -> Result<(), Error> {
    private_file::create_dir(&target.reactor_home, target.session_dir.path())?;
    target.session_dir.record(&target.project)?;
    let Trust { claims, digest, .. } = &target.trust;
    if claims.is_empty() {
        return forget(target);
    }
    Ok(private_file::write(&target.session_dir.trusted(), format!("{digest}\n").as_bytes())?)
}

/// Brings what is remembered to what was just agreed to, or is used. Consent does not outlive what it was given to: a
/// session could otherwise bring back what its user once agreed to and has taken out of the file since.
pub fn keep_up(target: &Target) -> Result<(), Error> {
    if target.trust.is_awaited() { remember(target) } else { forget(target) }
}

fn forget(target: &Target) -> Result<(), Error> {
    if target.trust.is_stale {
        take_away(target)?;
    }
    Ok(())
}

/// Takes all consent in this project back, also to the account and the provider that its file chooses; false where there was
/// none.
pub fn revoke(target: &Target) -> Result<bool, Error> {
    let was_there = take_away(target)?;
    let file_chooses =
        [&target.account_source, &target.settings.provider.source].into_iter().any(is_of_project);
    if !(file_chooses && target.session_dir.is_used()) {
        return Ok(was_there);
    }
    private_file::write(&target.session_dir.unused_mark(), b"")?;
    Ok(true)
}

fn take_away(target: &Target) -> Result<bool, Error> {
    let path = target.session_dir.trusted();
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Io { action: "take the consent back", source }),
    }
}
