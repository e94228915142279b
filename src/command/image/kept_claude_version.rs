//! The version of Claude Code that was chosen for the built-in images, and remembering it: a number, so that the images of
//! tomorrow are those of today.

use crate::claude_version::ClaudeVersion;
use crate::command::choices::{edit, set, unset};
use crate::command::target::Target;
use crate::config::file::{ACCOUNT_KEYS, USER_KEYS};
use crate::config::yaml::Scalar;
use crate::config::{self, Source};
use crate::error::Error;
use crate::private_file;
use crate::ui;

/// A version, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The one that npm calls the latest.
    Latest,
    /// The one that this program pins.
    Pinned,
    /// This one.
    Version(ClaudeVersion),
}

/// Reads what the flag says.
pub fn parse(text: &str) -> Result<Wanted, Error> {
    match text {
        "latest" => Ok(Wanted::Latest),
        "pinned" => Ok(Wanted::Pinned),
        _ => {
            let version =
                text.parse().map_err(|error: crate::claude_version::Error| config::Error::Value {
                    place: "--claude-version".to_owned(),
                    problem: error.to_string(),
                    hint: Some(format!("{}; or `latest`, or `pinned`", error.hint())),
                })?;
            Ok(Wanted::Version(version))
        }
    }
}

/// Remembers the version in the file that says one, else in the user's own. What is pinned needs no line.
pub fn remember(target: &Target, wanted: Wanted, version: Option<ClaudeVersion>) -> Result<(), Error> {
    const KEY: [&str; 1] = ["claude_version"];
    let source = target.settings.claude_version.as_ref().map(|setting| &setting.source);
    let (path, keys) = match source {
        Some(Source::AccountFile(path)) => (path.clone(), &ACCOUNT_KEYS),
        _ => (target.reactor_home.join("config.yaml"), &USER_KEYS),
    };
    private_file::create_dir(&target.reactor_home, &target.reactor_home)?;
    edit(&path, keys, |document| match (wanted, version) {
        (Wanted::Pinned, _) | (_, None) => unset(document, &KEY),
        (_, Some(version)) => set(document, &KEY, &Scalar::Text(version.to_string())),
    })?;
    if source == Some(&Source::Environment) {
        ui::warn("CLAUDE_REACTOR_CLAUDE_VERSION is set, and says more than what is remembered now");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_or_one_of_two_words() {
        assert_eq!(parse("latest").unwrap(), Wanted::Latest);
        assert_eq!(parse("pinned").unwrap(), Wanted::Pinned);
        assert_eq!(parse("2.1.300").unwrap(), Wanted::Version("2.1.300".parse().unwrap()));
        let error = parse("newest").unwrap_err();
        assert_eq!(error.to_string(), "--claude-version: `newest` is no version of Claude Code");
        assert!(error.hint().unwrap().ends_with("; or `latest`, or `pinned`"));
    }
}
