//! Configuration: the files, their layers, and where each value came from.
//!
//! `file` and `vars` read one source each into [`Values`]; `resolve` merges them. Flags are turned into [`Values`] by the
//! commands that have them.

pub mod agent_socket;
pub mod entries;
pub mod file;
mod keys;
pub mod legacy;
pub mod limits;
mod mount_text;
mod raw;
pub mod registry_use;
pub mod resolve;
pub mod schema;
mod secret_like;
pub mod table;
pub mod timeout;
pub mod trust;
mod values;
pub mod variable;
pub mod vars;
pub mod yaml;

use std::path::PathBuf;
use std::str::FromStr;

pub use mount_text::MountText;
pub use resolve::{EnvMode, Layer, Limits, Setting, Settings, Source, resolve};
pub use secret_like::is_secret;
pub use values::Values;
pub use variable::Variable;

use crate::claude_version::ClaudeVersion;
use crate::engine_choice::{self, EngineChoice};
use crate::image_choice::{self, ImageChoice, RegistryPrefix};
use crate::name::{self, ProviderId};
use crate::nearest;

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file's form.
    #[error(transparent)]
    Yaml(#[from] yaml::Error),
    /// A file that cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// A value of a file that cannot be.
    #[error("{place}: {key}: {problem}")]
    FileValue {
        /// Where it stands.
        place: Box<yaml::Place>,
        /// Its key.
        key: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A line of a file that cannot be.
    #[error("{}:{line}: {problem}", .path.display())]
    FileLine {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A value that cannot be.
    #[error("{place}: {problem}")]
    Value {
        /// Where it stands: file, line, column and key, or the flag, or the variable.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl Error {
    /// Where in a file it is.
    pub fn place(&self) -> Option<&yaml::Place> {
        match self {
            Self::Yaml(error) => Some(error.place()),
            Self::FileValue { place, .. } => Some(place),
            Self::Read { .. } | Self::FileLine { .. } | Self::Value { .. } => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(error) => error.hint(),
            Self::Read { .. } => None,
            Self::FileValue { hint, .. } | Self::FileLine { hint, .. } | Self::Value { hint, .. } => {
                hint.clone()
            }
        }
    }
}

/// A value's text turned into the value, or an error that says where the text stands.
pub fn parse_at<T: ValueText>(place: impl FnOnce() -> String, text: &str) -> Result<T, Error> {
    T::from_text(text).map_err(|(problem, hint)| Error::Value { place: place(), problem, hint })
}

/// A value that has a form as text, in files, variables and flags alike.
pub trait ValueText: Sized {
    /// Reads it, or says what is wrong and what to do about it.
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)>;
}

fn named<T: FromStr<Err = name::Error>>(text: &str) -> Result<T, (String, Option<String>)> {
    text.parse().map_err(|error: name::Error| (error.to_string(), error.hint()))
}

impl ValueText for ProviderId {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        named(text)
    }
}

impl ValueText for ImageChoice {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        text.parse().map_err(|error: image_choice::Error| (error.to_string(), error.hint()))
    }
}

impl ValueText for RegistryPrefix {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        text.parse().map_err(|error: image_choice::Error| (error.to_string(), error.hint()))
    }
}

impl ValueText for ClaudeVersion {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        text.parse().map_err(|error: crate::claude_version::Error| (error.to_string(), Some(error.hint())))
    }
}

impl ValueText for EngineChoice {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        text.parse().map_err(|error: engine_choice::Error| (error.to_string(), error.hint()))
    }
}

impl ValueText for name::AccountName {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        named(text)
    }
}

impl ValueText for bool {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err((format!("{text:?} is neither true nor false"), yaml::flag_hint(text))),
        }
    }
}

impl ValueText for EnvMode {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        let known = Self::NAMES.map(|(name, _)| name).join(" or ");
        let hint = || nearest::hint(text, Self::NAMES.map(|(name, _)| name));
        found.map(|(_, mode)| *mode).ok_or_else(|| (format!("{text:?} is not {known}"), hint()))
    }
}

/// A model's id. What a provider takes is the provider's business; that it is one line of text is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelId(pub String);

impl ValueText for ModelId {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(("a model id is one line of text".to_owned(), None));
        }
        Ok(Self(text.trim().to_owned()))
    }
}
