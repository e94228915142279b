//! `config edit`: a configuration file in the user's editor. What is edited is a copy; it takes the file's place once it is
//! right, and as a whole.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use super::choice_file::ChoiceFile;
use super::examined::Surroundings;
use super::schema_file;
use super::scope::ScopeArgs;
use super::sources::Places;
use crate::config::file::{self, Kind};
use crate::config::legacy;
use crate::error::Error as AnyError;
use crate::host::Host;
use crate::private_file;
use crate::provider::setup;
use crate::signals::EndSignals;
use crate::ui::{self, BAD, HINT};

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

/// Why a file was not edited.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody to edit it.
    #[error("there is no terminal to edit in")]
    NoTerminal,
    /// The editor cannot be started, or failed.
    #[error("the editor `{command}` {}; {} is as it was", failure(*.status), .path.display())]
    Editor {
        /// The command.
        command: String,
        /// How it ended; nothing where it did not begin.
        status: Option<ExitStatus>,
        /// The file.
        path: PathBuf,
    },
    /// Somebody else was faster.
    #[error("{} was changed by somebody else while you edited it", .path.display())]
    Overtaken {
        /// The file.
        path: PathBuf,
        /// Where what was written is kept.
        draft: PathBuf,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoTerminal => Some("`claude-reactor config set KEY VALUE` changes one key".to_owned()),
            Self::Editor { .. } => Some("EDITOR names the editor".to_owned()),
            Self::Overtaken { draft, .. } => Some(format!("what you wrote is in {}", draft.display())),
        }
    }
}

fn failure(status: Option<ExitStatus>) -> String {
    match status.map(|status| status.code()) {
        None => "cannot be started".to_owned(),
        Some(Some(127)) => "is not there".to_owned(),
        Some(Some(code)) => format!("ended with code {code}"),
        Some(None) => "was ended by a signal".to_owned(),
    }
}

/// Does it.
pub async fn edit(args: &Args, host: &Host) -> Result<ExitCode, AnyError> {
    if !host.terminal.can_ask() {
        return Err(Error::NoTerminal.into());
    }
    let places = args.scope.places(host)?;
    let file = ChoiceFile::of(args.scope.kind().unwrap_or(Kind::Session), &places, host);
    let before = text_of(&file, host)?;
    let draft = Draft::new(&file, &places, &before)?;
    let surroundings =
        Surroundings { project: Path::new(places.project.root()), reactor_home: &places.reactor_home, host };
    // From now on a Ctrl-C is the editor's.
    let _signals = EndSignals::listen().map_err(AnyError::signals)?;
    loop {
        draft.open(host, &file.path)?;
        let after = draft.text()?;
        if after == draft.start {
            ui::note(&format!("nothing was changed in {}", file.path.display()));
            return Ok(ExitCode::SUCCESS);
        }
        let examined = surroundings.examine(file.kind, &file.path, &after);
        if examined.problems.is_empty() {
            examined.warnings.iter().for_each(|warning| ui::warn(&ui::one_line(warning)));
            return put(&file, &before, &after, draft);
        }
        for problem in &examined.problems {
            ui::note(&format!("{} {problem}", ui::styled(BAD, "error:")));
            if let Some(hint) = problem.hint() {
                ui::note(&format!("  {} {hint}", ui::styled(HINT, "hint:")));
            }
        }
        if !setup::confirm("Edit again? (no leaves the file as it was)".to_owned()).await? {
            ui::note(&format!("the change is dropped; {} is as it was", file.path.display()));
            return Ok(ExitCode::FAILURE);
        }
    }
}

/// Puts what was written in the file's place, if that is still as it was.
fn put(file: &ChoiceFile, before: &str, after: &str, draft: Draft) -> Result<ExitCode, AnyError> {
    let mut overtaken = false;
    file.replace(|now| {
        overtaken = now != before;
        Ok(if overtaken { now.to_owned() } else { after.to_owned() })
    })?;
    if overtaken {
        let draft = draft.keep();
        return Err(Error::Overtaken { path: file.path.clone(), draft }.into());
    }
    ui::note(&format!("{} is changed", file.path.display()));
    Ok(ExitCode::SUCCESS)
}

fn text_of(file: &ChoiceFile, host: &Host) -> Result<String, AnyError> {
    Ok(match file.kind {
        Kind::Project => file::read_project_text(&file.path, host.uid)?,
        _ => file::read_text(&file.path)?,
    })
}

/// The copy that is edited, in a folder of its own: editors write beside it.
struct Draft {
    folder: tempfile::TempDir,
    path: PathBuf,
    /// What is in it at first.
    start: String,
}

impl Draft {
    fn new(file: &ChoiceFile, places: &Places, before: &str) -> Result<Self, AnyError> {
        // No account can have this folder's name.
        let drafts = places.reactor_home.join(".run");
        private_file::create_dir(&places.reactor_home, &drafts)?;
        let failed = |source| AnyError::Io { action: "make a draft to edit", source };
        let folder = tempfile::Builder::new().prefix("edit-").tempdir_in(&drafts).map_err(failed)?;
        // By the ending editors know what it is.
        let path = folder.path().join(match file.kind {
            Kind::User | Kind::Account => "config.yaml",
            Kind::Project | Kind::Session => "claude-reactor.yaml",
        });
        let is_yaml = !(file.kind.can_be_legacy() && legacy::is_legacy(before));
        let start = if is_yaml && file.kind != Kind::Project {
            schema_file::with_modeline(before, &schema_file::keep(&places.reactor_home, file.kind)?)
        } else {
            before.to_owned()
        };
        std::fs::write(&path, &start).map_err(failed)?;
        Ok(Self { folder, path, start })
    }

    fn open(&self, host: &Host, file: &Path) -> Result<(), Error> {
        let editor = host.var("VISUAL").or_else(|| host.var("EDITOR")).unwrap_or("vi");
        // As git does: what is named may be a command with arguments.
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&self.path);
        let status = shell.status().ok();
        if status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        Err(Error::Editor { command: editor.to_owned(), status, path: file.to_owned() })
    }

    fn text(&self) -> Result<String, AnyError> {
        std::fs::read_to_string(&self.path)
            .map_err(|source| AnyError::Io { action: "read what you wrote", source })
    }

    /// Where it is from now on.
    fn keep(self) -> PathBuf {
        let _ = self.folder.keep();
        self.path
    }
}
