//! What would go: a look at the engine and the disk that changes nothing.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{Args, Level, Scope, cache};
use crate::command::occupied::Occupied;
use crate::command::open_home::OpenHome;
use crate::command::survey::{self, Entry};
use crate::container::engine::Engine;
use crate::container::ours::{OurImage, Ours};
use crate::error::Error;
use crate::folder_tree::{self, Size};
use crate::inventory;
use crate::name::AccountName;
use crate::ui;

/// What is to go.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) containers: Vec<ContainerToGo>,
    /// Files and folders, in the order in which they go.
    pub(super) paths: Vec<PathToGo>,
    pub(super) images: Vec<OurImage>,
    /// What was asked for and is not to go, and why.
    pub(super) kept: Vec<Kept>,
    /// Folders that go where nothing is left in them.
    pub(super) if_empty: Vec<PathBuf>,
    /// Sessions in containers that stay, which lose something all the same.
    pub(super) losing: Vec<Occupied>,
    /// What other accounts have in this project.
    pub(super) of_other_accounts: Vec<Ours>,
    /// Whether no engine could say who is in what goes.
    pub(super) is_blind: bool,
}

#[derive(Debug)]
pub(super) struct ContainerToGo {
    pub(super) ours: Ours,
    /// The programs of the sessions in it.
    pub(super) sessions: Vec<String>,
    /// What it wrote into its own files; nothing where the engine does not tell.
    pub(super) size: Option<u64>,
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Session,
    Credentials,
    Settings,
    Cache,
}

#[derive(Debug)]
pub(super) struct PathToGo {
    pub(super) path: PathBuf,
    pub(super) what: What,
    pub(super) account: Option<AccountName>,
    pub(super) size: Size,
}

/// Something that stays.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) what: String,
    pub(super) why: String,
}

impl Kept {
    pub(super) fn words(&self) -> String {
        ui::one_line(&format!("{} stays: {}", self.what, self.why))
    }
}

impl What {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Credentials => "credentials",
            Self::Settings => "settings",
            Self::Cache => "cache",
        }
    }
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.paths.is_empty() && self.images.is_empty()
    }

    /// How many sessions end.
    pub(super) fn sessions(&self) -> usize {
        self.containers.iter().map(|container| container.sessions.len()).sum()
    }

    /// All that takes disk space, in sum.
    pub(super) fn size(&self) -> Size {
        let containers = self.containers.iter().map(|container| Size {
            bytes: container.size.unwrap_or_default(),
            at_least: container.size.is_none(),
        });
        let images = self.images.iter().map(|image| Size { bytes: image.size, at_least: false });
        let paths = self.paths.iter().map(|path| path.size);
        containers.chain(images).chain(paths).fold(Size::default(), |sum, size| sum + size)
    }

    /// Whether a session may be running on what goes, for all that is known.
    fn may_hit_a_session(&self) -> bool {
        let is_used = |path: &PathToGo| matches!(path.what, What::Session | What::Credentials);
        self.is_blind && self.paths.iter().any(is_used)
    }

    pub(super) fn question(&self) -> String {
        match self.sessions() {
            _ if self.may_hit_a_session() => {
                "Remove all of this, although a session may be running on it?".to_owned()
            }
            0 => "Remove all of this?".to_owned(),
            1 => "Remove all of this, and end the session?".to_owned(),
            sessions => format!("Remove all of this, and end {sessions} sessions?"),
        }
    }

    pub(super) fn what_would_happen(&self) -> String {
        match self.sessions() {
            _ if self.may_hit_a_session() => {
                "this would be removed, although a session may be running on it".to_owned()
            }
            0 => "this would be removed".to_owned(),
            1 => "this would be removed, and a session ended".to_owned(),
            sessions => format!("this would be removed, and {sessions} sessions ended"),
        }
    }
}

/// Finds out what would go.
pub(super) async fn plan(
    args: &Args,
    home: &OpenHome,
    scope: &Scope,
    engine: Option<&Engine>,
) -> Result<Plan, Error> {
    let all = match engine {
        Some(engine) => Some(engine.ours(&home.label).await?),
        None => None,
    };
    let mut plan = Plan { is_blind: engine.is_none(), ..Plan::default() };
    let mut staying = Vec::new();
    for ours in all.iter().flatten().cloned() {
        if is_meant(home, scope, &ours) {
            let engine = engine.expect("without one there are no containers");
            let inside = engine.inside(&ours.found.id).await?;
            let size = engine.writable_size(&ours.found.id).await.unwrap_or_default();
            let sessions = inside.unwrap_or_default().sessions;
            plan.containers.push(ContainerToGo { ours, sessions, size });
        } else {
            if matches!(scope, Scope::Project(meant) if meant.hash == ours.project.hash()) {
                plan.of_other_accounts.push(ours.clone());
            }
            staying.push(ours);
        }
    }
    let entries = survey::survey(home, all.clone())?;
    let level = args.level();
    if level >= Level::Sessions {
        sessions(&mut plan, home, scope, &entries);
    }
    if level >= Level::Auth {
        for account in accounts(home, scope)? {
            credentials(&mut plan, home, &account);
        }
    }
    if level >= Level::All {
        settings(&mut plan, home, scope, &entries)?;
    }
    if args.cache || level >= Level::All {
        let whole = level >= Level::All && matches!(scope, Scope::Global(None));
        cache::plan(&mut plan, home, engine.is_some().then_some(&staying), whole);
    }
    if let (true, Some(engine)) = (args.images, engine) {
        images(&mut plan, engine).await?;
    }
    losing(&mut plan, &staying, engine).await?;
    Ok(plan)
}

fn is_meant(home: &OpenHome, scope: &Scope, ours: &Ours) -> bool {
    match scope {
        Scope::Project(meant) => {
            ours.project.session_dir(&home.reactor_home, &ours.account) == meant.session_dir
        }
        Scope::Global(account) => account.as_ref().is_none_or(|account| *account == ours.account),
    }
}

fn is_entry_meant(scope: &Scope, entry: &Entry) -> bool {
    match scope {
        Scope::Project(meant) => entry.session_dir == meant.session_dir,
        Scope::Global(account) => account.as_ref().is_none_or(|account| *account == entry.account),
    }
}

/// The accounts whose own things are meant.
fn accounts(home: &OpenHome, scope: &Scope) -> Result<Vec<AccountName>, Error> {
    match scope.account() {
        Some(account) => Ok(vec![account.clone()]),
        None => inventory::accounts(&home.reactor_home)
            .map_err(|source| Error::Io { action: "read claude-reactor's home", source }),
    }
}

fn sessions(plan: &mut Plan, home: &OpenHome, scope: &Scope, entries: &[Entry]) {
    for entry in entries.iter().filter(|entry| entry.has_session_dir && is_entry_meant(scope, entry)) {
        let path = entry.session_dir.path();
        if entry.session_dir.is_ours() {
            plan.add(home, path.to_owned(), What::Session, Some(&entry.account));
        } else {
            plan.keep(path, "nothing in it says that it is a session dir");
        }
        plan.if_empty.push(home.reactor_home.join(entry.account.as_str()));
    }
    if let Scope::Project(meant) = scope {
        let folder = home.reactor_home.join(meant.account.as_str());
        let path = meant.session_dir.path();
        if folder.is_symlink() && path.exists() {
            plan.keep(path, &format!("{} is a link", folder.display()));
        }
    }
}

fn credentials(plan: &mut Plan, home: &OpenHome, account: &AccountName) {
    let folder = home.reactor_home.join(account.as_str());
    let old = [format!(".{account}-claude.json"), format!(".claude-reactor-{account}-env")];
    let old = old.map(|name| home.reactor_home.join(name));
    for path in [folder.join("llms")].into_iter().chain(old) {
        if path.symlink_metadata().is_ok() {
            plan.add(home, path, What::Credentials, Some(account));
        }
    }
    plan.if_empty.push(folder);
}

/// The settings files of accounts that nothing is left of, and where everything goes, of the home.
fn settings(plan: &mut Plan, home: &OpenHome, scope: &Scope, entries: &[Entry]) -> Result<(), Error> {
    let going: HashSet<PathBuf> = plan.paths.iter().map(|path| path.path.clone()).collect();
    for account in accounts(home, scope)? {
        let mut left = entries.iter().filter(|entry| entry.account == account && entry.has_session_dir);
        let path = home.reactor_home.join(account.as_str()).join("config.yaml");
        if left.all(|entry| going.contains(entry.session_dir.path())) && path.symlink_metadata().is_ok() {
            plan.add(home, path, What::Settings, Some(&account));
        }
    }
    if matches!(scope, Scope::Global(None)) {
        for name in ["config.yaml", "providers.yaml"] {
            let path = home.reactor_home.join(name);
            if path.symlink_metadata().is_ok() {
                plan.add(home, path, What::Settings, None);
            }
        }
        plan.if_empty.push(home.reactor_home.clone());
    }
    Ok(())
}

async fn images(plan: &mut Plan, engine: &Engine) -> Result<(), Error> {
    let used = engine.images_in_use().await?;
    let going: HashSet<&str> =
        plan.containers.iter().map(|container| container.ours.found.id.as_str()).collect();
    for image in engine.our_images().await? {
        let users = users(&used, &image, &going);
        if users.is_empty() {
            plan.images.push(image);
        } else {
            let are = if users.len() == 1 { "is" } else { "are" };
            plan.kept
                .push(Kept { what: image.shown(), why: format!("{} {are} made from it", users.join(", ")) });
        }
    }
    plan.images.sort_by(|a, b| a.names.cmp(&b.names));
    Ok(())
}

/// The names of the containers that stay and are made from an image.
fn users(
    used: &HashMap<String, Vec<(String, String)>>,
    image: &OurImage,
    going: &HashSet<&str>,
) -> Vec<String> {
    let id = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    let users = used.get(id).into_iter().flatten();
    users.filter(|(id, _)| !going.contains(id.as_str())).map(|(_, name)| name.clone()).collect()
}

/// Who is in a container that stays and has something inside that goes.
async fn losing(plan: &mut Plan, staying: &[Ours], engine: Option<&Engine>) -> Result<(), Error> {
    let Some(engine) = engine else { return Ok(()) };
    let going = |source: &String| plan.paths.iter().any(|path| Path::new(source).starts_with(&path.path));
    let touched: Vec<Ours> =
        staying.iter().filter(|ours| ours.found.sources().iter().any(going)).cloned().collect();
    plan.losing = crate::command::occupied::occupied(engine, &touched).await?;
    Ok(())
}

impl Plan {
    pub(super) fn add(&mut self, home: &OpenHome, path: PathBuf, what: What, account: Option<&AccountName>) {
        let is_link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
        // A settings file may be a link into a folder of dotfiles; the link goes, and what it leads to stays.
        let parent = path.parent().unwrap_or(&home.reactor_home);
        let parent_is_ours =
            parent == home.reactor_home || folder_tree::lies_below(&home.reactor_home, parent);
        if !parent_is_ours || (is_link && what != What::Settings) {
            self.keep(&path, "it is a link, or reached by one");
            return;
        }
        let size = folder_tree::size(&path);
        self.paths.push(PathToGo { path, what, account: account.cloned(), size });
    }

    pub(super) fn keep(&mut self, path: &Path, why: &str) {
        self.kept.push(Kept { what: path.to_string_lossy().into_owned(), why: why.to_owned() });
    }
}
