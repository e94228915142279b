//! How an account stands to a provider, without asking or trying anything.

use std::path::PathBuf;

use serde::Serialize;

use crate::command::keys;
use crate::command::target::Target;
use crate::error::Error;
use crate::inventory;
use crate::name::ProviderId;
use crate::provider::catalog::{Origin, Provider, Wire};
use crate::provider::credential_files;
use crate::provider::credentials::{self, Credentials};
use crate::provider::login;
use crate::provider::session_env::{Credential, ModelChoice, session_env};

/// How an account stands to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A session can prove who it is, by this.
    SetUp(Credential),
    /// There is nothing to set up.
    NeedsNothing,
    /// It lacks a key, or something else.
    Absent,
    /// Claude Code cannot talk to it by itself.
    NeedsGateway,
    /// What is stored cannot be used; why.
    Broken(String),
}

/// What pays for the sessions of a provider, by name only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CredentialView {
    /// `key`, `token` (of a Claude subscription), `login` (likewise), `cloud`, or `none` where the backend asks for none.
    pub kind: &'static str,
    /// The variables it is in.
    pub variables: Vec<String>,
    /// The file, or folder, that it is kept in.
    pub file: Option<PathBuf>,
}

impl State {
    /// How the target's account stands to a provider.
    pub fn of(target: &Target, provider: &Provider) -> Self {
        if provider.wire != Wire::Anthropic {
            return Self::NeedsGateway;
        }
        let stored = match keys::known_for(target, provider) {
            Ok(Some(stored)) => stored,
            Ok(None) => return Self::Absent,
            Err(error) => return Self::Broken(in_words(&error)),
        };
        match credential(target, provider, &stored) {
            Ok(Credential::NoKey) if provider.origin != Origin::User && stored.iter().next().is_none() => {
                Self::NeedsNothing
            }
            Ok(credential) => Self::SetUp(credential),
            Err(error) => Self::Broken(in_words(&error)),
        }
    }

    /// The credential, where there is one.
    pub fn credential(&self) -> Option<&Credential> {
        match self {
            Self::SetUp(credential) => Some(credential),
            Self::NeedsNothing => Some(&Credential::NoKey),
            _ => None,
        }
    }
}

/// What a session would use, whatever its model.
fn credential(target: &Target, provider: &Provider, stored: &Credentials) -> Result<Credential, Error> {
    let choice = ModelChoice { main: Some("any"), small: None };
    let has_login = login::is_chosen(&target.reactor_home, &target.account);
    Ok(session_env(provider, stored.iter(), choice, has_login)?.credential().clone())
}

/// An error and its cause on one line.
pub fn in_words(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

impl CredentialView {
    /// What is to be said of a credential of the target's account.
    pub fn of(target: &Target, provider: &Provider, credential: &Credential) -> Self {
        let env = || Some(credentials::path(&target.reactor_home, &target.account, &provider.id));
        let (kind, variables, file) = match credential {
            Credential::Key(name) => ("key", vec![name.clone()], env()),
            Credential::Token => ("token", vec![crate::provider::variables::OAUTH_TOKEN.to_owned()], env()),
            Credential::Login => {
                ("login", Vec::new(), Some(login::folder(&target.reactor_home, &target.account)))
            }
            Credential::NoKey => ("none", Vec::new(), None),
            Credential::Cloud(names) => {
                let is_file = provider.cloud.as_ref().is_some_and(|cloud| {
                    names.iter().all(|name| cloud.files.iter().any(|file| file.var == *name))
                });
                let files = || credential_files::folder(&target.reactor_home, &target.account, &provider.id);
                ("cloud", names.clone(), if is_file { Some(files()) } else { env() })
            }
        };
        Self { kind, variables, file }
    }

    /// The same for people; files are named below the account's folder.
    pub fn shown(&self, target: &Target) -> String {
        let account = target.reactor_home.join(target.account.as_str());
        let place =
            self.file.as_ref().map(|file| file.strip_prefix(&account).unwrap_or(file).display().to_string());
        let place = place.map(|place| format!(" in {place}")).unwrap_or_default();
        match self.kind {
            "none" => "no key needed".to_owned(),
            "login" => format!("subscription login{place}"),
            "token" => format!("subscription token{place}"),
            _ => format!("{}{place}", self.variables.join(" + ")),
        }
    }
}

/// Whether the account has a folder for a provider.
pub fn has_folder(target: &Target, id: &ProviderId) -> bool {
    inventory::providers(&target.reactor_home, &target.account).is_ok_and(|known| known.contains(id))
}

/// All providers there are for the account, by name: the catalogue's, and those that only its files know.
pub fn all(target: &Target) -> Vec<Provider> {
    let stored = inventory::providers(&target.reactor_home, &target.account).unwrap_or_default();
    let unlisted = stored.into_iter().filter(|id| target.catalog.get(id).is_none()).map(Provider::unlisted);
    let mut all: Vec<Provider> = target.catalog.iter().cloned().chain(unlisted).collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all
}

/// Whose row a provider is.
pub fn row(target: &Target, provider: &Provider) -> &'static str {
    match provider.origin {
        _ if target.catalog.get(&provider.id).is_none() => "none",
        Origin::BuiltIn => "built-in",
        Origin::Overridden => "overridden",
        Origin::User => "own",
    }
}
