//! `config path`: where the configuration files are.

use std::process::ExitCode;

use serde::Serialize;

use super::scope::ScopeArgs;
use super::show::{self, File};
use super::sources::{LayerFile, Places};
use crate::config::file::Kind;
use crate::error::Error;
use crate::host::Host;
use crate::ui;
use crate::ui::table::Table;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config path                    the files of all layers, the strongest last
  cat \"$(claude-reactor config path --shared)\"   one of them alone";

/// Say where the configuration files are
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Your own choices for this project
    #[arg(long, conflicts_with_all = ["shared", "account_default", "global"])]
    pub own: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc here would take the place of the flags' own heading")]
    pub scope: ScopeArgs,
    /// Print JSON: files, each with path, layer, exists, legacy
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report {
    files: Vec<File>,
}

/// Does it.
pub fn path(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let places = Places::guess(args.scope.account()?.as_ref(), host)?;
    let one = args.scope.kind().or(args.own.then_some(Kind::Session));
    let kinds = Kind::ALL.into_iter().filter(|kind| one.is_none_or(|one| one == *kind));
    let files: Vec<LayerFile> = kinds.map(|kind| LayerFile::at(kind, &places)).collect();
    if args.json {
        ui::json(&Report { files: files.iter().map(File::from).collect() })?;
    } else if one.is_some() {
        for file in &files {
            ui::data(&format!("{}\n", file.path.display()))?;
        }
    } else {
        let mut table = Table::new(["LAYER", "FILE", "STATE"]);
        for file in &files {
            let path = file.path.display().to_string();
            table.row([file.kind.name().into(), path.into(), show::state(file)]);
        }
        ui::shown(&table.render())?;
    }
    Ok(ExitCode::SUCCESS)
}
