//! `config trust`: consent to what this project's `.claude-reactor` file says.

use std::process::ExitCode;

use crate::command::choices::ChoiceArgs;
use crate::command::target::Target;
use crate::command::{old_home, trust};
use crate::config::Values;
use crate::error::Error;
use crate::host::Host;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config trust            show what needs your consent, and ask
  claude-reactor config trust --yes      the same without asking, for a script
  claude-reactor config trust --revoke   from now on, ask again";

/// Consent to what this project's `.claude-reactor` file says
///
/// Danger mode, mounts, variables and whatever else could harm you takes effect from a repository's file only once you
/// have consented to exactly that content. A change asks again; comments and harmless keys are no change.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Whose consent it is
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Consent without being asked
    #[arg(long, short, conflicts_with = "revoke")]
    pub yes: bool,
    /// Take all consent in this project back
    #[arg(long)]
    pub revoke: bool,
}

/// Does it.
pub async fn trust(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let choices = ChoiceArgs { account: args.account.clone(), ..ChoiceArgs::default() };
    let target = Target::resolve(&choices, Values::default(), host)?;
    if args.revoke {
        let was_there = trust::revoke(&target)?;
        ui::note(if was_there { "consent taken back" } else { "there was no consent to take back" });
        return Ok(ExitCode::SUCCESS);
    }
    let settled = target.trust.given || target.trust.claims.is_empty();
    if settled && target.unseen_choices().is_empty() {
        ui::note(if target.trust.given {
            "you have consented to this project's file already"
        } else {
            "nothing in this project's file needs your consent"
        });
        return Ok(ExitCode::SUCCESS);
    }
    if args.yes {
        trust::show(&target);
    } else if !(host.terminal.can_ask() && trust::ask(&target).await?) {
        return Err(trust::refused(&target));
    }
    old_home::close_folders(&target, host)?;
    trust::remember(&target)?;
    ui::note("consent remembered; `claude-reactor config trust --revoke` takes it back");
    Ok(ExitCode::SUCCESS)
}
