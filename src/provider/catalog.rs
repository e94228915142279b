//! What is known of the LLM backends: our own rows, embedded, and the user's `providers.yaml` over them.
//!
//! Everything that ages (endpoints, model ids, where to get a key) is data in `catalog.yaml`, so that a user can correct
//! it field by field without waiting for a release. The price is that a file decides where keys are sent, so all of it
//! is checked here: a [`Provider`] that comes out of a [`Catalog`] has an endpoint a key can be sent to, and no variable
//! that would redirect a session behind its back.

pub mod dialect;
mod mode;
mod mode_row;
mod problem;
mod provider;
mod row;
mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::yaml::{self, Document, Place};
use crate::name::ProviderId;

pub use mode::{Cloud, FileQuestion, Mode, Need, Question};
pub use problem::Problem;
pub use provider::{Auth, Models, Origin, Provider, Wire, is_anthropic, usual_key_variable};
pub use row::FILE as FILE_KEYS;
use row::{Fault, File, Row};

const EMBEDDED: &str = include_str!("catalog.yaml");

/// The providers a user can name.
#[derive(Debug, Clone)]
pub struct Catalog {
    providers: BTreeMap<ProviderId, Provider>,
}

/// Why a catalogue file, or a provider of it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not YAML, or not of the form of a catalogue.
    #[error(transparent)]
    Yaml(#[from] yaml::Error),
    /// A row says something that cannot hold.
    #[error("{place}: provider {row}{}: {problem}", match field { Some(field) => format!(", {field}"), None => String::new() })]
    Row {
        /// Where in the file.
        place: Place,
        /// The row's key.
        row: String,
        /// The path of keys inside the row; `None` where it is the row as a whole.
        field: Option<String>,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// A backend that Claude Code cannot talk to by itself.
    #[error("provider {id} speaks the {wire} API, which sessions cannot use in this version")]
    NeedsGateway {
        /// The provider.
        id: ProviderId,
        /// What it speaks.
        wire: Wire,
        /// The providers that can be used.
        works: Vec<ProviderId>,
    },
}

impl Error {
    /// Where in the file it is.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Yaml(error) => Some(error.place()),
            Self::Row { place, .. } => Some(place),
            Self::NeedsGateway { .. } => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(error) => error.hint(),
            Self::Row { problem, .. } => problem.hint(),
            Self::NeedsGateway { works, .. } => {
                let works: Vec<&str> = works.iter().map(ProviderId::as_str).collect();
                Some(format!("providers that work: {}", works.join(", ")))
            }
        }
    }
}

impl Catalog {
    /// Our own rows.
    ///
    /// # Panics
    /// If the embedded file is not valid, which a test rules out.
    pub fn built_in() -> Self {
        // Not read as a `Document`: nobody is told a position in it, and every start of the program pays for it.
        let file: File =
            serde_yaml::from_str(EMBEDDED).expect("the embedded catalogue has a catalogue's form");
        let rows = file.providers.unwrap_or_default().into_iter();
        let providers = rows.map(|(key, row)| {
            let id: ProviderId = key.parse().expect("the embedded catalogue has valid names");
            let row = row.unwrap_or_default();
            let provider = row.into_provider(id.clone(), Origin::BuiltIn);
            (id, provider.expect("the embedded catalogue has valid rows"))
        });
        Self { providers: providers.collect() }
    }

    /// The user's file of rows, which all accounts share.
    pub fn user_file(reactor_home: &Path) -> PathBuf {
        reactor_home.join("providers.yaml")
    }

    /// Our own rows with those of the user's file, given as its path and its text, over them.
    pub fn load(user: Option<(&Path, &str)>) -> Result<Self, Error> {
        let built_in = Self::built_in();
        let Some((path, text)) = user else { return Ok(built_in) };
        let mut catalog = built_in.clone();
        let document = Document::parse(path, text, &row::FILE)?;
        let file: File = document.read()?;
        for (key, row) in file.providers.unwrap_or_default() {
            let provider = built_in
                .with_user_row(&key, row.unwrap_or_default())
                .map_err(|fault| locate(&document, &key, fault))?;
            catalog.providers.insert(provider.id.clone(), provider);
        }
        Ok(catalog)
    }

    /// All that is wrong with a user's file.
    pub fn problems(path: &Path, text: &str) -> Vec<Error> {
        let (document, problems) = Document::examine(path, text, &row::FILE);
        let readable = document.as_ref().map(|document| document.without(&problems));
        let mut problems: Vec<Error> = problems.into_iter().map(Error::from).collect();
        let (Some(document), Some(readable)) = (document, readable) else { return problems };
        let file: File = match readable.read() {
            Ok(file) => file,
            // What cannot be read has been said already, in words of our own.
            Err(_) if !problems.is_empty() => return problems,
            Err(error) => return vec![error.into()],
        };
        let built_in = Self::built_in();
        for (key, row) in file.providers.unwrap_or_default() {
            if let Err(fault) = built_in.with_user_row(&key, row.unwrap_or_default()) {
                problems.push(locate(&document, &key, fault));
            }
        }
        problems.sort_by_key(|problem| problem.place().and_then(|place| place.position));
        problems
    }

    /// The provider of that name.
    pub fn get(&self, id: &ProviderId) -> Option<&Provider> {
        self.providers.get(id)
    }

    /// All providers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.providers.values()
    }

    /// The provider that an unknown name was probably meant for. Its display name counts too: `z.ai` means `zai`.
    pub fn nearest(&self, id: &ProviderId) -> Option<&ProviderId> {
        let wanted = id.as_str().to_lowercase();
        let distance = |known: &str| strsim::damerau_levenshtein(&wanted, &known.to_lowercase());
        self.iter()
            .map(|row| (distance(row.id.as_str()).min(distance(&row.name)), &row.id))
            .filter(|(distance, _)| *distance <= wanted.len() / 3)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, id)| id)
    }

    fn working(&self) -> Vec<ProviderId> {
        self.iter().filter(|row| row.wire == Wire::Anthropic).map(|row| row.id.clone()).collect()
    }

    /// Whether Claude Code can talk to this provider; the error says which ones it can talk to.
    pub fn check_usable(&self, provider: &Provider) -> Result<(), Error> {
        if provider.wire == Wire::Anthropic {
            return Ok(());
        }
        Err(Error::NeedsGateway { id: provider.id.clone(), wire: provider.wire, works: self.working() })
    }

    /// Our own row for a cloud mode, which has the mode's name.
    fn of_mode(&self, mode: Mode) -> Option<&Provider> {
        self.iter().find(|row| row.id.as_str() == mode.as_str())
    }

    fn with_user_row(&self, key: &str, over: Row) -> Result<Provider, Fault> {
        let id: ProviderId =
            key.parse().map_err(|error| Fault { field: Vec::new(), problem: Problem::Name(error) })?;
        let known = self.get(&id);
        let origin = if known.is_some() { Origin::Overridden } else { Origin::User };
        // A row that is made a cloud mode asks what our row for that mode asks, unless it says otherwise.
        let of_its_mode = over.mode.filter(|mode| known.and_then(Provider::mode) != Some(*mode));
        let row = match (of_its_mode.and_then(|mode| self.of_mode(mode)), known) {
            (Some(mode), _) => Row::from(mode).unnamed().overridden_by(over),
            (None, Some(known)) => Row::from(known).overridden_by(over),
            (None, None) => over,
        };
        row.into_provider(id.clone(), origin).map_err(|mut fault| {
            if let Problem::NoBaseUrl { nearest } = &mut fault.problem {
                *nearest = self.nearest(&id).cloned();
            }
            fault
        })
    }
}

/// The JSON Schema of the user's file.
pub fn schema() -> serde_json::Value {
    schema::schema()
}

/// Says where in the file a fault is: at the field, or at the row where only a built-in row has the field.
fn locate(document: &Document, row: &str, fault: Fault) -> Error {
    let mut keys = vec!["providers", row];
    keys.extend(fault.field.iter().map(String::as_str));
    let position = (2..=keys.len()).rev().find_map(|length| document.position(&keys[..length]));
    // Keys of a file are whatever its writer liked; control characters in them must not reach a terminal.
    let printable = |text: &str| text.escape_debug().to_string();
    Error::Row {
        place: document.place(position),
        row: printable(row),
        field: (!fault.field.is_empty()).then(|| printable(&fault.field.join("."))),
        problem: Box::new(fault.problem),
    }
}

#[cfg(test)]
mod tests;
