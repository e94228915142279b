//! Which image a container is made of: a built-in one by its variant, or a user's own by its reference.

use std::fmt;
use std::str::FromStr;

use crate::nearest;
use crate::variant::Variant;

/// The longest reference that the engines take, in bytes.
const MAX_LENGTH: usize = 255;
/// The longest tag that the engines take, in bytes.
const MAX_TAG: usize = 128;
/// The hexadecimal digits of a SHA-256.
const DIGEST_LENGTH: usize = 64;

/// The image that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ImageChoice {
    /// An image of ours, built where it is missing.
    BuiltIn(Variant),
    /// An image of the user's.
    Custom(ImageReference),
}

/// An image by its reference, as registries and engines write it: `[HOST[:PORT]/]NAME[/NAME…][:TAG][@sha256:DIGEST]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference(String);

/// Where images are kept: a reference without tag and digest, below which images have their names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryPrefix(String);

/// Why a text is no image.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Neither a built-in image nor a reference. It may come from a repository's file, which must not reach the
    /// terminal unescaped.
    #[error("{} is neither a built-in image nor an image reference: {problem}", shown(.text))]
    Reference {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A place for images with a tag or a digest, or of a form that cannot be.
    #[error("{} is not a registry's prefix: {problem}", shown(.text))]
    Registry {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Reference { text, .. } => {
                let near = nearest::hint(text, Variant::ALL.map(Variant::name));
                let near = near.map(|near| format!("{near} ")).unwrap_or_default();
                let names = Variant::list();
                Some(format!("{near}built-in: {names}; or a reference, for example `ghcr.io/acme/tools:1.2`"))
            }
            Self::Registry { .. } => Some("for example `ghcr.io/acme`".to_owned()),
        }
    }
}

/// A text of any length and content, fit for a message.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let cut = if text.chars().count() > LONGEST { "…" } else { "" };
    format!("`{}{cut}`", text.chars().take(LONGEST).collect::<String>().escape_debug())
}

impl Default for ImageChoice {
    fn default() -> Self {
        Self::BuiltIn(Variant::default())
    }
}

impl fmt::Display for ImageChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(variant) => variant.fmt(f),
            Self::Custom(reference) => reference.fmt(f),
        }
    }
}

impl FromStr for ImageChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.parse() {
            Ok(variant) => Ok(Self::BuiltIn(variant)),
            Err(_) => Ok(Self::Custom(text.parse()?)),
        }
    }
}

impl ImageReference {
    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ImageReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match problem(text) {
            None => Ok(Self(text.to_owned())),
            Some(problem) => Err(Error::Reference { text: text.to_owned(), problem }),
        }
    }
}

impl RegistryPrefix {
    /// The prefix as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegistryPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RegistryPrefix {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let prefix = text.strip_suffix('/').unwrap_or(text);
        // A name below it makes it a reference, and shows that a port is no tag.
        match problem(&format!("{prefix}/x")) {
            None if !prefix.contains('@') => Ok(Self(prefix.to_owned())),
            found => {
                let problem = found.unwrap_or("a digest is no part of it");
                Err(Error::Registry { text: text.to_owned(), problem })
            }
        }
    }
}

/// What is wrong with a reference.
fn problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > MAX_LENGTH {
        return Some("it is longer than 255 characters");
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Some("a digest is `sha256:` and 64 hexadecimal digits");
    }
    // A colon before the last slash is a port's.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Some(
            "a tag is letters, digits, `.`, `_` and `-`, and begins and ends with a letter or digit",
        );
    }
    let path = match name.split_once('/') {
        Some((host, path)) if host == "localhost" || host.contains(['.', ':']) => {
            if !is_host(host) {
                return Some("the registry's address is not HOST or HOST:PORT");
            }
            path
        }
        _ => name,
    };
    (!path.split('/').all(is_component)).then_some(
        "a name is lower-case letters and digits, with single `.`, `_`, `__` or dashes between them",
    )
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == DIGEST_LENGTH && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn is_tag(tag: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    tag.len() <= MAX_TAG
        && edge(tag.chars().next())
        && edge(tag.chars().next_back())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn is_host(address: &str) -> bool {
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    host.split('.').all(label) && port.is_none_or(is_port)
}

/// Runs of lower-case letters and digits, between which stands one `.`, one or two `_`, or dashes.
fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(word)
        && text.ends_with(word)
        && text
            .split(word)
            .filter(|separator| !separator.is_empty())
            .all(|separator| matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_pass() {
        let digest = format!("ubuntu@sha256:{}", "0123456789abcdef".repeat(4));
        for name in [
            "ubuntu",
            "ubuntu:22.04",
            "ghcr.io/x/y:latest",
            "localhost:5000/i",
            "localhost/i",
            "reg:443/ns/i:tag",
            "a__b/c--d/e.f",
            "ubuntu:TAG",
            &digest,
            &format!("ghcr.io/x/y:1@{}", &digest[7..]),
        ] {
            assert_eq!(name.parse(), Ok(ImageChoice::Custom(ImageReference(name.to_owned()))));
        }
    }

    #[test]
    fn names_that_fail() {
        for name in [
            "",
            "-x",
            "x-",
            ".x",
            "x.",
            "a..b",
            "a//b",
            "Ubuntu",
            "ubuntu:TAG-",
            "ubuntu:",
            "a/",
            "/a",
            "a___b",
            "a b",
            "a:b:c",
            "reg:99999/i",
            "reg:/i",
            "-reg.io/i",
            "ubuntu@sha256:0123",
            "@sha256:",
            "ubuntu@md5:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "a\u{1b}[2J",
            &"a".repeat(256),
            &format!("a:{}", "b".repeat(129)),
        ] {
            assert!(matches!(name.parse::<ImageChoice>(), Err(Error::Reference { .. })), "{name:?}");
        }
    }

    #[test]
    fn the_built_in_images_keep_their_names() {
        for variant in Variant::ALL {
            assert_eq!(variant.name().parse(), Ok(ImageChoice::BuiltIn(variant)));
        }
    }

    #[test]
    fn a_prefix_has_no_tag_and_no_digest() {
        for prefix in ["ghcr.io/acme", "localhost:5000", "registry.acme.example:443/team/images/"] {
            let parsed: RegistryPrefix = prefix.parse().unwrap();
            assert_eq!(parsed.as_str(), prefix.trim_end_matches('/'));
        }
        for other in ["", "/", "ghcr.io/acme:1", "Acme", "a//b", "https://ghcr.io/acme"] {
            assert!(other.parse::<RegistryPrefix>().is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_hostile_name_does_not_reach_the_terminal() {
        let error = format!("\u{1b}[2J{}", "x".repeat(1000)).parse::<ImageChoice>().unwrap_err().to_string();
        assert!(!error.contains(char::is_control) && error.len() < 400, "{error:?}");
    }

    proptest! {
        #[test]
        fn a_reference_is_one_word_without_a_leading_dash(text in any::<String>()) {
            if let Ok(ImageReference(name)) = text.parse() {
                prop_assert!(name.bytes().all(|b| b.is_ascii_graphic()) && !name.starts_with('-'));
            }
        }
    }
}
