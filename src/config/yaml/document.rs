//! One file of ours, read.

use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_yaml::{Mapping, Value};

use super::check::check;
use super::error::{Error, Place, Position, dotted, printable};
use super::keys::Keys;
use super::{meaning, tree};

/// A file's text, which is valid YAML, is a mapping (an empty text is an empty one) and has known keys only.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
    text: String,
    keys: &'static Keys,
    /// What the text means. Always a [`Value::Mapping`].
    value: Value,
}

impl Document {
    /// Reads the text of the file at `path`, which is not opened: it is there for messages. Anchors and aliases are
    /// understood, merge keys are refused.
    pub fn parse(path: &Path, text: &str, keys: &'static Keys) -> Result<Self, Error> {
        let document = Self::lenient(path, text, keys)?;
        match document.check(1).pop() {
            Some(error) => Err(error),
            None => Ok(document),
        }
    }

    /// All that is wrong with a text, in its order; nothing for one that [`Document::parse`] takes. Of very many, the first.
    /// With the document, whatever its keys, if the text is YAML at all.
    pub fn examine(path: &Path, text: &str, keys: &'static Keys) -> (Option<Self>, Vec<Error>) {
        const MOST: usize = 50;
        match Self::lenient(path, text, keys) {
            Ok(document) => {
                let problems = document.check(MOST);
                (Some(document), problems)
            }
            Err(error) => (None, vec![error]),
        }
    }

    /// A text that is valid YAML, whatever its keys: for an edit of one of them.
    pub fn lenient(path: &Path, text: &str, keys: &'static Keys) -> Result<Self, Error> {
        let value = match load(text) {
            Ok(Value::Null) => Value::Mapping(Mapping::new()),
            Ok(value) => value,
            Err(error) => return Err(unreadable(path, text, &error)),
        };
        Ok(Self { path: path.to_owned(), text: text.to_owned(), keys, value })
    }

    /// This document without the keys that problems name: what is right about the rest can be read.
    #[must_use]
    pub fn without(&self, problems: &[Error]) -> Self {
        static FREE: Keys = Keys::Free;
        let Ok(mut rest) = Self::lenient(&self.path, &self.text, &FREE) else { return self.clone() };
        for key in problems.iter().filter_map(Error::key) {
            let path: Vec<&str> = key.split('.').collect();
            rest = rest.unset(&path).unwrap_or(rest);
        }
        Self { keys: self.keys, ..rest }
    }

    fn check(&self, most: usize) -> Vec<Error> {
        check(&self.value, self.keys, most, &|key, item| {
            let key: Vec<&str> = key.iter().map(String::as_str).collect();
            let nearest = || nearest_position(&self.text, self.keys, &key);
            self.place(item.and_then(|item| self.item_position(&key, item)).or_else(nearest))
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The content as a value of the program's own. A key without a value reads as `None`, so let every field that
    /// may be left out be an `Option`. A plain `123` or `true` reads as a text too, where a text is expected.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let empty = self.value.as_mapping().is_some_and(Mapping::is_empty);
        // To the deserializer an empty text is not an empty mapping but the lack of any value.
        load(if empty { "{}" } else { &self.text }).map_err(|error| {
            let (position, message) = explain(&error);
            Error::Type { place: self.place(position), message }
        })
    }

    /// Where this key begins, by whichever of its names; none where the file does not have it. A key that is there by
    /// way of a YAML alias begins where the alias is used.
    pub fn position(&self, key: &[&str]) -> Option<Position> {
        meaning::get(&self.value, self.keys, key)?;
        nearest_position(&self.text, self.keys, key)
    }

    /// Where an item of the list at this key begins; where the key begins, if the list is not written out there.
    pub fn item_position(&self, key: &[&str], index: usize) -> Option<Position> {
        let position = self.position(key)?;
        let root = tree::root(&tree::parse(&self.text))?;
        let chain = tree::chain(&root, self.keys, key);
        let entry = chain.last().filter(|_| chain.len() == key.len());
        Some(entry.and_then(|entry| tree::item(&self.text, entry, index)).unwrap_or(position))
    }

    /// A place in this file, for an error of the caller's own: `document.place(document.position(key))`.
    pub fn place(&self, position: Option<Position>) -> Place {
        Place { path: self.path.clone(), position }
    }

    pub(super) fn keys(&self) -> &'static Keys {
        self.keys
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }
}

/// What a text means. The parser takes the byte order mark that some editors put at the start for a column of its own,
/// and then the second line for another document.
fn load<T: DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    serde_yaml::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Where the last part of `key` stands that is written out.
fn nearest_position(text: &str, keys: &Keys, key: &[impl AsRef<str>]) -> Option<Position> {
    let root = tree::root(&tree::parse(text))?;
    tree::position(text, tree::chain(&root, keys, key).last()?)
}

/// Why a text has no value: a key given twice, or no YAML at all.
fn unreadable(path: &Path, text: &str, error: &serde_yaml::Error) -> Error {
    let place = |position| Place { path: path.to_owned(), position };
    let valid = load::<IgnoredAny>(text).is_ok();
    let root = valid.then(|| tree::root(&tree::parse(text))).flatten();
    if let Some(twice) = root.and_then(|root| tree::duplicate(text, &root)) {
        let first = twice.first.line;
        return Error::Duplicate { place: place(Some(twice.second)), key: dotted(&twice.path), first };
    }
    let (position, message) = explain(error);
    Error::Syntax { place: place(position), message }
}

/// Where an error is, and what it is without saying the same place once more.
fn explain(error: &serde_yaml::Error) -> (Option<Position>, String) {
    let message = error.to_string();
    let Some(location) = error.location() else { return (None, printable(&message)) };
    let position = Position { line: location.line(), column: location.column() };
    let said = format!(" at line {} column {}", position.line, position.column);
    (Some(position), printable(&message.replacen(&said, "", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::fmt::Write;

    static KEYS: Keys = Keys::Map(&[
        ("variant", Keys::Leaf),
        ("image", Keys::AliasOf("variant")),
        ("danger", Keys::Leaf),
        ("llm", Keys::Map(&[("provider", Keys::Leaf), ("small_model", Keys::Leaf), ("env", Keys::Leaf)])),
        ("providers", Keys::Each(&Keys::Map(&[("wire", Keys::Leaf), ("env", Keys::Free)]))),
    ]);

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Settings {
        #[serde(alias = "image")]
        variant: Option<String>,
        danger: Option<bool>,
        llm: Option<Llm>,
        providers: BTreeMap<String, Option<Row>>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Llm {
        provider: Option<String>,
        small_model: Option<String>,
        env: Option<Env>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Env {
        Session,
        Container,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Row {
        wire: Option<String>,
        env: BTreeMap<String, String>,
    }

    fn parse(text: &str) -> Result<Document, Error> {
        Document::parse(Path::new("/p/.claude-reactor"), text, &KEYS)
    }

    fn read(text: &str) -> Settings {
        parse(text).unwrap().read().unwrap()
    }

    /// What is said about a text that cannot be used, and what to do.
    fn said(text: &str) -> (String, Option<String>) {
        let error = parse(text).and_then(|document| document.read::<Settings>()).unwrap_err();
        (error.to_string(), error.hint())
    }

    fn at(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn a_text_without_content_is_an_empty_mapping() {
        for text in ["", "\n", "# only this", "---\n", "# a\n---\n# b\n", "\u{feff}", "{}", "~"] {
            assert_eq!(read(text), Settings::default(), "{text:?}");
        }
        assert_eq!(read("variant:\nllm:\n"), Settings::default());
    }

    #[test]
    fn values_are_read() {
        let settings = read("\u{feff}image: go\ndanger: true\r\nllm: {provider: 123, env: container}\n");
        assert_eq!(settings.variant.as_deref(), Some("go"));
        assert_eq!(settings.danger, Some(true));
        let llm = settings.llm.unwrap();
        assert_eq!(llm.provider.as_deref(), Some("123"), "a text needs no quotes to be one");
        assert_eq!(llm.env, Some(Env::Container));
        let rows = read("providers:\n  acme: {wire: ollama, env: {A: '1', <<: x}}\n  12345678:\n").providers;
        assert_eq!(rows["acme"].as_ref().unwrap().env["A"], "1");
        assert_eq!(rows["12345678"], None);
    }

    #[test]
    fn an_alias_stands_for_its_anchor() {
        let document = parse("providers:\n  a: &row {wire: x}\n  b: *row\n").unwrap();
        let settings: Settings = document.read().unwrap();
        assert_eq!(settings.providers["a"], settings.providers["b"]);
        assert_eq!(document.position(&["providers", "b", "wire"]), Some(at(3, 3)));
    }

    #[test]
    fn positions_are_those_of_keys() {
        let document =
            parse("# é\nimage: go\r\nllm: {'env': session, provider: x}\nproviders:\n  é: {}\n").unwrap();
        assert_eq!(document.position(&["image"]), Some(at(2, 1)));
        assert_eq!(document.position(&["variant"]), Some(at(2, 1)), "by its other name");
        assert_eq!(document.position(&["llm", "provider"]), Some(at(3, 23)));
        assert_eq!(document.position(&["providers", "é"]), Some(at(5, 3)));
        assert_eq!(document.position(&["llm", "small_model"]), None);
        assert_eq!(document.position(&["danger"]), None);
        assert_eq!(document.place(document.position(&["llm"])).to_string(), "/p/.claude-reactor:3:1");
        assert_eq!(document.place(None).to_string(), "/p/.claude-reactor");
        assert_eq!(parse("\u{feff}danger: no").unwrap().position(&["danger"]), Some(at(1, 1)));
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        let cases = [
            (
                "variant: go\nllm:\n  providr: zai\n",
                "3:3: unknown key `llm.providr`",
                "did you mean `llm.provider`?",
            ),
            (
                "llm: {small-model: x}",
                "1:7: unknown key `llm.small-model`",
                "did you mean `llm.small_model`?",
            ),
            ("Danger: true", "1:1: unknown key `Danger`", "did you mean `danger`?"),
            ("imge: go", "1:1: unknown key `imge`", "did you mean `image`?"),
            ("provider: zai", "1:1: unknown key `provider`", "did you mean `llm.provider`?"),
            ("mounts: []", "1:1: unknown key `mounts`", "known keys here: variant, danger, llm, providers"),
            (
                "providers: {a: {wires: x}}",
                "1:17: unknown key `providers.a.wires`",
                "did you mean `providers.a.wire`?",
            ),
            ("true: x", "1:1: unknown key `true`", "known keys here: variant, danger, llm, providers"),
            (
                "\"\\e[31m\": x",
                "1:1: unknown key `\\u{1b}[31m`",
                "known keys here: variant, danger, llm, providers",
            ),
        ];
        for (text, message, hint) in cases {
            let (said, hinted) = said(text);
            assert_eq!(
                (said.as_str(), hinted.as_deref()),
                (&*format!("/p/.claude-reactor:{message}"), Some(hint))
            );
        }
    }

    #[test]
    fn other_errors_say_where_and_what() {
        let cases = [
            (
                "llm: zai",
                "1:1: `llm` is a text, not keys with values",
                Some("keys of `llm`: provider, small_model, env"),
            ),
            (
                "providers: {a: {env: [x]}}",
                "1:17: `providers.a.env` is a list, not keys with values",
                Some("write one `key: value` in a line below it, indented"),
            ),
            (
                "danger: true\nvariant: go\n'danger': no",
                "3:1: `danger` is there twice; the first one is in line 1",
                Some("remove one of them"),
            ),
            (
                "llm:\n  env: session\n  env: container",
                "3:3: `llm.env` is there twice; the first one is in line 2",
                Some("remove one of them"),
            ),
            (
                "image: a\nvariant: b",
                "2:1: `variant` is another name for `image`, which the file has already",
                Some("remove one of them"),
            ),
            (
                "providers:\n  a: &a {}\nllm:\n  <<: *a",
                "4:3: merge keys (`<<`) are not supported",
                Some("write the keys out instead"),
            ),
            (
                "llm:\n  provider: zai\n env: x",
                "3:2: not valid YAML: did not find expected key, while parsing a block mapping",
                None,
            ),
            (
                "variant: [a",
                "2:1: not valid YAML: did not find expected ',' or ']', while parsing a flow sequence at line 1 column 10",
                None,
            ),
            ("llm: *nowhere", "1:6: not valid YAML: unknown anchor", None),
            ("danger: maybe", "1:9: danger: invalid type: string \"maybe\", expected a boolean", None),
            (
                "llm:\n  env: both",
                "2:8: llm.env: unknown variant `both`, expected `session` or `container`",
                None,
            ),
            ("variant: [a]", "1:10: variant: invalid type: sequence, expected a string", None),
        ];
        for (text, message, hint) in cases {
            let (said, hinted) = said(text);
            assert_eq!((said.as_str(), hinted.as_deref()), (&*format!("/p/.claude-reactor:{message}"), hint));
        }
    }

    #[test]
    fn a_text_made_to_exhaust_us_is_refused() {
        let deep = format!("variant: {}{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(said(&deep).0, "/p/.claude-reactor:1:137: not valid YAML: recursion limit exceeded");
        let mut bomb = "providers:\n  a0: &a0 {wire: x}\n".to_owned();
        for i in 1..40 {
            writeln!(bomb, "  a{i}: &a{i} {{env: {{l: *a{0}, r: *a{0}}}}}", i - 1).unwrap();
        }
        assert_eq!(said(&bomb).0, "/p/.claude-reactor: not valid YAML: repetition limit exceeded");
    }

    #[test]
    fn a_text_that_is_no_mapping_is_refused() {
        for (text, message) in [
            ("variant=go\n", "the file is a text, not keys with values"),
            ("- a", "the file is a list, not keys with values"),
            (
                "a: 1\n---\nb: 2\n",
                "not valid YAML: deserializing from YAML containing more than one document is not supported",
            ),
        ] {
            assert_eq!(said(text).0, format!("/p/.claude-reactor: {message}"));
        }
    }

    #[test]
    fn a_message_is_short_and_fit_for_a_terminal() {
        let (long, _) = said(&format!("danger: {}", "x".repeat(5000)));
        assert!(long.len() < 300 && long.ends_with("expected a boolean"), "{long}");
        let (colored, _) = said("llm: {env: \"\\e[31mred\"}");
        assert!(colored.contains(r"unknown variant `\u{1b}[31mred`"), "{colored}");
    }
}
