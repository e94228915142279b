//! `config`: what is configured, and consent to what a repository configures.

use std::process::ExitCode;

use super::config_trust;
use crate::error::Error;
use crate::host::Host;

/// Look after the configuration
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Trust(config_trust::Args),
}

/// Does it.
pub async fn config(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    match &args.command {
        Command::Trust(args) => config_trust::trust(args, host).await,
    }
}
