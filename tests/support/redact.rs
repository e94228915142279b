//! Makes an output the same on every machine and in every run, for snapshots.

use super::secrets::Canary;

/// What is shown instead of what: first the stated texts, then what differs from run to run by nature; and the keys
/// that no output may show.
#[derive(Debug, Clone, Default)]
pub struct Redactions {
    texts: Vec<(String, String)>,
    secrets: Vec<Canary>,
}

impl Redactions {
    /// Shows `placeholder` instead of every `text`. Longer texts go first, so that a path wins over its parent.
    pub fn add(&mut self, text: impl Into<String>, placeholder: impl Into<String>) {
        self.texts.push((text.into(), placeholder.into()));
        self.texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }

    /// Shows `placeholder` instead of the key, and lets [`Self::assert_no_secret_in`] fail on it.
    pub fn add_secret(&mut self, canary: &Canary, placeholder: impl Into<String>) {
        self.add(canary.key(), placeholder);
        self.secrets.push(canary.clone());
    }

    /// The same without keys to fail on: for a command that is meant to show one.
    pub fn allowing_secrets(mut self) -> Self {
        self.secrets.clear();
        self
    }

    /// Fails when a key is in `bytes`. `what` names them in the failure.
    #[track_caller]
    pub fn assert_no_secret_in(&self, what: &str, bytes: &[u8]) {
        let found = self.secrets.iter().any(|secret| secret.is_in(bytes));
        assert!(!found, "a key is in {what}:\n{}", self.apply(&String::from_utf8_lossy(bytes)));
    }

    /// The text with the caller's ids, digests, the machine's architecture and all stated texts replaced.
    pub fn apply(&self, text: &str) -> String {
        let stated = self.texts.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let own = format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let without_ids: String = pieces(&stated, |c| c.is_ascii_alphanumeric() || c == ':')
            .map(|word| if word == own { "[UID:GID]" } else { word })
            .collect();
        pieces(&without_ids, |c| c.is_ascii_alphanumeric())
            .map(|word| match word {
                "amd64" | "arm64" => "[ARCH]",
                word if is_digest(word) => "[DIGEST]",
                word => word,
            })
            .collect()
    }
}

/// The text cut into the longest runs of characters that belong to a word, and the single characters between them.
fn pieces(text: &str, in_word: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?.len_utf8();
        let run = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(if run == 0 { first } else { run });
        rest = after;
        Some(piece)
    })
}

/// Twelve hexadecimal digits or more, as in an image tag, a container id or a spec digest. Shorter ones could be words.
fn is_digest(word: &str) -> bool {
    word.len() >= 12
        && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && word.bytes().any(|byte| byte.is_ascii_digit())
}
