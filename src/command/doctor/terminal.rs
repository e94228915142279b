//! The terminal: whether Claude Code can draw on it.

use super::check::{Check, Subject};
use crate::container::terminal;
use crate::host::Host;

const TYPE: Subject = Subject::new("terminal", "terminal");
const LOCALE: Subject = Subject::new("locale", "locale");

/// What Claude Code's screen needs, columns and rows; below that, lines are cut.
const SMALLEST: (u16, u16) = (60, 15);

/// What the caller's terminal is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts<'a> {
    /// `TERM`.
    pub(super) term: Option<&'a str>,
    /// The locale that decides how characters are written: its variable, and its name.
    pub(super) locale: Option<(&'static str, &'a str)>,
    /// Whether standard input and output are one.
    pub(super) is_terminal: bool,
    /// Columns and rows.
    pub(super) size: Option<(u16, u16)>,
}

impl<'a> Facts<'a> {
    /// The caller's.
    pub(super) fn gather(host: &'a Host) -> Self {
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some((name, host.var(name)?)));
        let is_terminal = host.terminal.is_interactive();
        Self { term: host.var("TERM"), locale, is_terminal, size: terminal::size().filter(|_| is_terminal) }
    }
}

/// What is to be said of it.
pub(super) fn checks(facts: &Facts<'_>) -> Vec<Check> {
    vec![kind(facts), locale(facts)]
}

fn kind(facts: &Facts<'_>) -> Check {
    match (facts.term, facts.size) {
        _ if !facts.is_terminal => {
            TYPE.skipped("this command runs without one; so does `run -- -p`, and asks nothing")
        }
        (None, _) => TYPE.warn("TERM is not set", "export TERM=xterm-256color"),
        (Some("dumb"), _) => TYPE.warn("TERM is dumb, which shows no screen", "export TERM=xterm-256color"),
        (Some(term), Some((columns, rows))) if columns < SMALLEST.0 || rows < SMALLEST.1 => TYPE.warn(
            format!("{term}, {columns} columns and {rows} rows: too small for Claude Code's screen"),
            format!("make the window larger: {} columns and {} rows at least", SMALLEST.0, SMALLEST.1),
        ),
        (Some(term), Some((columns, rows))) => {
            TYPE.pass(format!("{term}, {columns} columns and {rows} rows"))
        }
        (Some(term), None) => {
            TYPE.warn(format!("{term}, which does not tell its size"), "resize the window once")
        }
    }
}

fn locale(facts: &Facts<'_>) -> Check {
    let Some((variable, name)) = facts.locale else {
        return LOCALE.warn("no locale is set, so programs write ASCII only", "export LANG=C.UTF-8");
    };
    let plain: String = name.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
    if plain.contains("utf8") {
        LOCALE.pass(format!("{variable} is {name}"))
    } else {
        LOCALE.warn(format!("{variable} is {name}, which is not UTF-8"), format!("export {variable}=C.UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{self, Pass, Skipped, Warn};
    use super::*;

    fn outcomes(facts: Facts<'_>) -> (Outcome, Outcome) {
        let checks = checks(&facts);
        (checks[0].outcome, checks[1].outcome)
    }

    #[test]
    fn a_screen_needs_a_type_a_size_and_characters() {
        let good = Facts {
            term: Some("xterm-256color"),
            locale: Some(("LANG", "de_AT.UTF-8")),
            is_terminal: true,
            size: Some((80, 24)),
        };
        assert_eq!(outcomes(good), (Pass, Pass));
        assert_eq!(outcomes(Facts { term: None, ..good }).0, Warn);
        assert_eq!(outcomes(Facts { term: Some("dumb"), ..good }).0, Warn);
        assert_eq!(outcomes(Facts { size: Some((40, 24)), ..good }).0, Warn);
        assert_eq!(outcomes(Facts { size: None, ..good }).0, Warn);
        assert_eq!(outcomes(Facts { is_terminal: false, ..good }).0, Skipped);
        for (name, outcome) in [("C.utf8", Pass), ("C", Warn), ("de_AT@euro", Warn)] {
            assert_eq!(outcomes(Facts { locale: Some(("LC_ALL", name)), ..good }).1, outcome, "{name}");
        }
        assert_eq!(outcomes(Facts { locale: None, ..good }).1, Warn);
    }
}
