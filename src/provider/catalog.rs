//! What is known of each provider: where it is, how it wants to be logged in to, and where its key is kept.

use std::collections::BTreeMap;

use crate::name::ProviderId;

/// How a provider wants the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer …`.
    Bearer,
    /// `x-api-key: …`.
    XApiKey,
    /// No key at all.
    None,
}

/// The API a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// The Messages API, which Claude Code speaks.
    Anthropic,
}

/// The models of a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Models {
    /// The one that does the work.
    pub main: Option<String>,
    /// The one for small tasks.
    pub small: Option<String>,
}

/// A row of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name on the command line and on disk.
    pub id: ProviderId,
    /// Its name for people.
    pub name: String,
    /// The API it speaks.
    pub wire: Wire,
    /// Where it is; none means where Claude Code goes by itself.
    pub base_url: Option<String>,
    /// How it wants the key.
    pub auth: Auth,
    /// The variables a key may have; the first is the one written.
    pub key_env: Vec<String>,
    /// Where to get a key.
    pub key_url: Option<String>,
    /// Its models.
    pub models: Models,
    /// The tokens its main model can take.
    pub context_window: Option<u64>,
    /// Further variables of a session.
    pub env: BTreeMap<String, String>,
}
