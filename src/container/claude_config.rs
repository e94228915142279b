//! Claude Code's own files in a provider's `CLAUDE_CONFIG_DIR`: what has to stand there so that a session begins at the
//! prompt, with no theme, login, trust, key or mode dialog.
//!
//! Only what is missing is added, and a file that lacks nothing is not touched: Claude Code writes it too, perhaps right
//! now. The folder is writable from inside, so its files are read as a stranger's: no link is followed, no pipe opened.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::spec::WORKDIR;
use crate::private_file;
use crate::wary_file::{self, Links};

/// How much of a key Claude Code keeps to recognise it by: its last 20 characters.
const KEY_TAIL: usize = 20;
/// More than Claude Code ever writes; a session may put anything here.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What a session needs.
#[derive(Clone, Copy, Default)]
pub struct Needs<'a> {
    /// The key that goes out as `x-api-key`, if one does: Claude Code asks whether to use it unless it was approved.
    pub api_key: Option<&'a str>,
    /// Whether permission is never asked for: Claude Code wants that confirmed once.
    pub danger: bool,
}

/// Why the files could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] private_file::Error),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { path, .. } => Some(format!(
                "look at it; if it is nothing you want to keep: rm {}",
                private_file::quoted(path)
            )),
            Self::Write(error) => error.hint(),
        }
    }
}

/// Puts into `dir` what the session needs.
pub fn prepare(dir: &Path, needs: Needs<'_>) -> Result<(), Error> {
    add(&dir.join(".claude.json"), |state| onboard(state, needs.api_key))?;
    add(&dir.join("settings.json"), |settings| settle(settings, needs.danger))
}

/// Reads a JSON object, lets `complete` add to it, and writes it if that changed anything. What is not a JSON object is
/// left as it is: Claude Code says itself what is wrong with it.
fn add(path: &Path, complete: impl FnOnce(&mut Map<String, Value>)) -> Result<(), Error> {
    let opened = wary_file::read(path, Links::Refused, LARGEST)
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let mut object = match opened.as_ref().map(|opened| opened.text.trim()) {
        None | Some("") => Map::new(),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            _ => return Ok(()),
        },
    };
    let before = object.clone();
    complete(&mut object);
    if object == before {
        return Ok(());
    }
    let text = format!("{:#}\n", Value::Object(object));
    Ok(private_file::write(path, text.as_bytes())?)
}

fn onboard(state: &mut Map<String, Value>, api_key: Option<&str>) {
    state.entry("hasCompletedOnboarding").or_insert(Value::Bool(true));
    if let Some(project) = object(state, "projects").and_then(|projects| object(projects, WORKDIR)) {
        project.insert("hasTrustDialogAccepted".to_owned(), Value::Bool(true));
    }
    let Some(key) = api_key else { return };
    let skipped = key.chars().count().saturating_sub(KEY_TAIL);
    let tail: String = key.chars().skip(skipped).collect();
    if let Some(responses) = object(state, "customApiKeyResponses") {
        // Keys of before are of no use any more, and the less stands here the better.
        responses.insert("approved".to_owned(), json!([tail]));
        responses.entry("rejected").or_insert(json!([]));
    }
}

fn settle(settings: &mut Map<String, Value>, danger: bool) {
    // Auto mode's safety check runs on Anthropic's servers and blocks on any other backend.
    settings.entry("disableAutoMode").or_insert(json!("disable"));
    if danger {
        settings.insert("skipDangerousModePermissionPrompt".to_owned(), Value::Bool(true));
    }
}

/// The object under a key, made if absent; nothing where something else stands there.
fn object<'a>(parent: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    parent.entry(key).or_insert_with(|| json!({})).as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dir(tempfile::TempDir);

    impl Dir {
        fn new() -> Self {
            use std::os::unix::fs::PermissionsExt;
            let dir = tempfile::tempdir().unwrap();
            std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
            Self(dir)
        }

        fn prepare(&self, needs: Needs<'_>) {
            prepare(self.0.path(), needs).unwrap();
        }

        fn json(&self, name: &str) -> Value {
            serde_json::from_str(&std::fs::read_to_string(self.0.path().join(name)).unwrap()).unwrap()
        }
    }

    #[test]
    fn a_fresh_folder_gets_everything() {
        let dir = Dir::new();
        dir.prepare(Needs { api_key: Some("sk-0123456789-abcdefghijklmnopqrst"), danger: true });
        assert_eq!(
            dir.json(".claude.json"),
            json!({
                "hasCompletedOnboarding": true,
                "projects": {"/app": {"hasTrustDialogAccepted": true}},
                "customApiKeyResponses": {"approved": ["abcdefghijklmnopqrst"], "rejected": []}
            })
        );
        assert_eq!(
            dir.json("settings.json"),
            json!({"disableAutoMode": "disable", "skipDangerousModePermissionPrompt": true})
        );
    }

    #[test]
    fn what_stands_there_stays_and_a_complete_file_is_not_touched() {
        let dir = Dir::new();
        let own = r#"{"theme": "light", "projects": {"/app": {"history": [1]}}}"#;
        std::fs::write(dir.0.path().join(".claude.json"), own).unwrap();
        dir.prepare(Needs::default());
        let state = dir.json(".claude.json");
        assert_eq!(state["theme"], "light");
        assert_eq!(state["projects"]["/app"], json!({"history": [1], "hasTrustDialogAccepted": true}));
        assert!(state.get("customApiKeyResponses").is_none());

        let written = || std::fs::metadata(dir.0.path().join(".claude.json")).unwrap().modified().unwrap();
        let before = written();
        dir.prepare(Needs::default());
        assert_eq!(written(), before);
    }

    #[test]
    fn a_link_laid_by_a_session_is_not_followed() {
        let dir = Dir::new();
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), r#"{"auths": "secret"}"#).unwrap();
        std::os::unix::fs::symlink(secret.path(), dir.0.path().join(".claude.json")).unwrap();
        assert!(matches!(prepare(dir.0.path(), Needs::default()), Err(Error::Read { .. })));
        assert_eq!(std::fs::read_to_string(secret.path()).unwrap(), r#"{"auths": "secret"}"#);
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        let dir = Dir::new();
        std::fs::write(dir.0.path().join("settings.json"), "{broken").unwrap();
        dir.prepare(Needs::default());
        assert_eq!(std::fs::read_to_string(dir.0.path().join("settings.json")).unwrap(), "{broken");
    }
}
