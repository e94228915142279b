//! The file that `docker login` and `podman login` write, and that names helpers.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde::Deserialize;

use super::{Credential, Problem};
use crate::container::registry::Remote;

/// What such a file says. There is no `Debug`: it holds passwords.
#[derive(Deserialize)]
pub(super) struct AuthFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
}

impl AuthFile {
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Problem> {
        // The parser's own words quote what they do not like.
        serde_json::from_str(text).map_err(|error| Problem::Malformed {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        })
    }

    /// The helper that keeps the credential of this image's registry; the one for all where none is named for it.
    pub(super) fn helper(&self, image: &Remote) -> Option<&str> {
        let named = best(&self.helpers, image).map(|(_, helper)| helper);
        named.or(self.store.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The credential in the file itself.
    pub(super) fn entry(&self, path: &Path, image: &Remote) -> Result<Option<Credential>, Problem> {
        let Some((key, entry)) = best(&self.auths, image) else { return Ok(None) };
        entry.credential().map_err(|()| Problem::Entry { path: path.to_owned(), key: key.clone() })
    }
}

impl Entry {
    /// An entry without content only says that a helper has it.
    fn credential(&self) -> Result<Option<Credential>, ()> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&self.identity_token) {
            return Ok(Some(Credential::Identity(token.into())));
        }
        if let Some(auth) = given(&self.auth) {
            let decoded = STANDARD.decode(auth.trim()).map_err(|_| ())?;
            let decoded = String::from_utf8(decoded).map_err(|_| ())?;
            let (username, password) = decoded.split_once(':').ok_or(())?;
            // Some tools pad what they encode.
            return login(username, password.trim_matches('\0')).map(Some).ok_or(());
        }
        match (given(&self.username), given(&self.password)) {
            (Some(username), Some(password)) => Ok(login(&username, &password)),
            (None, None) => Ok(None),
            _ => Err(()),
        }
    }
}

fn login(username: &str, password: &str) -> Option<Credential> {
    let login =
        || Credential::Login { username: username.to_owned(), password: SecretString::from(password) };
    (!username.is_empty()).then(login)
}

/// The entry whose key fits best.
fn best<'a, T>(entries: &'a BTreeMap<String, T>, image: &Remote) -> Option<(&'a String, &'a T)> {
    let fitting = entries.iter().filter_map(|entry| Some((image.fits(entry.0)?, entry)));
    fitting.max_by_key(|(length, _)| *length).map(|(_, entry)| entry)
}
