//! `config show`: every value with where it comes from.

use std::process::ExitCode;

use serde::Serialize;

use super::scope;
use super::sources::{LayerFile, Sources};
use super::values::{self, Shown};
use crate::command::choices::ChoiceArgs;
use crate::command::target::Target;
use crate::command::trust;
use crate::config::Values;
use crate::config::table;
use crate::error::Error;
use crate::host::Host;
use crate::ui::table::{Cell, Table};
use crate::ui::{self, FAINT, STRONG, WARNING};

const EXAMPLES: &str = "\
Examples:
  claude-reactor config show             every key; what nobody set is faint
  claude-reactor config show --chosen    only what somebody set
  claude-reactor config show --json | jq -r '.entries[] | select(.key == \"danger\").source'";

/// Show every value with where it comes from
///
/// Later layers of the list win: default, your config.yaml, the account's, the project's file, your choices for the project,
/// environment variables. Needs no container engine.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Show only what somebody set
    #[arg(long)]
    pub chosen: bool,
    /// Print JSON, with the fields that docs/configuration.md describes
    #[arg(long)]
    pub json: bool,
    /// Whose configuration; by default that of the account that this project uses
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

/// What is said of a file of the old form.
pub const LEGACY: &str = "of the old key=value form, YAML from the next change on";

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report {
    /// The project's folder.
    project: String,
    /// The first 8 hex digits of the SHA-256 of that path.
    project_hash: String,
    /// The account.
    account: String,
    /// Every key; with `--chosen`, those that somebody set.
    entries: Vec<Shown>,
    /// The files of the layers, from the lowest.
    files: Vec<File>,
    /// What the project's file says that takes effect only with the user's consent, and without it.
    awaits_consent: Vec<String>,
    /// What the user should know.
    warnings: Vec<String>,
}

/// The file of a layer. Field names are stable.
#[derive(Debug, Serialize)]
pub struct File {
    /// Where it is, or would be.
    pub path: String,
    /// `user`, `account`, `project` or `session`.
    pub layer: &'static str,
    /// Whether it is there.
    pub exists: bool,
    /// Whether it is of the old `key=value` form.
    pub legacy: bool,
}

impl From<&LayerFile> for File {
    fn from(file: &LayerFile) -> Self {
        Self {
            path: file.path.display().to_string(),
            layer: file.kind.name(),
            exists: file.exists,
            legacy: file.is_legacy,
        }
    }
}

/// Does it.
pub fn show(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let account = scope::account(args.account.as_ref())?;
    let sources = Sources::read(account.as_ref(), host)?;
    let report = report(&sources, args, host);
    if args.json {
        ui::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    report.warnings.iter().for_each(|warning| ui::warn(&ui::one_line(warning)));
    ui::shown(&rendered(&report, &sources, host))?;
    Ok(ExitCode::SUCCESS)
}

fn report(sources: &Sources, args: &Args, host: &Host) -> Report {
    let mut warnings = sources.warnings.clone();
    // What a run would find wrong on this machine is no reason to show nothing.
    let choices = ChoiceArgs { account: args.account.clone(), ..ChoiceArgs::default() };
    let awaits_consent = match Target::resolve(&choices, Values::default(), host) {
        Ok(target) => trust::awaited(&target),
        Err(error) => {
            warnings.push(format!("`run` would fail: {error}"));
            Vec::new()
        }
    };
    let mut entries = values::all(sources, host);
    entries.retain(|entry| !args.chosen || entry.is_chosen());
    Report {
        project: sources.places.project.root().to_owned(),
        project_hash: sources.places.project.hash().to_owned(),
        account: sources.places.account.to_string(),
        entries,
        files: sources.files.iter().map(File::from).collect(),
        awaits_consent,
        warnings,
    }
}

fn rendered(report: &Report, sources: &Sources, host: &Host) -> String {
    let short = |text: &str| host.shortened(text);
    let mut head = Table::plain();
    head.row(["project".into(), format!("{} ({})", short(&report.project), report.project_hash).into()]);
    head.row(["account".into(), report.account.clone().into()]);
    let mut values = Table::new(["KEY", "VALUE", "FROM"]);
    for entry in &report.entries {
        let mark = if entry.legacy { " (key=value)" } else { "" };
        let from = format!("{}{mark}", short(&entry.source));
        let value = entry.value.clone().unwrap_or_else(|| match entry.instead {
            "" => "-".to_owned(),
            instead => table::plain(instead),
        });
        let row = [entry.key.clone(), value, from].map(Cell::from);
        values.row(if entry.is_chosen() {
            let [key, value, from] = row;
            [key.styled(STRONG), value.styled(STRONG), from]
        } else {
            row.map(|cell| cell.styled(FAINT))
        });
    }
    let mut files = Table::new(["FILE", "LAYER", "STATE"]);
    for (file, shown) in sources.files.iter().zip(&report.files) {
        files.row([short(&shown.path).into(), shown.layer.into(), state(file)]);
    }
    let mut text = format!("{}\n{}\n{}", head.render(), values.render(), files.render());
    if !report.awaits_consent.is_empty() {
        let title = ui::styled(WARNING, "`run` asks for your consent first:");
        text.extend(["\n", &title, "\n"]);
        for point in &report.awaits_consent {
            text.extend(["  ", &ui::one_line(point), "\n"]);
        }
    }
    text
}

/// How a file is, in a word.
pub fn state(file: &LayerFile) -> Cell {
    match file {
        LayerFile { exists: false, .. } => Cell::from("absent").styled(FAINT),
        LayerFile { is_legacy: true, .. } => Cell::from(format!("present, {LEGACY}")).styled(WARNING),
        _ => Cell::from("present"),
    }
}
