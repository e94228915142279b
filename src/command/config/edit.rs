//! `config edit`: a configuration file in the user's editor. What is edited is a copy; it takes the file's place once it is
//! right, and as a whole.

use std::path::Path;
use std::process::ExitCode;

use super::choice_file::ChoiceFile;
use super::examine::Surroundings;
use super::schema_file;
use super::scope::ScopeArgs;
use super::sources::Places;
use crate::command::editor::{self, Overtaken};
use crate::config::file::{self, Kind};
use crate::config::legacy;
use crate::error::Error;
use crate::host::Host;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config edit               your choices for this project
  claude-reactor config edit --shared      the project's file
  EDITOR=nano claude-reactor config edit --global";

/// Edit a configuration file in your editor
///
/// In $VISUAL, else $EDITOR, else vi. What you write is checked when the editor ends, before it takes the file's place; if
/// something is wrong, you may edit again or leave the file as it was.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc here would take the place of the flags' own heading")]
    pub scope: ScopeArgs,
}

/// Does it.
pub async fn edit(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let places = args.scope.places(host)?;
    let file = ChoiceFile::of(args.scope.kind().unwrap_or(Kind::Session), &places, host);
    let before = text_of(&file, host)?;
    let start = start(&file, &places, &before)?;
    let surroundings =
        Surroundings { project: Path::new(places.project.root()), reactor_home: &places.reactor_home, host };
    let examine = |text: &str| surroundings.examine(file.kind, &file.path, text);
    let problems = |text: &str| examine(text).problems.into_iter().map(Error::from).collect();
    let Some(after) = editor::edit(&start, ".yaml", host, problems).await? else {
        ui::note(&format!("nothing was changed in {}", file.path.display()));
        return Ok(ExitCode::SUCCESS);
    };
    examine(&after).warnings.iter().for_each(|warning| ui::warn(&ui::one_line(warning)));
    put(&file, &places, &before, &after)?;
    ui::note(&format!("{} is changed", file.path.display()));
    Ok(ExitCode::SUCCESS)
}

/// Puts what was written in the file's place, if that is still as it was.
fn put(file: &ChoiceFile, places: &Places, before: &str, after: &str) -> Result<(), Error> {
    let mut overtaken = false;
    file.replace(|now| {
        overtaken = now != before;
        Ok(if overtaken { now.to_owned() } else { after.to_owned() })
    })?;
    if overtaken { Err(Overtaken::keeping(after, &file.path, &places.reactor_home)?.into()) } else { Ok(()) }
}

fn text_of(file: &ChoiceFile, host: &Host) -> Result<String, Error> {
    Ok(match file.kind {
        Kind::Project => file::read_project_text(&file.path, host.uid)?,
        _ => file::read_text(&file.path)?,
    })
}

/// What is in the editor at first: the file, and the line by which editors find its schema.
fn start(file: &ChoiceFile, places: &Places, before: &str) -> Result<String, Error> {
    let is_yaml = !(file.kind.can_be_legacy() && legacy::is_legacy(before));
    if !is_yaml || file.kind == Kind::Project {
        return Ok(before.to_owned());
    }
    Ok(schema_file::with_modeline(before, &schema_file::keep(&places.reactor_home, file.kind)?))
}
