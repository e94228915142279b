//! The login of a Claude subscription: a folder of the account's, which Claude Code fills and refreshes itself.
//!
//! All projects of an account share `{account}/llms/claude/login/`, mounted writable into the sessions that use it and
//! into no others. That the folder exists is the memory of the user's choice: the login itself comes later, inside the
//! first session. A session can write there, so what is read from it is read as a stranger's.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::name::{AccountName, ProviderId};
use crate::private_file;
use crate::wary_file::{self, Links};

/// Where the folder is inside.
pub const INSIDE: &str = "/home/claude/.claude-login";
/// The variable that tells Claude Code so. Its lock, by which refreshes wait for each other, lies there too.
pub const VARIABLE: &str = "CLAUDE_SECURESTORAGE_CONFIG_DIR";
/// How every token of a subscription begins.
const TOKEN_PREFIX: &str = "sk-ant-oat";
/// More than Claude Code ever writes there.
const LARGEST: u64 = 1024 * 1024;

/// What there is of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has logged in yet, or what is there is no login.
    Absent,
    /// It ended, and cannot be refreshed.
    Expired,
    /// It is good, or Claude Code can refresh it.
    Usable,
}

/// Why a login cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The session could not ask for it.
    #[error(
        "{}, and without a terminal nobody can log in",
        if *.state == State::Expired { "the login of your Claude subscription has expired" }
        else { "you have not logged in to your Claude subscription yet" }
    )]
    NotLoggedIn {
        /// What there is of it.
        state: State,
        /// The command that logs in, without the flag for it.
        command: String,
    },
    /// Only Claude has one.
    #[error("--interactive-login is for provider claude; {0} has no login")]
    NotClaude(ProviderId),
    /// The file of the login cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotLoggedIn { command, .. } => format!("log in by `{command}` in a terminal"),
            Self::NotClaude(_) => "add --llm-provider claude, or leave it out".to_owned(),
            Self::Read { path, .. } => format!("to log in anew: rm {}", private_file::quoted(path)),
        })
    }
}

/// The folder of an account's login. `home` is [`crate::host::Host::reactor_home`].
pub fn folder(home: &Path, account: &AccountName) -> PathBuf {
    home.join(account.as_str()).join("llms").join("claude").join("login")
}

/// Whether the account's user chose to log in. Whatever stands there counts: what is wrong with it is said when it is
/// used.
pub fn is_chosen(home: &Path, account: &AccountName) -> bool {
    folder(home, account).symlink_metadata().is_ok()
}

/// Remembers that the account's user chose to log in, and says where the login will be.
pub fn choose(home: &Path, account: &AccountName) -> Result<PathBuf, private_file::Error> {
    let folder = folder(home, account);
    private_file::create_dir(home, &folder)?;
    Ok(folder)
}

/// Whether this is a token of a subscription, and not an API key.
pub fn is_token(text: &str) -> bool {
    text.starts_with(TOKEN_PREFIX)
}

/// What there is of the login in a folder.
pub fn state(folder: &Path, now: SystemTime) -> Result<State, Error> {
    let path = folder.join(".credentials.json");
    match wary_file::read(&path, Links::Refused, LARGEST) {
        Ok(opened) => Ok(opened.map_or(State::Absent, |opened| judge(&opened.text, now))),
        Err(source) => Err(Error::Read { path, source }),
    }
}

fn judge(text: &str, now: SystemTime) -> State {
    let credentials: Value = serde_json::from_str(text).unwrap_or_default();
    let login = &credentials["claudeAiOauth"];
    let stated = |name: &str| login[name].as_str().is_some_and(|text| !text.is_empty());
    // In milliseconds since 1970; without a date there is no end.
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let over = |name: &str| login[name].as_u64().is_some_and(|end| u128::from(end) <= now);
    if !stated("accessToken") {
        return State::Absent;
    }
    let refreshable = stated("refreshToken") && !over("refreshTokenExpiresAt");
    if refreshable || !over("expiresAt") { State::Usable } else { State::Expired }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn judged(login: &str) -> State {
        judge(&format!(r#"{{"claudeAiOauth": {login}}}"#), UNIX_EPOCH + Duration::from_secs(10))
    }

    #[test]
    fn a_login_is_usable_while_it_is_good_or_can_be_refreshed() {
        for (login, state) in [
            (r#"{"accessToken": "a", "refreshToken": "r", "expiresAt": 1}"#, State::Usable),
            (
                r#"{"accessToken": "a", "refreshToken": "r", "expiresAt": 1, "refreshTokenExpiresAt": 2}"#,
                State::Expired,
            ),
            (
                r#"{"accessToken": "a", "refreshToken": "r", "refreshTokenExpiresAt": null, "expiresAt": 1}"#,
                State::Usable,
            ),
            (r#"{"accessToken": "a", "refreshToken": "", "expiresAt": 10000}"#, State::Expired),
            (r#"{"accessToken": "a", "expiresAt": 10001}"#, State::Usable),
            (r#"{"accessToken": "", "refreshToken": "r"}"#, State::Absent),
            ("{}", State::Absent),
            ("[]", State::Absent),
        ] {
            assert_eq!(judged(login), state, "{login}");
        }
        assert_eq!(judge("not json", UNIX_EPOCH), State::Absent);
    }

    #[test]
    fn a_link_laid_by_a_session_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/hostname", dir.path().join(".credentials.json")).unwrap();
        assert!(matches!(state(dir.path(), UNIX_EPOCH), Err(Error::Read { .. })));
    }

    #[test]
    fn the_choice_is_a_private_folder() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let account = "alice".parse().unwrap();
        assert!(!is_chosen(home.path(), &account));
        let folder = choose(home.path(), &account).unwrap();
        assert_eq!(folder, home.path().join("alice/llms/claude/login"));
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(is_chosen(home.path(), &account));
        assert_eq!(state(&folder, UNIX_EPOCH).unwrap(), State::Absent);
    }
}
