//! Whether a text that is valid YAML is also made of known keys.

use serde_yaml::Value;

use super::error::{Error, Place, dotted, printable};
use super::keys::Keys;
use super::meaning::{kind, spelling};

/// The merge key of YAML 1.1.
const MERGE: &str = "<<";

/// Refuses what is no mapping where one belongs, unknown keys, merge keys, and two names of one key; the first of
/// them in the order of the text. `place` tells where a path stands.
pub(super) fn check(value: &Value, keys: &Keys, place: &dyn Fn(&[String]) -> Place) -> Result<(), Error> {
    Check { root: keys, place }.below(value, keys, &mut Vec::new())
}

struct Check<'c> {
    root: &'c Keys,
    place: &'c dyn Fn(&[String]) -> Place,
}

impl Check<'_> {
    fn below(&self, value: &Value, keys: &Keys, path: &mut Vec<String>) -> Result<(), Error> {
        let mapping = match (keys, value) {
            (Keys::Leaf, _) | (_, Value::Null) | (Keys::Free, Value::Mapping(_)) => return Ok(()),
            (_, Value::Mapping(mapping)) => mapping,
            (_, other) => {
                return Err(Error::NotMapping {
                    place: (self.place)(path),
                    key: (!path.is_empty()).then(|| dotted(path)),
                    found: kind(other),
                    known: keys.names(),
                });
            }
        };
        let mut seen: Vec<(String, String)> = Vec::new();
        for (key, value) in mapping {
            let name = spelling(key);
            path.push(name.clone());
            if name == MERGE {
                return Err(Error::MergeKey { place: (self.place)(path) });
            }
            let Some((canonical, shape)) = keys.child(&name) else {
                return Err(unknown(self.root, path, (self.place)(path)));
            };
            if let Some((_, earlier)) = seen.iter().find(|(known, _)| known == canonical) {
                let (place, key) = ((self.place)(path), dotted(path));
                path.pop();
                path.push(String::clone(earlier));
                return Err(Error::Synonyms { place, key, earlier: dotted(path) });
            }
            seen.push((canonical.to_owned(), name.clone()));
            self.below(value, shape, path)?;
            path.pop();
        }
        Ok(())
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
