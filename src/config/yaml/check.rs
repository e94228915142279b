//! Whether a text that is valid YAML is also made of known keys, with values of their types.

use serde_yaml::Value;

use super::error::{Error, Place, WrongType, dotted, printable};
use super::keys::Keys;
use super::meaning::{kind, spelling};
use crate::nearest;

/// The merge key of YAML 1.1.
const MERGE: &str = "<<";

/// What is wrong with the keys and the types of values: what is no mapping where one belongs, unknown keys, merge keys, two
/// names of one key, values of another type. In the order of the text, and not more than `most`: to place one takes as long
/// as to read the text. `place` tells where a path stands, and an item of the list there.
pub(super) fn check(
    value: &Value,
    keys: &Keys,
    most: usize,
    place: &dyn Fn(&[String], Option<usize>) -> Place,
) -> Vec<Error> {
    let mut check = Check { root: keys, most, place, found: Vec::new() };
    check.below(value, keys, &mut Vec::new());
    check.found
}

struct Check<'c> {
    root: &'c Keys,
    most: usize,
    place: &'c dyn Fn(&[String], Option<usize>) -> Place,
    found: Vec<Error>,
}

impl Check<'_> {
    fn below(&mut self, value: &Value, keys: &Keys, path: &mut Vec<String>) {
        let mapping = match (keys, value) {
            (Keys::Leaf, _) | (_, Value::Null) | (Keys::Free, Value::Mapping(_)) => return,
            (Keys::Bool | Keys::Text | Keys::OneOf(_) | Keys::Number | Keys::List | Keys::Texts, _) => {
                return self.leaf(value, keys, path);
            }
            (_, Value::Mapping(mapping)) => mapping,
            (_, other) => {
                return self.found.push(Error::NotMapping {
                    place: (self.place)(path, None),
                    key: (!path.is_empty()).then(|| dotted(path)),
                    found: kind(other),
                    known: keys.names(),
                });
            }
        };
        let mut seen: Vec<(String, String)> = Vec::new();
        for (key, value) in mapping {
            if self.found.len() >= self.most {
                return;
            }
            let name = spelling(key);
            path.push(name.clone());
            if name == MERGE {
                self.found.push(Error::MergeKey { place: (self.place)(path, None) });
            } else if let Some((canonical, shape)) = keys.child(&name) {
                if let Some((_, earlier)) = seen.iter().find(|(known, _)| known == canonical) {
                    let (place, key) = ((self.place)(path, None), dotted(path));
                    let beside = [&path[..path.len() - 1], &[String::clone(earlier)]].concat();
                    self.found.push(Error::Synonyms { place, key, earlier: dotted(&beside) });
                } else {
                    seen.push((canonical.to_owned(), name.clone()));
                    self.below(value, shape, path);
                }
            } else {
                self.found.push(unknown(self.root, path, (self.place)(path, None)));
            }
            path.pop();
        }
    }

    fn leaf(&mut self, value: &Value, keys: &Keys, path: &[String]) {
        let (item, (expected, hint)) = match (keys, value) {
            (Keys::List | Keys::Texts, Value::Sequence(items)) => {
                let bad = items.iter().enumerate().find_map(|(index, item)| Some((index, wrong_item(item)?)));
                let Some((index, wrong)) = bad else { return };
                (Some((index, &items[index])), wrong)
            }
            _ => match wrong(value, keys) {
                Some(wrong) => (None, wrong),
                None => return,
            },
        };
        let (index, found) = item.map_or((None, value), |(index, item)| (Some(index), item));
        self.found.push(Error::WrongType {
            place: (self.place)(path, index),
            key: dotted(path),
            item: index.is_some(),
            wrong: Box::new(WrongType { found: described(found), expected, hint }),
        });
    }
}

/// What belongs in the place of a value, and what to do, where its type is not what the key takes.
fn wrong(value: &Value, keys: &Keys) -> Option<(String, Option<String>)> {
    let stated = |expected: &str, hint: Option<String>| Some((expected.to_owned(), hint));
    match (keys, value) {
        (Keys::Bool, Value::Bool(_))
        | (Keys::Text | Keys::Texts, Value::String(_) | Value::Number(_) | Value::Bool(_))
        | (Keys::List, Value::Sequence(_)) => None,
        (Keys::Bool, Value::String(text)) => stated("true or false", flag_hint(text)),
        (Keys::Bool, Value::Number(number)) => stated("true or false", flag_hint(&number.to_string())),
        (Keys::Bool, _) => stated("true or false", None),
        (Keys::OneOf(words), Value::String(text)) if words.contains(&text.as_str()) => None,
        (Keys::OneOf(words), other) => {
            let hint = other.as_str().and_then(|text| nearest::hint(text, words.iter().copied()));
            stated(&one_of(words), hint)
        }
        (Keys::Number, Value::Number(number)) if number.is_u64() => None,
        (Keys::Number, _) => stated("a whole number", None),
        (Keys::List, Value::Mapping(_)) => {
            stated("a list", Some("write `- value`, one in a line".to_owned()))
        }
        (Keys::List, _) => stated("a list", Some("put it into brackets: `[…]`".to_owned())),
        (Keys::Texts, _) => stated("a text or a list of texts", None),
        (_, _) => stated("a text", None),
    }
}

fn wrong_item(item: &Value) -> Option<(String, Option<String>)> {
    match item {
        // A lone `~` is a text to what reads it.
        Value::Null => None,
        Value::Mapping(_) => {
            let hint = "put it into quotes, where `: ` is a part of it";
            Some(("a text".to_owned(), Some(hint.to_owned())))
        }
        item => wrong(item, &Keys::Text),
    }
}

/// What was meant by a text in the place of `true` or `false`.
pub(crate) fn flag_hint(text: &str) -> Option<String> {
    if let "true" | "false" = text {
        return Some(format!("write it without quotes: `{text}`"));
    }
    let meant = match text.to_lowercase().as_str() {
        "yes" | "y" | "on" | "1" => "true",
        "no" | "n" | "off" | "0" => "false",
        other => nearest::nearest(other, ["true", "false"])?,
    };
    Some(format!("did you mean `{meant}`?"))
}

/// `a`, `b` or `c`.
fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

/// What a value is, with its article, and a scalar's text.
fn described(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text \"{}\"", printable(text)),
        other => kind(other).to_owned(),
    }
}

/// The error for a path whose last part is not known.
pub(super) fn unknown(root: &Keys, path: &[impl AsRef<str>], place: Place) -> Error {
    if let Some(belongs) = root.elsewhere(path) {
        return Error::Misplaced { place, key: dotted(path), belongs };
    }
    let known = root.at(&path[..path.len().saturating_sub(1)]).map(Keys::names).unwrap_or_default();
    Error::UnknownKey {
        place,
        key: dotted(path),
        nearest: root.nearest(path).map(|key| printable(&key)),
        known,
    }
}
