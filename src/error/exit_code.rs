//! The exit code of every error, as `--help` documents it. The match has no arm for "all others": a new error is judged
//! when it is made.

use std::process::ExitCode;

use super::Error;
use crate::command::{editor, llm};
use crate::container::{apply, image_check, session};
use crate::provider::{credentials, login, setup};
use crate::{config, gateway, host, old_home, private_file};

/// Something failed on this machine.
const FAILURE: u8 = 1;
/// Wrong usage, a configuration that cannot be, or a key that is missing or refused; nothing was started. The number is
/// what clap and most tools use.
pub const USAGE: u8 = 2;
/// The container engine is missing or failed. The number is what `docker run` uses for it.
const ENGINE: u8 = 125;
/// The session was killed together with its container: 128 and the number of SIGKILL, as its own exit code is then.
const KILLED: u8 = 128 + 9;

impl Error {
    /// The exit code, as `--help` documents it.
    pub fn exit_code(&self) -> ExitCode {
        if let Self::NamedImage { error, .. } = self {
            return error.exit_code();
        }
        ExitCode::from(match self {
            Self::Engine(_)
            | Self::Image(_)
            | Self::Pull(_)
            | Self::ImageCheck(
                image_check::Error::Engine(_)
                | image_check::Error::TooLong { .. }
                | image_check::Error::NotStarted { .. },
            )
            | Self::Apply(
                apply::Error::Engine(_)
                | apply::Error::NotStarted(_)
                | apply::Error::UserDatabase(_)
                | apply::Error::CaBundle,
            )
            | Self::Session(session::Error::Engine(_)) => ENGINE,
            Self::Session(session::Error::ContainerGone) => KILLED,
            Self::Session(session::Error::Io(_))
            | Self::Apply(apply::Error::Probe(_))
            | Self::ClaudeConfig(_)
            | Self::Login(login::Error::Read { .. })
            | Self::NoToken(_)
            | Self::Llm(llm::Error::Remove { .. } | llm::Error::Changed(_))
            | Self::Editor(editor::Error::Failed { .. } | editor::Error::Io { .. })
            | Self::UserFile(_)
            | Self::Overtaken(_)
            | Self::NoContainer { .. }
            | Self::Page { .. }
            | Self::Io { .. } => FAILURE,
            Self::Host(error) => host_code(error),
            Self::PrivateFile(error) => private_file_code(error),
            Self::Credentials(error) => credentials_code(error),
            Self::OldHome(error) => match error {
                old_home::Error::PrivateFile(error) => private_file_code(error),
                old_home::Error::Credentials(error) => credentials_code(error),
                old_home::Error::Io { .. } => FAILURE,
            },
            Self::Config(error) => match error {
                config::Error::Read { .. } => FAILURE,
                config::Error::Yaml(_)
                | config::Error::FileValue { .. }
                | config::Error::FileLine { .. }
                | config::Error::Value { .. } => USAGE,
            },
            Self::Setup(error) => setup_code(error),
            Self::Gateway(error) => gateway_code(error),
            Self::Apply(apply::Error::InUse { .. } | apply::Error::NamesTaken(_))
            | Self::Flag { .. }
            | Self::Llm(
                llm::Error::Unknown { .. }
                | llm::Error::NoBaseUrl(_)
                | llm::Error::Unconfirmed(_)
                | llm::Error::NothingStored { .. }
                | llm::Error::NoRow(_),
            )
            | Self::Editor(
                editor::Error::NoTerminal | editor::Error::NotStarted(_) | editor::Error::Discarded,
            )
            | Self::Inventory(_)
            | Self::NotAsked { .. }
            | Self::SeveralContainers { .. }
            | Self::NamedImage { .. }
            | Self::ChoiceFile(_)
            | Self::Name(_)
            | Self::Project(_)
            | Self::Catalog(_)
            | Self::Login(login::Error::NotLoggedIn { .. } | login::Error::NotClaude(_))
            | Self::SessionEnv(_)
            | Self::Mount(_)
            | Self::SshAgent(_)
            | Self::CaFile { .. }
            | Self::ImageCheck(image_check::Error::Unfit { .. })
            | Self::Unseen { .. }
            | Self::Untrusted { .. }
            | Self::Removed { .. }
            | Self::NoCommand { .. }
            | Self::NoPage { .. } => USAGE,
            Self::Ended(signal) => signal.exit_code(),
        })
    }
}

fn gateway_code(error: &gateway::Error) -> u8 {
    match error {
        gateway::Error::Listen { .. }
        | gateway::Error::PortFile { .. }
        | gateway::Error::Client(_)
        | gateway::Error::Failed(_) => FAILURE,
        gateway::Error::Cloud(_)
        | gateway::Error::Plugin(_)
        | gateway::Error::NoBaseUrl(_)
        | gateway::Error::KeyHeader(_)
        | gateway::Error::NoModel(_)
        | gateway::Error::EmptyToken(_)
        | gateway::Error::NoQuestion => USAGE,
    }
}

fn setup_code(error: &setup::Error) -> u8 {
    match error {
        setup::Error::Input(_) => FAILURE,
        setup::Error::Ended(signal) => signal.exit_code(),
        setup::Error::MissingKey { .. }
        | setup::Error::MissingInputs { .. }
        | setup::Error::NotGiven { .. }
        | setup::Error::SeveralKeys(_)
        | setup::Error::Lines(_)
        | setup::Error::NotAsked { .. }
        | setup::Error::Answer { .. }
        | setup::Error::File { .. }
        | setup::Error::UnknownProvider { .. }
        | setup::Error::NoVariable(_)
        | setup::Error::TakesNoKey(_)
        | setup::Error::NotInEnvironment(_)
        | setup::Error::TokenElsewhere { .. }
        | setup::Error::Unusable { .. }
        | setup::Error::Rejected { .. }
        | setup::Error::NoAnswer => USAGE,
        setup::Error::Host(error) => host_code(error),
        setup::Error::Credentials(error) => credentials_code(error),
    }
}

fn host_code(error: &host::Error) -> u8 {
    match error {
        host::Error::WorkingDirectory(_) => FAILURE,
        host::Error::NoHome | host::Error::RelativeHome(_) => USAGE,
    }
}

/// A file that is not as private as it has to be is for the user to put right, like a configuration.
fn private_file_code(error: &private_file::Error) -> u8 {
    match error {
        private_file::Error::Io { .. } => FAILURE,
        private_file::Error::Symlink(_)
        | private_file::Error::NotAFile(_)
        | private_file::Error::NotAFolder(_)
        | private_file::Error::ForeignOwner { .. }
        | private_file::Error::Loose { .. }
        | private_file::Error::NotText(_) => USAGE,
    }
}

fn credentials_code(error: &credentials::Error) -> u8 {
    match error {
        credentials::Error::File(error) => private_file_code(error),
        credentials::Error::FileLine { .. }
        | credentials::Error::Syntax { .. }
        | credentials::Error::Name(_)
        | credentials::Error::Value(_) => USAGE,
    }
}
