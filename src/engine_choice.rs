//! Which container engine is used, as the user says it.

use std::fmt;
use std::str::FromStr;

/// The beginnings of an engine's address.
const SCHEMES: [&str; 3] = ["unix://", "tcp://", "ssh://"];

/// The engine that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineChoice {
    /// Docker, wherever it is found.
    Docker,
    /// Podman, wherever it is found.
    Podman,
    /// The engine at an address: `unix://`, `tcp://` or `ssh://`.
    Address(String),
    /// The engine that a Docker context names.
    Context(String),
}

/// Why a text names no engine.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is neither docker, podman, an address nor the name of a Docker context")]
pub struct Error(String);

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some("an address begins with unix://, tcp:// or ssh://".to_owned())
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Address(text) | Self::Context(text) => text,
        })
    }
}

impl FromStr for EngineChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_name = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        };
        match text {
            "docker" => Ok(Self::Docker),
            "podman" => Ok(Self::Podman),
            text if text.chars().all(|c| c.is_ascii_graphic())
                && SCHEMES.iter().any(|scheme| text.starts_with(scheme) && text.len() > scheme.len()) =>
            {
                Ok(Self::Address(text.to_owned()))
            }
            text if is_name(text) => Ok(Self::Context(text.to_owned())),
            _ => Err(Error(text.chars().take(80).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_reads_back_as_itself() {
        for (text, choice) in [
            ("docker", EngineChoice::Docker),
            ("podman", EngineChoice::Podman),
            ("unix:///run/d.sock", EngineChoice::Address("unix:///run/d.sock".to_owned())),
            ("tcp://10.0.0.1:2376", EngineChoice::Address("tcp://10.0.0.1:2376".to_owned())),
            ("ssh://me@host", EngineChoice::Address("ssh://me@host".to_owned())),
            ("desktop-linux", EngineChoice::Context("desktop-linux".to_owned())),
        ] {
            assert_eq!((text.parse(), choice.to_string().as_str()), (Ok(choice), text));
        }
        for other in ["", "unix://", "http://x", "a b", "-x", "tcp://a b"] {
            assert!(other.parse::<EngineChoice>().is_err(), "{other:?}");
        }
    }
}
