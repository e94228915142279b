//! What a session has of its developer: found before the container, written when it is known to run.

use std::path::Path;

use crate::container::carried::claude_folders;
use crate::container::carried::git_identity::Asked;
use crate::container::git_worktree::{self, layout};
use crate::container::mount::Mount;
use crate::host::Host;
use crate::private_file;
use crate::project::{Project, SessionDir};

/// What is mounted in addition to what every project has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// The mounts.
    pub mounts: Vec<Mount>,
    /// What the user should know of things that are not there.
    pub problems: Vec<String>,
}

impl Carried {
    /// Looks at the host; writes nothing.
    pub fn find(project: &Project, host: &Host, reactor_home: &Path) -> Self {
        let root = Path::new(project.root());
        let limits = layout::Limits { uid: host.uid, home: &host.home, reactor_home };
        let git_worktree::Plan { mut mounts, problems } = git_worktree::plan(layout::read(root, limits));
        mounts.extend(claude_folders::mounts(host, reactor_home));
        if let Some(around) = root.ancestors().skip(1).find(|folder| folder.join(".git").exists())
            && !root.join(".git").exists()
        {
            tracing::info!(repository = %around.display(), "only a part of it is the project, so git finds none inside");
        }
        Self { mounts, problems }
    }

    /// Writes what git inside has to know, where it is not there already.
    pub fn write(&self, session_dir: &SessionDir, asked: Asked) -> Result<(), private_file::Error> {
        let writable = self.mounts.iter().filter(|mount| !mount.read_only).map(|mount| mount.target.as_str());
        let text = asked.answer().config(writable);
        let path = session_dir.carried().join("gitconfig");
        if private_file::read(&path)?.as_deref() == Some(&text) {
            return Ok(());
        }
        private_file::write(&path, text.as_bytes())
    }
}
