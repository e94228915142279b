//! A text in the user's own editor: a private copy that is gone afterwards, read back and checked before anybody uses it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::error;
use crate::host::Host;
use crate::private_file;
use crate::provider::setup;
use crate::signals::{EndSignal, EndSignals};
use crate::ui;
use crate::user_file;

/// The editor of a user who named none: POSIX has it.
const USUAL: &str = "vi";

/// Why there is no edited text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody could type, and no editor was named that does without.
    #[error("there is no terminal to edit in")]
    NoTerminal,
    /// The shell does not find it, or may not start it.
    #[error("the editor `{0}` cannot be started")]
    NotStarted(String),
    /// It says that it failed.
    #[error("the editor `{editor}` ended with {status}; nothing is changed")]
    Failed {
        /// What was started.
        editor: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// What it left cannot be, and the user left it at that.
    #[error("the edited text was not taken; nothing is changed")]
    Discarded,
    /// The private copy.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What happened.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoTerminal => {
                Some("run it in a terminal, or name an editor with VISUAL or EDITOR".to_owned())
            }
            Self::NotStarted(_) => Some("name another with VISUAL or EDITOR".to_owned()),
            Self::Failed { .. } | Self::Discarded | Self::Io { .. } => None,
        }
    }
}

/// Somebody else was faster.
#[derive(Debug, thiserror::Error)]
#[error("{} was changed by somebody else while you edited it", .path.display())]
pub struct Overtaken {
    /// The file.
    path: PathBuf,
    /// Where what was written is kept.
    draft: PathBuf,
}

impl Overtaken {
    /// Keeps what was written, and what was kept so before beside it. It must hold no secret: nobody would look for one there.
    pub fn keeping(text: &str, path: &Path, reactor_home: &Path) -> Result<Self, error::Error> {
        // No account can have this folder's name.
        let drafts = reactor_home.join(".run");
        private_file::create_dir(reactor_home, &drafts)?;
        let draft = user_file::keep_copy(&drafts.join("draft.yaml"), text)?;
        Ok(Self { path: path.to_owned(), draft })
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        format!("what you wrote is in {}", self.draft.display())
    }
}

/// Opens `text` in `$VISUAL`, `$EDITOR` or vi, and gives the edited text once `validate` finds nothing wrong with it; nothing
/// where it was not changed. A person is shown what is wrong and may go on editing; without a terminal it is the error.
///
/// The copy is `edit{suffix}`, 0600 in a 0700 folder of claude-reactor's home, which goes with whatever the editor put beside
/// it, also after a signal. `suffix` tells the editor what it is: `.yaml`.
pub async fn edit(
    text: &str,
    suffix: &str,
    host: &Host,
    validate: impl Fn(&str) -> Vec<error::Error>,
) -> Result<Option<String>, error::Error> {
    let named = host.var("VISUAL").or_else(|| host.var("EDITOR"));
    if named.is_none() && !host.terminal.is_interactive() {
        return Err(Error::NoTerminal.into());
    }
    let editor = named.unwrap_or(USUAL);
    let home = host.reactor_home()?;
    private_file::create_dir(&home, &home)?;
    let folder = tempfile::Builder::new()
        .prefix(".edit-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(&home)
        .map_err(|source| Error::Io { action: "make a folder for the text to be edited", source })?;
    let path = folder.path().join(format!("edit{suffix}"));
    write(&path, text).map_err(|source| Error::Io { action: "write the text to be edited", source })?;
    loop {
        open(editor, &path).await?;
        let edited = fs::read_to_string(&path);
        let edited = edited.map_err(|source| Error::Io { action: "read the edited text", source })?;
        if edited == text {
            return Ok(None);
        }
        let mut problems = validate(&edited).into_iter();
        let Some(first) = problems.next() else { return Ok(Some(edited)) };
        if !host.terminal.can_ask() {
            return Err(first);
        }
        ui::error(&first);
        problems.for_each(|problem| ui::error(&problem));
        if !setup::confirm("Edit it again?".to_owned()).await? {
            return Err(Error::Discarded.into());
        }
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// Waits for the editor to be left. The shell splits what the user named (`code --wait`), as it does for git.
async fn open(editor: &str, path: &Path) -> Result<(), error::Error> {
    let mut signals = EndSignals::listen().map_err(error::Error::signals)?;
    let child = Command::new("sh").arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(path).spawn();
    let mut child = child.map_err(|_| Error::NotStarted(editor.to_owned()))?;
    let mut typed = None;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            signal = signals.next() => match signal {
                // From the keyboard the editor has it too, and to most it means something else.
                EndSignal::Interrupt | EndSignal::Quit => typed = Some(signal),
                EndSignal::Hangup | EndSignal::Terminate => {
                    end(&child);
                    return Err(signal.into());
                }
            },
        }
    };
    let status = status.map_err(|source| Error::Io { action: "wait for the editor", source })?;
    match (status.code(), typed) {
        (Some(0), _) => Ok(()),
        (_, Some(signal)) => Err(signal.into()),
        // What shells answer for a command that is not there, or is none.
        (Some(126 | 127), _) => Err(Error::NotStarted(editor.to_owned()).into()),
        _ => Err(Error::Failed { editor: editor.to_owned(), status }.into()),
    }
}

fn end(child: &Child) {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid {
        // It may have ended just now.
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(home: &Path, editor: Option<&str>) -> Host {
        let vars = editor.map(|editor| ("EDITOR".to_owned(), editor.to_owned()));
        Host::new(home, home, vars)
    }

    async fn edited(home: &Path, editor: Option<&str>) -> Result<Option<String>, error::Error> {
        let refuse = |text: &str| text.contains("bad").then(|| Error::Discarded.into()).into_iter().collect();
        let edited = edit("good\n", ".yaml", &host(home, editor), refuse).await;
        let left: Vec<_> = home.join(".claude-reactor").read_dir().into_iter().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
        edited
    }

    #[tokio::test]
    async fn a_text_is_edited_in_a_private_copy() {
        let home = tempfile::tempdir().unwrap();
        let modes = "stat -c %a-%n $1 $(dirname $1) >modes; sed -i s/good/better/";
        // The shell runs in the test's own folder, so the note goes to an absolute path.
        let modes = modes.replace(">modes", &format!(">{}/modes", home.path().display()));
        let script = home.path().join("editor");
        fs::write(&script, format!("#!/bin/sh\n{modes} $1\n")).unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        let text = edited(home.path(), script.to_str()).await.unwrap();
        assert_eq!(text.as_deref(), Some("better\n"));
        let modes = fs::read_to_string(home.path().join("modes")).unwrap();
        assert!(modes.starts_with("600-") && modes.contains("/edit.yaml\n700-"), "{modes}");
    }

    #[tokio::test]
    async fn an_editor_has_arguments_and_may_change_nothing() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(edited(home.path(), Some("test -s")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said_and_the_copy_goes() {
        let home = tempfile::tempdir().unwrap();
        let said = async |editor| edited(home.path(), editor).await.unwrap_err().to_string();
        assert_eq!(said(None).await, "there is no terminal to edit in");
        assert_eq!(said(Some("no-such-editor")).await, "the editor `no-such-editor` cannot be started");
        let failed = "the editor `false` ended with exit status: 1; nothing is changed";
        assert_eq!(said(Some("false")).await, failed);
        assert_eq!(said(Some("rm")).await, "cannot read the edited text");
        let refused = "the edited text was not taken; nothing is changed";
        assert_eq!(said(Some("sed -i s/good/bad/")).await, refused, "as `validate` says it");
    }
}
