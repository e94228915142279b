//! Whether the session gets the caller's SSH agent, and by which socket.

use std::fmt;
use std::path::{Path, PathBuf};

use super::ValueText;

/// The agent's socket on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AgentSocket {
    /// The one of the caller's environment (`SSH_AUTH_SOCK`).
    #[default]
    Auto,
    /// The one at this path; absolute, or beginning with `~/`.
    Path(PathBuf),
}

/// What `--ssh-agent[=SOCK]` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFlag {
    /// Whether the agent is forwarded.
    pub on: bool,
    /// The socket, where one is named.
    pub socket: Option<AgentSocket>,
}

impl fmt::Display for AgentSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl ValueText for AgentSocket {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        match text {
            "auto" => Ok(Self::Auto),
            path if Path::new(path).is_absolute() || path.starts_with("~/") => Ok(Self::Path(path.into())),
            _ => Err((
                format!(
                    "{:?} is neither an absolute path nor `auto`",
                    text.chars().take(80).collect::<String>()
                ),
                Some("`auto` is the agent of your shell (SSH_AUTH_SOCK)".to_owned()),
            )),
        }
    }
}

impl ValueText for AgentFlag {
    fn from_text(text: &str) -> Result<Self, (String, Option<String>)> {
        Ok(match text {
            "true" | "on" => Self { on: true, socket: None },
            "false" | "off" => Self { on: false, socket: None },
            socket => Self { on: true, socket: Some(AgentSocket::from_text(socket)?) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_says_on_off_or_which() {
        let read = |text: &str| AgentFlag::from_text(text).unwrap();
        assert_eq!(read("true"), AgentFlag { on: true, socket: None });
        for off in ["off", "false"] {
            assert_eq!(read(off), AgentFlag { on: false, socket: None });
        }
        assert_eq!(read("auto"), AgentFlag { on: true, socket: Some(AgentSocket::Auto) });
        let socket = AgentSocket::Path("/run/agent.sock".into());
        assert_eq!(read("/run/agent.sock"), AgentFlag { on: true, socket: Some(socket) });
        assert!(AgentFlag::from_text("agent.sock").is_err());
        assert!(AgentSocket::from_text("off").is_err());
    }
}
