//! Which keys a file may have.

use crate::nearest::nearest;

/// The keys a file may have, as a tree.
#[derive(Debug)]
pub enum Keys {
    /// A value: a scalar or a list. Of which type is said by what it is read into.
    Leaf,
    /// `true` or `false`.
    Bool,
    /// A text; what YAML would take for a number or a boolean is one too.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number, not negative.
    Number,
    /// A list of texts.
    List,
    /// A text, or a list of texts.
    Texts,
    /// A mapping with these keys.
    Map(&'static [(&'static str, Keys)]),
    /// A mapping with keys of the user's choice, each value of this shape.
    Each(&'static Keys),
    /// A mapping of whatever the user likes.
    Free,
    /// Another name of the named key, which stands beside it in the same [`Keys::Map`]. Both read as the same key, so
    /// a file has one of them at most.
    AliasOf(&'static str),
    /// A key of another file. It is unknown here, and this says where it belongs.
    Elsewhere(&'static str),
}

impl Keys {
    /// The shape below `name` and the name it goes by; none where such a key is unknown.
    pub(super) fn child<'n>(&self, name: &'n str) -> Option<(&'n str, &Keys)> {
        match self {
            Self::Map(entries) => {
                let (_, keys) = entries.iter().find(|(known, _)| *known == name)?;
                match keys {
                    Self::AliasOf(canonical) => self.child(canonical),
                    Self::Elsewhere(_) => None,
                    keys => Some((name, keys)),
                }
            }
            Self::Each(keys) => Some((name, keys)),
            Self::Free => Some((name, self)),
            Self::Leaf
            | Self::Bool
            | Self::Text
            | Self::OneOf(_)
            | Self::Number
            | Self::List
            | Self::Texts
            | Self::AliasOf(_)
            | Self::Elsewhere(_) => None,
        }
    }

    /// The shape at `path`; none where there is no such known key.
    pub(crate) fn at(&self, path: &[impl AsRef<str>]) -> Option<&Keys> {
        path.iter().try_fold(self, |keys, name| Some(keys.child(name.as_ref())?.1))
    }

    /// Whether two names are the same known key here.
    pub(super) fn same(&self, one: &str, other: &str) -> bool {
        one == other
            || matches!((self.child(one), self.child(other)), (Some((one, _)), Some((other, _))) if one == other)
    }

    /// The names of the keys known here, without other names of them.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .filter(|(_, keys)| !matches!(keys, Self::AliasOf(_) | Self::Elsewhere(_)))
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Where a key belongs that is one of another file.
    pub(crate) fn elsewhere(&self, path: &[impl AsRef<str>]) -> Option<&'static str> {
        let (name, parents) = path.split_last()?;
        let Self::Map(beside) = self.at(parents)? else { return None };
        beside.iter().find_map(|(known, keys)| match keys {
            Self::Elsewhere(order) if *known == name.as_ref() => Some(*order),
            _ => None,
        })
    }

    /// The known key that the unknown key `path` is meant to be, as a dotted path: one of exactly its name elsewhere
    /// (`llm.provider` for `provider`), else one of nearly its name in the same place.
    pub(crate) fn nearest(&self, path: &[impl AsRef<str>]) -> Option<String> {
        let (name, parents) = path.split_last()?;
        let name = name.as_ref();
        if let Some(elsewhere) = self.find(name) {
            return Some(elsewhere);
        }
        let Self::Map(beside) = self.at(parents)? else { return None };
        let known = beside.iter().filter(|(_, keys)| !matches!(keys, Self::Elsewhere(_)));
        let near = nearest(name, known.map(|(known, _)| *known))?;
        Some(parents.iter().map(AsRef::as_ref).chain([near]).collect::<Vec<_>>().join("."))
    }

    /// The dotted path of the first key called `name`. Not searched: what stands below names of the user's choice.
    fn find(&self, name: &str) -> Option<String> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find_map(|(known, keys)| {
            if *known == name && !matches!(keys, Self::Elsewhere(_)) {
                return Some((*known).to_owned());
            }
            Some(format!("{known}.{}", keys.find(name)?))
        })
    }
}
