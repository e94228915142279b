//! The key of this project's provider: whether a session could start with what is stored.

use super::check::{Check, Subject, Told};
use crate::command::target::Target;
use crate::command::{keys, launch, old_home};
use crate::error::Error;
use crate::host::Host;
use crate::provider::login::{self, State};
use crate::provider::session_env::{Credential, SessionEnv};

pub(super) const KEY: Subject = Subject::new("key", "key");

/// What there is of a key.
#[derive(Debug)]
pub(super) enum Key {
    /// A session could start.
    There(Box<SessionEnv>),
    /// The user logs in with a subscription, and this is how far that is.
    Login(Box<SessionEnv>, State),
    /// There is one of an earlier version, in this file, which the next run takes over.
    Old(String),
    /// There is none.
    Missing,
    /// What there is cannot be used.
    Unusable(Told),
}

impl Key {
    /// Looks for it.
    pub(super) fn gather(target: &Target, host: &Host, now: std::time::SystemTime) -> Self {
        let look = || -> Result<Self, Error> {
            let Some((provider, credentials)) = keys::known(target)? else {
                let old = old_home::preview(target, host)?.key;
                return Ok(old.map_or(Self::Missing, |path| Self::Old(path.display().to_string())));
            };
            let env = Box::new(launch::session_env(target, &provider, &credentials)?);
            if *env.credential() == Credential::Login {
                let folder = login::folder(&target.reactor_home, &target.account);
                return Ok(Self::Login(env, login::state(&folder, now)?));
            }
            Ok(Self::There(env))
        };
        look().unwrap_or_else(|error| Self::Unusable(error.into()))
    }

    /// The variables of a session, where one could start.
    pub(super) fn env(&self) -> Option<&SessionEnv> {
        match self {
            Self::There(env) | Self::Login(env, _) => Some(env),
            Self::Old(_) | Self::Missing | Self::Unusable(_) => None,
        }
    }
}

/// What is to be said of it. `command` is the one that sets the provider up.
pub(super) fn check(key: &Key, provider: &str, command: &str) -> Check {
    match key {
        Key::There(env) => KEY.pass(format!("{}, for {provider}", env.credential())),
        Key::Login(_, State::Usable) => KEY.pass("the login of your Claude subscription"),
        Key::Login(_, State::Absent) => KEY.warn(
            "you have not logged in to your Claude subscription yet; the next session asks you to",
            "claude-reactor run --interactive-login",
        ),
        Key::Login(_, State::Expired) => KEY.warn(
            "the login of your Claude subscription has expired; the next session asks you to log in",
            "claude-reactor run --interactive-login",
        ),
        Key::Old(path) => KEY.pass(format!(
            "the one of an earlier version, in {}: the next run takes it over",
            crate::ui::one_line(path)
        )),
        Key::Missing => {
            KEY.warn(format!("there is none for {provider} yet; the next run asks for it"), command)
        }
        Key::Unusable(told) => KEY.failed(told.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{Fail, Pass, Warn};
    use super::*;

    #[test]
    fn a_key_that_is_missing_is_asked_for_and_one_that_is_wrong_is_a_failure() {
        let outcome = |key| check(&key, "zai", "c").outcome;
        let told = Told { found: "open to others".to_owned(), remedy: Some("chmod".to_owned()) };
        assert_eq!(outcome(Key::Missing), Warn);
        assert_eq!(outcome(Key::Old("/old".to_owned())), Pass);
        assert_eq!(outcome(Key::Unusable(told)), Fail);
        assert_eq!(
            check(&Key::Missing, "zai", "claude-reactor run").remedy.as_deref(),
            Some("claude-reactor run")
        );
    }
}
