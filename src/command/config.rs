//! `config`: what is configured, changing it, and consent to what a repository configures.

use std::process::ExitCode;

use super::{
    config_edit, config_get, config_path, config_schema, config_set, config_show, config_trust, config_unset,
    config_validate,
};
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
    Show(config_show::Args),
    Get(config_get::Args),
    Set(config_set::Args),
    Unset(config_unset::Args),
    Edit(config_edit::Args),
    Path(config_path::Args),
    Validate(config_validate::Args),
    Trust(config_trust::Args),
    Schema(config_schema::Args),
}

/// Does it.
pub async fn config(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    match &args.command {
        Command::Show(args) => config_show::show(args, host),
        Command::Get(args) => config_get::get(args, host),
        Command::Set(args) => config_set::set(args, host),
        Command::Unset(args) => config_unset::unset(args, host),
        Command::Edit(args) => config_edit::edit(args, host).await,
        Command::Path(args) => config_path::path(args, host),
        Command::Validate(args) => config_validate::validate(args, host),
        Command::Trust(args) => config_trust::trust(args, host).await,
        Command::Schema(args) => config_schema::schema(args),
    }
}
