//! The text of an `.env` file: reading its variables, and replacing one without touching the rest.
//!
//! dotenvy says what a line means, but three of its ways do not fit secrets: it expands `$`, also out of the
//! process's environment, so that `KEY=sk-a$b` would silently become `sk-a`; its errors quote the line; and it takes
//! a backslash before a closing single quote for an escape. So a line that would expand is refused here, errors carry
//! line and name only, and what we write avoids all three.

use secrecy::{ExposeSecret, SecretString};

use super::variables::is_variable_name;

/// Which line cannot be used, and why. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {problem}", .key.as_ref().map(|key| format!(", {key}")).unwrap_or_default())]
pub struct Error {
    /// Counted from 1; of an entry over several lines, the first.
    pub line: usize,
    /// The variable's name, where the line has one.
    pub key: Option<String>,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is no assignment, or its quotes do not match.
    #[error("not of the form KEY='value'")]
    Form,
    /// The name could not be set in a shell or a container.
    #[error("the name may have only letters, digits and `_`, and not begin with a digit")]
    Name,
    /// The value has a `$` that would be replaced by something else.
    #[error("the value has a `$` outside single quotes")]
    Expansion,
}

impl Problem {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Form | Self::Name => "write KEY='value', one to a line; `#` begins a comment",
            Self::Expansion => "put the value in single quotes; variables are not expanded here",
        }
    }
}

/// Whether a value fits on the one line that it gets.
pub fn is_one_line(value: &str) -> bool {
    !value.contains(['\n', '\r', '\0'])
}

/// The variables in the order of the file. A name that occurs twice is there twice.
pub(super) fn parse(text: &str) -> Result<Vec<(String, SecretString)>, Error> {
    Ok(split(text)?.into_iter().filter_map(|record| record.entry).collect())
}

/// The text with a variable set: on the line it had, else at the end. Every other line stays as it is, byte for byte.
///
/// The caller has checked name and value with [`is_variable_name`] and [`is_one_line`].
pub(super) fn set(text: &str, name: &str, value: &SecretString) -> Result<String, Error> {
    let mut line = Some(format!("{name}={}\n", quote(value.expose_secret())));
    let mut out = String::with_capacity(text.len() + name.len() + value.expose_secret().len() + 8);
    out.push_str(&text[..text.len() - without_bom(text).len()]);
    for record in split(text)? {
        match record.entry {
            Some((key, _)) if key == name => out.push_str(&line.take().unwrap_or_default()),
            _ => out.push_str(record.text),
        }
    }
    if let Some(line) = line {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&line);
    }
    Ok(out)
}

/// A value as dotenvy and a POSIX shell both take it back.
///
/// Inside single quotes both take every character as it is, except the quote itself. dotenvy's search for the end of
/// a line also stumbles over a backslash there, so both go between double quotes.
fn quote(value: &str) -> String {
    let mut out = String::from("'");
    for c in value.chars() {
        match c {
            '\'' => out.push_str(r#"'"'"'"#),
            '\\' => out.push_str(r#"'"\\"'"#),
            _ => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// What belongs together in the file: an entry, which quotes may stretch over several lines, or a comment or empty
/// line.
struct Record<'a> {
    text: &'a str,
    entry: Option<(String, SecretString)>,
}

fn split(text: &str) -> Result<Vec<Record<'_>>, Error> {
    let lines: Vec<&str> = without_bom(text).split_inclusive('\n').collect();
    let mut records = Vec::new();
    let mut rest = without_bom(text);
    let mut first = 0;
    while first < lines.len() {
        // Only dotenvy knows whether a line is complete, so it is shown more of them until it is content.
        let mut length = 0;
        let complete = lines[first..].iter().enumerate().find_map(|(more, line)| {
            length += line.len();
            Some((more + 1, entry(&rest[..length]).ok()?))
        });
        let fail = |problem, key| Err(Error { line: first + 1, key, problem });
        let Some((count, entry)) = complete else {
            // A `$` before a closing quote swallows the quote, so it may be what is wrong with the form, too.
            let problem = if value_expands(lines[first]) { Problem::Expansion } else { Problem::Form };
            return fail(problem, key_of(lines[first]));
        };
        let (record, after) = rest.split_at(length);
        if let Some((key, _)) = &entry {
            if !is_variable_name(key) {
                return fail(Problem::Name, None);
            }
            if value_expands(record) {
                return fail(Problem::Expansion, Some(key.clone()));
            }
        }
        records.push(Record { text: record, entry });
        rest = after;
        first += count;
    }
    Ok(records)
}

fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The entry of a record, if it has one. The error is dropped on the spot: it quotes the value.
fn entry(record: &str) -> Result<Option<(String, SecretString)>, ()> {
    // Blanks at the very end of a file make dotenvy wait for another line.
    let record = format!("{record}\n");
    match dotenvy::from_read_iter(record.as_bytes()).next() {
        None => Ok(None),
        Some(Ok((key, value))) => Ok(Some((key, value.into()))),
        Some(Err(_)) => Err(()),
    }
}

/// The name on a line that is otherwise unusable. What is not a name may be part of a secret, and is not shown.
fn key_of(line: &str) -> Option<String> {
    let (left, _) = line.split_once('=')?;
    let left = left.trim();
    let key = left.strip_prefix("export ").unwrap_or(left).trim_start();
    is_variable_name(key).then(|| key.to_owned())
}

/// Whether dotenvy would replace something in the value: a `$` that is neither escaped nor in single quotes.
fn value_expands(record: &str) -> bool {
    let Some((_, value)) = record.split_once('=') else { return false };
    let mut quote = None;
    let mut escaped = false;
    let mut previous = ' ';
    for c in value.trim_start().chars() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '$') => return true,
            (_, '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (None, '#') if previous == ' ' || previous == '\t' => return false,
            _ => {}
        }
        previous = c;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let show = |(key, value): (String, SecretString)| (key, value.expose_secret().to_owned());
        parse(text).unwrap().into_iter().map(show).collect()
    }

    /// Lines as people write them, none of them about `KEY`.
    const LINES: &[&str] = &[
        "# don't touch, KEY='x'\n",
        "\n",
        "  \t\n",
        "export A=1\n",
        "B=\"x \\\" \\$y # z\"\n",
        "C='over\nKEY=two lines'\n",
        "D=plain # it's a note\n",
        "E = spaced   \n",
        "F='it'\"'\"'s'\r\n",
        "G=\n",
        "XKEY=1\n",
        "KEYX=\\$1\n",
    ];

    /// What `KEY` may have been before.
    const OLD: &[&str] = &["", "KEY=old\n", "export KEY=\"o\nld\"\n", " KEY = '' # x\n"];

    proptest! {
        #[test]
        fn any_value_is_read_back_and_every_other_line_stays(
            value in r#"([$'"\\# {}=`!A]|[^\n\r\x00]){0,60}"#,
            before in proptest::sample::subsequence(LINES, 0..LINES.len()),
            old in proptest::sample::select(OLD),
            after in proptest::sample::subsequence(LINES, 0..LINES.len()),
            cut in any::<bool>(),
        ) {
            let (before, mut after) = (before.concat(), after.concat());
            if cut {
                after.pop();
            }
            let text = format!("{before}{old}{after}");
            let secret = SecretString::from(value.clone());
            let new = set(&text, "KEY", &secret).unwrap();

            let line = format!("KEY={}\n", quote(&value));
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            let in_place = format!("{before}{line}{after}");
            let appended = format!("{text}{gap}{line}");
            prop_assert_eq!(&new, if old.is_empty() { &appended } else { &in_place });

            let (ours, others): (Vec<_>, Vec<_>) = read(&new).into_iter().partition(|(key, _)| key == "KEY");
            prop_assert_eq!(ours, [("KEY".to_owned(), value)]);
            prop_assert_eq!(others, read(&format!("{before}{after}")));
        }

        #[test]
        fn a_shell_reads_what_we_write(value in r#"([$'"\\# `!A]|[a-zé]){0,30}"#) {
            let script = format!("KEY={}\nprintf %s \"$KEY\"", quote(&value));
            let out = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
            prop_assert_eq!(String::from_utf8(out.stdout).unwrap(), value);
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_replaced_once_and_removed_once() {
        let text = "KEY=1\nA=2\nKEY='3'\n";
        assert_eq!(read(text).len(), 3);
        assert_eq!(set(text, "KEY", &"4".into()).unwrap(), "KEY='4'\nA=2\n");
    }

    #[test]
    fn a_byte_order_mark_is_kept_and_is_no_part_of_the_name() {
        let text = "\u{feff}KEY=1\r\n";
        assert_eq!(read(text), [("KEY".to_owned(), "1".to_owned())]);
        assert_eq!(set(text, "KEY", &"2".into()).unwrap(), "\u{feff}KEY='2'\n");
    }

    #[test]
    fn a_value_that_would_be_expanded_is_refused() {
        for value in ["sk-a$b", "\"${HOME}\"", "'a'$b", "a'b'\"$\"", "x#$y"] {
            let error = parse(&format!("A=1\n\nKEY={value}\n")).unwrap_err();
            let wanted = Error { line: 3, key: Some("KEY".into()), problem: Problem::Expansion };
            assert_eq!(error, wanted, "{value}");
        }
        for value in ["'sk-a$b'", "sk-a\\$b", "\"\\${HOME}\"", "x # $y", "#$y", "'it'\"'\"'$'"] {
            assert!(parse(&format!("KEY={value}\n")).is_ok(), "{value}");
        }
    }

    #[test]
    fn an_error_names_line_and_key_and_never_the_value() {
        let message = |text: &str| {
            let error = parse(text).unwrap_err();
            let shown = format!("{error} {error:?} {}", error.problem.hint());
            assert!(!shown.contains("sk-canary"), "{shown}");
            error.to_string()
        };
        assert_eq!(message("# x\nKEY='sk-canary\nB=1\n"), "line 2, KEY: not of the form KEY='value'");
        assert_eq!(message("KEY=sk-canary sk-canary\n"), "line 1, KEY: not of the form KEY='value'");
        assert_eq!(message("export KEY=\"sk-canary\\q\"\n"), "line 1, KEY: not of the form KEY='value'");
        assert_eq!(message("sk-canary\n"), "line 1: not of the form KEY='value'");
        assert_eq!(message("sk-canary=\n"), "line 1: not of the form KEY='value'");
        assert!(message("sk.sk-canary=\n").starts_with("line 1: "));
        assert!(message("sk.x=sk-canary\n").starts_with("line 1: the name may have only"));
    }
}
