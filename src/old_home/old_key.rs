//! An API key in a file of an earlier version.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::Place;
use crate::digest::hex;
use crate::provider::variables::API_KEY;
use crate::wary_file::{self, Links};

/// More than such a file ever held.
const LARGEST: u64 = 64 * 1024;

/// A key that was found.
#[derive(Debug, Clone)]
pub struct OldKey {
    /// The file it is in.
    pub path: PathBuf,
    /// The key.
    pub value: SecretString,
    /// Whether nobody but the user can have put it there. A project's folder is written by repositories and sessions.
    pub is_vouched_for: bool,
    /// Whether others can read the file.
    pub is_open: bool,
}

/// Where an old key is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// In claude-reactor's home, which is the user's alone.
    Home,
    /// In the project, where a repository or a session may have put it.
    Project,
}

impl OldKey {
    /// What the key is recognised by without being kept.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.value.expose_secret()))
    }
}

/// The account's old key: the first there is. A file that cannot be used is left out, with the reason.
pub(super) fn find(place: &Place<'_>) -> Result<Option<OldKey>, Unusable> {
    let account = place.account;
    let project = Path::new(place.project.root());
    let of_home = place.reactor_home.join(format!(".claude-reactor-{account}-env"));
    let of_account = project.join(format!(".claude-reactor-{account}-env"));
    // Without an account's name it was the key of whoever chose none.
    let of_nobody = place.is_default_account.then(|| project.join(".claude-reactor-env"));
    let files = [(of_home, Origin::Home), (of_account, Origin::Project)].into_iter();
    for (path, origin) in files.chain(of_nobody.map(|path| (path, Origin::Project))) {
        if let Some(key) = read(path, origin, place.uid)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// A file that is there and holds no key that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable {
    pub(super) path: PathBuf,
    pub(super) why: String,
}

fn read(path: PathBuf, origin: Origin, uid: u32) -> Result<Option<OldKey>, Unusable> {
    let unusable = |why: String| Unusable { path: path.clone(), why };
    let opened = match wary_file::read(&path, Links::Refused, LARGEST) {
        Ok(None) => return Ok(None),
        Ok(Some(opened)) => opened,
        Err(error) => return Err(unusable(error.to_string())),
    };
    if opened.owner != uid {
        return Err(unusable("it belongs to another user".to_owned()));
    }
    match parse(&opened.text, origin) {
        Some(key) if is_key(key) => {
            let mode = path.symlink_metadata().map_or(0o777, |meta| meta.permissions().mode());
            let is_vouched_for = origin == Origin::Home && mode & 0o022 == 0;
            Ok(Some(OldKey { value: key.into(), is_vouched_for, is_open: mode & 0o044 != 0, path }))
        }
        // An empty file says that there was no key.
        None if opened.text.trim().is_empty() => Ok(None),
        _ => Err(unusable("it does not hold one API key".to_owned())),
    }
}

/// The key in a file's text: `ANTHROPIC_API_KEY=…` on a line, or in claude-reactor's home the bare key.
fn parse(text: &str, origin: Origin) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    let named = text.lines().rev().find_map(|line| {
        let line = line.trim();
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        (name.trim() == API_KEY).then(|| unquoted(value.trim()))
    });
    named.or_else(|| (origin == Origin::Home && !text.is_empty()).then_some(text))
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

/// Whether a text can be a key: one word that fits into a header.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_bare_at_home_and_named_in_a_project() {
        let cases = [
            ("sk-a", Some("sk-a"), None),
            ("sk-a\r\n", Some("sk-a"), None),
            ("ANTHROPIC_API_KEY=sk-a", Some("sk-a"), Some("sk-a")),
            ("# mine\nexport ANTHROPIC_API_KEY=\"sk=a\"\nOTHER=1\n", Some("sk=a"), Some("sk=a")),
            ("ANTHROPIC_API_KEY=old\n ANTHROPIC_API_KEY = 'sk-a' \n", Some("sk-a"), Some("sk-a")),
            ("ANTHROPIC_API_KEY=\n", Some(""), Some("")),
            ("", None, None),
            (" \n", None, None),
        ];
        for (text, home, project) in cases {
            assert_eq!(
                (parse(text, Origin::Home), parse(text, Origin::Project)),
                (home, project),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_no_word_is_no_key() {
        assert!(is_key("sk-ant-api03-A_b=c"));
        for text in ["", "two words", "two\nlines", "sk-é", "sk\u{7}"] {
            assert!(!is_key(text), "{text:?}");
        }
    }
}
