//! `clean`: removing containers, and on request what lies under claude-reactor's home and the built-in images.
//!
//! `plan` finds out what would go, `apply` removes it. Between them the user sees all of it, with sizes, and is asked once.

mod apply;
mod cache;
mod plan;
mod show;

use std::process::ExitCode;

use super::config::scope;
use super::list::first_line;
use super::open_home::OpenHome;
use super::stop::say_whose_stay;
use super::survey::{self, Entry};
use crate::container::engine::Engine;
use crate::error::Error;
use crate::host::Host;
use crate::inventory;
use crate::name::AccountName;
use crate::project::SessionDir;
use crate::provider::setup;
use crate::signals::EndSignals;
use crate::ui;

use plan::Plan;

const EXAMPLES: &str = "\
Examples:
  claude-reactor clean                     this project's containers; everything else stays
  claude-reactor clean --sessions          also its conversations and Claude Code's settings for it
  claude-reactor clean --dry-run --all     what there is of this project and account
  claude-reactor clean --sessions 43ac     a project whose folder is gone, by its hash in `list`
  claude-reactor clean --global --images   every project's containers, and the images built for them
  claude-reactor clean --global --all --images --force   everything, before uninstalling";

/// Remove this project's containers, and on request more
///
/// Shows exactly what goes, with sizes, and asks once. Each of --sessions, --auth and --all includes the one before it; without
/// any, nothing on your disk is touched. Only what carries claude-reactor's labels for this home, or lies under this home, is
/// ever removed: no project's folder, and nothing that a link leads to.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// The beginning of a project's hash, in place of the working directory's project
    #[arg(value_name = "HASH-PREFIX", conflicts_with = "global")]
    pub hash: Option<String>,
    /// Every project, and every account if none is named
    #[arg(long, short)]
    pub global: bool,
    /// Whose containers and state
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Also the session dirs: conversations, Claude Code's settings, your choices. Never keys or logins
    #[arg(long, short)]
    pub sessions: bool,
    /// Also the account's keys and logins, which its other projects use too; includes --sessions
    #[arg(long)]
    pub auth: bool,
    /// Everything of the project and its account: --auth, --cache, and settings files that nothing is left for
    #[arg(long, short)]
    pub all: bool,
    /// Also the built-in images of every version, unless a container that stays is made from one, and those
    /// that a rebuild left without a name
    #[arg(long, short)]
    pub images: bool,
    /// Also what is remembered of images, and what is left of containers that are gone
    #[arg(long, short)]
    pub cache: bool,
    /// Do not ask, also where sessions are in the containers
    #[arg(long, short, visible_alias = "yes", visible_short_alias = 'y')]
    pub force: bool,
    /// Show what would go, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: as JSON
    #[arg(long, requires = "dry_run")]
    pub json: bool,
    /// The container engine
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
}

/// How much goes. Each includes the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Containers,
    Sessions,
    Auth,
    All,
}

/// Whose it is that goes.
#[derive(Debug)]
enum Scope {
    /// An account's in one project.
    Project(Meant),
    /// Everybody's, or an account's, in all projects.
    Global(Option<AccountName>),
}

/// An account in a project, which may have no folder any more.
#[derive(Debug)]
struct Meant {
    account: AccountName,
    session_dir: SessionDir,
    hash: String,
    /// The project's folder, where something says it.
    root: Option<String>,
}

impl Scope {
    /// What the flags say; by a hash, it takes a look at what there is.
    async fn of(
        args: &Args,
        account: Option<AccountName>,
        home: &OpenHome,
        engine: Option<&Engine>,
        host: &Host,
    ) -> Result<Self, Error> {
        if args.global {
            return Ok(Self::Global(account));
        }
        let Some(prefix) = &args.hash else {
            let here = home.here(account.as_ref(), host)?;
            return Ok(Self::Project(Meant {
                account: here.account,
                session_dir: here.session_dir,
                hash: here.project.hash().to_owned(),
                root: Some(here.project.root().to_owned()),
            }));
        };
        let containers = match engine {
            Some(engine) => Some(engine.ours(&home.label).await?),
            None => None,
        };
        let mut entries = survey::survey(home, containers)?;
        entries.retain(|entry| account.as_ref().is_none_or(|account| *account == entry.account));
        let mut entries = survey::of_project(entries, prefix)?;
        if entries.len() > 1 {
            let accounts = entries.iter().map(|entry| entry.account.to_string()).collect();
            return Err(inventory::Error::SeveralAccounts(accounts).into());
        }
        let Entry { account, session_dir, hash, root, .. } = entries.swap_remove(0);
        Ok(Self::Project(Meant { account, session_dir, hash, root }))
    }

    fn account(&self) -> Option<&AccountName> {
        match self {
            Self::Project(meant) => Some(&meant.account),
            Self::Global(account) => account.as_ref(),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Project(Meant { account, root, session_dir, .. }) => {
                let folder = session_dir.path().file_name().unwrap_or_default().to_string_lossy();
                format!("account {account} in {}", ui::one_line(root.as_deref().unwrap_or(&folder)))
            }
            Self::Global(Some(account)) => format!("account {account} in every project"),
            Self::Global(None) => "every account in every project".to_owned(),
        }
    }
}

impl Args {
    fn level(&self) -> Level {
        match self {
            Self { all: true, .. } => Level::All,
            Self { auth: true, .. } => Level::Auth,
            Self { sessions: true, .. } => Level::Sessions,
            _ => Level::Containers,
        }
    }
}

/// Does it.
pub async fn clean(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let home = OpenHome::open(host)?;
    let account = scope::account(args.account.as_ref())?;
    let mut signals = EndSignals::listen().map_err(Error::signals)?;
    // Which engine it is may be an account's own choice.
    let whose = match (&args.hash, args.global) {
        (None, false) => Some(home.here(account.as_ref(), host)?.account),
        _ => account.clone(),
    };
    let connecting = home.connect(whose.as_ref(), args.engine.as_ref(), host);
    let engine = signals.unless(connecting).await?;
    let on_disk = args.level() > Level::Containers || args.cache;
    let engine = match engine {
        Ok(engine) => Some(engine),
        // Without an engine there are no containers and no images to be had, but what lies on the disk still is.
        Err(error @ Error::Engine(_)) if on_disk => {
            let problem = first_line(&error);
            ui::warn(&format!(
                "containers and images stay, and whether a session runs is not known: {problem}"
            ));
            None
        }
        Err(error) => return Err(error),
    };
    let looking = Scope::of(args, account, &home, engine.as_ref(), host);
    let scope = signals.unless(looking).await??;
    let planning = plan::plan(args, &home, &scope, engine.as_ref());
    let plan: Plan = signals.unless(planning).await??;
    say_whose_stay(&plan.of_other_accounts, "stays", "removes");
    if args.dry_run {
        if args.json {
            ui::json(&show::report(&plan, &scope))?;
        } else {
            ui::shown(&show::lines(&plan, &scope))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if plan.is_empty() {
        plan.kept.iter().for_each(|kept| ui::note(&kept.words()));
        ui::note(&format!("nothing to remove of {}", scope.words()));
        return Ok(if engine.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    ui::note(show::lines(&plan, &scope).trim_end());
    if !args.force {
        if !host.terminal.can_ask() {
            return Err(Error::NotAsked { what: plan.what_would_happen() });
        }
        if !setup::confirm(plan.question()).await? {
            ui::note("nothing was done");
            return Ok(ExitCode::FAILURE);
        }
    }
    let done = apply::apply(&plan, &home, engine.as_ref(), &mut signals).await?;
    ui::note(&done.words());
    let all = done.is_complete && engine.is_some();
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
