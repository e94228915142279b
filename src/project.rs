//! Which project this is: its root folder, its hash, and where this account keeps its state for it.
//!
//! The hash is what ties a folder to its session dir and its container, and it is the one the Go tool used, so that
//! history and choices made with that tool are found again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::host::Host;
use crate::name::AccountName;
use crate::private_file;

/// The name of the choices file, in a project and in a session dir.
pub const FILE_NAME: &str = ".claude-reactor";

/// A project folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    root: String,
    hash: String,
}

/// Why a folder cannot be a project.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Engines and labels take text, and so does the hash.
    #[error("the path of this project is not UTF-8: {}", .0.display())]
    NotUtf8(PathBuf),
    /// The whole folder goes into the container, and keys must not.
    #[error("{} cannot be a project: {} is where claude-reactor keeps your keys", .root.display(), .home.display())]
    HoldsKeys {
        /// The folder that was to be the project.
        root: PathBuf,
        /// claude-reactor's home.
        home: PathBuf,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotUtf8(_) => "rename the folder".to_owned(),
            Self::HoldsKeys { .. } => "change to a project's folder: `mkdir my-app && cd my-app`".to_owned(),
        })
    }
}

impl Project {
    /// Finds the project of the working directory: the nearest ancestor that holds a `.claude-reactor` file of the
    /// caller's own, else the working directory itself. The home folder is never taken on account of such a file.
    pub fn find(host: &Host) -> Result<Self, Error> {
        let marked = host
            .cwd
            .ancestors()
            .find(|folder| *folder != host.home && is_own_file(&folder.join(FILE_NAME), host.uid));
        Self::at(marked.unwrap_or(&host.cwd))
    }

    /// The project at an absolute path.
    pub fn at(root: &Path) -> Result<Self, Error> {
        let root = root.to_str().ok_or_else(|| Error::NotUtf8(root.to_owned()))?.to_owned();
        let hash = hex(&Sha256::digest(root.as_bytes()))[..8].to_owned();
        Ok(Self { root, hash })
    }

    /// The project's folder, absolute, by the path the user knows it under.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The first 8 hex digits of the SHA-256 of the root's path.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The folder's own name.
    pub fn name(&self) -> &str {
        Path::new(&self.root).file_name().and_then(|name| name.to_str()).unwrap_or("root")
    }

    /// The choices file that the team shares.
    pub fn file(&self) -> PathBuf {
        Path::new(&self.root).join(FILE_NAME)
    }

    /// Whether that file is there and the caller's own; anybody else's says nothing.
    pub fn has_own_file(&self, uid: u32) -> bool {
        is_own_file(&self.file(), uid)
    }

    /// Where an account keeps its state for this project.
    pub fn session_dir(&self, reactor_home: &Path, account: &AccountName) -> SessionDir {
        SessionDir(reactor_home.join(account.as_str()).join(format!("{}-{}", self.name(), self.hash)))
    }

    /// Refuses a project whose folder holds claude-reactor's home, or lies in it: mounted, it would show keys to the
    /// session.
    pub fn refuse_keys_inside(&self, reactor_home: &Path) -> Result<(), Error> {
        let root = Path::new(&self.root);
        if holds(root, reactor_home) || holds(reactor_home, root) {
            return Err(Error::HoldsKeys { root: root.to_owned(), home: reactor_home.to_owned() });
        }
        Ok(())
    }
}

/// An account's state for one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDir(PathBuf);

impl SessionDir {
    /// The session dir at a path.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Notes which project this is and that it is used now: the folder's name holds only a hash of the project's path.
    pub fn record(&self, project: &Project) -> Result<(), private_file::Error> {
        let _ = std::fs::remove_file(self.unused_mark());
        let path = self.record_file();
        let text = format!("{}\n", project.root());
        if private_file::read(&path)?.as_deref() == Some(&text) {
            let now = SystemTime::now();
            let touched = File::options().write(true).open(&path).and_then(|file| file.set_modified(now));
            return touched.map_err(|source| private_file::Error::Io { action: "touch", path, source });
        }
        private_file::write(&path, text.as_bytes())
    }

    /// The project's folder, as the last run noted it.
    pub fn recorded_root(&self) -> Option<String> {
        let text = private_file::read(&self.record_file()).ok()??;
        Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    /// When a run last noted it.
    pub fn last_recorded(&self) -> Option<SystemTime> {
        self.record_file().symlink_metadata().ok()?.modified().ok()
    }

    fn record_file(&self) -> PathBuf {
        self.0.join("project-path")
    }

    /// Whether the account has used the project, or consented to what its file says. A folder that is there for choices made
    /// beforehand alone says so of itself.
    pub fn is_used(&self) -> bool {
        self.0.exists() && !self.unused_mark().exists()
    }

    /// What marks a folder that was made for choices alone. [`SessionDir::record`] takes it away.
    pub fn unused_mark(&self) -> PathBuf {
        self.0.join("unused")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether something in it says that it is a session dir, ours or an earlier version's: a name alone could be anybody's.
    /// An empty folder is.
    pub fn is_ours(&self) -> bool {
        const OWN: [&str; 7] =
            ["project-path", FILE_NAME, "trusted", "projects", "providers", "carried", ".claude.json"];
        let is_empty = || self.0.read_dir().is_ok_and(|mut entries| entries.next().is_none());
        OWN.iter().any(|name| self.0.join(name).symlink_metadata().is_ok()) || is_empty()
    }

    /// This user's choices for this project.
    pub fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }

    /// What the user has consented to in this project's own file. Never mounted.
    pub fn trusted(&self) -> PathBuf {
        self.0.join("trusted")
    }

    /// The conversation history, which the project's providers share.
    pub fn history(&self) -> PathBuf {
        self.0.join("projects")
    }

    /// What a session has of its developer, in files.
    pub fn carried(&self) -> PathBuf {
        self.0.join("carried")
    }

    /// The settings that protect a stored login, which sessions read and cannot write. They hold this project's own
    /// variables, so that no other project may share them.
    pub fn policy(&self) -> PathBuf {
        self.0.join("policy")
    }

    /// What becomes `CLAUDE_CONFIG_DIR` in this provider's container.
    pub fn claude_config(&self, provider: &str) -> PathBuf {
        self.0.join("providers").join(provider)
    }
}

/// Whether `inner` is `outer` or lies below it, by the paths as given or with links resolved.
pub fn holds(outer: &Path, inner: &Path) -> bool {
    let resolved = |path: &Path| {
        // The inner folder may not exist yet; its nearest existing ancestor decides then.
        path.ancestors().find_map(|part| {
            let real = part.canonicalize().ok()?;
            Some(real.join(path.strip_prefix(part).ok()?))
        })
    };
    inner.starts_with(outer)
        || matches!((resolved(outer), resolved(inner)), (Some(outer), Some(inner)) if inner.starts_with(&outer))
}

fn is_own_file(path: &Path, uid: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    path.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.uid() == uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hashes_are_the_ones_on_disk() {
        for (path, hash) in
            [("/test/project", "43ac6f58"), ("/home/alice/my-app", "76a2e845"), ("/app", "f53b52ad")]
        {
            assert_eq!(Project::at(Path::new(path)).unwrap().hash(), hash);
        }
    }

    #[test]
    fn session_dir_is_named_after_folder_and_hash() {
        let project = Project::at(Path::new("/home/alice/my-app")).unwrap();
        let dir = project.session_dir(Path::new("/home/alice/.claude-reactor"), &"alice".parse().unwrap());
        assert_eq!(dir.path(), Path::new("/home/alice/.claude-reactor/alice/my-app-76a2e845"));
        assert_eq!(Project::at(Path::new("/")).unwrap().name(), "root");
    }

    #[test]
    fn the_nearest_marked_ancestor_is_the_root_but_never_home() {
        let home = tempfile::tempdir().unwrap();
        let inner = home.path().join("work/app/src/deep");
        std::fs::create_dir_all(&inner).unwrap();
        let find = || Project::find(&Host::new(home.path(), &inner, [])).unwrap();
        assert_eq!(Path::new(find().root()), inner);

        std::fs::write(home.path().join(FILE_NAME), "").unwrap();
        assert_eq!(Path::new(find().root()), inner, "a file in the home folder marks nothing");

        std::fs::write(home.path().join("work/app").join(FILE_NAME), "").unwrap();
        assert_eq!(Path::new(find().root()), home.path().join("work/app"));

        std::fs::create_dir(home.path().join("work/app/src").join(FILE_NAME)).unwrap();
        assert_eq!(
            Path::new(find().root()),
            home.path().join("work/app"),
            "a folder of that name marks nothing"
        );
    }

    #[test]
    fn a_folder_that_holds_the_keys_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let reactor = home.path().join(".claude-reactor");
        let refuse = |root: &Path| Project::at(root).unwrap().refuse_keys_inside(&reactor);
        assert!(refuse(home.path()).is_err(), "even before the home exists");
        std::fs::create_dir(&reactor).unwrap();
        assert!(refuse(home.path()).is_err());
        assert!(refuse(Path::new("/")).is_err());
        assert!(refuse(&reactor.join("alice/llms")).is_err(), "inside the home");
        let link = home.path().join("link");
        std::os::unix::fs::symlink(home.path(), &link).unwrap();
        assert!(refuse(&link).is_err(), "through a link too");
        let app = home.path().join("app");
        std::fs::create_dir(&app).unwrap();
        assert!(refuse(&app).is_ok());
    }

    proptest! {
        #[test]
        fn a_hash_is_eight_hex_digits(path in "/[^\u{0}]{0,60}") {
            let project = Project::at(Path::new(&path)).unwrap();
            prop_assert_eq!(project.hash().len(), 8);
            prop_assert!(project.hash().bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        }
    }
}
