//! The `key=value` form of `.claude-reactor`, which earlier versions of the tool wrote.
//!
//! Such a text is turned into YAML, line for line, and goes on from there like any other: so what it says is checked,
//! trusted, placed in messages and edited by the same code. The old rules: lines are trimmed; blank ones and those that
//! begin with `#` say nothing; a line is split at its first `=`; of two lines with one key the last counts; a boolean is
//! true only for `true`.

use std::fmt::Write;
use std::path::Path;

use super::Error;

/// What a key of the old form takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `true`, or anything else for false.
    Flag,
    /// A text.
    Text,
    /// Something the old tool noted for itself.
    Bygone,
}

/// The keys of the old form. All but the bygone ones are keys of the YAML form too.
const KEYS: [(&str, Kind); 11] = [
    ("variant", Kind::Text),
    ("account", Kind::Text),
    ("danger", Kind::Flag),
    ("host_docker", Kind::Flag),
    ("host_docker_timeout", Kind::Text),
    ("ssh_agent", Kind::Flag),
    ("ssh_agent_socket", Kind::Text),
    ("session_persistence", Kind::Flag),
    ("last_session_id", Kind::Bygone),
    ("container_id", Kind::Bygone),
    ("project_path", Kind::Bygone),
];

/// How many lines that say nothing are named; a repository's file may have any number of them.
const MOST_WARNINGS: usize = 5;

/// A text of the old form in today's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// YAML that says the same, with as many lines. Comments stay; what says nothing any more is a comment.
    pub yaml: String,
    /// What the user should know of lines that say nothing, with file and line.
    pub warnings: Vec<String>,
}

/// Whether a text is of the old form: its first line that is of either form is `key=…`. No YAML that we read begins so,
/// since no key of ours has a `=` in it.
pub fn is_legacy(text: &str) -> bool {
    let first = lines(text).find(|line| !matches!(line, Line::Empty(_) | Line::Other(_)));
    matches!(first, Some(Line::Entry { .. }))
}

/// The text of the file at `path` as YAML, if it is of the old form.
///
/// # Errors
///
/// A line of YAML in a file of the old form: it was not meant to be ignored.
pub fn to_yaml(path: &Path, text: &str) -> Result<Option<Converted>, Error> {
    if !is_legacy(text) {
        return Ok(None);
    }
    let lines: Vec<Line<'_>> = lines(text).collect();
    let mut yaml = String::with_capacity(text.len() + lines.len());
    let mut warnings = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let place = format!("{}:{}", path.display(), index + 1);
        match *line {
            Line::Empty(comment) => yaml.push_str(&printable(comment)),
            Line::Entry { key, value, whole } => match kind(key) {
                Some(kind @ (Kind::Flag | Kind::Text)) if is_last(&lines[index + 1..], key) => {
                    let _ = write!(yaml, "{key}:{}", scalar(kind, value));
                }
                known => {
                    comment(&mut yaml, whole);
                    if known.is_none() {
                        warnings.push(format!("{place}: `{key}` is no key of the old key=value form"));
                    }
                }
            },
            Line::Yaml(_) => {
                return Err(Error::FileLine {
                    path: path.to_owned(),
                    line: index + 1,
                    problem: "a line of YAML in a file of the old key=value form".to_owned(),
                    hint: Some(
                        "write the whole file as YAML: `key: value` instead of `key=value`".to_owned(),
                    ),
                });
            }
            Line::Other(whole) => {
                comment(&mut yaml, whole);
                warnings.push(format!("{place}: neither key=value nor a comment"));
            }
        }
        yaml.push('\n');
    }
    let more = warnings.len().saturating_sub(MOST_WARNINGS);
    warnings.truncate(MOST_WARNINGS);
    for warning in &mut warnings {
        warning.push_str("; the line is ignored");
    }
    if more > 0 {
        warnings.push(format!("{}: {more} more such lines", path.display()));
    }
    Ok(Some(Converted { yaml, warnings }))
}

/// A line as both forms see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    /// Nothing, or a comment.
    Empty(&'a str),
    /// `key=value`.
    Entry { key: &'a str, value: &'a str, whole: &'a str },
    /// What a YAML file of ours may begin with.
    Yaml(&'a str),
    /// Of neither form.
    Other(&'a str),
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(line)
}

fn line(text: &str) -> Line<'_> {
    let whole = text.trim();
    if whole.is_empty() || whole.starts_with('#') {
        return Line::Empty(whole);
    }
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let end = whole.find(|c| !name(c)).unwrap_or(whole.len());
    let (key, rest) = whole.split_at(end);
    let rest = rest.trim_start();
    match rest.strip_prefix('=') {
        Some(value) if !key.is_empty() => Line::Entry { key, value: value.trim(), whole },
        _ if is_yaml(whole, key, rest) => Line::Yaml(whole),
        _ => Line::Other(whole),
    }
}

/// Whether a line that is no entry begins something in YAML: a key, a list, a mapping in braces, a document, a directive.
fn is_yaml(whole: &str, key: &str, rest: &str) -> bool {
    let after = |mark: char| {
        rest.strip_prefix(mark).is_some_and(|rest| !rest.starts_with(|c: char| !c.is_whitespace()))
    };
    (!key.is_empty() && after(':'))
        || whole.starts_with(['{', '[', '"', '\'', '%', '?', '&', '!', '*', '|', '>'])
        || whole.starts_with("- ")
        || matches!(whole, "-" | "---" | "...")
        || whole.starts_with("--- ")
}

fn kind(key: &str) -> Option<Kind> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind)
}

fn is_last(later: &[Line<'_>], key: &str) -> bool {
    !later.iter().any(|line| matches!(line, Line::Entry { key: other, .. } if *other == key))
}

/// The value as YAML, with the blank before it; nothing for a text that is empty, which counted as not set.
fn scalar(kind: Kind, value: &str) -> String {
    match kind {
        Kind::Flag => format!(" {}", value == "true"),
        _ if value.is_empty() => String::new(),
        _ if is_plain(value) => format!(" {value}"),
        _ => format!(" \"{}\"", quoted(value)),
    }
}

/// Whether a text means itself in YAML without quotes.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
        && !value.contains('#')
        && matches!(serde_yaml::from_str(value), Ok(serde_yaml::Value::String(text)) if text == value)
}

fn quoted(value: &str) -> String {
    value.chars().fold(String::new(), |mut text, c| {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if is_printable(c) => text.push(c),
            c => {
                let _ = write!(text, "\\U{:08X}", u32::from(c));
            }
        }
        text
    })
}

fn comment(yaml: &mut String, line: &str) {
    let _ = write!(yaml, "# {}", printable(line));
}

/// A comment's text: what YAML does not take, or takes for the end of the line, is spelled out.
fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c == '\t' || is_printable(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
        out
    })
}

fn is_printable(c: char) -> bool {
    let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    let in_yaml = matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    in_yaml && !breaks
}

#[cfg(test)]
mod tests;
