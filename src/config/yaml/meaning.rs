//! What a text means, as values: which key is which, and what the values are after a change.

use serde_yaml::{Mapping, Value};

use super::keys::Keys;

/// A key as a text. In YAML a key may be a number (`123: x`), which for us is its digits.
pub(super) fn spelling(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => "null".to_owned(),
        other => kind(other).to_owned(),
    }
}

/// What sort of value this is, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Tagged(_) => "a tagged value",
    }
}

/// The value at `path`, by whichever names its keys go.
pub(super) fn get<'v>(value: &'v Value, keys: &Keys, path: &[&str]) -> Option<&'v Value> {
    let Some((name, rest)) = path.split_first() else { return Some(value) };
    let below = value.as_mapping()?.get(key(value.as_mapping()?, keys, name)?)?;
    get(below, child(keys, name), rest)
}

/// Puts `new` at `path`, making the mappings on the way to it. False, and nothing done, where a value that is no
/// mapping is in the way.
pub(super) fn insert(value: &mut Value, keys: &Keys, path: &[&str], new: Value) -> bool {
    let Some((name, rest)) = path.split_first() else {
        *value = new;
        return true;
    };
    if value.is_null() {
        *value = Value::Mapping(Mapping::new());
    }
    let Value::Mapping(mapping) = value else { return false };
    let key = key(mapping, keys, name).cloned().unwrap_or_else(|| Value::String((*name).to_owned()));
    insert(mapping.entry(key).or_insert(Value::Null), child(keys, name), rest, new)
}

/// Takes the value at `path` away, and with it each mapping that has nothing left.
pub(super) fn remove(value: &mut Value, keys: &Keys, path: &[&str]) {
    let Some(((name, rest), mapping)) = path.split_first().zip(value.as_mapping_mut()) else { return };
    let Some(key) = key(mapping, keys, name).cloned() else { return };
    if let (false, Some(below)) = (rest.is_empty(), mapping.get_mut(&key)) {
        remove(below, child(keys, name), rest);
        if below.as_mapping().is_none_or(|left| !left.is_empty()) {
            return;
        }
    }
    mapping.shift_remove(&key);
}

/// The key that is there for `name`.
fn key<'m>(mapping: &'m Mapping, keys: &Keys, name: &str) -> Option<&'m Value> {
    mapping.keys().find(|key| keys.same(&spelling(key), name))
}

/// The shape below `name`. What is below an unknown key is of no known shape.
fn child<'k>(keys: &'k Keys, name: &str) -> &'k Keys {
    keys.child(name).map_or(&Keys::Free, |(_, below)| below)
}
