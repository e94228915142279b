//! What there is to say about a key that was set up.

use std::fmt;

/// Something to tell the user about a key that was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// It was given as an argument.
    VisibleArgument,
    /// The endpoint rejected it, and it was wanted nevertheless.
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// The endpoint's answer says nothing about it.
    Unclear {
        /// What it answered.
        answer: String,
    },
    /// The endpoint did not answer.
    Unreachable {
        /// Why not.
        why: String,
    },
    /// There is no endpoint to try it at.
    NoEndpoint,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VisibleArgument => f.write_str(
                "a key given with --apikey is visible to other users of this machine and stays in the shell's \
                 history; --key-stdin and --key-from-env are not seen by anyone",
            ),
            Self::Rejected { status } => write!(f, "the endpoint rejected this key (HTTP {status})"),
            Self::Unclear { answer } => {
                write!(f, "the key could not be checked: the endpoint answered {answer}")
            }
            Self::Unreachable { why } => write!(f, "the key could not be checked: {why}"),
            Self::NoEndpoint => f.write_str("the key could not be checked: the provider has no base URL"),
        }
    }
}
