//! The credential files of an account for a provider, a Google service account's for instance.
//!
//! They lie in `{home}/{account}/llms/{provider}/files/`, private like the `.env` beside it, and are mounted as a whole:
//! the variables that name them hold their places inside. They are copies: a link would let a session see whatever it
//! points to later.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Deserialize;

use super::catalog::Provider;
use super::credentials::{self, Credentials, Error};
use crate::name::{AccountName, ProviderId};
use crate::private_file;

/// Where the folder is inside a container.
pub const INSIDE: &str = "/etc/claude-reactor/files";

/// More than this is no credential.
const MAX_LENGTH: u64 = 256 * 1024;

/// Why a file cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing is there.
    #[error("there is no such file")]
    Missing,
    /// A folder, device or pipe.
    #[error("it is not a regular file")]
    NotAFile,
    /// The system refuses.
    #[error("it cannot be read")]
    Unreadable,
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// Too long to be what it should be.
    #[error("it is too large for a credential file")]
    TooLarge,
    /// Another file, taken for one by a slip: a session would see all of it.
    #[error("it is not a credential file of Google's (a JSON object with a \"type\")")]
    NotACredential,
}

/// The folder of an account's credential files for a provider.
pub fn folder(home: &Path, account: &AccountName, provider: &ProviderId) -> PathBuf {
    credentials::path(home, account, provider).with_file_name("files")
}

/// The credentials with the variables of the files that are there, each with its file's place inside.
pub fn added_to(
    credentials: Credentials,
    provider: &Provider,
    home: &Path,
    account: &AccountName,
) -> Result<Credentials, Error> {
    let Some(cloud) = &provider.cloud else { return Ok(credentials) };
    let mut entries: Vec<(String, SecretString)> =
        credentials.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    for file in &cloud.files {
        let path = folder(home, account, &provider.id).join(&file.file);
        if credentials.get(&file.var).is_some() {
            let env = credentials::path(home, account, &provider.id);
            return Err(Error::FileLine { env, name: file.var.clone(), path });
        }
        if private_file::exists(&path)? {
            entries.push((file.var.clone(), format!("{INSIDE}/{}", file.file).into()));
        }
    }
    Ok(entries.into_iter().collect())
}

/// Reads a file that a user named, to be stored.
pub fn read(path: &Path) -> Result<SecretBox<[u8]>, Problem> {
    let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Problem::Missing,
        _ => Problem::Unreadable,
    })?;
    // Looked at before it is opened: a pipe would make the opening wait.
    if !meta.is_file() {
        return Err(Problem::NotAFile);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|_| Problem::Unreadable)?;
    file.take(MAX_LENGTH + 1).read_to_end(&mut bytes).map_err(|_| Problem::Unreadable)?;
    match bytes.len() as u64 {
        0 => Err(Problem::Empty),
        1..=MAX_LENGTH if !is_credential(&bytes) => Err(Problem::NotACredential),
        1..=MAX_LENGTH => Ok(bytes.into_boxed_slice().into()),
        _ => Err(Problem::TooLarge),
    }
}

/// Whether a text is what every credential file that is asked for is: application default credentials, a service
/// account's key and a federation's configuration alike say their type.
fn is_credential(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    // A list would do for a struct too.
    text.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice(text).is_ok_and(|Typed { kind }| !kind.is_empty())
}

/// Stores a file that was read.
pub fn store(
    home: &Path,
    account: &AccountName,
    provider: &ProviderId,
    name: &str,
    content: &SecretBox<[u8]>,
) -> Result<(), Error> {
    let folder = folder(home, account, provider);
    private_file::create_dir(home, &folder)?;
    Ok(private_file::write(&folder.join(name), content.expose_secret())?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::provider::catalog::Catalog;

    const GOOD: &str = "{\"type\": \"authorized_user\", \"client_id\": \"x\"}\n";

    #[test]
    fn what_is_no_credential_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("empty"), "").unwrap();
        std::fs::write(at("large"), vec![b'x'; 300 * 1024]).unwrap();
        std::fs::write(at("good"), GOOD).unwrap();
        let problem = |name: &str| read(&at(name)).err();
        for text in
            ["root:x:0:0::/root:/bin/bash\n", "{}", "[\"type\"]", "\"type\"", "{\"type\": \"a\"", "\u{7}"]
        {
            std::fs::write(at("other"), text).unwrap();
            assert_eq!(problem("other"), Some(Problem::NotACredential), "{text}");
        }
        assert_eq!(problem("none"), Some(Problem::Missing));
        assert_eq!(problem("."), Some(Problem::NotAFile));
        assert_eq!(problem("empty"), Some(Problem::Empty));
        assert_eq!(problem("large"), Some(Problem::TooLarge));
        assert_eq!(read(&at("good")).unwrap().expose_secret(), GOOD.as_bytes());
    }

    #[test]
    fn a_stored_file_is_a_private_copy_and_its_variable_its_place_inside() {
        let home = tempfile::tempdir().unwrap();
        let account: AccountName = "alice".parse().unwrap();
        let catalog = Catalog::built_in();
        let vertex = catalog.get(&"vertex".parse().unwrap()).unwrap();
        let lines = |given: Credentials| -> Result<Vec<String>, Error> {
            let all = added_to(given, vertex, home.path(), &account)?;
            Ok(all.iter().map(|(name, value)| format!("{name}={}", value.expose_secret())).collect())
        };
        assert_eq!(lines(Credentials::default()).unwrap(), [""; 0]);

        let content: SecretBox<[u8]> = b"{}".to_vec().into_boxed_slice().into();
        store(home.path(), &account, &vertex.id, "adc.json", &content).unwrap();
        let path = home.path().join("alice/llms/vertex/files/adc.json");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        assert_eq!(
            lines(Credentials::default()).unwrap(),
            ["GOOGLE_APPLICATION_CREDENTIALS=/etc/claude-reactor/files/adc.json"]
        );

        let by_hand = ("GOOGLE_APPLICATION_CREDENTIALS".to_owned(), "/x".into());
        let error = lines([by_hand].into_iter().collect()).unwrap_err();
        assert!(error.hint().unwrap().contains(path.to_str().unwrap()), "{error}");

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(lines(Credentials::default()).is_err(), "others can read it");
    }
}
