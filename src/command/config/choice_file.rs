//! Changing the configuration file of a layer: each key checked as reading would check it, the touched lines changed and no
//! others.

use std::path::{Path, PathBuf};

use super::examine::Surroundings;
use super::schema_file;
use super::sources::Places;
use crate::config::file::{Examined, Kind};
use crate::config::table::{self, Kind as Takes};
use crate::config::yaml::{Document, Keys, Scalar};
use crate::config::{self, ValueText, legacy};
use crate::error::Error as AnyError;
use crate::host::Host;
use crate::name::{AccountName, ProviderId};
use crate::private_file;
use crate::project::SessionDir;
use crate::ui;
use crate::user_file;

/// Why a key cannot be changed, or a file not be edited.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key that no file has.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
        /// The one that was meant in all likelihood.
        nearest: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A key of another file.
    #[error("`{key}` cannot stand in {}", .file.display())]
    Elsewhere {
        /// The key.
        key: String,
        /// The file.
        file: PathBuf,
        /// Where it belongs.
        belongs: &'static str,
    },
    /// A section in the place of a key.
    #[error("`{section}` is a section and has no value of its own")]
    Section {
        /// The section.
        section: String,
        /// What is in it; nothing where names are the user's choice.
        keys: Vec<String>,
    },
    /// A value that cannot be.
    #[error("{key}: {problem}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A way of changing lists, for what is none.
    #[error("`{key}` is no list, and takes one value")]
    NotAList {
        /// The key.
        key: String,
    },
    /// An item to be removed that is not there.
    #[error("`{key}` in {} has no item {item:?}", .file.display())]
    NoItem {
        /// The key.
        key: String,
        /// The item.
        item: String,
        /// The file.
        file: PathBuf,
        /// The items that are there.
        items: Vec<String>,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownKey { known, .. } => {
                Some(format!("known keys: {}", known.join(", ").replace("env.,", "env.NAME,")))
            }
            Self::Elsewhere { belongs, .. } => Some(format!("{belongs} (--global)")),
            Self::Section { section, keys } if keys.is_empty() => Some(format!("name one: `{section}.NAME`")),
            Self::Section { keys, .. } => Some(format!("its keys: {}", keys.join(", "))),
            Self::Value { hint, .. } => hint.clone(),
            Self::NotAList { .. } => None,
            Self::NoItem { items, .. } if items.is_empty() => None,
            Self::NoItem { items, .. } => Some(format!("it has: {}", items.join(", "))),
        }
    }
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It gets this value, or, where it is a list, these.
    Set(Vec<String>),
    /// Its list gets these items, where it does not have them yet.
    Add(Vec<String>),
    /// Its list loses these items.
    Remove(Vec<String>),
    /// It goes.
    Unset,
}

/// The file of a layer, about to be changed.
#[derive(Debug)]
pub struct ChoiceFile {
    /// Which layer.
    pub kind: Kind,
    /// Where it is.
    pub path: PathBuf,
    reactor_home: PathBuf,
    /// Whose it has to be, where a session could have put another one there.
    owner: Option<u32>,
    /// Whether its first line is to name its schema.
    names_schema: bool,
    /// What to make in a folder that was not there: choosing is no use of a project yet.
    unused_mark: Option<PathBuf>,
}

/// What a change left.
#[derive(Debug)]
pub struct Changed {
    /// Whether it changed anything.
    pub anything: bool,
    /// What is wrong with the file now, other than the change.
    pub file: Examined,
}

/// Beside what a change is made.
#[derive(Debug)]
pub struct Around<'a> {
    /// Whose files they are.
    pub places: &'a Places,
    /// The provider that the lower layers choose.
    pub provider_below: &'a ProviderId,
    /// The machine.
    pub host: &'a Host,
}

impl ChoiceFile {
    /// The user's choices for a project.
    pub fn of_session(session_dir: &SessionDir, reactor_home: &Path) -> Self {
        let path = session_dir.file();
        Self {
            kind: Kind::Session,
            path,
            reactor_home: reactor_home.to_owned(),
            owner: None,
            names_schema: false,
            unused_mark: None,
        }
    }

    /// The defaults of an account.
    pub fn of_account(account: &AccountName, reactor_home: &Path) -> Self {
        let path = reactor_home.join(account.as_str()).join("config.yaml");
        Self {
            kind: Kind::Account,
            path,
            reactor_home: reactor_home.to_owned(),
            owner: None,
            names_schema: false,
            unused_mark: None,
        }
    }

    /// The file of a layer.
    pub fn of(kind: Kind, places: &Places, host: &Host) -> Self {
        Self {
            kind,
            path: places.file(kind),
            reactor_home: places.reactor_home.clone(),
            owner: (kind == Kind::Project).then_some(host.uid),
            names_schema: false,
            unused_mark: (kind == Kind::Session).then(|| places.session_dir.unused_mark()),
        }
    }

    /// The same, with a first line by which an editor finds the schema, where the file is the user's own: a path of one
    /// machine has no business in what a team shares.
    #[must_use]
    pub fn naming_its_schema(self) -> Self {
        Self { names_schema: self.kind != Kind::Project, ..self }
    }

    /// Edits the file; says whether that changed anything. One of the old `key=value` form is YAML from its first change on;
    /// as it was, it stays beside the new one. What is wrong with other keys is left as it is.
    pub fn edit(
        &self,
        change: impl FnOnce(&Document) -> Result<Document, AnyError>,
    ) -> Result<bool, AnyError> {
        let (mut kept, mut anything) = (None, false);
        self.replace(|text| {
            let converted = if self.kind.can_be_legacy() { legacy::to_yaml(&self.path, text)? } else { None };
            let yaml = converted.map_or_else(|| text.to_owned(), |converted| converted.yaml);
            let keys = self.kind.keys();
            let before = Document::lenient(&self.path, &yaml, keys).map_err(config::Error::from)?;
            let after = change(&before)?;
            if after.text() == before.text() {
                return Ok(text.to_owned());
            }
            anything = true;
            if yaml != text {
                kept = Some(user_file::keep_copy(&self.path, text)?);
            }
            if !self.names_schema {
                return Ok(after.text().to_owned());
            }
            let schema = schema_file::keep(&self.reactor_home, self.kind)?;
            Ok(schema_file::with_modeline(after.text(), &schema))
        })?;
        if let Some(copy) = kept {
            ui::note(&format!(
                "{} is YAML now; as it was, it is kept in {}",
                self.path.display(),
                copy.display()
            ));
        }
        Ok(anything)
    }

    /// Puts another text in the place of the file's.
    pub fn replace(&self, edit: impl FnOnce(&str) -> Result<String, AnyError>) -> Result<(), AnyError> {
        if let Some(uid) = self.owner {
            return user_file::edit_in_project(&self.path, uid, edit);
        }
        let folder = self.path.parent().unwrap_or(&self.reactor_home);
        let mark = self.unused_mark.as_ref().filter(|_| !folder.exists());
        private_file::create_dir(&self.reactor_home, folder)?;
        if let Some(mark) = mark {
            private_file::write(mark, b"")?;
        }
        user_file::edit(&self.path, edit)
    }

    /// Changes keys, given by their dotted paths: all of them or none. Each is checked as reading would check it. Another
    /// provider takes the models along that the file has for the one before: they would mean nothing to it.
    pub fn change(&self, changes: &[(&str, Change)], around: &Around) -> Result<Changed, AnyError> {
        let located: Vec<Located> = changes
            .iter()
            .map(|(key, change)| Located::new(self.kind, &self.path, key, change))
            .collect::<Result<_, _>>()?;
        let surroundings = Surroundings {
            project: Path::new(around.places.project.root()),
            reactor_home: &around.places.reactor_home,
            host: around.host,
        };
        let mut left = Examined::default();
        let anything = self.edit(|before| {
            let mut document = before.clone();
            let own = before.text_at(&["llm", "provider"]);
            for located in &located {
                document = located.apply(&document)?;
            }
            let chosen = document.text_at(&["llm", "provider"]);
            let [was, is] =
                [&own, &chosen].map(|name| name.as_deref().unwrap_or(around.provider_below.as_str()));
            if was != is {
                for model in ["model", "small_model"] {
                    let set = located.iter().any(|located| located.path == ["llm", model]);
                    if !set {
                        document = document.unset(&["llm", model]).map_err(config::Error::from)?;
                    }
                }
            }
            left = surroundings.examine(self.kind, &self.path, document.text());
            for located in located.iter().filter(|located| *located.change != Change::Unset) {
                located.refuse(&left)?;
            }
            Ok(document)
        })?;
        Ok(Changed { anything, file: left })
    }
}

/// A key of a file, and what becomes of it.
#[derive(Debug)]
struct Located<'a> {
    path: Vec<&'a str>,
    takes: Takes,
    change: &'a Change,
    file: &'a Path,
}

impl<'a> Located<'a> {
    fn new(kind: Kind, file: &'a Path, key: &'a str, change: &'a Change) -> Result<Self, Error> {
        let (path, takes) = locate(kind, file, key)?;
        let is_list = takes == Takes::Mounts;
        match change {
            Change::Add(_) | Change::Remove(_) if !is_list => Err(Error::NotAList { key: key.to_owned() }),
            Change::Set(values) if !is_list && values.len() != 1 => {
                Err(Error::NotAList { key: key.to_owned() })
            }
            _ => Ok(Self { path, takes, change, file }),
        }
    }

    fn key(&self) -> String {
        self.path.join(".")
    }

    fn apply(&self, document: &Document) -> Result<Document, AnyError> {
        let there = || document.list(&self.path);
        let changed = match self.change {
            Change::Unset => document.unset(&self.path),
            Change::Set(items) if self.takes == Takes::Mounts => document.set_list(&self.path, items),
            Change::Set(values) => document.set(&self.path, &self.scalar(&values[0])?),
            Change::Add(items) => {
                let mut all = there();
                for item in items {
                    if !all.contains(item) {
                        all.push(item.clone());
                    }
                }
                document.set_list(&self.path, &all)
            }
            Change::Remove(items) => {
                let mut all = there();
                for item in items {
                    let Some(index) = all.iter().position(|there| there == item) else {
                        let (key, item, file) = (self.key(), item.clone(), self.file.to_owned());
                        return Err(Error::NoItem { key, item, file, items: all }.into());
                    };
                    all.remove(index);
                }
                document.set_list(&self.path, &all)
            }
        };
        Ok(changed.map_err(config::Error::from)?)
    }

    fn scalar(&self, text: &str) -> Result<Scalar, Error> {
        let wrong = |(problem, hint)| Error::Value { key: self.key(), problem, hint };
        Ok(match self.takes {
            Takes::Bool => Scalar::Bool(bool::from_text(text).map_err(wrong)?),
            Takes::Cpus | Takes::Pids => Scalar::Number(text.to_owned()),
            _ => Scalar::Text(text.to_owned()),
        })
    }

    /// Refuses what is wrong with this key in the file as it is to be.
    fn refuse(&self, left: &Examined) -> Result<(), Error> {
        let own = self.key();
        left.problems.iter().try_for_each(|problem| match problem {
            config::Error::FileValue { key, problem, hint, .. } if *key == own => {
                Err(Error::Value { key: own.clone(), problem: problem.clone(), hint: hint.clone() })
            }
            _ => Ok(()),
        })
    }
}

/// A key by its dotted path, and what it takes in such a file.
pub fn locate<'a>(kind: Kind, file: &Path, key: &'a str) -> Result<(Vec<&'a str>, Takes), Error> {
    let mut path: Vec<&str> = key.split('.').collect();
    let keys = kind.keys();
    let owned = || key.to_owned();
    match (keys.at(&path), table::find(key)) {
        (Some(Keys::Map(_)), _) if !key.is_empty() => {
            let names = keys.at(&path).map(Keys::names).unwrap_or_default();
            let keys = names.into_iter().map(|name| format!("{key}.{name}")).collect();
            Err(Error::Section { section: owned(), keys })
        }
        (Some(Keys::Each(_)), _) => Err(Error::Section { section: owned(), keys: Vec::new() }),
        (Some(_), Some(known)) => {
            if known.alias == Some(key) {
                path = known.path.split('.').collect();
            }
            Ok((path, known.kind))
        }
        _ => Err(match keys.elsewhere(&path[..1]) {
            Some(belongs) => Error::Elsewhere { key: owned(), file: file.to_owned(), belongs },
            None => unknown(kind, key),
        }),
    }
}

/// The error for a key that no file has.
pub fn unknown(kind: Kind, key: &str) -> Error {
    let path: Vec<&str> = key.split('.').collect();
    let whole = || crate::nearest::nearest(key, table::paths()).map(str::to_owned);
    Error::UnknownKey {
        key: crate::config::yaml::printable(key),
        nearest: kind.keys().nearest(&path).or_else(whole),
        known: table::paths().map(str::to_owned).collect(),
    }
}
