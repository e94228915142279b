//! Names of tools that a backend does not take, and back.
//!
//! Names of MCP tools are made of a server's and a tool's and get long; backends allow 64 characters, and not every one of
//! them. A name that does not fit is shortened to its end, where it differs most from others, behind a digest of the whole:
//! the same every time, so that a prefix stays the same and a restart changes nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::digest::hex;

/// The longest name that the backends take.
const LONGEST: usize = 64;

/// The names of one conversation, both ways.
#[derive(Debug, Clone, Default)]
pub struct Names {
    changed: HashMap<String, String>,
}

impl Names {
    /// Learns the names of a conversation.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let changed = names.filter_map(|name| match fitting(name) {
            Cow::Borrowed(_) => None,
            Cow::Owned(fitting) => Some((fitting, name.to_owned())),
        });
        Self { changed: changed.collect() }
    }

    /// The client's name for what the backend calls.
    pub fn restored<'a>(&'a self, name: &'a str) -> &'a str {
        self.changed.get(name).map_or(name, String::as_str)
    }
}

/// A name as every backend takes it: a letter or `_`, and up to 63 letters, digits, `_` and `-` after it.
pub fn fitting(name: &str) -> Cow<'_, str> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.len() <= LONGEST && name.starts_with(begins) && name.chars().all(is_fine) {
        return Cow::Borrowed(name);
    }
    let digest = &hex(&Sha256::digest(name))[..8];
    let clean: Vec<char> = name.chars().map(|c| if is_fine(c) { c } else { '_' }).collect();
    // `t`, the digest and a `_` come before.
    let tail: String = clean[clean.len().saturating_sub(LONGEST - 10)..].iter().collect();
    Cow::Owned(format!("t{digest}_{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_fits_stays() {
        for name in ["Bash", "mcp__github__create-issue", "_x"] {
            assert!(matches!(fitting(name), Cow::Borrowed(same) if same == name));
        }
    }

    proptest! {
        #[test]
        fn every_name_fits_and_comes_back(names in proptest::collection::vec("\\PC{0,100}", 1..5)) {
            let known = Names::new(names.iter().map(String::as_str));
            for name in &names {
                let sent = fitting(name);
                prop_assert!((1..=LONGEST).contains(&sent.len()));
                prop_assert!(sent.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
                prop_assert!(!sent.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
                prop_assert_eq!(known.restored(&sent), name);
            }
        }
    }
}
