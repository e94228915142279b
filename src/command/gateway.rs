//! `gateway`: Anthropic's API in front of any backend, for other programs than the sessions of this one.

use std::process::ExitCode;

use super::gateway_serve;
use crate::error::Error;
use crate::host::Host;

/// Put Anthropic's API in front of any provider
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Serve(gateway_serve::Args),
}

/// Does it.
pub async fn gateway(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    match &args.command {
        Command::Serve(args) => gateway_serve::serve(args, host).await,
    }
}
