//! The caller's credentials for one registry, from where `docker login` and `podman login` put them.
//!
//! Files are read as their tools read them: what a helper keeps is asked of the helper, by the registry's name. Nothing
//! but the credential of the one registry that is asked leaves this module, and none of it is in an error.

mod file;
mod helper;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use secrecy::{ExposeSecret, SecretString};

use super::registry::{Registry, Remote};
use crate::host::Host;
use crate::wary_file::{self, Links};
use file::AuthFile;

/// Far more than any of these files holds.
const LARGEST: u64 = 1024 * 1024;

/// What proves to a registry who asks.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A name and a password, or a token that stands for one.
    Login {
        /// The name.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A token that the registry gave at the login.
    Identity(SecretString),
}

/// What was found for an image.
#[derive(Debug, Default)]
pub struct Found {
    /// The credential, where there is one.
    pub credential: Option<Credential>,
    /// Why there may be none although the caller has one.
    pub problems: Vec<Problem>,
}

/// Why a credential could not be had. Says what and where, and nothing of the content.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{}:{line}:{column} is not as a file of credentials should be", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// An entry holds something else than a name and a password.
    #[error("{}: the entry for {key} is no credential", .path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry's key.
        key: String,
    },
    /// A helper that a file names does not help.
    #[error("the credential helper docker-credential-{} (named in {}) {what}", .name.escape_debug(), .path.display())]
    Helper {
        /// The helper's name, as in the file.
        name: String,
        /// The file.
        path: PathBuf,
        /// What it did.
        what: helper::Failure,
    },
}

impl Credential {
    /// The value of the header by which an engine is given the credential.
    ///
    /// The engines read base64 in the alphabet of URLs here, and take what they cannot read for no credential at all; so
    /// this is not left to bollard, which writes the other alphabet.
    pub fn header(&self, registry: &Registry) -> SecretString {
        let server = registry.server();
        let json = match self {
            Self::Login { username, password } => serde_json::json!({
                "username": username, "password": password.expose_secret(), "serveraddress": server,
            }),
            Self::Identity(token) => serde_json::json!({
                "identitytoken": token.expose_secret(), "serveraddress": server,
            }),
        };
        URL_SAFE.encode(json.to_string()).into()
    }
}

/// Looks for the caller's credential for an image's registry. The first file that has one decides.
pub async fn find(host: &Host, image: &Remote) -> Found {
    let mut found = Found::default();
    for path in files(host) {
        match in_file(path, image, &mut found.problems).await {
            Ok(None) => {}
            Ok(credential) => {
                found.credential = credential;
                break;
            }
            Err(problem) => found.problems.push(problem),
        }
    }
    found
}

async fn in_file(
    path: PathBuf,
    image: &Remote,
    problems: &mut Vec<Problem>,
) -> Result<Option<Credential>, Problem> {
    let opened = match wary_file::read(&path, Links::Followed, LARGEST) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(None),
        Err(source) => return Err(Problem::Unreadable { path, source }),
    };
    let file = AuthFile::parse(&path, &opened.text)?;
    if let Some(name) = file.helper(image) {
        match helper::ask(name, image.registry.server()).await {
            Ok(None) => {}
            Ok(credential) => return Ok(credential),
            Err(what) => problems.push(Problem::Helper { name: name.to_owned(), path: path.clone(), what }),
        }
    }
    file.entry(&path, image)
}

/// Where credentials may be: where the caller says, then Docker's place, then Podman's two.
fn files(host: &Host) -> Vec<PathBuf> {
    let folder = |variable: &str| host.var(variable).map(|path| host.absolute(path));
    let mut files: Vec<PathBuf> = folder("REGISTRY_AUTH_FILE").into_iter().collect();
    files.push(folder("DOCKER_CONFIG").unwrap_or_else(|| host.home.join(".docker")).join("config.json"));
    let podman = [
        folder("XDG_RUNTIME_DIR"),
        Some(folder("XDG_CONFIG_HOME").unwrap_or_else(|| host.home.join(".config"))),
    ];
    files.extend(podman.into_iter().flatten().map(|folder| folder.join("containers/auth.json")));
    files
}

#[cfg(test)]
mod tests;
