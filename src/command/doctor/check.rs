//! One check's answer. What is checked is the matter of the files beside this one: each gathers facts at its edge and turns
//! them into checks by a pure function.

use serde::Serialize;

use crate::error::Error;
use crate::ui;

/// How a check came out. The words are what `--json` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// All is well.
    Pass,
    /// Sessions run, and something may not be as the user wants it.
    Warn,
    /// Something keeps sessions from running, or keys from being safe.
    Fail,
    /// It could not be looked at, or there is nothing to look at.
    Skipped,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    /// Its name for programs, which is stable.
    pub(super) id: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
}

/// One check's answer. Field names are stable: `--json` prints them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// The check's name for programs.
    pub(super) id: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
    /// How it came out.
    pub(super) outcome: Outcome,
    /// What was found, in a line.
    pub(super) found: String,
    /// What mends it: a command, or what to do. Several stand on a line each. Nothing where nothing is wrong.
    pub(super) remedy: Option<String>,
}

impl Subject {
    /// A subject.
    pub(super) const fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title }
    }

    /// All is well.
    pub(super) fn pass(self, found: impl Into<String>) -> Check {
        self.check(Outcome::Pass, found, None)
    }

    /// It is not looked at.
    pub(super) fn skipped(self, found: impl Into<String>) -> Check {
        self.check(Outcome::Skipped, found, None)
    }

    /// Something may not be as the user wants it.
    pub(super) fn warn(self, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        self.check(Outcome::Warn, found, Some(remedy.into()))
    }

    /// Something keeps sessions from running, or keys from being safe.
    pub(super) fn fail(self, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        self.check(Outcome::Fail, found, Some(remedy.into()))
    }

    /// What an error says, as a failure.
    pub(super) fn failed(self, told: Told) -> Check {
        self.check(Outcome::Fail, told.found, told.remedy)
    }

    /// A check of this subject.
    pub(super) fn check(self, outcome: Outcome, found: impl Into<String>, remedy: Option<String>) -> Check {
        Check { id: self.id, title: self.title, outcome, found: found.into(), remedy }
    }
}

/// What an error says: the message with its causes in one line, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The message.
    pub(super) found: String,
    /// What to do about it.
    pub(super) remedy: Option<String>,
}

impl From<Error> for Told {
    fn from(error: Error) -> Self {
        let mut found = in_one_line(&error.to_string());
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            let said = in_one_line(&next.to_string());
            // Errors that only pass another one on say the same.
            if !found.ends_with(&said) {
                found = format!("{found}: {said}");
            }
            cause = next.source();
        }
        Self { found, remedy: error.hint() }
    }
}

/// A message of several lines in one: a list below a colon becomes one within the line.
fn in_one_line(text: &str) -> String {
    let join = |line: String, next: &str| match line.chars().last() {
        None => next.to_owned(),
        Some(':') => format!("{line} {next}"),
        Some(_) => format!("{line}; {next}"),
    };
    ui::one_line(&text.lines().map(str::trim).fold(String::new(), join))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_cause_and_once() {
        let source = std::io::Error::other("disk on fire");
        let told = Told::from(Error::Io { action: "write", source });
        assert_eq!(told, Told { found: "cannot write: disk on fire".to_owned(), remedy: None });
        let claims = vec!["a:1:1: danger = true".to_owned()];
        let told = Told::from(Error::Untrusted { claims, command: "c".to_owned() });
        assert!(!told.found.contains('\n') && told.remedy.is_some());
        assert_eq!(in_one_line("tried:\n  a: no\n  b: no"), "tried: a: no; b: no");
    }
}
