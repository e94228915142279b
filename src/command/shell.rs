//! `shell`: a login shell in this project's container.

use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::choices::ChoiceArgs;
use super::image::kept_variant;
use super::keys::KeyArgs;
use super::launch::{self, Inside, Joining};
use super::settle::settle;
use super::target::Target;
use crate::cli::Cli;
use crate::config::Values;
use crate::container::session;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::signals::EndSignals;

const EXAMPLES: &str = "\
Examples:
  claude-reactor shell                       look around where the session is
  claude-reactor shell -- -c 'go test ./...' one line in a login shell
  echo 'env | sort' | claude-reactor shell   a script on standard input";

/// Start a shell in this project's container, beside the session
///
/// The container is the one `run` uses, made or started if need be; one that runs is joined as it is. The shell is bash, or
/// sh in an image of your own that has none, and has the session's variables, and the key under its own name as well.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("interactive_login", |flag| flag.hide(true)))]
pub struct Args {
    /// What is chosen.
    #[command(flatten)]
    pub choices: ChoiceArgs,
    /// Where a key comes from.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Arguments for the shell
    #[arg(last = true, value_name = "SHELL ARGS")]
    pub args: Vec<String>,
}

/// Does it, and returns the shell's exit code.
pub async fn shell(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    if args.key.interactive_login {
        let problem = "`--interactive-login` belongs to `run`: only a session has a screen to log in on";
        Cli::command().error(ErrorKind::ArgumentConflict, problem).exit();
    }
    let mut target = Target::resolve(&args.choices, Values::default(), host)?;
    Box::pin(kept_variant::settle(&mut target, host)).await;
    let target = target;
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let env = settle(&target, &args.key, host).await?;
    let request = |inside: &Inside| {
        launch::exec_request(command(&target, &args.args), launch::owned(env.for_command()), inside, host)
    };
    let entered = launch::enter(&target, &env, host, Joining::AsItRuns, &mut signals, request).await?;
    Ok(ExitCode::from(session::join(entered.session, &mut signals).await?))
}

/// A login shell. An image of the user's may have none but `sh`.
pub fn command(target: &Target, args: &[String]) -> Vec<String> {
    const EITHER: &str = r#"command -v bash >/dev/null 2>&1 && exec bash -l "$@"; exec sh -l "$@""#;
    let shell: &[&str] = match target.settings.image.value {
        ImageChoice::BuiltIn(_) => &["bash", "-l"],
        ImageChoice::Custom(_) => &["sh", "-c", EITHER, "sh"],
    };
    shell.iter().map(|word| (*word).to_owned()).chain(args.iter().cloned()).collect()
}
