//! Every error the program can end with, as message, cause, hint and exit code.
//!
//! Modules have small errors of their own; they meet here once, and `ui::error` renders them once.

mod exit_code;

use std::path::PathBuf;

use crate::command::config::choice_file;
use crate::command::{editor, llm};
use crate::config::{self, Source};
use crate::container::relay::ssh_agent;
use crate::container::{apply, claude_config, engine, image, image_check, mount, pull_failure, session};
use crate::provider::{catalog, credentials, login, session_env, setup};
use crate::signals::EndSignal;
use crate::{gateway, host, inventory, name, old_home, private_file, project, user_file};
pub use exit_code::USAGE;

/// Why the program ends without what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's surroundings.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// A name.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// The project's folder.
    #[error(transparent)]
    Project(#[from] project::Error),
    /// Files, variables or flags that choose.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A key that is to be changed in a file.
    #[error(transparent)]
    ChoiceFile(#[from] choice_file::Error),
    /// A file that is to be edited by hand.
    #[error(transparent)]
    Overtaken(#[from] editor::Overtaken),
    /// A file that has to be private.
    #[error(transparent)]
    PrivateFile(#[from] private_file::Error),
    /// A file that the user keeps by hand.
    #[error(transparent)]
    UserFile(#[from] user_file::Error),
    /// The providers known.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// The key's file.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// Asking for a key, and checking it.
    #[error(transparent)]
    Setup(#[from] setup::Error),
    /// What an earlier version left.
    #[error(transparent)]
    OldHome(#[from] old_home::Error),
    /// What was asked of a provider.
    #[error(transparent)]
    Llm(#[from] llm::Error),
    /// The user's editor.
    #[error(transparent)]
    Editor(#[from] editor::Error),
    /// A project by its hash.
    #[error(transparent)]
    Inventory(#[from] inventory::Error),
    /// The login of a Claude subscription.
    #[error(transparent)]
    Login(#[from] login::Error),
    /// `claude setup-token` made no token.
    #[error("`claude setup-token` ended with code {0}; nothing was stored")]
    NoToken(u8),
    /// The gateway.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    /// The session's variables.
    #[error(transparent)]
    SessionEnv(#[from] session_env::Error),
    /// A mount.
    #[error(transparent)]
    Mount(#[from] mount::Error),
    /// The SSH agent.
    #[error(transparent)]
    SshAgent(#[from] ssh_agent::Error),
    /// The image.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The container.
    #[error(transparent)]
    Apply(#[from] apply::Error),
    /// Claude Code's own files.
    #[error(transparent)]
    ClaudeConfig(#[from] claude_config::Error),
    /// The session.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// CA certificates that are not there.
    #[error("the CA file {} (from: {from}) cannot be read", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What named it.
        from: Source,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// An image of the user's own could not be pulled.
    #[error(transparent)]
    Pull(#[from] Box<pull_failure::Failure>),
    /// No session can run in an image of the user's own.
    #[error(transparent)]
    ImageCheck(#[from] image_check::Error),
    /// Either of these, of an image that was not named in this command.
    #[error("{error}")]
    NamedImage {
        /// What named it.
        from: Source,
        /// What happened; no cause of it, but itself.
        error: Box<Error>,
    },
    /// A repository chose for a user who has not seen it.
    #[error("this project's file chooses {}, which you have not used here before", .choices.join(" and "))]
    Unseen {
        /// What it chooses.
        choices: Vec<String>,
        /// The command that says the same by the user's own hand.
        command: String,
    },
    /// A repository's file says what it may say only with the user's consent.
    #[error("this project's file says what takes effect only with your consent:\n    {}", .claims.join("\n    "))]
    Untrusted {
        /// What it says, each with file, line and column.
        claims: Vec<String>,
        /// The command by which the user consents.
        command: String,
    },
    /// Flags of a command that joins a container ask for another one than it could join.
    #[error("{} cannot take effect", .flags.join(" and "))]
    Flag {
        /// The flags.
        flags: Vec<&'static str>,
        /// Why there is no other container.
        #[source]
        source: apply::Error,
    },
    /// Something that cannot be taken back, or that ends somebody's session, and nobody to ask.
    #[error("{what}, and there is no terminal to ask whether that is what you want")]
    NotAsked {
        /// What would happen.
        what: String,
    },
    /// A container to look at that is not there.
    #[error("this project has no container{}, of account {account}", for_provider(.provider.as_deref()))]
    NoContainer {
        /// The provider that was asked for.
        provider: Option<String>,
        /// The account.
        account: String,
        /// What there is instead.
        hint: String,
    },
    /// Several containers, and nothing that chooses one.
    #[error("this project has containers of {}, and none of the provider it uses now", .providers.join(" and "))]
    SeveralContainers {
        /// Their providers.
        providers: Vec<String>,
    },
    /// A flag or a command of an earlier claude-reactor.
    #[error("`{name}` was a part of earlier versions and is none of this one")]
    Removed {
        /// How it is written.
        name: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// A word that is no command.
    #[error("there is no command `{}`", crate::text::one_line(.word))]
    NoCommand {
        /// What stands in its place.
        word: String,
        /// The one that was meant in all likelihood.
        nearest: Option<String>,
    },
    /// A page of the manual for something that is no command.
    #[error("there is no command `{}`", crate::text::one_line(.command))]
    NoPage {
        /// What was asked for.
        command: String,
    },
    /// The pages of the manual could not be written.
    #[error("the manual cannot be written to {}", .dir.display())]
    Page {
        /// The folder.
        dir: PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// A signal, before there was a session.
    #[error(transparent)]
    Ended(#[from] EndSignal),
    /// A pipe or a terminal.
    #[error("cannot {action}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// No handler for signals could be had.
    pub(crate) fn signals(source: std::io::Error) -> Self {
        Self::Io { action: "listen for signals", source }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Host(error) => error.hint(),
            Self::Name(error) => error.hint(),
            Self::Project(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::ChoiceFile(error) => error.hint(),
            Self::Overtaken(error) => Some(error.hint()),
            Self::PrivateFile(error) => error.hint(),
            Self::UserFile(error) => error.hint(),
            Self::Catalog(error) => error.hint(),
            Self::Credentials(error) => error.hint(),
            Self::Setup(error) => error.hint(),
            Self::OldHome(error) => error.hint(),
            Self::Llm(error) => error.hint(),
            Self::Editor(error) => error.hint(),
            Self::Inventory(error) => error.hint(),
            Self::Login(error) => error.hint(),
            Self::NoToken(_) => {
                Some("run it again, or give an API key, or log in inside the session".to_owned())
            }
            Self::Gateway(error) => error.hint(),
            Self::SessionEnv(error) => error.hint(),
            Self::Mount(error) => error.hint(),
            Self::SshAgent(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Apply(error) => error.hint(),
            Self::ClaudeConfig(error) => error.hint(),
            Self::Session(error) => error.hint(),
            Self::CaFile { .. } => Some("correct the path, or leave it out".to_owned()),
            Self::Pull(failure) => failure.hint(),
            Self::ImageCheck(error) => error.hint(),
            Self::NamedImage { from, error } => {
                let way_out = format!("the image is named by: {from}; `--image base` takes the built-in one");
                Some(error.hint().map_or(way_out.clone(), |hint| format!("{hint}; {way_out}")))
            }
            Self::Unseen { command, .. } => Some(format!("if that is what you want: `{command}`")),
            Self::Untrusted { command, .. } => Some(format!(
                "if that is what you want: `{command}`, with `--yes` where there is no terminal"
            )),
            Self::Flag { flags, .. } => Some(format!(
                "leave those sessions first; without {} the container is joined as it is",
                flags.join(" and ")
            )),
            Self::NotAsked { .. } => Some("say so with --force".to_owned()),
            Self::NoContainer { hint, .. } => Some(hint.clone()),
            Self::SeveralContainers { .. } => Some("choose one with --llm-provider NAME".to_owned()),
            Self::Removed { instead, .. } => Some((*instead).to_owned()),
            Self::NoCommand { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::NoCommand { .. } => Some(
                "`claude-reactor --help` lists the commands; what is meant for claude follows `--`"
                    .to_owned(),
            ),
            Self::NoPage { .. } => Some("`claude-reactor --help` lists the commands".to_owned()),
            Self::Page { .. } => Some("name a folder that you may write to".to_owned()),
            Self::Ended(_) | Self::Io { .. } => None,
        }
    }

    /// The signal that asked the program to end, where that is all there is to say.
    pub fn end_signal(&self) -> Option<EndSignal> {
        match self {
            Self::Ended(signal) | Self::Setup(setup::Error::Ended(signal)) => Some(*signal),
            _ => None,
        }
    }
}

fn for_provider(provider: Option<&str>) -> String {
    provider.map_or(String::new(), |provider| format!(" for provider {provider}"))
}
