//! What there is to say about what was taken over.

use std::fmt;
use std::path::PathBuf;

/// Something to tell the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Folders that others could look into are closed.
    Closed(Vec<PathBuf>),
    /// The account's Claude state was kept.
    State(PathBuf),
    /// The subscription login was imported.
    Login(PathBuf),
    /// Claude Code's files of the session dir were copied.
    Session {
        /// From where.
        from: PathBuf,
        /// Which.
        items: Vec<&'static str>,
    },
    /// A file could not be used.
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Some files were not copied.
    LeftOut {
        /// From where.
        from: PathBuf,
        /// Which, below that, and why.
        files: Vec<(PathBuf, String)>,
    },
}

impl News {
    /// Whether it may not be what the user wants.
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::Unusable { .. } | Self::LeftOut { .. })
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(folders) => {
                let folders = list(folders.iter().map(|folder| folder.display().to_string()));
                write!(
                    f,
                    "closed {folders} to other users of this machine; an earlier version had left it open"
                )
            }
            Self::State(path) => write!(f, "took over the account's Claude state from {}", path.display()),
            Self::Login(path) => write!(f, "imported the subscription login in {}", path.display()),
            Self::Session { from, items } => {
                write!(f, "took over {} from {}", list(items.iter().map(ToString::to_string)), from.display())
            }
            Self::Unusable { path, why } => write!(f, "{} is not taken over: {why}", path.display()),
            Self::LeftOut { from, files } => {
                let files = list(files.iter().map(|(file, why)| format!("{} ({why})", file.display())));
                write!(f, "not everything in {} was taken over: {files}", from.display())
            }
        }
    }
}

/// How many things a line names.
const MOST: usize = 6;

fn list(things: impl ExactSizeIterator<Item = String>) -> String {
    let more = things.len().saturating_sub(MOST);
    let named = things.take(MOST).collect::<Vec<_>>().join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}
