//! `llm remove`: takes a provider's key, and whatever else an account has of it, away.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{state, usage};
use crate::command::provider_rows;
use crate::command::target::Target;
use crate::config::file;
use crate::error::Error;
use crate::folder_tree;
use crate::host::Host;
use crate::inventory::{self, KnownProject};
use crate::provider::catalog::{Catalog, Origin};
use crate::provider::setup;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm remove zai                 its key and settings; asks first
  claude-reactor llm remove zai --yes           the same without asking, for a script
  claude-reactor llm remove zai --state         also Claude Code's state for it, everywhere
  claude-reactor llm remove zai --row           also what your providers.yaml says of it";

/// Remove a provider's key and settings from an account
///
/// What goes is shown before it goes. A provider of your own loses its row of `providers.yaml` too, unless another account has
/// a key for it. Conversations stay, and so do containers: `claude-reactor clean` is for those.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The provider
    #[arg(value_name = "NAME")]
    name: String,
    /// Remove without being asked
    #[arg(long, short, visible_alias = "force", visible_short_alias = 'f')]
    yes: bool,
    /// Remove its row of providers.yaml too, which for a built-in provider means your changes to it
    #[arg(long)]
    row: bool,
    /// Remove Claude Code's own state for it too, which every project has in its session dir
    #[arg(long)]
    state: bool,
    /// Whose
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

/// What is removed.
struct Plan {
    /// Folders, as a whole.
    folders: Vec<PathBuf>,
    /// Whether the row goes too.
    row: bool,
}

/// Does it.
pub(super) async fn remove(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let target = super::look(Some(&args.name), None, args.account.as_ref(), host)?;
    let plan = plan(&target, args)?;
    let affected = usage::of(&target, &target.settings.provider.value, host);
    show(&target, &plan, &affected);
    if !args.yes {
        if !host.terminal.can_ask() {
            return Err(super::Error::Unconfirmed(target.settings.provider.value.to_string()).into());
        }
        if !setup::confirm("Remove it?".to_owned()).await? {
            ui::note("nothing is removed");
            return Ok(ExitCode::FAILURE);
        }
    }
    if plan.row {
        let id = &target.settings.provider.value;
        provider_rows::edit(&target.reactor_home, |document| provider_rows::without(document, id))?;
    }
    for folder in &plan.folders {
        folder_tree::remove_below(&target.reactor_home, folder)
            .map_err(|source| super::Error::Remove { path: folder.clone(), source })?;
    }
    ui::note("removed");
    Ok(ExitCode::SUCCESS)
}

fn plan(target: &Target, args: &Args) -> Result<Plan, Error> {
    let id = &target.settings.provider.value;
    let home = &target.reactor_home;
    let mut folders = Vec::new();
    if state::has_folder(target, id) {
        folders.push(home.join(target.account.as_str()).join("llms").join(id.as_str()));
    }
    if args.state {
        let known = inventory::projects(home, &target.account).unwrap_or_default();
        let of_projects = known.iter().map(|known| known.session_dir.claude_config(id.as_str()));
        folders.extend(of_projects.filter(|folder| is_folder(folder)));
    }
    let origin = target.catalog.get(id).map(|provider| provider.origin);
    let path = Catalog::user_file(home);
    let document = provider_rows::document(&path, &file::read_text(&path)?)?;
    let has_row = document.position(&["providers", id.as_str()]).is_some();
    if args.row && !has_row {
        return Err(super::Error::NoRow(id.clone()).into());
    }
    let is_anothers = || others(target);
    let row = has_row && (args.row || origin == Some(Origin::User) && !is_anothers());
    if folders.is_empty() && !row {
        if origin.is_none() {
            return Err(super::Error::unknown(target, id).into());
        }
        let account = target.account.to_string();
        return Err(super::Error::NothingStored { id: id.clone(), account, has_row }.into());
    }
    Ok(Plan { folders, row })
}

/// Whether another account has a key for the provider, and so needs its row.
fn others(target: &Target) -> bool {
    let id = &target.settings.provider.value;
    let accounts = inventory::accounts(&target.reactor_home).unwrap_or_default();
    accounts.iter().filter(|account| **account != target.account).any(|account| {
        inventory::providers(&target.reactor_home, account).is_ok_and(|known| known.contains(id))
    })
}

fn show(target: &Target, plan: &Plan, affected: &[KnownProject]) {
    let id = &target.settings.provider.value;
    ui::note(&format!("This goes, of account {}:", target.account));
    for folder in &plan.folders {
        let mut names = names_in(folder);
        names.retain(|name| name != ".env.lock");
        let holds = if names.is_empty() || folder.ends_with(Path::new("providers").join(id.as_str())) {
            String::new()
        } else {
            format!(" ({})", ui::one_line(&names.join(", ")))
        };
        ui::note(&format!("  {}{holds}", folder.display()));
    }
    if plan.row {
        ui::note(&format!(
            "  the row `{id}` of {}, which all accounts share",
            Catalog::user_file(&target.reactor_home).display()
        ));
    }
    if !affected.is_empty() && !plan.folders.is_empty() {
        ui::note("These projects talk to it, and will ask for a key at their next session:");
        for known in affected {
            ui::note(&format!("  {}", ui::one_line(known.root.as_deref().unwrap_or(&known.name))));
        }
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}
