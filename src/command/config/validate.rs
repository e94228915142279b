//! `config validate`: everything that is wrong in the configuration, at once.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::examine::Surroundings;
use super::sources::{LayerFile, Places};
use super::{scope, show};
use crate::config::file::{self, Kind};
use crate::config::yaml::Position;
use crate::config::{Layer, Source, Values, resolve, vars};
use crate::error::{Error, USAGE};
use crate::host::Host;
use crate::name::ProviderId;
use crate::private_file;
use crate::provider::catalog::{self, Catalog};
use crate::provider::credentials;
use crate::ui::{self, BAD, FAINT, GOOD, HINT, WARNING};

const EXAMPLES: &str = "\
Examples:
  claude-reactor config validate                   all files that count for this project
  claude-reactor config validate .claude-reactor   one file, in a hook before a commit for example

Exit codes:
  0  nothing is wrong
  2  something is, and all of it is listed";

/// Check the configuration, and list everything that is wrong with it
///
/// Without FILE: the files of all layers for this project, providers.yaml, and the .env of the provider it uses, of which
/// values are never shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// One file alone: a .claude-reactor file, a config.yaml, a providers.yaml or an .env
    pub file: Option<PathBuf>,
    /// Print JSON: valid, files with path, layer, exists, legacy, errors, warnings
    #[arg(long)]
    pub json: bool,
    /// Whose files; by default those of the account that this project uses
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether nothing is wrong.
    valid: bool,
    /// The files that were looked at.
    files: Vec<Checked>,
    /// What is wrong outside of files: in variables.
    errors: Vec<Fault>,
}

/// A file that was looked at.
#[derive(Debug, Serialize)]
struct Checked {
    path: String,
    /// `user`, `account`, `project`, `session`, `providers` or `credentials`.
    layer: &'static str,
    exists: bool,
    legacy: bool,
    errors: Vec<Fault>,
    warnings: Vec<String>,
}

/// What is wrong, and where.
#[derive(Debug, Serialize)]
struct Fault {
    /// Counted from 1; null where no line is at fault.
    line: Option<usize>,
    /// Counted from 1.
    column: Option<usize>,
    /// What is wrong.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

impl Fault {
    fn new(message: &str, position: Option<Position>, hint: Option<String>) -> Self {
        let (line, column) = (position.map(|at| at.line), position.map(|at| at.column));
        Self { line, column, message: ui::one_line(message), hint }
    }

    fn of(error: &crate::config::Error) -> Self {
        if let crate::config::Error::FileLine { line, problem, .. } = error {
            let line = Some(*line);
            return Self { line, ..Self::new(problem, None, error.hint()) };
        }
        let (message, place) = (error.to_string(), error.place());
        // The place has fields of its own here.
        let shown = place.map(|place| format!("{place}: ")).unwrap_or_default();
        let position = place.and_then(|place| place.position);
        Self::new(message.strip_prefix(&shown).unwrap_or(&message), position, error.hint())
    }

    fn of_catalog(error: &catalog::Error) -> Self {
        let (message, place) = (error.to_string(), error.place());
        let shown = place.map(|place| format!("{place}: ")).unwrap_or_default();
        let position = place.and_then(|place| place.position);
        Self::new(message.strip_prefix(&shown).unwrap_or(&message), position, error.hint())
    }
}

/// Does it.
pub fn validate(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let account = scope::account(args.account.as_ref())?;
    let places = Places::guess(account.as_ref(), host)?;
    let around =
        Surroundings { project: Path::new(places.project.root()), reactor_home: &places.reactor_home, host };
    let mut errors = Vec::new();
    let files = match &args.file {
        Some(given) => vec![one(&host.absolute(&given.to_string_lossy()), &places, &around)?],
        None => all(&places, &around, &mut errors),
    };
    let valid = errors.is_empty() && files.iter().all(|file| file.errors.is_empty());
    let report = Report { valid, files, errors };
    if args.json {
        ui::json(&report)?;
    } else {
        ui::shown(&rendered(&report, host))?;
    }
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
}

/// The files that count for this project.
fn all(places: &Places, around: &Surroundings, errors: &mut Vec<Fault>) -> Vec<Checked> {
    let mut files = Vec::new();
    let mut layers = Vec::new();
    for kind in Kind::ALL {
        let (checked, values) = layer(kind, &places.file(kind), places, around);
        files.push(checked);
        layers.push(Layer { source: places.source(kind), values });
    }
    match vars::values(around.host) {
        Ok(values) => layers.push(Layer { source: Source::Environment, values }),
        Err(error) => errors.push(Fault::of(&error)),
    }
    files.push(providers(&Catalog::user_file(&places.reactor_home)));
    files.push(credentials(places, &resolve(&layers).provider.value));
    files
}

/// One file, by what its name or its place says that it is.
fn one(path: &Path, places: &Places, around: &Surroundings) -> Result<Checked, Error> {
    if !path.exists() {
        let source = std::io::Error::from(rustix::io::Errno::NOENT);
        return Err(crate::config::Error::Read { path: path.to_owned(), source }.into());
    }
    let is = |other: &Path| path.canonicalize().ok() == other.canonicalize().ok();
    if let Some(kind) = Kind::ALL.into_iter().find(|kind| is(&places.file(*kind))) {
        return Ok(layer(kind, path, places, around).0);
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(match name {
        "providers.yaml" => providers(path),
        ".env" => env_file(path, &credentials::load_file(path)),
        "config.yaml" => {
            // An account's lies in a folder of the home's.
            let in_home = path.parent().is_some_and(|folder| folder.parent() == Some(&places.reactor_home));
            layer(if in_home { Kind::Account } else { Kind::User }, path, places, around).0
        }
        _ => {
            let project = path.parent().unwrap_or(Path::new("/"));
            layer(Kind::Project, path, places, &Surroundings { project, ..*around }).0
        }
    })
}

/// The file of a layer, and its values that are right.
fn layer(kind: Kind, path: &Path, places: &Places, around: &Surroundings) -> (Checked, Values) {
    let read = if kind == Kind::Project {
        file::read_project_text(path, around.host.uid)
    } else {
        file::read_text(path)
    };
    let of_place = LayerFile::at(kind, places);
    let mut checked = Checked {
        path: path.display().to_string(),
        layer: kind.name(),
        exists: path.symlink_metadata().is_ok() && (of_place.path != path || of_place.exists),
        legacy: false,
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    if let (Kind::User | Kind::Account, Err(error)) = (kind, private_file::refuse_changes_by_others(path)) {
        checked.errors.push(Fault::new(&error.to_string(), None, error.hint()));
    }
    match read {
        Ok(text) => {
            let examined = around.examine(kind, path, &text);
            checked.legacy = kind.can_be_legacy() && crate::config::legacy::is_legacy(&text);
            checked.errors.extend(examined.problems.iter().map(Fault::of));
            checked.warnings = examined.warnings;
            (checked, examined.values)
        }
        Err(error) => {
            checked.errors.push(cause(&error));
            (checked, Values::default())
        }
    }
}

/// A file that cannot be read, with the reason.
fn cause(error: &crate::config::Error) -> Fault {
    let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    Fault::new(&format!("{error}{why}"), None, error.hint())
}

fn providers(path: &Path) -> Checked {
    let mut errors = Vec::new();
    if let Err(error) = private_file::refuse_changes_by_others(path) {
        errors.push(Fault::new(&error.to_string(), None, error.hint()));
    }
    match file::read_text(path) {
        Ok(text) => errors.extend(Catalog::problems(path, &text).iter().map(Fault::of_catalog)),
        Err(error) => errors.push(cause(&error)),
    }
    Checked {
        path: path.display().to_string(),
        layer: "providers",
        exists: path.exists(),
        legacy: false,
        errors,
        warnings: Vec::new(),
    }
}

/// The file with the credentials of the provider that this project uses.
fn credentials(places: &Places, provider: &ProviderId) -> Checked {
    let path = credentials::path(&places.reactor_home, &places.account, provider);
    let loaded = credentials::load(&places.reactor_home, &places.account, provider);
    env_file(&path, &loaded)
}

fn env_file(path: &Path, loaded: &Result<credentials::Credentials, credentials::Error>) -> Checked {
    let fault = |error: &credentials::Error| match error {
        credentials::Error::Syntax { line, .. } => Fault {
            line: Some(line.line),
            column: None,
            message: match &line.key {
                Some(key) => format!("{key}: {}", line.problem),
                None => line.problem.to_string(),
            },
            hint: error.hint(),
        },
        other => Fault::new(&other.to_string(), None, other.hint()),
    };
    Checked {
        path: path.display().to_string(),
        layer: "credentials",
        exists: path.symlink_metadata().is_ok(),
        legacy: false,
        errors: loaded.as_ref().err().map(fault).into_iter().collect(),
        warnings: Vec::new(),
    }
}

fn rendered(report: &Report, host: &Host) -> String {
    let mut text = String::new();
    let mut add = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let fault = |place: &str, fault: &Fault| {
        let at = [fault.line, fault.column].into_iter().flatten().map(|number| format!(":{number}"));
        let place = format!("{place}{}", at.collect::<String>());
        let mut lines =
            vec![format!("{} {}: {}", ui::styled(BAD, "error:"), ui::one_line(&place), fault.message)];
        if let Some(hint) = &fault.hint {
            lines.push(format!("  {} {hint}", ui::styled(HINT, "hint:")));
        }
        lines
    };
    for file in &report.files {
        let shown = ui::one_line(&host.shortened(&file.path));
        match (file.errors.is_empty(), file.exists) {
            (true, true) if file.legacy => {
                add(format!("{}      {shown} ({}, {})", ui::styled(GOOD, "ok"), file.layer, show::LEGACY));
            }
            (true, true) => add(format!("{}      {shown} ({})", ui::styled(GOOD, "ok"), file.layer)),
            (true, false) => add(ui::styled(FAINT, format!("absent  {shown} ({})", file.layer))),
            (false, _) => add(format!("{}   {shown} ({})", ui::styled(BAD, "wrong"), file.layer)),
        }
        for warning in &file.warnings {
            add(format!("{} {}", ui::styled(WARNING, "warning:"), ui::one_line(warning)));
        }
        file.errors.iter().flat_map(|error| fault(&file.path, error)).for_each(&mut add);
    }
    for error in &report.errors {
        add(format!("{} {}", ui::styled(BAD, "error:"), error.message));
        if let Some(hint) = &error.hint {
            add(format!("  {} {hint}", ui::styled(HINT, "hint:")));
        }
    }
    text
}
