//! `llm add`: sets a provider up, by questions or wholly by flags: its row where it has none, and what it is paid by.

use std::process::ExitCode;

use super::state::{CredentialView, State};
use super::use_;
use crate::command::keys::{self, KeyArgs, Purpose};
use crate::command::old_home;
use crate::command::provider_rows;
use crate::command::target::Target;
use crate::config::Values;
use crate::error::Error;
use crate::host::Host;
use crate::provider::catalog::{Auth, Catalog, Provider, Wire};
use crate::provider::session_env::Credential;
use crate::provider::setup;
use crate::ui;

pub mod row;

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm add zai                    ask for the key, try it, store it
  pass show zai | claude-reactor llm add zai --key-stdin
  ZAI_API_KEY=… claude-reactor llm add zai --key-from-env --use
  claude-reactor llm add acme --base-url https://llm.acme.example --model acme-large
                                                a provider of your own
  claude-reactor llm add ollama --model qwen3   a server on this machine, which takes no key
  claude-reactor llm add work --mode bedrock    a second account of a cloud";

/// Set a provider up for an account: its key, and where it is if nobody knows
///
/// Everything is asked first, then tried, then stored; giving up stores nothing. A key that is there already is replaced only
/// if you say so. No project changes its provider, unless --use.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The provider: a known one, or a new name for one of your own
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    key: KeyArgs,
    /// Make it this project's provider as well
    #[arg(long = "use")]
    use_it: bool,
    /// Whose; with --use remembered for this project, as by `run`
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    #[command(flatten)]
    row: row::RowArgs,
}

/// Does it.
pub(super) async fn add(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let mut target = super::look(Some(&args.name), None, args.account.as_ref(), host)?;
    if args.use_it {
        target.project.refuse_keys_inside(&target.reactor_home)?;
        keys::confirm_unseen(&target, host).await?;
    }
    let id = target.settings.provider.value.clone();
    let fields = args.row.fields(&id, target.catalog.get(&id))?;
    if !fields.is_empty() {
        target.catalog = row::RowArgs::catalog_with(&target, &id, &fields)?;
    } else if target.catalog.get(&id).is_none() && !host.terminal.can_ask() {
        return Err(super::Error::unknown(&target, &id).into());
    }
    let needs_gateway = target.catalog.get(&id).filter(|provider| provider.wire != Wire::Anthropic);
    match needs_gateway {
        // A row may be written before there is something that uses it; a key would lie there for nothing.
        Some(provider) if fields.is_empty() || args.key.is_given() || args.use_it => {
            target.catalog.check_usable(provider)?;
        }
        Some(provider) => ui::warn(&format!(
            "{id} speaks the {} API, which sessions cannot use in this version",
            provider.wire
        )),
        None => {
            old_home::close_folders(&target, host)?;
            set_up(&target, args, !fields.is_empty(), host).await?;
        }
    }
    if !fields.is_empty() {
        provider_rows::edit(&target.reactor_home, |document| provider_rows::with(document, &id, &fields))?;
        ui::note(&format!("the row `{id}` is in {}", Catalog::user_file(&target.reactor_home).display()));
    }
    if args.use_it {
        // With the row, where one came just now.
        let target = super::look(Some(&args.name), None, args.account.as_ref(), host)?;
        use_::for_project(&target, &super::provider(&target)?, Values::default())?;
    } else if target.provider_of_files != id && needs_gateway.is_none() {
        let account =
            args.account.as_ref().map(|account| format!(" --account {account}")).unwrap_or_default();
        ui::note(&format!("`claude-reactor llm use {id}{account}` makes it this project's"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What it is paid by, where that is to be said.
async fn set_up(target: &Target, args: &Args, is_described: bool, host: &Host) -> Result<(), Error> {
    let provider = target.catalog.get(&target.settings.provider.value);
    let given = args.key.is_given();
    let mut key = args.key.clone();
    match provider.map(|provider| (provider, State::of(target, provider))) {
        Some((provider, State::NeedsNothing | State::SetUp(Credential::NoKey))) if !given => {
            let may =
                if provider.auth == Auth::None { "" } else { "; if yours does, --key-stdin stores one" };
            ui::note(&format!("{} needs no key{may}", provider.name));
            return Ok(());
        }
        Some((provider, State::SetUp(credential))) if !given => {
            let view = CredentialView::of(target, provider, &credential);
            let present = format!("{} is set up already: {}", provider.name, view.shown(target));
            if is_described || !host.terminal.can_ask() {
                ui::note(&format!("{present}; --key-stdin or --key-from-env replaces it"));
                return Ok(());
            }
            if !setup::confirm(format!("{present}. Replace it?")).await? {
                return Ok(());
            }
            // At a terminal this asks anew for what a cloud has already.
            key.key_stdin = provider.cloud.is_some();
        }
        Some((provider, State::Broken(_))) => refuse_broken(target, provider)?,
        _ => {}
    }
    keys::set_up(target, &key, Purpose::Later(&args.row.as_typed()), host).await?;
    Ok(())
}

/// A file that cannot be used is better refused before the question than after the answer.
fn refuse_broken(target: &Target, provider: &Provider) -> Result<(), Error> {
    let stored = keys::stored(target, provider)?;
    crate::command::launch::session_env(target, provider, &stored)?;
    Ok(())
}
