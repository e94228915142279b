//! What can be wrong with a file of ours, and where.

use std::fmt;
use std::path::PathBuf;

/// A place in a text, as editors count: lines and columns begin at 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// A file, and the position in it where one is known: `path:line:column`, which terminals and editors make a link of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Where in it.
    pub position: Option<Position>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match self.position {
            Some(Position { line, column }) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Why a file could not be read or edited. Keys are dotted paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not YAML.
    #[error("{place}: not valid YAML: {message}")]
    Syntax {
        /// Where reading stopped.
        place: Place,
        /// What the parser says.
        message: String,
    },
    /// Something other than keys and values stands where a mapping belongs: in the whole file, or under a key.
    #[error("{place}: {} is {found}, not keys with values", match key { Some(key) => format!("`{key}`"), None => "the file".to_owned() })]
    NotMapping {
        /// Where it stands.
        place: Place,
        /// The key it stands under; none for the whole file.
        key: Option<String>,
        /// What it is, with its article.
        found: &'static str,
        /// The keys that belong there; empty where any may.
        known: Vec<String>,
    },
    /// One key is given two values.
    #[error("{place}: `{key}` is there twice; the first one is in line {first}")]
    Duplicate {
        /// Where the second one stands.
        place: Place,
        /// The key.
        key: String,
        /// The line of the first one.
        first: usize,
    },
    /// Two spellings of one key are given a value each.
    #[error("{place}: `{key}` is another name for `{earlier}`, which the file has already")]
    Synonyms {
        /// Where the second one stands.
        place: Place,
        /// The second one.
        key: String,
        /// The first one.
        earlier: String,
    },
    /// A key we do not know. A typo in one would otherwise silently do nothing.
    #[error("{place}: unknown key `{key}`")]
    UnknownKey {
        /// Where it stands; no position where it was asked for and not read.
        place: Place,
        /// The key.
        key: String,
        /// The known key that is meant in all likelihood.
        nearest: Option<String>,
        /// The keys known in that place.
        known: Vec<String>,
    },
    /// A key of another file.
    #[error("{place}: unknown key `{key}`")]
    Misplaced {
        /// Where it stands.
        place: Place,
        /// The key.
        key: String,
        /// Where it belongs.
        belongs: &'static str,
    },
    /// The merge key of YAML 1.1, which is no part of YAML 1.2 and is not carried out.
    #[error("{place}: merge keys (`<<`) are not supported")]
    MergeKey {
        /// Where it stands.
        place: Place,
    },
    /// A value is not of the type its key takes.
    #[error("{place}: {message}")]
    Type {
        /// Where it stands.
        place: Place,
        /// The key where it is known, what was found and what was expected.
        message: String,
    },
    /// The same, in our own words.
    #[error("{place}: {}`{key}` is {}, not {}", if *item { "an item of " } else { "" }, .wrong.found, .wrong.expected)]
    WrongType {
        /// Where it stands.
        place: Place,
        /// The key.
        key: String,
        /// Whether it is an item of the list there.
        item: bool,
        /// What it is, and what belongs there.
        wrong: Box<WrongType>,
    },
    /// The file is written in a way that the edit cannot be made without changing what else it says.
    #[error("{place}: `{key}` cannot be changed without the risk of changing more than that")]
    CannotEdit {
        /// The file.
        place: Place,
        /// The key.
        key: String,
        /// What to do by hand, as an order.
        by_hand: String,
    },
}

/// A value of another type than its key takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongType {
    /// What it is, with its article.
    pub found: String,
    /// What belongs there.
    pub expected: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// The place that the message begins with.
    pub fn place(&self) -> &Place {
        match self {
            Self::Syntax { place, .. }
            | Self::NotMapping { place, .. }
            | Self::Duplicate { place, .. }
            | Self::Synonyms { place, .. }
            | Self::UnknownKey { place, .. }
            | Self::Misplaced { place, .. }
            | Self::MergeKey { place }
            | Self::Type { place, .. }
            | Self::WrongType { place, .. }
            | Self::CannotEdit { place, .. } => place,
        }
    }

    /// The key that is wrong, where one is.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Duplicate { key, .. }
            | Self::Synonyms { key, .. }
            | Self::UnknownKey { key, .. }
            | Self::Misplaced { key, .. }
            | Self::WrongType { key, .. }
            | Self::CannotEdit { key, .. }
            | Self::NotMapping { key: Some(key), .. } => Some(key),
            Self::Syntax { .. } | Self::NotMapping { .. } | Self::MergeKey { .. } | Self::Type { .. } => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::WrongType { wrong, .. } => wrong.hint.clone(),
            Self::Syntax { .. } | Self::Type { .. } => None,
            Self::NotMapping { key: None, .. } => Some("write one `key: value` in a line".to_owned()),
            Self::NotMapping { key: Some(_), known, .. } if known.is_empty() => {
                Some("write one `key: value` in a line below it, indented".to_owned())
            }
            Self::NotMapping { key: Some(key), known, .. } => {
                Some(format!("keys of `{key}`: {}", known.join(", ")))
            }
            Self::Duplicate { .. } | Self::Synonyms { .. } => Some("remove one of them".to_owned()),
            Self::Misplaced { belongs, .. } => Some((*belongs).to_owned()),
            Self::UnknownKey { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownKey { known, .. } if known.is_empty() => None,
            Self::UnknownKey { known, .. } => Some(format!("known keys here: {}", known.join(", "))),
            Self::MergeKey { .. } => Some("write the keys out instead".to_owned()),
            Self::CannotEdit { by_hand, .. } => Some(format!("{by_hand} by hand")),
        }
    }
}

/// A dotted path fit for a message.
pub(super) fn dotted(path: &[impl AsRef<str>]) -> String {
    printable(&path.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("."))
}

/// A text out of a file, fit for a message. A repository's file must not be able to send control sequences to the
/// terminal of whoever runs us in it, nor drown what the message says.
pub(crate) fn printable(text: &str) -> String {
    /// Long enough for any message about a value of sensible length.
    const LONGEST: usize = 240;
    /// What an error expected stands at its end.
    const TAIL: usize = 120;
    let escape = |text: &str| -> String {
        let printed = |c: char| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        };
        text.chars().flat_map(printed).collect()
    };
    let count = text.chars().count();
    if count <= LONGEST {
        return escape(text);
    }
    let head: String = text.chars().take(LONGEST - TAIL).collect();
    let tail: String = text.chars().skip(count - TAIL).collect();
    format!("{}…{}", escape(&head), escape(&tail))
}
