//! What can be wrong with a row, and what to do about it.

use crate::name::ProviderId;
use crate::provider::base_url;

/// How a row can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The row's key is no name of a provider.
    #[error(transparent)]
    Name(#[from] crate::name::Error),
    /// The row says nowhere where its backend is.
    #[error("it has no base_url")]
    NoBaseUrl {
        /// The row it may have been meant to override.
        nearest: Option<ProviderId>,
    },
    /// Not an address a request can go to.
    #[error(transparent)]
    Url(#[from] base_url::Problem),
    /// An empty text, or one with characters that garble a terminal.
    #[error("it is empty, or holds a space at an end or a control character")]
    Text,
    /// A word of the dialect that cannot be.
    #[error("{0}")]
    Dialect(String),
    /// A model that takes nothing.
    #[error("it is 0")]
    Zero,
    /// Not a name a variable can have. It is not quoted: it may be the key itself, pasted where its name belongs.
    #[error("it is not the name of a variable")]
    VariableName,
    /// A value that no process can be given.
    #[error("its value holds a NUL character")]
    Nul,
    /// A variable that is claude-reactor's own to set.
    #[error("a row may not name {name}: {why}")]
    Reserved {
        /// The variable.
        name: String,
        /// What it is for.
        why: &'static str,
    },
    /// A variable that a field of the row stands for.
    #[error("{name} is set from the row's {field}")]
    Field {
        /// The variable.
        name: String,
        /// The field, or fields.
        field: &'static str,
    },
    /// A key in the catalogue.
    #[error("{0} is this row's key, which this file is no place for")]
    Key(String),
    /// A key that would be sent in another header than `auth` says.
    #[error("{name} is always sent as {sent}, but the row's auth is {auth}")]
    OtherHeader {
        /// The variable.
        name: String,
        /// The `auth` that goes with it.
        sent: &'static str,
        /// The row's.
        auth: &'static str,
    },
    /// Questions without a cloud mode that needs the answers.
    #[error("only a row with a mode has this")]
    NoMode,
    /// A field of plain providers in a cloud mode.
    #[error("a cloud mode has none: what it needs is in ask and files")]
    InMode,
    /// A default for what nobody may know.
    #[error("a secret has no default")]
    SecretDefault,
    /// Not the name of an alternative.
    #[error("it is not a word of small letters, digits and `-`")]
    Way,
    /// A file without a name to store it under.
    #[error("it has no file")]
    NoFileName,
    /// No plain name, or one that is taken.
    #[error("it is not a plain file name, or another file of the row has it")]
    FileName,
    /// A variable that is asked for as a text and as a file.
    #[error("{0} is in ask already")]
    AskedTwice(String),
    /// A key that would never be sent.
    #[error("the row's auth is none, so that no key is ever sent")]
    KeyWithoutAuth,
}

impl Problem {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name(error) => return error.hint(),
            Self::NoBaseUrl { nearest: Some(nearest) } => {
                format!("add it; to override a built-in row, use its name: is it `{nearest}`?")
            }
            Self::NoBaseUrl { nearest: None } => "add the endpoint, as in https://host/path".to_owned(),
            Self::Url(problem) => problem.hint().to_owned(),
            Self::Text => "give it a text, or leave the field out".to_owned(),
            Self::Zero => "give the number of tokens the main model takes, or leave it out".to_owned(),
            Self::VariableName => {
                "a variable's name is letters, digits and `_`, and does not begin with a digit".to_owned()
            }
            Self::Dialect(_) => "see docs/gateway.md for what stands there".to_owned(),
            Self::NoMode => "add mode: bedrock, vertex or foundry, or leave it out".to_owned(),
            Self::Way => "for example way: api-key".to_owned(),
            Self::NoFileName => "add the name it is stored under, as in file: adc.json".to_owned(),
            Self::FileName => "letters, digits, `.`, `_` and `-`, as in adc.json".to_owned(),
            Self::Nul | Self::Reserved { .. } | Self::InMode | Self::SecretDefault | Self::AskedTwice(_) => {
                "leave it out".to_owned()
            }
            Self::Field { field, .. } => format!("say it in {field} instead"),
            Self::Key(name) => format!("put the line {name}='…' into the provider's .env"),
            Self::OtherHeader { sent, .. } => {
                format!("set auth: {sent}, or let key_env name a variable of the backend's own")
            }
            Self::KeyWithoutAuth => "set auth: bearer or auth: x-api-key, or key_env: []".to_owned(),
        })
    }
}
