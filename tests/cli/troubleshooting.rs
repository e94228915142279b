//! Every error message has its entry in docs/troubleshooting.md: a bold text that holds it, with `…` for what changes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A literal part of a message that is at least this long, in characters, tells it from all others.
const TELLING: usize = 12;

/// Messages without an entry of their own, each with the reason.
const EXEMPT: [(&str, &str); 10] = [
    ("{0}", "another's words: the builder's, or the engine's"),
    ("{error}", "another error, said once more"),
    ("{place}: {problem}", "a place, and a problem that has its own entry"),
    ("{place}: {message}", "a place, and what the YAML reader says of it"),
    ("{place}: {key}: {problem}", "a place and a key, and a problem that has its own entry"),
    ("{}:{line}: {problem}", "a place, and a problem that has its own entry"),
    ("{name}: {problem}", "a variable's name, and a problem that has its own entry"),
    ("{words} ({source})", "words of ours that have their own entry, and those of TLS"),
    ("`{}`, {line}", "a file, and a problem of a line that has its own entry"),
    ("line {line}{}: {problem}", "a line, and a problem that has its own entry"),
];

/// A message as its `#[error("…")]` has it.
#[derive(Debug)]
struct Message {
    file: PathBuf,
    format: String,
}

impl Message {
    /// Its literal parts, without what stands at their ends, and with what is typeset alike.
    fn parts(&self) -> Vec<String> {
        let mut parts = vec![String::new()];
        let mut depth = 0_u32;
        let mut chars = self.format.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if depth == 0 && chars.peek() == Some(&c) => {
                    chars.next();
                    parts.last_mut().unwrap().push(c);
                }
                '{' => {
                    depth += 1;
                    if depth == 1 {
                        parts.push(String::new());
                    }
                }
                '}' => depth -= 1,
                c if depth == 0 => parts.last_mut().unwrap().push(c),
                _ => {}
            }
        }
        parts.iter().map(|part| plain(part)).collect()
    }

    /// What a bold text of the documentation has to hold.
    fn telling(&self) -> String {
        let parts = self.parts();
        let end = |c: char| !c.is_alphanumeric();
        let longest = parts.iter().max_by_key(|part| part.trim_matches(end).chars().count()).unwrap();
        let longest = longest.trim_matches(end);
        if longest.chars().count() >= TELLING { longest.to_owned() } else { self.whole() }
    }

    /// The entry to add, as its first words.
    fn entry(&self) -> String {
        format!("**{}** — what it means, and what to do.", self.whole())
    }

    /// All of it, with `…` for what changes.
    fn whole(&self) -> String {
        plain(&self.parts().join("…")).replace("……", "…")
    }
}

/// A text without code marks, in one line.
fn plain(text: &str) -> String {
    let words = text.replace('`', "");
    let lead = if words.starts_with(char::is_whitespace) { " " } else { "" };
    let tail = if words.ends_with(char::is_whitespace) { " " } else { "" };
    format!("{lead}{}{tail}", words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The messages of a source file.
fn messages(file: &Path, text: &str) -> Vec<Message> {
    let mut found = Vec::new();
    for (at, opening) in text.match_indices("#[error(") {
        let rest = text[at + opening.len()..].trim_start();
        if rest.starts_with("transparent") {
            continue;
        }
        let Some(literal) = rest.strip_prefix('"') else {
            panic!("{}: this test reads `#[error(\"…\")]` only: {:.60}", file.display(), rest)
        };
        found.push(Message { file: file.to_owned(), format: unescaped(literal) });
    }
    found
}

/// The content of a string literal, from behind its opening quotation mark to its closing one.
fn unescaped(literal: &str) -> String {
    let mut text = String::new();
    let mut chars = literal.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return text,
            '\\' => match chars.next().expect("an escape has a character") {
                'n' => text.push('\n'),
                // The line goes on where the next one's words begin.
                '\n' => {
                    let rest = chars.as_str().trim_start();
                    chars = rest.chars();
                }
                other => text.push(other),
            },
            c => text.push(c),
        }
    }
    panic!("a string literal has an end: {literal:.60}")
}

fn sources(folder: &Path, found: &mut Vec<Message>) {
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.extend(messages(&path, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The bold texts of a page.
fn bold(page: &str) -> Vec<String> {
    page.split("**").skip(1).step_by(2).map(plain).collect()
}

#[test]
fn every_error_message_has_its_entry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    sources(&root.join("src"), &mut all);
    assert!(all.len() > 100, "the messages were not found");
    let page = std::fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
    let bold = bold(&page);
    let is_exempt = |message: &Message| EXEMPT.iter().any(|(format, _)| *format == message.format);
    let mut missing = String::new();
    for message in all.iter().filter(|message| !is_exempt(message)) {
        let telling = message.telling();
        if !bold.iter().any(|bold| bold.contains(&telling)) {
            let file = message.file.strip_prefix(root).unwrap();
            let _ = writeln!(missing, "  {} (of {})", message.entry(), file.display());
        }
    }
    assert!(
        missing.is_empty(),
        "docs/troubleshooting.md lacks these entries; add each where it belongs:\n{missing}"
    );
    let unused: Vec<_> =
        EXEMPT.iter().filter(|(format, _)| !all.iter().any(|message| message.format == *format)).collect();
    assert!(unused.is_empty(), "no message needs these exemptions any more: {unused:?}");
}

#[test]
fn messages_are_found_and_told_apart() {
    let source = r#"
        #[error(transparent)]
        A(B),
        #[error("the thing `{name}` is not {{there}}: {}", shown(.path))]
        C,
        #[error(
            "a message in two \
             lines, {0:?}"
        )]
        D(char),
        #[error("cannot {action}")]
        E,
    "#;
    let found = messages(Path::new("x.rs"), source);
    let telling: Vec<_> = found.iter().map(Message::telling).collect();
    assert_eq!(telling, ["is not {there", "a message in two lines", "cannot …"]);
    assert_eq!(found[0].entry(), "**the thing … is not {there}: …** — what it means, and what to do.");
    assert_eq!(bold("a **b `c`\nd** e **f**"), ["b c d", "f"]);
}
