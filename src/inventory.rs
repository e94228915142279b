//! What lies under claude-reactor's home: the accounts, the providers that each has set up, and the projects that each was
//! used in. Reads only; what is not of our form is none of ours and is passed over.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::name::{AccountName, ProviderId};
use crate::project::{self, Project, SessionDir};

/// A project that an account was used in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProject {
    /// Whose it is.
    pub account: AccountName,
    /// The folder's own name.
    pub name: String,
    /// The project's hash.
    pub hash: String,
    /// The project's folder, where something on the disk says it; it may be gone.
    pub root: Option<String>,
    /// This account's state for it.
    pub session_dir: SessionDir,
    /// When it was last used.
    pub last_used: Option<SystemTime>,
}

/// Why a project is not found by its hash.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None has it.
    #[error("no project's hash begins with `{}`", .0.escape_debug())]
    UnknownHash(String),
    /// Several have.
    #[error("`{prefix}` is the beginning of {} hashes: {}", hashes.len(), listed(hashes))]
    AmbiguousHash {
        /// The beginning.
        prefix: String,
        /// The hashes, each with its project's name.
        hashes: Vec<(String, String)>,
    },
    /// Several accounts were used in it, and one is wanted.
    #[error("{} accounts were used in this project: {}", .0.len(), .0.join(", "))]
    SeveralAccounts(Vec<String>),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownHash(_) => "`claude-reactor list` shows all of them".to_owned(),
            Self::AmbiguousHash { .. } => "give more of it".to_owned(),
            Self::SeveralAccounts(_) => "choose one with --account NAME".to_owned(),
        })
    }
}

fn listed(hashes: &[(String, String)]) -> String {
    let shown: Vec<String> = hashes.iter().map(|(hash, name)| format!("{hash} ({name})")).collect();
    shown.join(", ")
}

/// A conversation with Claude Code, as it keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id, which `claude --resume` takes.
    pub id: String,
    /// The transcript, a line of JSON a message.
    pub path: PathBuf,
    /// When it last went on.
    pub changed: Option<SystemTime>,
    /// The transcript's size in bytes.
    pub size: u64,
}

/// The conversations of an account in a project, the last one first.
pub fn conversations(session_dir: &SessionDir) -> io::Result<Vec<Conversation>> {
    let mut found = Vec::new();
    for (_, folder) in folders(&session_dir.history())? {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let path = entry.path();
            let (Some(id), true) = (path.file_stem(), path.extension().is_some_and(|end| end == "jsonl"))
            else {
                continue;
            };
            let id = id.to_string_lossy().into_owned();
            // A session may remove one at any moment; a link is none.
            if let Some(meta) = entry.metadata().ok().filter(std::fs::Metadata::is_file) {
                found.push(Conversation { id, changed: meta.modified().ok(), size: meta.len(), path });
            }
        }
    }
    found.sort_by(|a, b| (b.changed, &b.id).cmp(&(a.changed, &a.id)));
    Ok(found)
}

/// The accounts, by name. A home that does not exist has none.
pub fn accounts(reactor_home: &Path) -> io::Result<Vec<AccountName>> {
    Ok(folders(reactor_home)?.into_iter().filter_map(|(name, _)| name.parse().ok()).collect())
}

/// The providers that an account has something of: a key, a login, or settings.
pub fn providers(reactor_home: &Path, account: &AccountName) -> io::Result<Vec<ProviderId>> {
    let folder = reactor_home.join(account.as_str()).join("llms");
    Ok(folders(&folder)?.into_iter().filter_map(|(name, _)| name.parse().ok()).collect())
}

/// The providers that have state of Claude Code's in a session dir. One that cannot be read has none.
pub fn providers_used(session_dir: &SessionDir) -> Vec<ProviderId> {
    let folders = folders(&session_dir.path().join("providers")).unwrap_or_default();
    folders.into_iter().filter_map(|(name, _)| name.parse().ok()).collect()
}

/// The projects that an account was used in, by name.
pub fn projects(reactor_home: &Path, account: &AccountName) -> io::Result<Vec<KnownProject>> {
    let folder = reactor_home.join(account.as_str());
    Ok(folders(&folder)?
        .into_iter()
        .filter_map(|(name, path)| known_project(account, &name, &path))
        .collect())
}

fn known_project(account: &AccountName, folder: &str, path: &Path) -> Option<KnownProject> {
    let (name, hash) = folder.rsplit_once('-')?;
    let is_hash = hash.len() == 8 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        return None;
    }
    let session_dir = SessionDir::at(path.to_owned());
    Some(KnownProject {
        account: account.clone(),
        name: name.to_owned(),
        root: root(&session_dir, hash),
        last_used: last_used(&session_dir),
        session_dir,
        hash: hash.to_owned(),
    })
}

/// The project's folder as a run recorded it, or as an earlier version did in its choices. What has another hash is not it.
fn root(session_dir: &SessionDir, hash: &str) -> Option<String> {
    let of_old_choices = |file: PathBuf| {
        let text = std::fs::read_to_string(file).ok()?;
        let value =
            |line: &str| line.trim_start_matches(['#', ' ']).strip_prefix("project_path=").map(str::to_owned);
        text.lines().rev().find_map(value)
    };
    let old = session_dir.file();
    let candidates = [
        session_dir.recorded_root(),
        of_old_choices(old.with_file_name(format!("{}.bak", project::FILE_NAME))),
        of_old_choices(old),
    ];
    let is_it = |root: &String| {
        Path::new(root).is_absolute()
            && Project::at(Path::new(root)).is_ok_and(|project| project.hash() == hash)
    };
    candidates.into_iter().flatten().map(|root| root.trim_end().to_owned()).find(is_it)
}

/// When a run was last recorded; before that was done, when the last conversation went on.
fn last_used(session_dir: &SessionDir) -> Option<SystemTime> {
    session_dir.last_recorded().or_else(|| {
        let conversations = folders(&session_dir.history()).ok()?;
        let files = conversations
            .into_iter()
            .flat_map(|(_, folder)| folder.read_dir().into_iter().flatten().flatten());
        files.filter_map(|file| file.metadata().ok()?.modified().ok()).max()
    })
}

/// The folders in a folder, by name; links are none.
fn folders(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            folders.push((name, entry.path()));
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::private_file;

    #[test]
    fn what_is_ours_is_found_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().join(path);
        for folder in [
            ".run",
            "alice/llms/zai",
            "alice/llms/claude/login",
            "alice/my-app-76a2e845/projects/-app",
            "alice/gone-00000000",
            "alice/not-a-hash",
            "bob",
        ] {
            private_file::create_dir(home.path(), &at(folder)).unwrap();
        }
        std::fs::write(at("config.yaml"), "").unwrap();
        std::os::unix::fs::symlink(at("alice"), at("link")).unwrap();

        let names = accounts(home.path()).unwrap();
        assert_eq!(names.iter().map(AccountName::as_str).collect::<Vec<_>>(), ["alice", "bob"]);
        let providers = providers(home.path(), &names[0]).unwrap();
        assert_eq!(providers.iter().map(ProviderId::as_str).collect::<Vec<_>>(), ["claude", "zai"]);

        std::fs::write(at("alice/my-app-76a2e845/projects/-app/a.jsonl"), "").unwrap();
        let project = Project::at(Path::new("/home/alice/my-app")).unwrap();
        let dir = project.session_dir(home.path(), &names[0]);
        let known = |name: &str| {
            let all = super::projects(home.path(), &names[0]).unwrap();
            assert_eq!(all.len(), 2);
            all.into_iter().find(|known| known.name == name).unwrap()
        };
        assert_eq!(known("my-app").root, None);
        assert!(known("my-app").last_used.is_some(), "by its history");
        assert_eq!(known("gone").last_used, None);

        std::fs::write(dir.file(), "variant=base\nproject_path=/home/alice/my-app\n").unwrap();
        assert_eq!(known("my-app").root.as_deref(), Some("/home/alice/my-app"));
        std::fs::write(dir.file(), "variant=base\nproject_path=/home/alice/another\n").unwrap();
        assert_eq!(known("my-app").root, None, "it has another hash");
        dir.record(&project).unwrap();
        assert_eq!(known("my-app").root.as_deref(), Some("/home/alice/my-app"));
        assert_eq!(known("my-app").last_used, dir.last_recorded());
    }

    #[test]
    fn without_a_home_there_is_nothing() {
        assert!(accounts(Path::new("/nowhere")).unwrap().is_empty());
    }
}
