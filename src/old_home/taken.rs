//! What was taken over already, noted in `llms/claude/.imported` of its account.
//!
//! Without the note, a key or a login that the user removed on purpose would come back from its old file.

use std::collections::BTreeSet;
use std::fmt;

use super::{Error, Place};
use crate::private_file;

const HEAD: &str =
    "# Taken over from an earlier version of claude-reactor; what is noted here is not taken again.\n";

/// One thing that was taken over, or that is not to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// The key of this digest.
    Key(String),
    /// The account's Claude state.
    State,
    /// The account's subscription login.
    Login,
    /// Claude Code's files of a session dir, by its name.
    Session(String),
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(digest) => write!(f, "key sha256:{digest}"),
            Self::State => f.write_str("state"),
            Self::Login => f.write_str("login"),
            // A folder's name may hold anything, and a mark is one line.
            Self::Session(name) => write!(f, "session {}", name.escape_debug()),
        }
    }
}

/// All marks of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    pub(super) fn load(place: &Place<'_>) -> Result<Self, Error> {
        let text = private_file::read(&path(place))?.unwrap_or_default();
        Ok(Self(text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()))
    }

    pub(super) fn has(&self, mark: &Mark) -> bool {
        self.0.contains(&mark.to_string())
    }
}

/// Adds a mark.
pub(super) fn note(place: &Place<'_>, mark: &Mark) -> Result<(), Error> {
    private_file::create_dir(place.reactor_home, &place.claude_dir())?;
    private_file::update(&path(place), |text| {
        let text = text.unwrap_or(HEAD);
        let line = mark.to_string();
        Ok(if text.lines().any(|known| known == line) { text.to_owned() } else { format!("{text}{line}\n") })
    })
}

fn path(place: &Place<'_>) -> std::path::PathBuf {
    place.claude_dir().join(".imported")
}
