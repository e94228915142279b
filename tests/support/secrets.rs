//! Canary secrets, and the search for them where they must not be.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// A made-up key that no other test, run or machine uses, so that finding it proves where it came from.
///
/// It is longer than 60 characters because Claude Code keeps the last 20 characters of an approved `x-api-key` in
/// its own state: the whole key is then still distinct from what may stand there.
#[derive(Clone, PartialEq, Eq)]
pub struct Canary(String);

impl Canary {
    /// `sk-canary-{label}-{64 hexadecimal digits}`.
    pub fn new(label: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::digest(format!("{} {count} {}", std::process::id(), now.as_nanos()));
        let hex = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        Self(format!("sk-canary-{label}-{hex}"))
    }

    /// A token of a Claude subscription: `sk-ant-oat01-canary-{label}-{64 hexadecimal digits}`.
    pub fn token(label: &str) -> Self {
        Self(Self::new(label).0.replacen("sk-", "sk-ant-oat01-", 1))
    }

    /// The whole key.
    pub fn key(&self) -> &str {
        &self.0
    }

    /// The last 20 characters: what Claude Code itself remembers of a key that its user approved.
    pub fn tail(&self) -> &str {
        &self.0[self.0.len() - 20..]
    }

    /// Whether the bytes hold the key, or enough of it to matter: its last 20 characters.
    pub fn is_in(&self, bytes: impl AsRef<[u8]>) -> bool {
        find_in_bytes(bytes.as_ref(), self.tail()).is_some()
    }
}

// A failing test prints what it holds; even a made-up key should not teach anyone that printing keys is fine.
impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canary(…)")
    }
}

/// The offset of the first occurrence of `secret`.
pub fn find_in_bytes(bytes: &[u8], secret: &str) -> Option<usize> {
    assert!(!secret.is_empty(), "an empty secret is in everything");
    bytes.windows(secret.len()).position(|window| window == secret.as_bytes())
}

/// The paths under `root`, in order, whose name, content or link target holds `secret`. Links are not followed.
///
/// # Panics
/// On a file or folder that cannot be read: a search that skips some of them proves nothing.
pub fn find_in_files(root: &Path, secret: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    visit(root, secret, &mut found);
    found.sort();
    found
}

fn visit(path: &Path, secret: &str, found: &mut Vec<PathBuf>) {
    let unreadable =
        |error: std::io::Error| -> ! { panic!("{} cannot be searched: {error}", path.display()) };
    let kind = path.symlink_metadata().unwrap_or_else(|error| unreadable(error)).file_type();
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let content = if kind.is_symlink() {
        path.read_link().unwrap_or_else(|error| unreadable(error)).into_os_string().into_encoded_bytes()
    } else if kind.is_file() {
        std::fs::read(path).unwrap_or_else(|error| unreadable(error))
    } else {
        Vec::new() // a folder, or a socket or pipe, which holds nothing
    };
    if find_in_bytes(name, secret).or_else(|| find_in_bytes(&content, secret)).is_some() {
        found.push(path.to_owned());
    }
    if kind.is_dir() {
        for entry in path.read_dir().unwrap_or_else(|error| unreadable(error)) {
            visit(&entry.unwrap_or_else(|error| unreadable(error)).path(), secret, found);
        }
    }
}
