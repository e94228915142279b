//! `llm`: the LLM backends an account has set up, and which of them a project talks to.
//!
//! All of it is files, so only `llm test`, which tries a backend from inside, needs an engine. Every command looks at its
//! provider through a [`Target`] as `run --llm-provider NAME` would make it, so that what is shown and tried is what a
//! session would get.

pub mod add;
pub mod edit;
mod error;
pub mod list;
pub mod remove;
pub mod show;
pub mod state;
pub mod test;
pub mod usage;
pub mod use_;

use std::process::ExitCode;

use super::choices::ChoiceArgs;
use super::target::Target;
use crate::error::Error as AnyError;
use crate::host::Host;
use crate::name::ProviderId;
use crate::provider::catalog::Provider;

pub use error::Error;

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm list                       what is set up, and what this project uses
  claude-reactor llm add zai                    set a provider up: its key, tried and stored
  claude-reactor llm use zai                    this project talks to it from the next session on
  claude-reactor llm test                       one tiny request, from here and from inside
  claude-reactor llm add acme --base-url https://llm.acme.example --model acme-large
                                                a provider of your own";

/// Set up LLM backends, try them, and choose one for this project
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Args),
    Add(Box<add::Args>),
    Use(use_::Args),
    Test(test::Args),
    Show(show::Args),
    Edit(edit::Args),
    Remove(remove::Args),
}

/// Does it.
pub async fn llm(args: &Args, host: &Host) -> Result<ExitCode, AnyError> {
    match &args.command {
        Command::List(args) => list::list(args, host),
        Command::Add(args) => add::add(args, host).await,
        Command::Use(args) => use_::choose(args, host).await,
        Command::Test(args) => test::test(args, host).await,
        Command::Show(args) => show::show(args, host),
        Command::Edit(args) => edit::edit(args, host).await,
        Command::Remove(args) => remove::remove(args, host).await,
    }
}

/// Which provider of which account.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// The provider; this project's, if left out
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Whose
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl Which {
    fn look(&self, host: &Host) -> Result<Target, AnyError> {
        self.look_at(None, host)
    }

    /// The same, with an engine that a flag names.
    fn look_at(&self, engine: Option<&String>, host: &Host) -> Result<Target, AnyError> {
        let choices = choices(self.name.as_ref(), None, self.account.as_ref())?;
        Target::look(&ChoiceArgs { engine: engine.cloned(), ..choices }, host)
    }
}

/// What a command about a provider is about; without a name, the project's own.
fn look(
    provider: Option<&String>,
    model: Option<&String>,
    account: Option<&String>,
    host: &Host,
) -> Result<Target, AnyError> {
    Target::look(&choices(provider, model, account)?, host)
}

fn choices(
    provider: Option<&String>,
    model: Option<&String>,
    account: Option<&String>,
) -> Result<ChoiceArgs, AnyError> {
    if let Some(name) = provider {
        // What is wrong with it is no matter of --llm-provider, as which it goes on.
        name.parse::<ProviderId>()?;
    }
    Ok(ChoiceArgs {
        account: account.cloned(),
        llm_provider: provider.cloned(),
        llm_model: model.cloned(),
        ..ChoiceArgs::default()
    })
}

/// A provider for people: its name in commands, and what they call it.
fn named(id: &str, name: &str) -> String {
    if id == name { id.to_owned() } else { format!("{id}, {name}") }
}

/// The provider that a target names; its error says which one was probably meant.
fn provider(target: &Target) -> Result<Provider, AnyError> {
    let id = &target.settings.provider.value;
    if let Some(provider) = target.catalog.get(id) {
        return Ok(provider.clone());
    }
    if state::has_folder(target, id) {
        return Ok(Provider::unlisted(id.clone()));
    }
    Err(Error::unknown(target, id).into())
}
