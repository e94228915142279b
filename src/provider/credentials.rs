//! The keys of an account for a provider, and what else a session of that provider is to get.
//!
//! They lie in `{home}/{account}/llms/{provider}/.env`: one file for each account and provider, so that nothing of
//! one can reach a session of another. Users add lines of their own there; storing a key keeps them as they are.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::env_file;
use super::variables::is_variable_name;
use crate::name::{AccountName, ProviderId};
use crate::private_file;

/// Why credentials could not be read or stored. Never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not private, or could not be used.
    #[error(transparent)]
    File(#[from] private_file::Error),
    /// A line of the file cannot be used.
    #[error("`{}`, {line}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, and what is wrong with it.
        line: env_file::Error,
    },
    /// A variable that names a credential file.
    #[error("`{}` may not set {name}: it is the place inside of a file that is stored beside it", env.display())]
    FileLine {
        /// The `.env`.
        env: PathBuf,
        /// The variable.
        name: String,
        /// Where the file belongs.
        path: PathBuf,
    },
    /// What was to be stored has no proper name.
    #[error("`{0}` cannot be the name of a variable")]
    Name(String),
    /// What was to be stored does not fit on a line.
    #[error("the value of {0} has a line break or a NUL byte in it")]
    Value(String),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Syntax { line, .. } => Some(line.problem.hint().to_owned()),
            Self::FileLine { path, .. } => {
                Some(format!("remove the line, and put the file itself at {}", path.display()))
            }
            Self::Name(_) => Some("use letters, digits and `_`, and no digit at the beginning".to_owned()),
            Self::Value(_) => Some("give the key alone, as one line".to_owned()),
        }
    }
}

/// The variables of one account for one provider, in the order of the file. Prints names only.
#[derive(Clone, Default)]
pub struct Credentials {
    entries: Vec<(String, SecretString)>,
}

impl Credentials {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Whether a variable has a value; an empty one says nothing.
    pub fn states(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.expose_secret().is_empty())
    }

    /// All variables, each name once.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl FromIterator<(String, SecretString)> for Credentials {
    /// Of a name that occurs twice the last value counts, as in a shell.
    fn from_iter<I: IntoIterator<Item = (String, SecretString)>>(entries: I) -> Self {
        let mut unique: Vec<(String, SecretString)> = Vec::new();
        for (name, value) in entries {
            match unique.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = value,
                None => unique.push((name, value)),
            }
        }
        Self { entries: unique }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.iter().map(|(name, _)| name)).finish()
    }
}

/// Where the credentials of an account for a provider lie. `home` is [`crate::host::Host::reactor_home`].
pub fn path(home: &Path, account: &AccountName, provider: &ProviderId) -> PathBuf {
    home.join(account.as_str()).join("llms").join(provider.as_str()).join(".env")
}

/// Reads the credentials of an account for a provider; without a file there are none.
pub fn load(home: &Path, account: &AccountName, provider: &ProviderId) -> Result<Credentials, Error> {
    load_file(&path(home, account, provider))
}

/// Reads the credentials of a file; without it there are none.
pub fn load_file(path: &Path) -> Result<Credentials, Error> {
    parse(path, &private_file::read(path)?.unwrap_or_default())
}

/// What the text of the file at `path` says, or would say.
pub fn parse(path: &Path, text: &str) -> Result<Credentials, Error> {
    let entries = env_file::parse(text).map_err(|line| Error::Syntax { path: path.to_owned(), line })?;
    Ok(entries.into_iter().collect())
}

/// Stores one variable and keeps every other line of the file. Says where.
pub fn store(
    home: &Path,
    account: &AccountName,
    provider: &ProviderId,
    name: &str,
    value: &SecretString,
) -> Result<PathBuf, Error> {
    store_all(home, account, provider, &[(name.to_owned(), value.clone())])
}

/// Stores some variables at once, all of them or none, and keeps every other line of the file. Says where.
pub fn store_all(
    home: &Path,
    account: &AccountName,
    provider: &ProviderId,
    entries: &[(String, SecretString)],
) -> Result<PathBuf, Error> {
    for (name, value) in entries {
        if !is_variable_name(name) {
            return Err(Error::Name(name.to_owned()));
        }
        if !env_file::is_one_line(value.expose_secret()) {
            return Err(Error::Value(name.to_owned()));
        }
    }
    let path = path(home, account, provider);
    if let Some(folder) = path.parent() {
        private_file::create_dir(home, folder)?;
    }
    private_file::update(&path, |text| {
        let syntax = |line| Error::Syntax { path: path.clone(), line };
        let text = text.unwrap_or_default().to_owned();
        entries.iter().try_fold(text, |text, (name, value)| env_file::set(&text, name, value)).map_err(syntax)
    })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::*;

    struct Place {
        home: tempfile::TempDir,
        account: AccountName,
        provider: ProviderId,
    }

    impl Place {
        fn new() -> Self {
            Self {
                home: tempfile::tempdir().unwrap(),
                account: "alice".parse().unwrap(),
                provider: "zai".parse().unwrap(),
            }
        }

        fn path(&self) -> PathBuf {
            path(self.home.path(), &self.account, &self.provider)
        }

        fn load(&self) -> Result<Credentials, Error> {
            load(self.home.path(), &self.account, &self.provider)
        }

        fn store(&self, name: &str, value: &str) -> Result<PathBuf, Error> {
            store(self.home.path(), &self.account, &self.provider, name, &value.into())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_key_is_stored_and_loaded(value in r#"([$'"\\# ]|[^\n\r\x00]){0,60}"#) {
            let place = Place::new();
            place.store("ZAI_API_KEY", &value).unwrap();
            let loaded = place.load().unwrap();
            prop_assert_eq!(loaded.get("ZAI_API_KEY").unwrap().expose_secret(), value);
        }
    }

    #[test]
    fn a_key_goes_below_its_account_and_provider_only() {
        let place = Place::new();
        assert!(place.load().unwrap().iter().next().is_none());
        let path = place.store("ZAI_API_KEY", "k").unwrap();
        assert_eq!(path, place.home.path().join("alice/llms/zai/.env"));
        let other = load(place.home.path(), &"bob".parse().unwrap(), &place.provider).unwrap();
        assert!(other.get("ZAI_API_KEY").is_none());
    }

    #[test]
    fn what_others_can_read_is_refused() {
        let place = Place::new();
        let path = place.store("ZAI_API_KEY", "k").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let hint = format!("run: chmod 600 {}", path.display());
        assert_eq!(place.load().unwrap_err().hint().unwrap(), hint);
        assert_eq!(place.store("ZAI_API_KEY", "l").unwrap_err().hint().unwrap(), hint);
    }

    #[test]
    fn what_does_not_fit_is_refused_before_anything_is_written() {
        let place = Place::new();
        for value in ["sk-canary\nB=1", "sk-canary\r", "sk-canary\0"] {
            let error = place.store("ZAI_API_KEY", value).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        for name in ["", "1A", "A B", "A=B", "É"] {
            assert!(matches!(place.store(name, "k"), Err(Error::Name(_))), "{name}");
        }
        assert_eq!(fs::read_dir(place.home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_with_its_file_and_stays() {
        let place = Place::new();
        place.store("ZAI_API_KEY", "sk-canary").unwrap();
        let text = "ZAI_API_KEY='sk-canary'\nB='sk-canary\n";
        private_file::write(&place.path(), text.as_bytes()).unwrap();
        for error in [place.load().unwrap_err(), place.store("ZAI_API_KEY", "l").unwrap_err()] {
            let wanted = format!("`{}`, line 2, B: not of the form KEY='value'", place.path().display());
            assert_eq!(error.to_string(), wanted);
        }
        assert_eq!(fs::read_to_string(place.path()).unwrap(), text);
    }

    #[test]
    fn the_last_of_two_lines_counts() {
        let entries = [("A", "1"), ("B", "2"), ("A", "3")];
        let credentials: Credentials =
            entries.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        assert_eq!(credentials.get("A").unwrap().expose_secret(), "3");
        assert_eq!(credentials.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn only_names_are_printed() {
        let credentials: Credentials = [("A".to_owned(), "sk-canary".into())].into_iter().collect();
        assert_eq!(format!("{credentials:?}"), r#"{"A"}"#);
    }
}
