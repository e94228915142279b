//! Reading and editing the YAML files of ours: strict about keys, exact about positions, sparing with changes.
//!
//! What a file *means* is decided by one library (`serde_yaml`), where its keys *stand* by another (`yaml-edit`), which
//! keeps every byte of the text. An edit goes through the second and is believed only when the first reads from its
//! result exactly the old value with that one key changed; so a file is either edited right or left as it was.
//!
//! Nothing here touches the disk: a [`Document`] is made of a text, and an edit gives a new document with a new text.

mod check;
mod document;
mod edit;
mod error;
mod keys;
mod meaning;
#[cfg(test)]
mod properties;
mod tree;

pub(crate) use check::flag_hint;
pub use document::Document;
pub use edit::Scalar;
pub(crate) use error::printable;
pub use error::{Error, Place, Position, WrongType};
pub use keys::Keys;
