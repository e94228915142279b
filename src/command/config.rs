//! `config`: what is configured, changing it, and consent to what a repository configures.

pub mod choice_file;
pub mod edit;
pub mod examine;
pub mod get;
pub mod path;
pub mod schema;
pub mod schema_file;
pub mod scope;
pub mod set;
pub mod show;
pub mod sources;
pub mod trust;
pub mod unset;
pub mod validate;
pub mod values;

use std::process::ExitCode;

use crate::error::Error;
use crate::host::Host;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config show                        every value with where it comes from
  claude-reactor config set limits.memory 4g        for this project
  claude-reactor config set danger false --shared   in the project's file
  claude-reactor config validate                    everything that is wrong, with its place

docs/configuration.md describes the layers and every key.";

/// Look after the configuration
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Show(show::Args),
    Get(get::Args),
    Set(set::Args),
    Unset(unset::Args),
    Edit(edit::Args),
    Path(path::Args),
    Validate(validate::Args),
    Trust(trust::Args),
    Schema(schema::Args),
}

/// Does it.
pub async fn config(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    match &args.command {
        Command::Show(args) => show::show(args, host),
        Command::Get(args) => get::get(args, host),
        Command::Set(args) => set::set(args, host),
        Command::Unset(args) => unset::unset(args, host),
        Command::Edit(args) => edit::edit(args, host).await,
        Command::Path(args) => path::path(args, host),
        Command::Validate(args) => validate::validate(args, host),
        Command::Trust(args) => trust::trust(args, host).await,
        Command::Schema(args) => schema::schema(args),
    }
}
