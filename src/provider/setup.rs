//! Getting a key from the user: the only place below `command` that asks.
//!
//! The order is always the same: ask everything, try the key, and only then store. [`obtain`] and [`obtain_new`] do
//! the first two and write nothing, so that giving up at any question leaves nothing behind; [`set_up`] adds the
//! storing for a provider that is already known. Without a terminal nothing is asked: the key comes by a flag, or the
//! error says which command brings it.

use std::io::{self, Read};
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::catalog::{self, Auth, Catalog, Provider};
use super::check::{self, Endpoint, Network, Verdict};
use super::credentials;
use super::login;
use super::variables::OAUTH_TOKEN;
use crate::host::Host;
use crate::name::{AccountName, ProviderId};

mod ask;
mod cloud;
mod error;
mod interrupt;
mod new_provider;
mod subscription;
mod warning;

pub use cloud::set_up_cloud;
pub use error::Error;
pub use interrupt::interruptible;
pub use new_provider::NewProvider;
pub use subscription::{Way, ask_way, obtain_token};
pub use warning::Warning;

/// How often a person is asked for a key that the endpoint rejects.
const ATTEMPTS: usize = 3;

/// More than this cannot be a key. Keeps a wrong redirection from filling the memory.
const MAX_KEY_LENGTH: usize = 64 * 1024;

/// How a key is to be got.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where from.
    pub source: Source,
    /// Stores a key even if the endpoint rejects it (`--no-verify`).
    pub no_verify: bool,
    /// Certificates, in PEM form, to be trusted in addition to the machine's.
    pub ca_file: Option<PathBuf>,
    /// The caller's command without its key flags, such as `claude-reactor run --llm-provider zai`: errors show how
    /// to run it again.
    pub command: String,
}

/// Where a key comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The user, who is asked for it.
    Ask,
    /// All of standard input (`--key-stdin`).
    Stdin,
    /// The first of the provider's own variables that is set (`--key-from-env`).
    Environment,
    /// An argument (`--apikey`), which others can see.
    Argument(SecretString),
}

/// A key that was given and tried, and is stored nowhere yet.
#[derive(Debug, Clone)]
pub struct Key {
    /// The variable to store it under.
    pub name: String,
    /// The key.
    pub value: SecretString,
    /// What the user should be told.
    pub warnings: Vec<Warning>,
}

/// What came of [`set_up`].
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The file the key was stored in.
    pub path: PathBuf,
    /// The variable it was stored under.
    pub name: String,
    /// What the user should be told.
    pub warnings: Vec<Warning>,
}

/// Gets a key for a known provider, tries it, and stores it.
pub async fn set_up(
    provider: &Provider,
    account: &AccountName,
    options: &Options,
    host: &Host,
) -> Result<Outcome, Error> {
    let home = host.reactor_home()?;
    // A file that will be refused is better refused before the question than after the answer.
    credentials::load(&home, account, &provider.id)?;
    let Key { name, value, warnings } = obtain(provider, options, host).await?;
    let path = credentials::store(&home, account, &provider.id, &name, &value)?;
    Ok(Outcome { path, name, warnings })
}

/// Gets a key for a known provider, and tries it. Writes nothing.
pub async fn obtain(provider: &Provider, options: &Options, host: &Host) -> Result<Key, Error> {
    if provider.auth == Auth::None {
        return Err(Error::TakesNoKey(provider.id.clone()));
    }
    if provider.key_env.is_empty() {
        return Err(Error::NoVariable(provider.id.clone()));
    }
    let url = provider.key_url.as_ref();
    let mut wanted = Wanted {
        provider: provider.name.clone(),
        prompt: format!(
            "Enter your {} API key{}",
            provider.name,
            url.map_or(String::new(), |url| format!(" ({url})"))
        ),
        names: provider.key_env.clone(),
        url: url.cloned(),
    };
    if provider.is_claude() {
        wanted.names.push(OAUTH_TOKEN.to_owned());
    }
    let given = wanted.get(options, host).await?;
    let endpoint = subscription::place(provider, given.expose_secret(), &mut wanted.names)?;
    wanted.tried(given, endpoint, options, host).await
}

/// Asks what an unknown provider is, gets a key for it, and tries it. Writes nothing. `nearest` is the known one that was
/// probably meant.
pub async fn obtain_new(
    id: &ProviderId,
    nearest: Option<&ProviderId>,
    options: &Options,
    host: &Host,
) -> Result<(NewProvider, Key), Error> {
    if !host.terminal.can_ask() {
        let file = Catalog::user_file(&host.reactor_home()?);
        return Err(Error::UnknownProvider { id: id.clone(), nearest: nearest.cloned(), file });
    }
    let default = catalog::usual_key_variable(id);
    let name = ask::answer(move || new_provider::ask_variable(&default)).await?;
    let wanted = Wanted {
        provider: id.to_string(),
        prompt: format!("Value of {name}"),
        names: vec![name.clone()],
        url: None,
    };
    let given = wanted.get(options, host).await?;
    if login::is_token(given.expose_secret()) {
        return Err(Error::TokenElsewhere { provider: id.clone() });
    }
    let owned_id = id.clone();
    let row = ask::answer(move || new_provider::ask_row(owned_id, name)).await?;
    let endpoint =
        row.base_url.as_deref().map(|base_url| Endpoint::new(base_url, row.auth, row.main_model.as_deref()));
    let key = wanted.tried(given, endpoint, options, host).await?;
    Ok((row, key))
}

/// Asks for a yes or a no.
pub async fn confirm(question: String) -> Result<bool, Error> {
    ask::answer(move || ask::confirmation(&question)).await
}

/// Whose key is wanted, and how it is called.
struct Wanted {
    provider: String,
    prompt: String,
    names: Vec<String>,
    url: Option<String>,
}

impl Wanted {
    /// The key, from where the options say.
    async fn get(&self, options: &Options, host: &Host) -> Result<SecretString, Error> {
        if is_asked(&options.source, host) {
            return self.ask().await;
        }
        match &options.source {
            Source::Ask => Err(Error::MissingKey {
                provider: self.provider.clone(),
                names: self.names.clone(),
                command: options.command.clone(),
            }),
            Source::Stdin => interruptible(|| from_reader(io::stdin().lock())).await?,
            Source::Environment => {
                let value = self.names.iter().find_map(|name| host.var(name));
                let value = value.ok_or_else(|| Error::NotInEnvironment(self.names.clone()))?;
                clean("the environment", value)
            }
            Source::Argument(value) => clean("--apikey", value.expose_secret()),
        }
    }

    async fn ask(&self) -> Result<SecretString, Error> {
        let prompt = self.prompt.clone();
        ask::answer(move || ask::hidden(&prompt)).await
    }

    /// The key as it is to be stored, after a try at its endpoint; a person gets further attempts.
    async fn tried(
        &self,
        mut value: SecretString,
        endpoint: Option<Endpoint>,
        options: &Options,
        host: &Host,
    ) -> Result<Key, Error> {
        let mut attempts = if is_asked(&options.source, host) { ATTEMPTS } else { 1 };
        let judgement = loop {
            match try_once(endpoint.as_ref(), &value, options, host).await? {
                Some(Warning::Rejected { status }) if !options.no_verify => {
                    attempts -= 1;
                    if attempts == 0 {
                        let (provider, url) = (self.provider.clone(), self.url.clone());
                        return Err(Error::Rejected { provider, status, url });
                    }
                    ask::note(&format!("{} rejected this key (HTTP {status}).", self.provider));
                    value = self.ask().await?;
                }
                judgement => break judgement,
            }
        };
        let argument = matches!(options.source, Source::Argument(_)).then_some(Warning::VisibleArgument);
        let name = self.names[0].clone();
        Ok(Key { name, value, warnings: argument.into_iter().chain(judgement).collect() })
    }
}

/// Whether a person is asked. One who gives `--key-stdin` at a terminal is, too: typed there, the key would be seen.
fn is_asked(source: &Source, host: &Host) -> bool {
    matches!(source, Source::Ask | Source::Stdin) && host.terminal.can_ask()
}

/// Tries a key; what is worth telling about it comes back as a warning.
async fn try_once(
    endpoint: Option<&Endpoint>,
    value: &SecretString,
    options: &Options,
    host: &Host,
) -> Result<Option<Warning>, Error> {
    let Some(endpoint) = endpoint.cloned() else { return Ok(Some(Warning::NoEndpoint)) };
    let (value, network) = (value.clone(), Network::of(host, options.ca_file.clone()));
    let verdict = interruptible(move || check::check(&endpoint, &value, &network, check::TIMEOUT)).await?;
    Ok(match verdict {
        Verdict::Accepted => None,
        Verdict::Rejected { status } => Some(Warning::Rejected { status }),
        Verdict::Unclear { answer } => Some(Warning::Unclear { answer }),
        Verdict::Unreachable { why } => Some(Warning::Unreachable { why }),
    })
}

fn from_reader(reader: impl Read) -> Result<SecretString, Error> {
    let origin = "standard input";
    let mut bytes = Vec::new();
    reader.take(MAX_KEY_LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(Error::Input)?;
    if bytes.len() > MAX_KEY_LENGTH {
        return Err(Error::Unusable { origin, problem: "is too long" });
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::Unusable { origin, problem: "is not text" })?;
    clean(origin, &text)
}

/// The key without the blanks and the line end that come with copying.
fn clean(origin: &'static str, text: &str) -> Result<SecretString, Error> {
    match problem(text.trim()) {
        Some(problem) => Err(Error::Unusable { origin, problem }),
        None => Ok(text.trim().into()),
    }
}

/// Why a trimmed text cannot be a key.
fn problem(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("is empty"),
        _ if text.contains(['\n', '\r']) => Some("has more than one line"),
        // An arrow key, or a paste in a terminal that brackets it, leaves escape sequences.
        _ if text.contains(char::is_control) => Some("has control characters in it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
