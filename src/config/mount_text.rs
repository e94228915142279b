//! A mount as it was written, with what is needed to understand it: whose words it is, and what it is relative to.

use std::fmt;
use std::path::PathBuf;

use super::yaml::printable;

/// `SRC[:DST][:ro]` out of a file or a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountText {
    /// What was written.
    pub given: String,
    /// The folder that a relative source is below.
    pub base: PathBuf,
    /// `--mount`, or file, line, column and key.
    pub place: String,
}

impl fmt::Display for MountText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, printable(&self.given))
    }
}
