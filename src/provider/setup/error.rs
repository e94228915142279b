//! What keeps a key from being set up.

use std::io;
use std::path::PathBuf;

use super::cloud::in_words;
use crate::host;
use crate::name::ProviderId;
use crate::provider::catalog::Need;
use crate::provider::variables::OAUTH_TOKEN;
use crate::provider::{credential_files, credentials, env_file};
use crate::signals::EndSignal;

/// Why there is no key. Never holds one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user, or the system, put an end to it.
    #[error(transparent)]
    Ended(#[from] EndSignal),
    /// Nobody can be asked, and no flag brings a key.
    #[error("there is no API key for {provider} yet, and no terminal to ask for one")]
    MissingKey {
        /// The provider's name.
        provider: String,
        /// The variables it may come in.
        names: Vec<String>,
        /// The caller's command.
        command: String,
    },
    /// Nobody can be asked for what a cloud mode needs, and no flag brings it.
    #[error("{provider} is not set up yet, and there is no terminal to ask; it needs {}", in_words(needs))]
    MissingInputs {
        /// The provider's name.
        provider: String,
        /// What is missing.
        needs: Vec<Need>,
        /// The caller's command.
        command: String,
    },
    /// `--key-from-env` or `--key-stdin`, and not all is there.
    #[error("{origin} lacks what {provider} needs: {}", in_words(needs))]
    NotGiven {
        /// The provider's name.
        provider: String,
        /// Where it was looked for.
        origin: &'static str,
        /// What is missing.
        needs: Vec<Need>,
    },
    /// One key for a provider that needs several things.
    #[error("{0} needs more than one key")]
    SeveralKeys(String),
    /// A line of standard input cannot be read.
    #[error("standard input, {0}")]
    Lines(env_file::Error),
    /// A line of standard input is for something else.
    #[error("standard input has a line for {name}, which {provider} does not ask for")]
    NotAsked {
        /// The provider's name.
        provider: String,
        /// The variable.
        name: String,
        /// What it asks for.
        all: Vec<String>,
    },
    /// An answer that cannot be.
    #[error("{name}: {problem}")]
    Answer {
        /// The variable.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that cannot be taken.
    #[error("{name} names `{}`: {problem}", path.display())]
    File {
        /// The variable.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: credential_files::Problem,
    },
    /// Nobody can be asked what a new provider is.
    #[error("the provider `{id}` is not known, and there is no terminal to ask about it")]
    UnknownProvider {
        /// Its name.
        id: ProviderId,
        /// The known provider that was probably meant.
        nearest: Option<ProviderId>,
        /// The file a row could be added to.
        file: PathBuf,
    },
    /// A key is wanted for a provider that has none.
    #[error("the provider `{0}` has no variable for a key")]
    NoVariable(ProviderId),
    /// A key is given for a provider that would never be sent one.
    #[error("the provider `{0}` takes no key")]
    TakesNoKey(ProviderId),
    /// `--key-from-env`, and nothing there.
    #[error("--key-from-env found no {} in the environment", .0.join(" or "))]
    NotInEnvironment(Vec<String>),
    /// What was given cannot be a key.
    #[error("the key from {origin} {problem}")]
    Unusable {
        /// Where it came from.
        origin: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A Claude subscription's token was given for somebody else.
    #[error(
        "this is the token of a Claude subscription, which only Anthropic may see; it was not stored for {provider}"
    )]
    TokenElsewhere {
        /// Whom it was given for.
        provider: ProviderId,
    },
    /// The endpoint does not take the key.
    #[error("{provider} rejected the key (HTTP {status}); it was not stored")]
    Rejected {
        /// The provider's name.
        provider: String,
        /// The HTTP status.
        status: u16,
        /// Where to get one.
        url: Option<String>,
    },
    /// Only empty answers came.
    #[error("no answer was given")]
    NoAnswer,
    /// The terminal, or standard input, failed.
    #[error("the answer could not be read")]
    Input(#[source] io::Error),
    /// The home of claude-reactor is unknown.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// The file of the key cannot be used.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::MissingKey { names, command, .. } => {
                let log_in = names
                    .iter()
                    .any(|name| name == OAUTH_TOKEN)
                    .then(|| format!(", or, to log in to a subscription, `{command} --interactive-login` in a terminal"));
                Some(format!(
                    "run `{command} --key-from-env` with {} set, or `{command} --key-stdin < key.txt`{}",
                    names.join(" or "),
                    log_in.unwrap_or_default()
                ))
            }
            Self::MissingInputs { command, .. } => Some(format!(
                "run `{command} --key-from-env` with them set (a file by its path), or `{command} --key-stdin` with a \
                 line NAME='value' for each"
            )),
            Self::NotGiven { .. } => {
                Some("set them all (a file by its path); what is stored already may be left out".to_owned())
            }
            Self::SeveralKeys(_) => Some("use --key-from-env or --key-stdin, or run it in a terminal".to_owned()),
            Self::Lines(error) => Some(error.problem.hint().to_owned()),
            Self::NotAsked { all, .. } => Some(format!("it takes {}", all.join(", "))),
            Self::Answer { .. } => Some("correct it, and run it again".to_owned()),
            Self::File { .. } => Some("give the path of the file itself".to_owned()),
            Self::UnknownProvider { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownProvider { file, .. } => Some(format!(
                "add a row with base_url, auth and key_env to {}, or run this in a terminal",
                file.display()
            )),
            Self::NoVariable(_) => Some("give its row in providers.yaml a key_env".to_owned()),
            Self::TakesNoKey(_) => Some(
                "leave the key out; if yours does take one, give its row in providers.yaml an auth and a key_env"
                    .to_owned(),
            ),
            Self::NotInEnvironment(_) => Some("set it for this one command, or use --key-stdin".to_owned()),
            Self::Unusable { .. } => Some("give the key alone, as one line".to_owned()),
            Self::Rejected { url, .. } => {
                let url = url.as_ref().map_or(String::new(), |url| format!("see {url}; "));
                Some(format!("{url}--no-verify stores it nevertheless"))
            }
            Self::TokenElsewhere { .. } => Some(
                "give it to provider claude at its own address: `claude-reactor run --llm-provider claude`".to_owned(),
            ),
            Self::NoAnswer => Some("--key-stdin and --key-from-env need no answers".to_owned()),
            Self::Host(error) => error.hint(),
            Self::Credentials(error) => error.hint(),
            Self::Ended(_) | Self::Input(_) => None,
        }
    }
}
