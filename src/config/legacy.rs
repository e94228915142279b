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
                return Err(Error::Value {
                    place,
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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::config::file::CHOICES_KEYS;
    use crate::config::yaml::Document;

    const PATH: &str = "/p/.claude-reactor";

    fn converted(text: &str) -> Converted {
        to_yaml(Path::new(PATH), text).unwrap().unwrap_or_else(|| panic!("{text:?} is not of the old form"))
    }

    /// What the YAML says.
    fn read(yaml: &str) -> BTreeMap<String, Option<String>> {
        #[derive(serde::Deserialize)]
        struct All(BTreeMap<String, Option<String>>);
        let document = Document::parse(Path::new(PATH), yaml, &CHOICES_KEYS);
        let document = document.unwrap_or_else(|error| panic!("{yaml:?}: {error}"));
        document.read::<All>().unwrap_or_else(|error| panic!("{yaml:?}: {error}")).0
    }

    /// What the old tools understood.
    fn model(text: &str) -> BTreeMap<String, Option<String>> {
        let mut values = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim());
            let value = match kind(key) {
                Some(Kind::Flag) => Some((value == "true").to_string()),
                Some(Kind::Text) => (!value.is_empty()).then(|| value.to_owned()),
                _ => continue,
            };
            values.insert(key.to_owned(), value);
        }
        values
    }

    #[test]
    fn every_line_becomes_a_line() {
        let text = "# mine\nvariant=base\n\n  danger = true  \naccount=\nvariant=a b # c\ncontainer_id=0a1b\ntheme=dark\nhello\n";
        let Converted { yaml, warnings } = converted(text);
        assert_eq!(
            yaml,
            "# mine\n# variant=base\n\ndanger: true\naccount:\nvariant: \"a b # c\"\n# container_id=0a1b\n# theme=dark\n# hello\n"
        );
        assert_eq!(
            warnings,
            [
                "/p/.claude-reactor:8: `theme` is no key of the old key=value form; the line is ignored",
                "/p/.claude-reactor:9: neither key=value nor a comment; the line is ignored",
            ]
        );
    }

    #[test]
    fn only_true_is_true() {
        for (value, flag) in
            [("true", true), ("True", false), ("1", false), ("yes", false), ("", false), ("true # x", false)]
        {
            assert_eq!(converted(&format!("danger={value}")).yaml, format!("danger: {flag}\n"));
        }
    }

    #[test]
    fn a_text_that_yaml_would_take_for_something_else_gets_quotes() {
        for value in [
            "true",
            "null",
            "~",
            "1e3",
            "0",
            "[a]",
            "a: b",
            "- a",
            "a\"b\\",
            "é\u{2028}\u{7}",
            "*a",
            "#a",
            "a #b",
            "@x",
            "0x1F",
        ] {
            let yaml = converted(&format!("account={value}")).yaml;
            assert_eq!(read(&yaml)["account"].as_deref(), Some(value), "{yaml:?}");
        }
        assert_eq!(converted("variant=ghcr.io/x/y:latest\r\n").yaml, "variant: ghcr.io/x/y:latest\n");
    }

    #[test]
    fn yaml_is_not_of_the_old_form() {
        for yaml in [
            "",
            "\n# only this, a=b\n",
            "variant: base\n",
            "variant : a=b\n",
            "llm:\n  model: a=b\n",
            "{variant: a=b}\n",
            "{danger=true}",
            "---\nvariant: base\n",
            "%YAML 1.2\n---\nvariant: base\n",
            "\"variant\": a=b\n",
            "? variant\n: a=b\n",
            "&a\nvariant: a=b\n",
            "- a=b\n",
            "variant:\n",
            "variant:\nx=y\n",
            "just a text\n",
        ] {
            assert!(!is_legacy(yaml), "{yaml:?}");
            assert_eq!(to_yaml(Path::new(PATH), yaml).unwrap(), None);
        }
        for old in
            ["a=", "\u{feff}# x\n\n\tvariant=a: b", "garbage\nvariant = go", "variant==", "danger=true\r\n"]
        {
            assert!(is_legacy(old), "{old:?}");
        }
    }

    #[test]
    fn a_line_of_yaml_in_the_old_form_is_not_ignored() {
        for text in
            ["variant=base\nllm:\n  provider: zai\n", "danger=true\nvariant: go\n", "a=b\n{danger: true}\n"]
        {
            let error = to_yaml(Path::new(PATH), text).unwrap_err();
            let wanted = "/p/.claude-reactor:2: a line of YAML in a file of the old key=value form";
            assert_eq!(error.to_string(), wanted);
        }
    }

    #[test]
    fn not_every_one_of_many_lines_is_named() {
        let text = (0..100).fold(String::new(), |text, index| text + &format!("key{index}=x\n"));
        let warnings = converted(&text).warnings;
        assert_eq!(warnings.len(), MOST_WARNINGS + 1);
        assert_eq!(warnings.last().unwrap(), "/p/.claude-reactor: 95 more such lines");
    }

    proptest! {
        #[test]
        fn what_the_old_tools_understood_is_what_the_yaml_says(
            lines in proptest::collection::vec(
                prop_oneof![
                    ("(variant|account|danger|ssh_agent|ssh_agent_socket|theme|last_session_id)", " ?= ?", r"(true|[ -~]{0,12}|[^\r\n]{0,8})")
                        .prop_map(|(key, equals, value)| format!("{key}{equals}{value}")),
                    r"[ \t]{0,2}#[^\r\n]{0,12}",
                    "[ \t]{0,3}",
                    "[a-z ]{0,6}",
                ],
                1..8,
            ),
        ) {
            let text = lines.join("\n");
            prop_assume!(is_legacy(&text));
            let Ok(Some(Converted { yaml, .. })) = to_yaml(Path::new(PATH), &text) else { return Ok(()) };
            prop_assert_eq!(yaml.lines().count(), text.lines().count());
            prop_assert_eq!(read(&yaml), model(&text), "{:?}", yaml);
            prop_assert!(!is_legacy(&yaml), "{:?}", yaml);
        }

        #[test]
        fn any_text_is_taken_without_a_panic(text in any::<String>()) {
            let _ = to_yaml(Path::new(PATH), &text);
        }
    }
}
