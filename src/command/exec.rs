//! `exec`: any command in this project's container.

use std::process::ExitCode;

use super::choices::ChoiceArgs;
use super::image::kept_variant;
use super::keys::KeyArgs;
use super::launch::{self, Inside, Joining};
use super::settle::settle;
use super::target::Target;
use crate::config::Values;
use crate::container::session;
use crate::error::Error;
use crate::host::Host;
use crate::signals::EndSignals;

const EXAMPLES: &str = "\
Examples:
  claude-reactor exec -- git status
  claude-reactor exec -- bash
  claude-reactor exec -- sh -c 'curl -s \"$ANTHROPIC_BASE_URL\"'
  tar c src | claude-reactor exec -- tar t";

/// Run any command in this project's container
///
/// The container is the one `run` uses, made or started if need be; one that runs is joined as it is. The command gets
/// the session's variables, and the key under its own name (`ZAI_API_KEY`) as well.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
// Only a session has a screen to log in on.
#[command(mut_arg("interactive_login", |flag| flag.hide(true).conflicts_with("command")))]
pub struct Args {
    /// What is chosen.
    #[command(flatten)]
    pub choices: ChoiceArgs,
    /// Where a key comes from.
    #[command(flatten)]
    pub key: KeyArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Does it, and returns the command's exit code.
pub async fn exec(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let mut target = Target::resolve(&args.choices, Values::default(), host)?;
    Box::pin(kept_variant::settle(&mut target, host)).await;
    let target = target;
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let env = settle(&target, &args.key, host).await?;
    let vars = || launch::owned(env.for_command());
    let request = |inside: &Inside| launch::exec_request(args.command.clone(), vars(), inside, host);
    let entered = launch::enter(&target, &env, host, Joining::AsItRuns, &mut signals, request).await?;
    Ok(ExitCode::from(session::join(entered.session, &mut signals).await?))
}
