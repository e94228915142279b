//! What the lines of a provider's `.env` say of its endpoint and key.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::{Credential, Error};
use crate::provider::base_url;
use crate::provider::catalog::{Auth, Provider};
use crate::provider::variables::{API_KEY, AUTH_TOKEN, BASE_URL, OAUTH_TOKEN, reserved};

/// What is sent to a backend that asks for no key: without any, Claude Code fails before it has sent a request.
const NO_KEY: &str = "none";

/// The lines of a provider's `.env`.
pub(super) struct Lines<'a>(BTreeMap<&'a str, &'a SecretString>);

/// The key a session sends.
pub(super) struct Key<'a> {
    /// Which of Claude Code's variables it goes into.
    pub(super) variable: &'static str,
    pub(super) value: &'a str,
    pub(super) credential: Credential,
}

impl<'a> FromIterator<(&'a str, &'a SecretString)> for Lines<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a SecretString)>>(lines: I) -> Self {
        Self(lines.into_iter().collect())
    }
}

impl<'a> Lines<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().map(|(name, value)| (*name, value.expose_secret()))
    }

    /// The value of a line; an empty one states nothing.
    pub(super) fn stated(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.expose_secret()).filter(|value| !value.is_empty())
    }

    /// Refuses lines for variables that are claude-reactor's own, and a login that is another provider's.
    pub(super) fn check_reserved(&self, provider: &Provider) -> Result<(), Error> {
        let is_its_own = |name| name == OAUTH_TOKEN && provider.is_claude();
        let refused =
            self.0.keys().find_map(|&name| Some((name, reserved(name)?)).filter(|_| !is_its_own(name)));
        match refused {
            Some((name, why)) => {
                Err(Error::Reserved { provider: provider.id.clone(), name: name.to_owned(), why })
            }
            None => Ok(()),
        }
    }

    /// Where requests go. There is no default for a backend that is not Anthropic: Claude Code's own would send the key
    /// of one to the other.
    pub(super) fn endpoint<'p>(&self, provider: &'p Provider) -> Result<&'p str, Error>
    where
        'a: 'p,
    {
        match self.stated(BASE_URL) {
            Some(url) => match base_url::check_messages_base(url) {
                Ok(()) => Ok(url),
                Err(problem) => Err(Error::BaseUrl { provider: provider.id.clone(), problem }),
            },
            None => provider.endpoint().ok_or_else(|| Error::NoBaseUrl { provider: provider.id.clone() }),
        }
    }

    /// The key to send: a line for one of Claude Code's own variables, else the first of the row's names that has a
    /// line. Claude Code, too, prefers a key to a subscription's token, and a token to a login.
    pub(super) fn key(&self, provider: &Provider, has_login: bool) -> Result<Key<'a>, Error> {
        let key = |variable, value, name: &str| Key {
            variable,
            value,
            credential: Credential::Key(name.to_owned()),
        };
        match (self.stated(AUTH_TOKEN), self.stated(API_KEY)) {
            (Some(_), Some(_)) => return Err(Error::TwoKeys { provider: provider.id.clone() }),
            (Some(token), None) => return Ok(key(AUTH_TOKEN, token, AUTH_TOKEN)),
            (None, Some(api_key)) => return Ok(key(API_KEY, api_key, API_KEY)),
            (None, None) => {}
        }
        let own = provider.key_env.iter().find_map(|name| Some((name, self.stated(name)?)));
        if provider.is_claude() && provider.auth != Auth::None && own.is_none() {
            let token = self.stated(OAUTH_TOKEN);
            let credential = if token.is_some() { Credential::Token } else { Credential::Login };
            if token.is_some() || has_login {
                return Ok(Key { variable: OAUTH_TOKEN, value: token.unwrap_or_default(), credential });
            }
        }
        match (provider.auth, own) {
            (Auth::Bearer, Some((name, value))) => Ok(key(AUTH_TOKEN, value, name)),
            (Auth::XApiKey, Some((name, value))) => Ok(key(API_KEY, value, name)),
            (Auth::Bearer | Auth::XApiKey, None) if !provider.key_optional => Err(Error::NoKey {
                provider: provider.id.clone(),
                variable: provider.key_variable().unwrap_or(AUTH_TOKEN).to_owned(),
            }),
            // As a bearer whatever the row says: Claude Code asks its user about an x-api-key it does not know.
            _ => Ok(Key { variable: AUTH_TOKEN, value: NO_KEY, credential: Credential::NoKey }),
        }
    }

    /// What of a Claude subscription is there, and not used because of `key`.
    pub(super) fn passed_over(&self, provider: &Provider, key: &Key<'_>, has_login: bool) -> Vec<Credential> {
        let token = provider.is_claude() && self.stated(OAUTH_TOKEN).is_some();
        [(token, Credential::Token), (has_login, Credential::Login)]
            .into_iter()
            .filter_map(|(there, credential)| (there && credential != key.credential).then_some(credential))
            .collect()
    }
}
