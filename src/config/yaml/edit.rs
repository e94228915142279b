//! Changing one key of a text, and nothing else.
//!
//! Two ways of editing are tried where there are two, and neither is trusted: [`Document::accept`] lets a text through
//! only if it reads as what was to be said.

use std::fmt;
use std::ops::Range;

use serde_yaml::Value;
use yaml_edit::{Mapping, MappingEntry, ScalarValue, Sequence, YamlFile, YamlValue};

use super::check::unknown;
use super::document::Document;
use super::error::{Error, dotted, printable};
use super::keys::Keys;
use super::{meaning, tree};

/// A value that can be written into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A text; written with quotes where without them it would be read as something else.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written; where YAML would read it as another text, it is written as a text.
    Number(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{}\"", printable(text)),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Number(text) => write!(f, "{}", printable(text)),
        }
    }
}

impl Document {
    /// This document with the value at `key` set, and its text otherwise as it was: order, comments, blank lines,
    /// quotes and line ends. Mappings on the way to the key are made where missing. A key the file has under another
    /// name keeps that name; a new one gets its own.
    ///
    /// Fails where the key is unknown, and where the text is written such that the change would be more than that.
    pub fn set(&self, key: &[&str], value: &Scalar) -> Result<Self, Error> {
        let key = self.canonical(key)?;
        let cannot = || self.cannot_edit(&key, format!("set `{}` to {value} in that file", dotted(&key)));
        if matches!(self.keys().at(&key), Some(Keys::Map(_) | Keys::Each(_))) {
            return Err(cannot());
        }
        let new = match value {
            Scalar::Text(text) => Value::from(text.as_str()),
            Scalar::Bool(flag) => Value::from(*flag),
            Scalar::Number(text) => match serde_yaml::from_str(text) {
                Ok(Value::Number(number)) if number.to_string() == *text => Value::Number(number),
                _ => Value::from(text.as_str()),
            },
        };
        let mut expected = self.value().clone();
        if !meaning::insert(&mut expected, self.keys(), &key, new) {
            return Err(cannot());
        }
        if expected == *self.value() {
            return Ok(self.clone());
        }
        // The editor's own judgement of which texts need quotes is right for blocks; inside `{…}`
        // it is not always.
        [Quotes::AsNeeded, Quotes::Always]
            .into_iter()
            .filter_map(|quotes| with_key(self.text(), self.keys(), &key, value, quotes))
            .find_map(|text| self.accept(&text, &expected))
            .ok_or_else(cannot)
    }

    /// This document with the list at `key` set: items that stay keep their lines, new ones come last where they are new
    /// at the end. An empty list is as good as none.
    ///
    /// Fails as [`Document::set`] does.
    pub fn set_list(&self, key: &[&str], items: &[String]) -> Result<Self, Error> {
        if items.is_empty() {
            return self.unset(key);
        }
        let key = self.canonical(key)?;
        let cannot = || self.cannot_edit(&key, format!("set `{}` to {items:?} in that file", dotted(&key)));
        let new = Value::Sequence(items.iter().map(|item| Value::from(item.as_str())).collect());
        let mut expected = self.value().clone();
        if !meaning::insert(&mut expected, self.keys(), &key, new) {
            return Err(cannot());
        }
        if expected == *self.value() {
            return Ok(self.clone());
        }
        let edits = [with_items, with_list];
        let quotes = [Quotes::AsNeeded, Quotes::Always];
        edits
            .iter()
            .flat_map(|edit| quotes.map(|quotes| edit(self.text(), self.keys(), &key, items, quotes)))
            .flatten()
            .find_map(|text| self.accept(&text, &expected))
            .ok_or_else(cannot)
    }

    /// The texts of the list at `key`; nothing where there is none.
    pub fn list(&self, key: &[&str]) -> Vec<String> {
        let list = meaning::get(self.value(), self.keys(), key).and_then(Value::as_sequence);
        list.into_iter().flatten().map(meaning::spelling).collect()
    }

    /// The scalar at `key` as a text; nothing where there is none.
    pub fn text_at(&self, key: &[&str]) -> Option<String> {
        let value = meaning::get(self.value(), self.keys(), key)?;
        let is_scalar = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        is_scalar.then(|| meaning::spelling(value))
    }

    /// This document without `key`, and without the mappings that would have nothing left; otherwise its text as it
    /// was. Comments stay, but for one at the end of a line that goes.
    ///
    /// Fails as [`Document::set`] does.
    pub fn unset(&self, key: &[&str]) -> Result<Self, Error> {
        let key = self.canonical(key)?;
        if meaning::get(self.value(), self.keys(), &key).is_none() {
            return Ok(self.clone());
        }
        let mut expected = self.value().clone();
        meaning::remove(&mut expected, self.keys(), &key);
        [without_lines, without_entry]
            .iter()
            .filter_map(|edit| edit(self.text(), self.keys(), &key))
            .find_map(|text| self.accept(&text, &expected))
            .ok_or_else(|| self.cannot_edit(&key, format!("remove `{}` from that file", dotted(&key))))
    }

    /// The document of an edited text, if that text means what it has to.
    fn accept(&self, text: &str, expected: &Value) -> Option<Self> {
        Self::lenient(self.path(), text, self.keys()).ok().filter(|document| document.value() == expected)
    }

    /// The key by the names that are no other names.
    fn canonical<'k>(&self, key: &[&'k str]) -> Result<Vec<&'k str>, Error> {
        let mut keys = self.keys();
        let mut names = Vec::new();
        for name in key {
            let Some((name, below)) = keys.child(name) else {
                return Err(unknown(self.keys(), key, self.place(None)));
            };
            names.push(name);
            keys = below;
        }
        Ok(names)
    }

    fn cannot_edit(&self, key: &[&str], by_hand: String) -> Error {
        Error::CannotEdit { place: self.place(self.position(key)), key: dotted(key), by_hand }
    }
}

/// Which texts are written with quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// Those that the editor finds in need of them.
    AsNeeded,
    /// All.
    Always,
}

/// The text with the value put at `key`.
fn with_key(text: &str, keys: &Keys, key: &[&str], value: &Scalar, quotes: Quotes) -> Option<String> {
    let (file, mapping, keys, last) = holder(text, keys, key)?;
    match value {
        Scalar::Text(text) => put(&mapping, keys, last, written(text, quotes)),
        Scalar::Bool(flag) => put(&mapping, keys, last, *flag),
        Scalar::Number(text) if quotes == Quotes::AsNeeded => {
            put(&mapping, keys, last, YamlValue::Scalar(ScalarValue::parse(text)));
        }
        Scalar::Number(text) => put(&mapping, keys, last, written(text, Quotes::AsNeeded)),
    }
    Some(with_line_ends_of(text, file.to_string()))
}

/// The text with the whole list put at `key`.
fn with_list(text: &str, keys: &Keys, key: &[&str], items: &[String], quotes: Quotes) -> Option<String> {
    let (file, mapping, keys, last) = holder(text, keys, key)?;
    let flow = mapping.is_flow_style();
    put(&mapping, keys, last, if flow { Sequence::new_flow() } else { Sequence::new_pending_block() });
    let sequence = tree::entry(&mapping, keys, last)?.value_node()?.as_sequence().cloned()?;
    for item in items {
        sequence.push(written(item, quotes));
    }
    Some(with_line_ends_of(text, file.to_string()))
}

/// The text with the list's items taken away that are not to stay, and the new ones added at its end.
fn with_items(text: &str, keys: &Keys, key: &[&str], items: &[String], quotes: Quotes) -> Option<String> {
    let (file, mapping, keys, last) = holder(text, keys, key)?;
    let sequence = tree::entry(&mapping, keys, last)?.value_node()?.as_sequence().cloned()?;
    let mut wanted = items.iter().peekable();
    let mut gone = Vec::new();
    for (index, value) in sequence.values().enumerate() {
        let value = value.as_scalar()?.as_string();
        if wanted.next_if(|item| **item == value).is_none() {
            gone.push(index);
        }
    }
    if gone.len() == sequence.len() {
        return None;
    }
    for index in gone.into_iter().rev() {
        sequence.remove(index)?;
    }
    for item in wanted {
        sequence.push(written(item, quotes));
    }
    Some(with_line_ends_of(text, file.to_string()))
}

/// A text as the editor is to write it.
fn written(text: &str, quotes: Quotes) -> YamlValue {
    YamlValue::Scalar(match quotes {
        Quotes::Always => ScalarValue::double_quoted(text),
        Quotes::AsNeeded => ScalarValue::string(text),
    })
}

/// The text as a tree, the mapping in it that holds `key`, made where it is missing, what may be in it, and its name there.
fn holder<'k>(text: &str, keys: &'k Keys, key: &[&'k str]) -> Option<(YamlFile, Mapping, &'k Keys, &'k str)> {
    let file = tree::parse(text);
    let (last, parents) = key.split_last()?;
    let root = tree::root(&file).or_else(|| {
        // The editor makes the outermost mapping along with its first entry only.
        file.ensure_document().set(key[0], Mapping::new_pending_block()).then(|| tree::root(&file))?
    })?;
    let (mut mapping, mut keys) = (root, keys);
    for name in parents {
        mapping = mapping_at(&mapping, keys, name)?;
        keys = keys.child(name)?.1;
    }
    Some((file, mapping, keys, last))
}

/// The editor ends the line of a value that replaces a text of several lines the Unix way.
fn with_line_ends_of(text: &str, edited: String) -> String {
    let windows = text.contains('\n') && text.matches('\n').count() == text.matches("\r\n").count();
    if windows { edited.replace("\r\n", "\n").replace('\n', "\r\n") } else { edited }
}

/// The mapping at `name`, made if there is none; none if another value is there.
fn mapping_at(mapping: &Mapping, keys: &Keys, name: &str) -> Option<Mapping> {
    if let Some(entry) = tree::entry(mapping, keys, name) {
        if let Some(held) = tree::held(&entry) {
            return Some(held);
        }
        if !entry.value_node()?.as_scalar()?.is_null() {
            return None;
        }
    }
    let empty = if mapping.is_flow_style() { Mapping::new_flow() } else { Mapping::new_pending_block() };
    put(mapping, keys, name, empty);
    tree::held(&tree::entry(mapping, keys, name)?)
}

/// Sets one entry of a mapping. One that is there is named as it is spelled: `1:` and `"1":` are two keys to the editor.
fn put(mapping: &Mapping, keys: &Keys, name: &str, value: impl yaml_edit::AsYaml) {
    match tree::entry(mapping, keys, name).and_then(|entry| entry.key_node()) {
        Some(spelled) => mapping.set(spelled, value),
        None => mapping.set(name, value),
    }
}

/// The text without the lines of `key` and of the mappings that hold nothing else. Comment lines stay, which the
/// editor would take along; where other keys share those lines, the result is no good.
fn without_lines(text: &str, keys: &Keys, key: &[&str]) -> Option<String> {
    let file = tree::parse(text);
    let (_, doomed) = doomed(&tree::root(&file)?, keys, key)?;
    let (last, parents) = doomed.split_last()?;
    let mut lines: Vec<Range<usize>> = Vec::new();
    for entry in parents {
        let at = entry.key_node()?.byte_range();
        lines.push(line_around(text, at.start as usize, at.end as usize));
    }
    let (at, value) = (last.key_node()?.byte_range(), last.value_node()?.byte_range());
    lines.push(line_around(text, at.start as usize, at.end.max(value.end) as usize));
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for line in lines {
        left.push_str(text.get(from..line.start).unwrap_or_default());
        from = from.max(line.end);
    }
    left.push_str(text.get(from..)?);
    Some(left)
}

/// The text without the entry of `key`, or of the outermost mapping that holds nothing else.
fn without_entry(text: &str, keys: &Keys, key: &[&str]) -> Option<String> {
    let file = tree::parse(text);
    let (mapping, doomed) = doomed(&tree::root(&file)?, keys, key)?;
    mapping.remove(doomed.first()?.key_node()?)?;
    Some(file.to_string())
}

/// The entries that go when `key` goes: its own, after those of the mappings it is alone in; and the mapping that
/// holds the first of them.
fn doomed(root: &Mapping, keys: &Keys, key: &[&str]) -> Option<(Mapping, Vec<MappingEntry>)> {
    let chain = tree::chain(root, keys, key);
    if chain.len() != key.len() {
        return None;
    }
    let mut holder = root.clone();
    let mut doomed = Vec::new();
    let mut mapping = root.clone();
    for entry in chain {
        if mapping.len() > 1 || doomed.is_empty() {
            holder = mapping;
            doomed.clear();
        }
        mapping = tree::held(&entry).unwrap_or_default();
        doomed.push(entry);
    }
    Some((holder, doomed))
}

/// The whole lines that `start..end` touches, with the last one's line end. A text that ends in its own line end (a
/// block scalar does) does not touch the next line.
fn line_around(text: &str, start: usize, end: usize) -> Range<usize> {
    let last = end.saturating_sub(1);
    let bytes = text.as_bytes();
    let from = bytes[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let to = bytes[last..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| last + at + 1);
    from..to
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    static KEYS: Keys = Keys::Map(&[
        ("variant", Keys::Leaf),
        ("image", Keys::AliasOf("variant")),
        ("danger", Keys::Leaf),
        ("list", Keys::List),
        (
            "llm",
            Keys::Map(&[
                ("provider", Keys::Leaf),
                ("model", Keys::Leaf),
                ("env", Keys::Leaf),
                ("x", Keys::Free),
            ]),
        ),
        ("projects", Keys::Each(&Keys::Map(&[("account", Keys::Leaf)]))),
        ("base", Keys::Free),
    ]);

    fn document(text: &str) -> Document {
        Document::parse(Path::new("/p/.claude-reactor"), text, &KEYS).unwrap()
    }

    fn text(value: &str) -> Scalar {
        Scalar::Text(value.to_owned())
    }

    fn set(before: &str, key: &[&str], value: &Scalar) -> String {
        document(before).set(key, value).unwrap_or_else(|e| panic!("{before:?}: {e:?}")).text().to_owned()
    }

    fn unset(before: &str, key: &[&str]) -> String {
        document(before).unset(key).unwrap().text().to_owned()
    }

    #[test]
    fn a_text_that_only_a_block_can_have_bare_gets_quotes_elsewhere() {
        for value in ["O:?", "qwen3:8b", "a, b", "}"] {
            for before in ["llm: {model: x, env: y}\n", "llm:\n  model: x\n"] {
                let after = document(&set(before, &["llm", "model"], &text(value)));
                assert_eq!(after.value()["llm"]["model"], value, "{before:?}");
            }
        }
    }

    #[test]
    fn a_value_is_put_where_it_belongs() {
        let cases = [
            // No mapping yet.
            ("", "llm:\n  provider: zai\n"),
            ("\n", "\nllm:\n  provider: zai\n"),
            ("# c\n", "# c\nllm:\n  provider: zai\n"),
            ("# c", "# c\nllm:\n  provider: zai\n"),
            ("# c\r\n", "# c\r\nllm:\r\n  provider: zai\r\n"),
            ("---\n", "---\nllm:\n  provider: zai\n"),
            ("# c\n---\n", "# c\n---\nllm:\n  provider: zai\n"),
            ("---\n...\n", "---\nllm:\n  provider: zai\n...\n"),
            ("%YAML 1.2\n---\ndanger: no\n", "%YAML 1.2\n---\ndanger: no\nllm:\n  provider: zai\n"),
            ("\u{feff}danger: no\n", "\u{feff}danger: no\nllm:\n  provider: zai\n"),
            // No section yet.
            ("danger: no", "danger: no\nllm:\n  provider: zai\n"),
            ("danger: no # c", "danger: no # c\nllm:\n  provider: zai\n"),
            ("danger: no\n\n# end\n", "danger: no\n\n# end\nllm:\n  provider: zai\n"),
            ("danger: no\n...\n# after\n", "danger: no\nllm:\n  provider: zai\n...\n# after\n"),
            ("variant: |\n  go\n", "variant: |\n  go\nllm:\n  provider: zai\n"),
            ("{danger: no}\n", "{danger: no, llm: {provider: zai}}\n"),
            ("  danger: no\n", "  danger: no\n  llm:\n    provider: zai\n"),
            // A section without content.
            ("llm:\ndanger: no\n", "llm:\n  provider: zai\ndanger: no\n"),
            ("llm: # why\ndanger: no\n", "llm: # why\n  provider: zai\ndanger: no\n"),
            ("llm: ~\n", "llm:\n  provider: zai\n"),
            ("llm:", "llm:\n  provider: zai\n"),
            ("llm: {} # c\n", "llm: {provider: zai} # c\n"),
            ("llm:\n  # model: x\ndanger: no\n", "llm:\n  provider: zai\n  # model: x\ndanger: no\n"),
            // A section.
            (
                "llm:\n  model: x # c\n\n# d\ndanger: no\n",
                "llm:\n  model: x # c\n  provider: zai\n\n# d\ndanger: no\n",
            ),
            (
                "llm:\r\n  model: x\r\ndanger: no\r\n",
                "llm:\r\n  model: x\r\n  provider: zai\r\ndanger: no\r\n",
            ),
            ("llm:\n    model: x\n", "llm:\n    model: x\n    provider: zai\n"),
            ("llm: {model: x}", "llm: {model: x, provider: zai}"),
            ("--- \nllm:\n  model: x\n", "--- \nllm:\n  model: x\n  provider: zai\n"),
            ("llm: &a\n  model: x\n", "llm: &a\n  model: x\n  provider: zai\n"),
            // The key.
            ("llm: {provider: claude}\n", "llm: {provider: zai}\n"),
            ("llm:\n  provider: claude # c\n  # d\n", "llm:\n  provider: zai # c\n  # d\n"),
            ("llm:\n  provider: 'claude'\n  model: x\n", "llm:\n  provider: zai\n  model: x\n"),
            ("llm:\n  provider: # c\n  model: x\n", "llm:\n  provider: zai # c\n  model: x\n"),
            ("llm:\n  provider: >-\n    a\n    b\n  model: x\n", "llm:\n  provider: zai\n  model: x\n"),
            ("llm:\r\n  provider: |\r\n    a\r\n  model: x\r\n", "llm:\r\n  provider: zai\r\n  model: x\r\n"),
            ("\"llm\":\n  'provider': a", "\"llm\":\n  'provider': zai"),
            ("? llm\n: provider: a\n", "? llm\n: provider: zai\n"),
        ];
        for (before, after) in cases {
            assert_eq!(set(before, &["llm", "provider"], &text("zai")), after, "before: {before:?}");
        }
    }

    #[test]
    fn a_value_that_is_there_already_leaves_the_text_alone() {
        for before in ["llm:   {  'provider':   \"zai\"  }", "llm:\n  provider:    'zai'   \n\n\n"] {
            assert_eq!(set(before, &["llm", "provider"], &text("zai")), before);
        }
        assert_eq!(unset("danger:   no", &["llm", "provider"]), "danger:   no");
        assert_eq!(unset("llm: ~", &["llm", "provider"]), "llm: ~");
    }

    #[test]
    fn every_type_is_written_as_itself() {
        assert_eq!(set("danger: false\n", &["danger"], &Scalar::Bool(true)), "danger: true\n");
        assert_eq!(set("danger: true\n", &["danger"], &text("true")), "danger: 'true'\n");
        assert_eq!(set("", &["variant"], &text("two\nlines")), "variant: |-\n  two\n  lines\n");
    }

    #[test]
    fn a_key_keeps_the_name_the_file_has_for_it() {
        assert_eq!(set("image: go\n", &["variant"], &text("full")), "image: full\n");
        assert_eq!(set("", &["image"], &text("full")), "variant: full\n");
        assert_eq!(unset("image: go\n", &["variant"]), "");
    }

    #[test]
    fn a_key_that_looks_like_a_number_is_a_text() {
        let key = ["projects", "12345678", "account"];
        let written = set("", &key, &text("bob"));
        assert_eq!(written, "projects:\n  '12345678':\n    account: bob\n");
        assert_eq!(set(&written, &key, &text("eve")), "projects:\n  '12345678':\n    account: eve\n");
        assert_eq!(
            set("projects:\n  12345678:\n    account: bob\n", &key, &text("eve")),
            "projects:\n  12345678:\n    account: eve\n"
        );
        let exponent = ["projects", "12e45678", "account"];
        assert_eq!(set("", &exponent, &text("bob")), "projects:\n  '12e45678':\n    account: bob\n");
    }

    #[test]
    fn a_key_goes_with_what_it_leaves_empty() {
        let cases = [
            ("llm:\n  provider: zai\n", ""),
            ("# top\nllm:\n  # why\n  provider: zai # end\n  # tail\n", "# top\n  # why\n  # tail\n"),
            ("danger: no\nllm:\n  provider: zai", "danger: no\n"),
            ("danger: no\r\nllm:\r\n  provider: zai\r\nvariant: go\r\n", "danger: no\r\nvariant: go\r\n"),
            (
                "llm:\n  # about it\n  provider: zai\n  # model\n  model: x\n",
                "llm:\n  # about it\n  # model\n  model: x\n",
            ),
            ("llm:\n  provider:\n  model: x\n", "llm:\n  model: x\n"),
            ("llm:\n  provider: |+\n    a\n\n\n  model: é\n", "llm:\n  model: é\n"),
            ("llm:\n  provider: é", ""),
            ("llm: {provider: zai} # c\ndanger: no\n", "danger: no\n"),
            ("llm: {provider: zai, model: x}\n", "llm: {model: x}\n"),
            ("{llm: {provider: zai}, danger: no}\n", "{danger: no}\n"),
            ("{llm: {provider: zai}}\n", ""),
            ("---\nllm:\n  provider: zai\n", "---\n"),
            ("? llm\n: provider: a\n", ""),
            // The comment would become a line of the text above it.
            ("variant: |\n  go\nllm:\n  # c\n  provider: zai\n", "variant: |\n  go\n"),
            // What an alias stands for outlives the place it was first written.
            ("llm: {model: x, provider: &p zai}\nvariant: *p\n", "llm: {model: x}\nvariant: &p zai\n"),
        ];
        for (before, after) in cases {
            assert_eq!(unset(before, &["llm", "provider"]), after, "before: {before:?}");
        }
    }

    #[test]
    fn a_text_where_more_would_change_is_refused() {
        let provider = ["llm", "provider"];
        for before in ["base: &b {provider: x}\nllm: *b\n", "base: &b\n  provider: x\nllm: *b\n"] {
            assert!(matches!(document(before).set(&provider, &text("zai")), Err(Error::CannotEdit { .. })));
            assert!(matches!(document(before).unset(&provider), Err(Error::CannotEdit { .. })));
        }
        let shared = "llm: &b\n  provider: x\nbase: *b\n";
        assert!(matches!(document(shared).set(&provider, &text("zai")), Err(Error::CannotEdit { .. })));
        let error = document("base: &b {provider: x}\nllm: *b\n").set(&provider, &text("zai")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/p/.claude-reactor:2:1: `llm.provider` cannot be changed without the risk of changing more than that"
        );
        assert_eq!(error.hint().unwrap(), "set `llm.provider` to \"zai\" in that file by hand");
        let error = document("base: &b {provider: x}\nllm: *b\n").unset(&provider).unwrap_err();
        assert_eq!(error.hint().unwrap(), "remove `llm.provider` from that file by hand");
    }

    #[test]
    fn a_list_keeps_the_lines_that_stay() {
        let set = |before: &str, items: &[&str]| {
            let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
            document(before).set_list(&["list"], &items).unwrap().text().to_owned()
        };
        assert_eq!(set("", &["~/a", "/b:/c:ro"]), "list:\n  - ~/a\n  - /b:/c:ro\n");
        assert_eq!(set("{danger: no}\n", &["a"]), "{danger: no, list: [a]}\n");
        let block = "list:\n  - a # one\n  # two\n  - 'b'\n  - c\ndanger: no\n";
        assert_eq!(
            set(block, &["a", "b", "c", "d"]),
            "list:\n  - a # one\n  # two\n  - 'b'\n  - c\n  - d\ndanger: no\n"
        );
        assert_eq!(set(block, &["a", "c"]), "list:\n  - a # one\n  # two\n  - c\ndanger: no\n");
        assert_eq!(set(block, &[]), "danger: no\n");
        assert_eq!(set("list: [a, 'b'] # c\n", &["a", "b", "d, e"]), "list: [a, 'b', \"d, e\"] # c\n");
        assert_eq!(set("list: [a]\n", &["x"]), "list:\n  - x\n");
        assert_eq!(set(block, &["a", "b", "c"]), block);
        assert_eq!(document(block).list(&["list"]), ["a", "b", "c"]);
    }

    #[test]
    fn a_section_is_not_overwritten_by_a_value() {
        assert!(matches!(document("").set(&["llm"], &text("zai")), Err(Error::CannotEdit { .. })));
        assert!(matches!(
            document("base: {a: b}").set(&["base", "a", "c"], &text("d")),
            Err(Error::CannotEdit { .. })
        ));
    }

    #[test]
    fn an_unknown_key_is_not_written() {
        let error = document("").set(&["llm", "modle"], &text("x")).unwrap_err();
        assert_eq!(error.to_string(), "/p/.claude-reactor: unknown key `llm.modle`");
        assert_eq!(error.hint().unwrap(), "did you mean `llm.model`?");
    }
}
