//! What earlier versions of the tool left on a user's disk, and taking it over.
//!
//! They kept an account's Claude state and API key in files of claude-reactor's home that everybody could read, Claude
//! Code's own folder in the session dir itself, and in the oldest version keys in the project. `look` finds what is
//! there, `plan` says what is to be done about it, `apply` does it: once, and with the old files left as they are. What
//! was taken over is noted (`taken`), so that nothing comes back that the user removed on purpose.
//!
//! The configuration files of that time are the matter of `config::legacy`.

pub mod apply;
mod copy;
pub mod look;
mod names;
mod news;
mod old_key;
pub mod plan;
mod taken;

use std::path::{Path, PathBuf};

use crate::name::{AccountName, ProviderId};
use crate::private_file;
use crate::project::{Project, SessionDir};
use crate::provider::credentials;

pub use names::refused_names;
pub use news::News;
pub use old_key::OldKey;

/// Whose old files, and where they would be.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// claude-reactor's home.
    pub reactor_home: &'a Path,
    /// The account.
    pub account: &'a AccountName,
    /// Whether nobody chose the account: then a key without an account's name is its key.
    pub is_default_account: bool,
    /// The project.
    pub project: &'a Project,
    /// The account's state for the project.
    pub session_dir: &'a SessionDir,
    /// The caller's user id.
    pub uid: u32,
}

impl Place<'_> {
    /// Where the account's folder is.
    pub fn account_dir(&self) -> PathBuf {
        self.reactor_home.join(self.account.as_str())
    }

    /// Where the account's own files for Claude are.
    fn claude_dir(&self) -> PathBuf {
        self.account_dir().join("llms/claude")
    }

    /// The account's Claude state, from which that of its new projects is made.
    fn state_seed(&self) -> PathBuf {
        self.claude_dir().join("claude.json")
    }

    /// The folder of the account's subscription login. It is made when its user chooses to log in.
    fn login_folder(&self) -> PathBuf {
        self.claude_dir().join("login")
    }

    /// Where that login lies.
    fn login(&self) -> PathBuf {
        self.login_folder().join(".credentials.json")
    }

    /// The old file of the account's Claude state.
    fn old_state(&self) -> PathBuf {
        self.reactor_home.join(format!(".{}-claude.json", self.account))
    }

    /// Where this project's Claude state for provider `claude` is.
    fn claude_config(&self) -> PathBuf {
        self.session_dir.claude_config(ProviderId::claude().as_str())
    }
}

/// Why something could not be taken over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that has to be private.
    #[error(transparent)]
    PrivateFile(#[from] private_file::Error),
    /// The key's file.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// The operating system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::PrivateFile(error) => error.hint(),
            Self::Credentials(error) => error.hint(),
            Self::Io { .. } => None,
        }
    }
}
