//! `stop`: containers that run, stopped.

use std::process::ExitCode;

use super::config::scope;
use super::occupied::{self, occupied};
use super::open_home::OpenHome;
use crate::config::parse_at;
use crate::container::ours::Ours;
use crate::error::Error;
use crate::host::Host;
use crate::name::ProviderId;
use crate::provider::setup;
use crate::signals::EndSignals;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor stop                      this project's containers, of every provider
  claude-reactor stop --llm-provider zai   the one for that provider alone
  claude-reactor stop --all                every container of yours
  claude-reactor stop --all --force        also where sessions are in them, without asking";

/// Stop this project's containers
///
/// A stopped container keeps everything and is started by the next `run`. Where sessions are in one, they are listed and you
/// are asked; what runs inside gets a signal first, and a few seconds to end.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Every project's containers
    #[arg(long)]
    pub all: bool,
    /// Whose containers (with --all: only that account's)
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Only the containers for that provider
    #[arg(long, value_name = "NAME")]
    pub llm_provider: Option<String>,
    /// End the sessions that are in them without asking
    #[arg(long, short, visible_alias = "yes", visible_short_alias = 'y')]
    pub force: bool,
    /// The container engine
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
}

/// Does it.
pub async fn stop(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let home = OpenHome::open(host)?;
    let mut account = scope::account(args.account.as_ref())?;
    let provider: Option<ProviderId> =
        args.llm_provider.as_ref().map(|text| parse_at(|| "--llm-provider".to_owned(), text)).transpose()?;
    let here = if args.all { None } else { Some(home.here(account.take().as_ref(), host)?) };
    if let Some(here) = &here {
        account = Some(here.account.clone());
    }
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    let connecting = home.connect(account.as_ref(), args.engine.as_ref(), host);
    let engine = signals.unless(connecting).await??;
    let live: Vec<Ours> = signals
        .unless(engine.ours(&home.label))
        .await??
        .into_iter()
        .filter(|ours| ours.found.state.is_live())
        .filter(|ours| here.as_ref().is_none_or(|here| here.project == ours.project))
        .filter(|ours| provider.as_ref().is_none_or(|provider| *provider == ours.provider))
        .collect();
    let (mine, others): (Vec<Ours>, Vec<Ours>) =
        live.into_iter().partition(|ours| account.as_ref().is_none_or(|account| *account == ours.account));
    if here.is_some() {
        say_whose_stay(&others, "runs on", "stops");
    }
    if mine.is_empty() {
        ui::note("nothing runs");
        return Ok(ExitCode::SUCCESS);
    }
    let inside = signals.unless(occupied(&engine, &mine)).await??;
    if !inside.is_empty() && !args.force {
        let words = occupied::in_words(&inside);
        if !host.terminal.can_ask() {
            return Err(Error::NotAsked { what: words });
        }
        for inside in &inside {
            ui::note(&inside.words());
        }
        if !setup::confirm("End them?".to_owned()).await? {
            ui::note("nothing was done");
            return Ok(ExitCode::FAILURE);
        }
    }
    let mut code = ExitCode::SUCCESS;
    for ours in &mine {
        let name = &ours.found.name;
        match signals.unless(engine.stop(&ours.found.id)).await? {
            Ok(()) => ui::note(&format!("stopped {name}")),
            Err(error) => {
                ui::warn(&format!("{name} runs on: {error}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Says which accounts have containers in this project that are not meant, and how they would be.
pub(super) fn say_whose_stay(others: &[Ours], stays: &str, does: &str) {
    let mut accounts: Vec<&str> = others.iter().map(|ours| ours.account.as_str()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    for account in accounts {
        ui::note(&format!(
            "what account {account} has in this project {stays}; `--account {account}` {does} it"
        ));
    }
}
