//! What can go wrong with a backend, and how that is told to a client of Anthropic's API.

use serde_json::Value;

/// Why a reply is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It ended in the middle.
    #[error("the backend's reply was cut off")]
    Cut,
    /// It ended without having said anything.
    #[error("the backend's reply is empty")]
    Empty,
    /// It is not of the form that its API has.
    #[error("the backend's reply is not of the form that its API promises")]
    Garbled,
    /// The backend itself says that it failed, in the midst of a reply that began well.
    #[error("{message}")]
    Reported {
        /// Its status, where it says one.
        status: Option<u16>,
        /// What it says.
        message: String,
    },
}

impl Trouble {
    /// An error as backends say it inside a reply: an object with `message` and often `code`, or a text.
    pub fn reported(error: &Value) -> Self {
        let message =
            error["message"].as_str().or_else(|| error.as_str()).unwrap_or("the backend reports an error");
        let status = [&error["code"], &error["status"], &error["status_code"]].into_iter().find_map(|code| {
            let number = code.as_u64().or_else(|| code.as_str()?.parse().ok());
            number.filter(|number| (400..600).contains(number))
        });
        Self::Reported {
            status: status.and_then(|status| u16::try_from(status).ok()),
            message: message.to_owned(),
        }
    }
}
