//! Every key with what it says and where that comes from, for `config show` and `config get`.

use serde::Serialize;

use super::sources::Sources;
use crate::command::target::take_detected;
use crate::config::file::{self, Kind};
use crate::config::table::{self, Default, Key};
use crate::config::{Source, resolve};
use crate::error::Error;
use crate::host::Host;

/// A key with its value. Field names are stable: `--json` prints them.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The key, a dotted path. A list has an entry for each of its items.
    pub key: String,
    /// The value, as a file would say it; null where nothing is set and there is no default.
    pub value: Option<String>,
    /// Where it comes from: `default`, the path of a file, or the name of a variable.
    pub source: String,
    /// The layer: `default`, `detected`, `user`, `account`, `project`, `session` or `environment`.
    pub source_kind: &'static str,
    /// Whether the file is of the old `key=value` form.
    pub legacy: bool,
    /// What counts where nothing is set.
    #[serde(skip)]
    pub instead: &'static str,
}

impl Shown {
    fn new(key: &Key, path: String, value: String, origin: &Source, sources: &Sources, host: &Host) -> Self {
        let source = match origin {
            Source::Environment => {
                let mut names = key.variables();
                names.find(|name| host.var(name).is_some()).unwrap_or_else(|| origin.to_string())
            }
            origin => origin.to_string(),
        };
        let legacy =
            sources.files.iter().any(|file| file.is_legacy && sources.places.source(file.kind) == *origin);
        Self { key: path, value: Some(value), source, source_kind: origin.kind(), legacy, instead: "" }
    }

    /// A key that nobody has set.
    fn unset(key: &Key) -> Self {
        let (value, instead) = match key.default {
            Default::Value(value) => (Some(value.to_owned()), ""),
            Default::Words(words) => (None, words),
            Default::None => (None, ""),
        };
        Self {
            key: key.path.trim_end_matches(".{name}").to_owned(),
            value,
            source: Source::Default.to_string(),
            source_kind: Source::Default.kind(),
            legacy: false,
            instead,
        }
    }

    /// Whether anybody said it.
    pub fn is_chosen(&self) -> bool {
        self.source_kind != Source::Default.kind()
    }
}

/// All keys, in the order of the documentation.
pub fn all(sources: &Sources, host: &Host) -> Vec<Shown> {
    let mut settings = resolve(&sources.layers);
    take_detected(&mut settings, &sources.places.project, host);
    let entries = settings.entries();
    let of_key = |key: &'static Key| -> Vec<Shown> {
        if key.path == "account" {
            let (account, origin) = (&sources.places.account, &sources.places.account_source);
            return vec![Shown::new(key, key.path.to_owned(), account.to_string(), origin, sources, host)];
        }
        let own = entries.iter().filter(|entry| key.is(&entry.key));
        let shown = |entry: &crate::config::entries::Entry| {
            Shown::new(key, entry.key.clone(), entry.value.clone(), &entry.origin, sources, host)
        };
        let own: Vec<Shown> = own.map(shown).collect();
        if own.is_empty() { vec![Shown::unset(key)] } else { own }
    };
    table::TABLE.iter().flat_map(of_key).collect()
}

/// What the user's file says of the account of another project, if anything.
pub fn account_of(hash: &str, path: &str, sources: &Sources, host: &Host) -> Result<Vec<Shown>, Error> {
    let file = sources.places.file(Kind::User);
    let user = file::user_file(&file, &file::read_text(&file)?)?;
    let origin = sources.places.source(Kind::User);
    let account = user.project_accounts.get(hash).map(|account| {
        Shown::new(&table::PROJECT_ACCOUNT, path.to_owned(), account.to_string(), &origin, sources, host)
    });
    Ok(account.into_iter().collect())
}
