//! `list`: accounts, projects and their containers.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::config::scope;
use super::open_home::OpenHome;
use super::survey::{self, Entry};
use crate::container::engine::Engine;
use crate::container::found::State;
use crate::container::ours::{Inside, Ours};
use crate::error::Error;
use crate::host::Host;
use crate::name::{AccountName, ProviderId};
use crate::ui;
use crate::ui::human;
use crate::ui::table::{Cell, Table};

const EXAMPLES: &str = "\
Examples:
  claude-reactor list                    every account's projects, the last used first
  claude-reactor list 43ac               one project in detail, by the beginning of its hash
  claude-reactor list --all              a line for each container and each provider with state
  claude-reactor list --account work
  claude-reactor list --json | jq -r '.projects[] | select(.exists == false) | .session_dir'";

/// List accounts, projects, and their containers
///
/// What lies under claude-reactor's home and what the container engine has, together; without an engine, what lies on the
/// disk. A project whose folder is gone is marked; so is a container whose state is gone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The beginning of a project's hash: that project alone, in detail
    #[arg(value_name = "HASH-PREFIX")]
    pub hash: Option<String>,
    /// That account's projects alone
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// A line for each container and each provider with state, not only for the provider that a project uses now
    #[arg(long, short)]
    pub all: bool,
    /// As JSON
    #[arg(long, short)]
    pub json: bool,
    /// The container engine to ask
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
}

/// What `--json` prints. Field names are stable.
#[derive(Debug, Serialize)]
struct Report {
    /// The last used first.
    projects: Vec<ProjectRow>,
    summary: Summary,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of earlier versions")]
struct Summary {
    /// How many accounts have a project among these.
    total_accounts: usize,
    total_projects: usize,
    /// How many containers run; null where no engine could be asked.
    total_containers: Option<usize>,
}

/// An account's use of a project.
#[derive(Debug, Serialize)]
struct ProjectRow {
    account: String,
    project_name: String,
    project_hash: String,
    /// Null where nothing says it.
    project_path: Option<String>,
    /// Whether that folder is there; null where it is not known.
    exists: Option<bool>,
    /// The provider that a run would use; null where a file that chooses cannot be read.
    provider: Option<String>,
    /// That one, and every other that has state or a container here.
    providers: Vec<ProviderRow>,
    /// The names of the containers that run; null where no engine could be asked.
    containers: Option<Vec<String>>,
    /// RFC 3339; null where nothing says it.
    last_used: Option<String>,
    session_dir: String,
    /// Whether that folder is there.
    session_dir_exists: bool,
}

#[derive(Debug, Serialize)]
struct ProviderRow {
    name: String,
    /// Whether a run would use it.
    current: bool,
    /// Whether Claude Code's state for it is in the session dir.
    has_state: bool,
    /// In whatever state they are; null where no engine could be asked.
    containers: Option<Vec<ContainerRow>>,
}

#[derive(Debug, Serialize)]
struct ContainerRow {
    name: String,
    id: String,
    /// A variant's name, or an image's reference.
    image: String,
    /// running, paused, stopped, created, restarting, removing, dead, unknown.
    state: &'static str,
    /// RFC 3339.
    created: String,
    /// RFC 3339; null for one that does not run.
    started: Option<String>,
    /// How many sessions are in it.
    sessions: usize,
    #[serde(skip)]
    is_live: bool,
}

/// Does it.
pub async fn list(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    let home = OpenHome::open(host)?;
    let account = scope::account(args.account.as_ref())?;
    let (containers, inside) = match containers(&home, account.as_ref(), args.engine.as_ref(), host).await {
        Ok((ours, inside)) => (Some(ours), inside),
        // What the user typed is not the engine's fault.
        Err(error @ Error::Config(_)) => return Err(error),
        Err(error) => {
            ui::warn(&format!("the containers are not known: {}", first_line(&error)));
            (None, HashMap::new())
        }
    };
    let mut entries = survey::survey(&home, containers)?;
    if let Some(account) = &account {
        entries.retain(|entry| entry.account == *account);
    }
    if let Some(prefix) = &args.hash {
        entries = survey::of_project(entries, prefix)?;
    }
    let projects: Vec<(Entry, ProjectRow)> =
        entries.into_iter().map(|entry| (entry.clone(), row(&entry, &home, &inside, host))).collect();
    if args.json {
        let projects: Vec<ProjectRow> = projects.into_iter().map(|(_, row)| row).collect();
        ui::json(&Report { summary: summary(&projects), projects })?;
    } else if args.hash.is_some() {
        ui::shown(&details(&projects))?;
    } else if projects.is_empty() {
        let whose = account.map(|account| format!(" of account {account}")).unwrap_or_default();
        ui::note(&format!("no project{whose} yet: `claude-reactor run` in a project's folder makes one"));
    } else {
        ui::shown(&table(&projects, args.all))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The home's containers, and what goes on in those that run, by their ids.
async fn containers(
    home: &OpenHome,
    account: Option<&AccountName>,
    engine: Option<&String>,
    host: &Host,
) -> Result<(Vec<Ours>, HashMap<String, Inside>), Error> {
    let engine: Engine = home.connect(account, engine, host).await?;
    let ours = engine.ours(&home.label).await?;
    let mut inside = HashMap::new();
    for id in ours.iter().filter(|ours| ours.found.state.is_live()).map(|ours| &ours.found.id) {
        inside.insert(id.clone(), engine.inside(id).await?.unwrap_or_default());
    }
    Ok((ours, inside))
}

/// The beginning of what went wrong: the rest is for a command that cannot do without.
pub(super) fn first_line(error: &Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_end_matches("; tried:").to_owned()
}

fn row(entry: &Entry, home: &OpenHome, inside: &HashMap<String, Inside>, host: &Host) -> ProjectRow {
    let root = entry.root.as_deref();
    let current = match home.chosen(&entry.account, root, &entry.session_dir, host) {
        Ok(settings) => Some(settings.provider.value),
        Err(error) => {
            let (account, name) = (&entry.account, ui::one_line(&entry.name));
            ui::warn(&format!("the provider of {account}'s {name} is not known: {}", first_line(&error)));
            None
        }
    };
    let with_state = crate::inventory::providers_used(&entry.session_dir);
    let of_containers = entry.containers.iter().flatten().map(|ours| ours.provider.clone());
    let mut ids: BTreeSet<ProviderId> = with_state.iter().cloned().chain(of_containers).collect();
    ids.extend(current.clone());
    let mut providers: Vec<ProviderRow> = ids
        .into_iter()
        .map(|id| ProviderRow {
            current: current.as_ref() == Some(&id),
            has_state: with_state.contains(&id),
            containers: entry.containers.as_ref().map(|all| {
                let of_it = all.iter().filter(|ours| ours.provider == id);
                of_it.map(|ours| container_row(ours, inside)).collect()
            }),
            name: id.to_string(),
        })
        .collect();
    providers.sort_by_key(|row| !row.current);
    let names = |all: &Vec<Ours>| {
        let running = all.iter().filter(|ours| ours.found.state == State::Running);
        running.map(|ours| ours.found.name.clone()).collect()
    };
    ProjectRow {
        account: entry.account.to_string(),
        project_name: entry.name.clone(),
        project_hash: entry.hash.clone(),
        project_path: entry.root.clone(),
        exists: entry.exists(),
        provider: current.map(|id| id.to_string()),
        providers,
        containers: entry.containers.as_ref().map(names),
        last_used: entry.last_used.map(human::rfc3339),
        session_dir: entry.session_dir.path().to_string_lossy().into_owned(),
        session_dir_exists: entry.has_session_dir,
    }
}

fn container_row(ours: &Ours, inside: &HashMap<String, Inside>) -> ContainerRow {
    let inside = inside.get(&ours.found.id);
    let created = u64::try_from(ours.found.created).unwrap_or_default();
    ContainerRow {
        name: ours.found.name.clone(),
        id: ours.found.id.clone(),
        image: ours.image.clone(),
        state: ours.found.state.word(),
        created: human::rfc3339(UNIX_EPOCH + std::time::Duration::from_secs(created)),
        started: inside.and_then(|inside| inside.started).map(human::rfc3339),
        sessions: inside.map_or(0, |inside| inside.sessions.len()),
        is_live: ours.found.state.is_live(),
    }
}

fn summary(projects: &[ProjectRow]) -> Summary {
    let accounts: BTreeSet<&str> = projects.iter().map(|row| row.account.as_str()).collect();
    let counts: Option<Vec<usize>> =
        projects.iter().map(|row| row.containers.as_ref().map(Vec::len)).collect();
    Summary {
        total_accounts: accounts.len(),
        total_projects: projects.len(),
        total_containers: counts.map(|counts| counts.iter().sum()),
    }
}

fn table(projects: &[(Entry, ProjectRow)], all: bool) -> String {
    let mut table = Table::new(["ACCOUNT", "PROJECT", "HASH", "PROVIDER", "CONTAINER", "LAST USED", "PATH"]);
    for (entry, project) in projects {
        // What runs is always of interest.
        let (shown, hidden): (Vec<_>, Vec<_>) = lines(project)
            .into_iter()
            .enumerate()
            .partition(|(index, line)| all || *index == 0 || line.is_live);
        for (index, (_, Line { provider, container, .. })) in shown.into_iter().enumerate() {
            let first = |cell: Cell| if index == 0 { cell } else { Cell::default() };
            let more = match hidden.len() {
                others @ 1.. if index == 0 => format!("{provider} +{others}"),
                _ => provider,
            };
            table.row([
                first(project.account.as_str().into()),
                first(project.project_name.as_str().into()),
                first(Cell::from(project.project_hash.as_str()).styled(ui::FAINT)),
                more.into(),
                container,
                first(last_used(entry).into()),
                first(path(project)),
            ]);
        }
    }
    table.render()
}

/// A provider of a project, and a container of it.
struct Line {
    provider: String,
    container: Cell,
    is_live: bool,
}

/// The providers of a project with the containers of each, the one it uses now first. There is at least one line.
fn lines(project: &ProjectRow) -> Vec<Line> {
    let unknown = || Cell::from("?").styled(ui::FAINT);
    let mut lines = Vec::new();
    for row in &project.providers {
        let mut line = |container, is_live| {
            lines.push(Line { provider: row.name.clone(), container, is_live });
        };
        match &row.containers {
            Some(containers) if containers.is_empty() => line(Cell::from("none").styled(ui::FAINT), false),
            Some(containers) => containers.iter().for_each(|row| line(state(row), row.is_live)),
            None => line(unknown(), false),
        }
    }
    if lines.is_empty() {
        lines.push(Line { provider: "?".to_owned(), container: unknown(), is_live: false });
    }
    lines
}

fn state(container: &ContainerRow) -> Cell {
    let style = match container.state {
        "running" => ui::GOOD,
        "paused" | "stopped" | "created" => ui::FAINT,
        _ => ui::WARNING,
    };
    Cell::from(plain_state(container)).styled(style)
}

fn last_used(entry: &Entry) -> String {
    entry.last_used.map_or_else(|| "?".to_owned(), |time| human::ago(time, SystemTime::now()))
}

fn path(project: &ProjectRow) -> Cell {
    match (&project.project_path, project.exists) {
        (None, _) => Cell::from("?").styled(ui::FAINT),
        (Some(path), Some(false)) => Cell::from(format!("{path} (gone)")).styled(ui::WARNING),
        (Some(path), _) if !project.session_dir_exists => {
            Cell::from(format!("{path} (its state is gone)")).styled(ui::WARNING)
        }
        (Some(path), _) => path.as_str().into(),
    }
}

fn details(projects: &[(Entry, ProjectRow)]) -> String {
    let mut text = String::new();
    for (index, (entry, project)) in projects.iter().enumerate() {
        let gone = if project.session_dir_exists { "" } else { " (gone)" };
        let mut table = Table::plain();
        table.row(["project".into(), format!("{} ({})", project.project_name, project.project_hash).into()]);
        table.row(["path".into(), path(project)]);
        table.row(["account".into(), project.account.as_str().into()]);
        table.row(["provider".into(), project.provider.as_deref().unwrap_or("?").into()]);
        table.row(["last used".into(), last_used(entry).into()]);
        table.row(["session dir".into(), format!("{}{gone}", project.session_dir).into()]);
        for provider in &project.providers {
            for row in provider.containers.iter().flatten() {
                let words = format!("{}, {}, {}", provider.name, row.image, row.name);
                table.row(["container".into(), format!("{}: {words}", plain_state(row)).into()]);
            }
            let container = match &provider.containers {
                Some(containers) if !containers.is_empty() => continue,
                Some(_) => "no container",
                None => "container not known",
            };
            if provider.has_state {
                table.row(["state".into(), format!("{}, {container}", provider.name).into()]);
            }
        }
        let between = if index == 0 { "" } else { "\n" };
        let _ = write!(text, "{between}{}", table.render());
    }
    text
}

fn plain_state(container: &ContainerRow) -> String {
    match container.sessions {
        0 => container.state.to_owned(),
        1 => format!("{}, 1 session", container.state),
        many => format!("{}, {many} sessions", container.state),
    }
}
