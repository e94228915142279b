//! Every project that an account of this home was used in, with its containers: what lies on the disk and what the engine
//! has, put together. Either may lack the other.

use std::path::Path;
use std::time::SystemTime;

use super::open_home::OpenHome;
use crate::container::ours::Ours;
use crate::error::Error;
use crate::inventory::{self, KnownProject};
use crate::name::AccountName;
use crate::project::SessionDir;
use crate::ui;

/// An account's use of a project.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The account.
    pub account: AccountName,
    /// The project's own name.
    pub name: String,
    /// The project's hash.
    pub hash: String,
    /// The project's folder, where something says it.
    pub root: Option<String>,
    /// The account's state for it.
    pub session_dir: SessionDir,
    /// Whether that is there.
    pub has_session_dir: bool,
    /// When it was last used.
    pub last_used: Option<SystemTime>,
    /// Its containers, the ones that run first; nothing where no engine could be asked.
    pub containers: Option<Vec<Ours>>,
}

impl Entry {
    /// Whether the project's folder is there; nothing where it is not known.
    pub fn exists(&self) -> Option<bool> {
        self.root.as_ref().map(|root| Path::new(root).is_dir())
    }

    fn known(known: KnownProject, containers: Option<&Vec<Ours>>) -> Self {
        let KnownProject { account, name, hash, root, session_dir, last_used } = known;
        let mut entry = Self {
            account,
            name,
            hash,
            root,
            session_dir,
            has_session_dir: true,
            last_used,
            containers: containers.map(|_| Vec::new()),
        };
        if entry.root.is_none() {
            // A version that did not note it, but a container that says it.
            let project = containers.into_iter().flatten().map(|ours| &ours.project);
            let root = project.filter(|project| project.hash() == entry.hash && project.name() == entry.name);
            entry.root = root.map(|project| project.root().to_owned()).next();
        }
        entry
    }

    fn of_container(ours: &Ours, session_dir: SessionDir) -> Self {
        Self {
            account: ours.account.clone(),
            name: ours.project.name().to_owned(),
            hash: ours.project.hash().to_owned(),
            root: Some(ours.project.root().to_owned()),
            session_dir,
            has_session_dir: false,
            last_used: None,
            containers: Some(Vec::new()),
        }
    }
}

/// All of them, the last used first; `containers` is what the engine has, if it could be asked. An account whose folder
/// cannot be read is said.
pub fn survey(home: &OpenHome, containers: Option<Vec<Ours>>) -> Result<Vec<Entry>, Error> {
    let failed = |source| Error::Io { action: "read claude-reactor's home", source };
    let mut entries = Vec::new();
    for account in inventory::accounts(&home.reactor_home).map_err(failed)? {
        match inventory::projects(&home.reactor_home, &account) {
            Ok(projects) => {
                entries.extend(projects.into_iter().map(|known| Entry::known(known, containers.as_ref())));
            }
            Err(error) => ui::warn(&format!("the folder of account {account} cannot be read: {error}")),
        }
    }
    for ours in containers.into_iter().flatten() {
        let session_dir = ours.project.session_dir(&home.reactor_home, &ours.account);
        let at = entries.iter().position(|entry| entry.session_dir == session_dir).unwrap_or_else(|| {
            entries.push(Entry::of_container(&ours, session_dir));
            entries.len() - 1
        });
        entries[at].containers.get_or_insert_default().push(ours);
    }
    for containers in entries.iter_mut().filter_map(|entry| entry.containers.as_mut()) {
        containers.sort_by_key(|ours| std::cmp::Reverse((ours.found.state, ours.found.created)));
    }
    entries.sort_by(|a, b| {
        let key =
            |entry: &Entry| (std::cmp::Reverse(entry.last_used), entry.account.clone(), entry.name.clone());
        key(a).cmp(&key(b))
    });
    Ok(entries)
}

/// The entries of the one project whose hash begins so.
pub fn of_project(entries: Vec<Entry>, prefix: &str) -> Result<Vec<Entry>, inventory::Error> {
    let prefix = prefix.to_ascii_lowercase();
    let begins = |entry: &Entry| !prefix.is_empty() && entry.hash.starts_with(&prefix);
    let found: Vec<Entry> = entries.into_iter().filter(begins).collect();
    let mut hashes: Vec<(String, String)> =
        found.iter().map(|entry| (entry.hash.clone(), ui::one_line(&entry.name))).collect();
    hashes.sort();
    hashes.dedup_by(|a, b| a.0 == b.0);
    match hashes.len() {
        0 => Err(inventory::Error::UnknownHash(prefix)),
        1 => Ok(found),
        _ => Err(inventory::Error::AmbiguousHash { prefix, hashes }),
    }
}
