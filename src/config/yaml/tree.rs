//! Where the keys of a text stand. Everything here looks at spellings: what they mean is not decided here.

use yaml_edit::{Mapping, MappingEntry, YamlFile, byte_offset_to_line_column};

use super::error::Position;
use super::keys::Keys;

/// The text as a tree that keeps every byte of it.
pub(super) fn parse(text: &str) -> YamlFile {
    YamlFile::parse(text).tree()
}

/// The outermost mapping of the first document.
pub(super) fn root(file: &YamlFile) -> Option<Mapping> {
    file.document()?.as_mapping()
}

/// The mapping an entry holds.
pub(super) fn held(entry: &MappingEntry) -> Option<Mapping> {
    entry.value_node()?.as_mapping().cloned()
}

/// The entry of this key, by this name or else by another of its names.
pub(super) fn entry(mapping: &Mapping, keys: &Keys, name: &str) -> Option<MappingEntry> {
    let named = |fits: &dyn Fn(&str) -> bool| {
        mapping.entries().find(|entry| spelling(entry).is_some_and(|spelled| fits(&spelled)))
    };
    named(&|spelled| spelled == name).or_else(|| named(&|spelled| keys.same(spelled, name)))
}

/// The entries on the way to a key, as far as they are there.
pub(super) fn chain(root: &Mapping, keys: &Keys, path: &[impl AsRef<str>]) -> Vec<MappingEntry> {
    let (mut mapping, mut keys) = (Some(root.clone()), Some(keys));
    let mut chain = Vec::new();
    for name in path.iter().map(AsRef::as_ref) {
        let found = mapping.as_ref().and_then(|mapping| entry(mapping, keys.unwrap_or(&Keys::Free), name));
        let Some(found) = found else { break };
        mapping = held(&found);
        keys = keys.and_then(|keys| Some(keys.child(name)?.1));
        chain.push(found);
    }
    chain
}

/// Where an entry's key begins.
pub(super) fn position(text: &str, entry: &MappingEntry) -> Option<Position> {
    let at = byte_offset_to_line_column(text, entry.key_node()?.byte_range().start as usize);
    Some(Position { line: at.line, column: at.column })
}

/// Where an item of the list that an entry holds begins.
pub(super) fn item(text: &str, entry: &MappingEntry, index: usize) -> Option<Position> {
    let item = entry.value_node()?.as_sequence()?.get(index)?;
    let at = byte_offset_to_line_column(text, item.byte_range().start as usize);
    Some(Position { line: at.line, column: at.column })
}

/// A key given twice in one mapping.
pub(super) struct Duplicate {
    pub(super) path: Vec<String>,
    pub(super) first: Position,
    pub(super) second: Position,
}

/// The first key that stands twice in one mapping.
pub(super) fn duplicate(text: &str, mapping: &Mapping) -> Option<Duplicate> {
    let mut seen: Vec<(String, MappingEntry)> = Vec::new();
    for entry in mapping.entries() {
        let Some(name) = spelling(&entry) else { continue };
        if let Some((_, first)) = seen.iter().find(|(earlier, _)| *earlier == name) {
            let (first, second) = (position(text, first)?, position(text, &entry)?);
            return Some(Duplicate { path: vec![name], first, second });
        }
        if let Some(mut below) = held(&entry).and_then(|held| duplicate(text, &held)) {
            below.path.insert(0, name);
            return Some(below);
        }
        seen.push((name, entry));
    }
    None
}

/// A key's text, without its quotes.
fn spelling(entry: &MappingEntry) -> Option<String> {
    Some(entry.key_node()?.as_scalar()?.as_string())
}
