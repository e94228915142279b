//! `llm list`: the providers there are, which of them the account has set up, and which projects use them.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::state::{self, CredentialView, State};
use super::usage::{self, ProjectView};
use crate::command::target::Target;
use crate::error::Error;
use crate::host::Host;
use crate::inventory::KnownProject;
use crate::name::ProviderId;
use crate::provider::catalog::{Origin, Provider};
use crate::ui::table::{Cell, Table};
use crate::ui::{self, BAD, FAINT, GOOD, STRONG};

const EXAMPLES: &str = "\
Examples:
  claude-reactor llm list                       what is set up, in full; the others by name
  claude-reactor llm list --all                 a line for each
  claude-reactor llm list --json | jq -r '.providers[] | select(.set_up) | .id'";

/// Columns that a list of names is broken at.
const WIDTH: usize = 80;
/// How many projects of a provider are named.
const MOST_PROJECTS: usize = 3;

/// Show the providers: what is set up for your account, and which projects use it
///
/// Needs no engine, asks nobody, and never shows a key: only the name of the variable it is in, and the file.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A line for every provider
    #[arg(long, short)]
    all: bool,
    /// As JSON: every provider, whatever --all says
    #[arg(long)]
    json: bool,
    /// Whose
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

/// All that is listed.
#[derive(Debug, Serialize)]
struct List {
    /// Whose keys.
    account: String,
    /// The project of the working directory, and what it talks to.
    project: Here,
    /// Every provider, by its name.
    providers: Vec<Entry>,
}

/// The project of the working directory.
#[derive(Debug, Serialize)]
struct Here {
    /// Its folder.
    path: String,
    /// Its hash.
    hash: String,
    /// The provider of its next session.
    provider: String,
    /// What chose that: `default`, `environment`, or the file.
    provider_from: String,
}

/// One provider.
#[derive(Debug, Serialize)]
struct Entry {
    /// Its name in commands.
    id: String,
    /// What people call it.
    name: String,
    /// The API it speaks: `anthropic`, `openai`, `gemini`, `ollama` or `plugin`.
    wire: &'static str,
    /// Whose row it is: `built-in`, `overridden` (fields of it by you), `own`, or `none` (only its files).
    row: &'static str,
    /// Whether a session can use it with what is stored.
    set_up: bool,
    /// Whether it needs the gateway, and no session can use it yet.
    needs_gateway: bool,
    /// By what; null where it is not set up.
    credential: Option<CredentialView>,
    /// Why what is stored cannot be used; null where it can.
    problem: Option<String>,
    /// Its endpoint, where the row knows one.
    endpoint: Option<String>,
    /// The main model of its row.
    model: Option<String>,
    /// Where to get a key.
    key_url: Option<String>,
    /// The projects of the account that talk to it.
    projects: Vec<ProjectView>,
    /// Whether the project of the working directory does.
    current: bool,
}

/// Does it.
pub(super) fn list(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let target = super::look(None, None, args.account.as_ref(), host)?;
    let used = usage::by_provider(&target, host);
    let providers: Vec<Listed> = listed(&target, &used);
    if args.json {
        let rows = providers.iter().map(|provider| provider.entry(&target)).collect();
        let settings = &target.settings.provider;
        ui::json(&List {
            account: target.account.to_string(),
            project: Here {
                path: target.project.root().to_owned(),
                hash: target.project.hash().to_owned(),
                provider: settings.value.to_string(),
                provider_from: settings.source.to_string(),
            },
            providers: rows,
        })?;
    } else {
        ui::shown(&text(&target, &providers, args.all))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A provider with what the account has of it.
struct Listed<'a> {
    provider: Provider,
    state: State,
    projects: Vec<&'a KnownProject>,
    is_current: bool,
}

fn listed<'a>(target: &Target, used: &'a [(ProviderId, KnownProject)]) -> Vec<Listed<'a>> {
    let current = &target.settings.provider.value;
    let mut providers = state::all(target);
    if !providers.iter().any(|provider| provider.id == *current) {
        providers.push(Provider::unlisted(current.clone()));
    }
    providers
        .into_iter()
        .map(|provider| Listed {
            state: State::of(target, &provider),
            projects: used.iter().filter(|(id, _)| *id == provider.id).map(|(_, known)| known).collect(),
            is_current: provider.id == *current,
            provider,
        })
        .collect()
}

impl Listed<'_> {
    fn is_set_up(&self) -> bool {
        self.state.credential().is_some()
    }

    /// Whether the user has to do with it.
    fn matters(&self) -> bool {
        self.is_current
            || !self.projects.is_empty()
            || self.provider.origin == Origin::User
            || matches!(self.state, State::SetUp(_) | State::Broken(_))
    }

    fn entry(&self, target: &Target) -> Entry {
        let Self { provider, state, .. } = self;
        let problem = if let State::Broken(problem) = state { Some(problem.clone()) } else { None };
        let credential = state.credential().map(|one| CredentialView::of(target, provider, one));
        Entry {
            id: provider.id.to_string(),
            name: provider.name.clone(),
            wire: provider.wire.as_str(),
            row: state::row(target, provider),
            set_up: self.is_set_up(),
            needs_gateway: *state == State::NeedsGateway,
            credential,
            problem,
            endpoint: provider.endpoint().map(str::to_owned),
            model: provider.models.main.clone(),
            key_url: provider.key_url.clone(),
            projects: self.projects.iter().map(|known| ProjectView::from(*known)).collect(),
            current: self.is_current,
        }
    }

    fn key_cell(&self, target: &Target) -> Cell {
        match &self.state {
            State::NeedsNothing => Cell::from("no key needed"),
            State::Absent => Cell::from("not set up").styled(FAINT),
            State::NeedsGateway => Cell::from("needs the gateway").styled(FAINT),
            State::Broken(problem) => Cell::from(problem.as_str()).styled(BAD),
            State::SetUp(credential) => {
                Cell::from(CredentialView::of(target, &self.provider, credential).shown(target))
            }
        }
    }

    fn name_cell(&self, target: &Target) -> Cell {
        let whose = match state::row(target, &self.provider) {
            "overridden" => " (changed by you)",
            "own" => " (yours)",
            "none" => " (no row)",
            _ => "",
        };
        Cell::from(format!("{}{whose}", self.provider.name))
    }

    fn projects_cell(&self) -> Cell {
        let names: Vec<&str> =
            self.projects.iter().take(MOST_PROJECTS).map(|known| known.name.as_str()).collect();
        let more = self.projects.len().saturating_sub(MOST_PROJECTS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Cell::from(format!("{}{more}", names.join(", ")))
    }
}

fn text(target: &Target, providers: &[Listed], all: bool) -> String {
    let settings = &target.settings.provider;
    let mut text = ui::styled(
        FAINT,
        format!(
            "account {}, project {}: {}, {}",
            target.account,
            ui::one_line(target.project.name()),
            settings.value,
            ui::one_line(&usage::chosen_by(&settings.source))
        ),
    );
    text.push_str("\n\n");
    let mut table = Table::new(["", "PROVIDER", "NAME", "KEY", "PROJECTS"]);
    let (mut shown, others): (Vec<&Listed>, Vec<&Listed>) =
        providers.iter().partition(|provider| all || provider.matters());
    shown.sort_by_key(|provider| (!provider.is_current, !provider.is_set_up()));
    for provider in shown {
        let mark = if provider.is_current { Cell::from("*").styled(GOOD) } else { Cell::default() };
        let id = Cell::from(provider.provider.id.as_str());
        let id = if provider.is_current { id.styled(STRONG) } else { id };
        table.row([
            mark,
            id,
            provider.name_cell(target),
            provider.key_cell(target),
            provider.projects_cell(),
        ]);
    }
    text.push_str(&table.render());
    let names = |wanted: &State| -> Vec<&str> {
        let of_state = others.iter().filter(|provider| provider.state == *wanted);
        of_state.map(|provider| provider.provider.id.as_str()).collect()
    };
    for (what, names) in [
        ("not set up:", names(&State::Absent)),
        ("no key needed:", names(&State::NeedsNothing)),
        ("for the gateway, and not for sessions yet:", names(&State::NeedsGateway)),
    ] {
        if !names.is_empty() {
            let _ = write!(text, "\n{}\n{}", ui::styled(STRONG, what), wrapped(&names));
        }
    }
    text
}

/// Names in lines of bearable width.
fn wrapped(names: &[&str]) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { "," } else { "" };
        if width > 0 && width + name.len() + 2 > WIDTH {
            lines.push('\n');
            width = 0;
        }
        let gap = if width == 0 { "  " } else { " " };
        let _ = write!(lines, "{gap}{name}{comma}");
        width += gap.len() + name.len() + comma.len();
    }
    lines.push('\n');
    lines
}
