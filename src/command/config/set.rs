//! `config set` and what it has in common with `config unset`.

use std::process::ExitCode;

use super::choice_file::{Around, Change, ChoiceFile};
use super::scope::{self, ScopeArgs};
use super::sources::{Places, Sources};
use crate::config::file::{self, Examined, Kind};
use crate::config::{resolve, table, trust};
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::nearest;
use crate::provider::catalog::Catalog;
use crate::ui;
use crate::variant::Variant;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config set llm.provider zai             for this project, as `run` does by a flag
  claude-reactor config set limits.memory 4g --shared    for everyone who works on it
  claude-reactor config set env.EDITOR vim --global      for all your projects
  claude-reactor config set mounts ~/notes:ro ~/data     a list, as a whole
  claude-reactor config set mounts --add ~/fixtures      one more item

Only the lines of the key change. A value that cannot be is refused, and nothing is written.";

/// Set a key in a configuration file
///
/// By default in your own file for this project. `account` is kept for this project in your config.yaml, as `--account` does.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The key: a dotted path such as `llm.provider`, `limits.memory` or `env.EDITOR`
    pub key: String,
    /// The value; for a list, its items
    #[arg(required = true)]
    pub value: Vec<String>,
    /// Add the items to a list, and leave those it has
    #[arg(long, conflicts_with = "remove")]
    pub add: bool,
    /// Remove the items from a list, and leave the others
    #[arg(long)]
    pub remove: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc here would take the place of the flags' own heading")]
    pub scope: ScopeArgs,
}

/// Does it.
pub fn set(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let values = args.value.clone();
    let change = match args {
        Args { add: true, .. } => Change::Add(values),
        Args { remove: true, .. } => Change::Remove(values),
        _ => Change::Set(values),
    };
    apply(&args.key, change, &args.scope, host)
}

/// Changes a key and says so.
pub fn apply(key: &str, change: Change, scope: &ScopeArgs, host: &Host) -> Result<ExitCode, Error> {
    let places = scope.places(host)?;
    let of_project = format!("projects.{}.account", places.project.hash());
    let (kind, key) = match (scope.kind(), key) {
        // One in the session dir's file would say nothing: that file's path needs the account already.
        (None, "account") => (Kind::User, of_project.as_str()),
        (kind, key) => (kind.unwrap_or(Kind::Session), key),
    };
    let mut file = ChoiceFile::of(kind, &places, host);
    let provider_below = scope::provider_below(&file, &places, host);
    let unsets = change == Change::Unset;
    if !unsets {
        file = file.naming_its_schema();
    }
    let around = Around { places: &places, provider_below: &provider_below, host };
    let changed = file.change(&[(key, change)], &around)?;
    let path = table::find(key).map_or(key, |found| if found.alias == Some(key) { found.path } else { key });
    ui::note(&ui::one_line(&said(path, changed.anything, unsets, &file, &changed.file)));
    changed.file.warnings.iter().for_each(|warning| ui::warn(&ui::one_line(warning)));
    for problem in &changed.file.problems {
        ui::warn(&problem.to_string());
    }
    if !unsets {
        let value = changed.file.document.as_ref().and_then(|document| document.text_at(&parts(path)));
        doubts(path, value.as_deref(), &places)?;
        consent(path, &file, &changed.file);
    }
    overruled(path, &changed.file, unsets, &file, &places, scope, host)?;
    Ok(ExitCode::SUCCESS)
}

fn parts(key: &str) -> Vec<&str> {
    key.split('.').collect()
}

/// What became of the key, in one line.
fn said(key: &str, anything: bool, unsets: bool, file: &ChoiceFile, left: &Examined) -> String {
    let place = file.path.display();
    let parts = parts(key);
    let value = left.document.as_ref().map(|document| match document.text_at(&parts) {
        Some(value) => value,
        None => document.list(&parts).join(", "),
    });
    let value = value.unwrap_or_default();
    match (unsets, anything) {
        (true, true) => format!("{key} is no longer set in {place}"),
        (true, false) => format!("{key} is not set in {place}"),
        (false, true) if value.is_empty() => format!("{key} is empty, and no longer set in {place}"),
        (false, true) => format!("{key} = {value}, set in {place}"),
        (false, false) => format!("{key} = {value} is in {place} already"),
    }
}

/// Says what may be a slip and cannot be known to be one.
fn doubts(key: &str, value: Option<&str>, places: &Places) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    match key {
        "variant" => {
            let near = nearest::nearest(value, Variant::ALL.map(Variant::name));
            if let (Ok(ImageChoice::Custom(_)), Some(near)) = (value.parse(), near) {
                ui::warn(&format!("`{value}` is the reference of an image; the built-in one is `{near}`"));
            }
        }
        "llm.provider" => {
            let path = Catalog::user_file(&places.reactor_home);
            let catalog = Catalog::load(Some((&path, &file::read_text(&path)?)))?;
            let Ok(id) = value.parse() else { return Ok(()) };
            if catalog.get(&id).is_none() {
                let hint = catalog.nearest(&id).map(|near| format!("; did you mean `{near}`?"));
                ui::warn(&format!(
                    "no provider `{id}` is known yet{}",
                    hint.unwrap_or_else(|| ": `run` asks for what it needs".to_owned())
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Says what a team's file says that takes effect only with each one's consent.
fn consent(key: &str, file: &ChoiceFile, left: &Examined) {
    if file.kind != Kind::Project {
        return;
    }
    let text = left.document.as_ref().map(|document| document.text().to_owned()).unwrap_or_default();
    let Ok(shared) = file::project_choices(&file.path, &text) else { return };
    let mounts = vec![String::new(); shared.choices.values.mounts.len()];
    if trust::claims(&shared, &mounts, None).iter().any(|claim| claim.key == key) {
        ui::note(
            "it takes effect only with consent: `run` asks everyone who works on this project, and you too \
             (`claude-reactor config trust`)",
        );
    } else if matches!(key, "account" | "llm.provider") {
        ui::note("who has not used this project before is asked once whether that is right");
    }
}

/// Says what is over the file just changed.
fn overruled(
    key: &str,
    left: &Examined,
    unset: bool,
    file: &ChoiceFile,
    places: &Places,
    scope: &ScopeArgs,
    host: &Host,
) -> Result<(), Error> {
    let sources = match Sources::read(scope.account()?.as_ref(), host) {
        Ok(sources) => sources,
        Err(error) => {
            ui::warn(&format!("`run` would fail: {error}"));
            return Ok(());
        }
    };
    let now = if key == "account" || key.starts_with("projects.") {
        let of_other = key.starts_with("projects.")
            && key != format!("projects.{}.account", sources.places.project.hash());
        if of_other {
            return Ok(());
        }
        Some((sources.places.account.to_string(), sources.places.account_source.clone()))
    } else {
        let entries = resolve(&sources.layers).entries();
        let entry = entries.into_iter().find(|entry| entry.key == key);
        entry.map(|entry| (entry.value, entry.origin))
    };
    let (key, written) = if key.starts_with("projects.") {
        ("account", None)
    } else {
        (key, left.document.as_ref().and_then(|document| document.text_at(&parts(key))))
    };
    match now {
        // Mounts of all layers count.
        _ if key == "mounts" => {}
        Some((_, origin)) if origin == places.source(file.kind) => {}
        Some((value, origin)) if unset => {
            ui::note(&ui::one_line(&format!("what counts now: {key} = {value} (from: {origin})")));
        }
        Some((value, _)) if written.as_ref() == Some(&value) => {}
        Some((value, origin)) => {
            ui::warn(&ui::one_line(&format!("it is overruled: {key} = {value} (from: {origin})")));
        }
        None if unset => {}
        None => {
            let provider = resolve(&sources.layers).provider;
            ui::warn(&ui::one_line(&format!(
                "it does not count with provider {} (from: {})",
                provider.value, provider.source
            )));
        }
    }
    Ok(())
}
