//! The user's own rows of the catalogue, `providers.yaml`: changed line by line, so that all else that stands there stays.

use std::path::Path;

use crate::config;
use crate::config::yaml::{Document, Scalar};
use crate::error::Error;
use crate::name::ProviderId;
use crate::private_file;
use crate::provider::catalog::{self, Catalog};
use crate::user_file;

/// A field of a row, and its value.
pub type Field<'a> = (&'a [&'a str], Scalar);

/// Changes the file.
pub fn edit(
    reactor_home: &Path,
    change: impl FnOnce(&Document) -> Result<Document, Error>,
) -> Result<(), Error> {
    let path = Catalog::user_file(reactor_home);
    private_file::create_dir(reactor_home, reactor_home)?;
    user_file::edit(&path, |text| Ok(change(&document(&path, text)?)?.text().to_owned()))
}

/// The text of the file as a document.
pub fn document(path: &Path, text: &str) -> Result<Document, Error> {
    Ok(Document::parse(path, text, &catalog::FILE_KEYS).map_err(config::Error::from)?)
}

/// The document with these fields in a provider's row.
pub fn with(document: &Document, id: &ProviderId, fields: &[Field]) -> Result<Document, Error> {
    fields.iter().try_fold(document.clone(), |document, (field, value)| {
        let key: Vec<&str> = ["providers", id.as_str()].iter().chain(*field).copied().collect();
        Ok(document.set(&key, value).map_err(config::Error::from)?)
    })
}

/// The document without a provider's row.
pub fn without(document: &Document, id: &ProviderId) -> Result<Document, Error> {
    Ok(document.unset(&["providers", id.as_str()]).map_err(config::Error::from)?)
}
