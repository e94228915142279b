//! `config get`: one value.

use std::process::ExitCode;

use serde::Serialize;

use super::choice_file;
use super::scope;
use super::sources::Sources;
use super::values::{self, Shown};
use crate::config::file::Kind;
use crate::config::table;
use crate::error::Error;
use crate::host::Host;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config get llm.provider
  claude-reactor config get env.EDITOR --show-origin

Exit codes:
  0  the value is on standard output; a list has one item in a line
  1  nothing is set and there is no default: nothing is printed
  2  there is no such key, or the configuration is wrong";

/// Print the value that counts for a key
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The key: a dotted path such as `llm.provider`, `limits.memory` or `env.EDITOR`
    pub key: String,
    /// Print where it comes from as well, before it and a tab
    #[arg(long, conflicts_with = "json")]
    pub show_origin: bool,
    /// Print JSON: key, entries
    #[arg(long)]
    pub json: bool,
    /// Whose configuration; by default that of the account that this project uses
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// The key.
    key: &'a str,
    /// Its values: one, but for a list.
    entries: Vec<&'a Shown>,
}

/// Does it.
pub fn get(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let account = scope::account(args.account.as_ref())?;
    let sources = Sources::read(account.as_ref(), host)?;
    let Some(key) = table::find(&args.key) else {
        return Err(choice_file::locate(Kind::User, &sources.places.file(Kind::User), &args.key)
            .err()
            .map_or_else(|| choice_file::unknown(Kind::User, &args.key).into(), Error::from));
    };
    let path = if key.alias == Some(&*args.key) { key.path } else { &args.key };
    let all = match path.strip_prefix("projects.").and_then(|rest| rest.strip_suffix(".account")) {
        Some(hash) => values::account_of(hash, path, &sources, host)?,
        None => values::all(&sources, host),
    };
    let own: Vec<&Shown> = all.iter().filter(|shown| shown.key == path && shown.value.is_some()).collect();
    if own.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        ui::json(&Report { key: path, entries: own })?;
        return Ok(ExitCode::SUCCESS);
    }
    for shown in own {
        let value = shown.value.as_deref().unwrap_or_default();
        if args.show_origin {
            ui::data(&format!("{}\t{value}\n", ui::one_line(&shown.source)))?;
        } else {
            ui::data(&format!("{value}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
