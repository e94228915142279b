//! What would go, as people and as programs read it.

use std::fmt::Write;

use serde::Serialize;

use super::Scope;
use super::plan::{ContainerToGo, PathToGo, Plan};
use crate::container::ours::OurImage;
use crate::folder_tree::Size;
use crate::ui;
use crate::ui::human;
use crate::ui::table::{Cell, Table};

/// What `--dry-run --json` prints. Field names are stable.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Null with --global, and where nothing says it.
    project_path: Option<String>,
    /// Null with --global and no account.
    account: Option<String>,
    containers: Vec<ContainerRow>,
    paths: Vec<PathRow>,
    images: Vec<ImageRow>,
    /// What was asked for and is not removed.
    kept: Vec<KeptRow>,
    /// In bytes; layers that images share count in each.
    total_size: u64,
    /// Whether not everything could be measured.
    total_size_is_at_least: bool,
}

#[derive(Debug, Serialize)]
struct ContainerRow {
    name: String,
    id: String,
    account: String,
    project_path: String,
    provider: String,
    /// As in `list`.
    state: &'static str,
    /// How many sessions are in it.
    sessions: usize,
    /// What it wrote into its own files, in bytes; null where the engine does not tell.
    size: Option<u64>,
}

#[derive(Debug, Serialize)]
struct PathRow {
    path: String,
    /// session, credentials, settings, cache.
    kind: &'static str,
    account: Option<String>,
    /// In bytes.
    size: u64,
    /// Whether not everything could be measured.
    size_is_at_least: bool,
}

#[derive(Debug, Serialize)]
struct ImageRow {
    id: String,
    /// The names that go; an image that somebody else has named too loses only these.
    names: Vec<String>,
    /// In bytes.
    size: u64,
}

#[derive(Debug, Serialize)]
struct KeptRow {
    what: String,
    why: String,
}

/// For programs.
pub(super) fn report(plan: &Plan, scope: &Scope) -> Report {
    let container = |ContainerToGo { ours, sessions, size }: &ContainerToGo| ContainerRow {
        name: ours.found.name.clone(),
        id: ours.found.id.clone(),
        account: ours.account.to_string(),
        project_path: ours.project.root().to_owned(),
        provider: ours.provider.to_string(),
        state: ours.found.state.word(),
        sessions: sessions.len(),
        size: *size,
    };
    let path = |PathToGo { path, what, account, size }: &PathToGo| PathRow {
        path: path.to_string_lossy().into_owned(),
        kind: what.word(),
        account: account.as_ref().map(ToString::to_string),
        size: size.bytes,
        size_is_at_least: size.at_least,
    };
    let image =
        |image: &OurImage| ImageRow { id: image.id.clone(), names: image.names.clone(), size: image.size };
    let total = plan.size();
    Report {
        project_path: match scope {
            Scope::Project(meant) => meant.root.clone(),
            Scope::Global(_) => None,
        },
        account: scope.account().map(ToString::to_string),
        containers: plan.containers.iter().map(container).collect(),
        paths: plan.paths.iter().map(path).collect(),
        images: plan.images.iter().map(image).collect(),
        kept: plan
            .kept
            .iter()
            .map(|kept| KeptRow { what: kept.what.clone(), why: kept.why.clone() })
            .collect(),
        total_size: total.bytes,
        total_size_is_at_least: total.at_least,
    }
}

/// For people.
pub(super) fn lines(plan: &Plan, scope: &Scope) -> String {
    let mut text = String::new();
    if plan.is_empty() {
        let _ = writeln!(text, "nothing to remove of {}", scope.words());
    } else {
        let _ = writeln!(text, "to be removed, of {}:", scope.words());
        let mut table = Table::plain();
        for ContainerToGo { ours, sessions, size } in &plan.containers {
            let inside = match sessions.len() {
                0 => Cell::from(ours.found.state.word()),
                1 => Cell::from(format!("1 session is in it: {}", sessions[0])).styled(ui::WARNING),
                many => Cell::from(format!("{many} sessions are in it: {}", sessions.join(", ")))
                    .styled(ui::WARNING),
            };
            let size = size.map_or("?".to_owned(), human::size);
            table.row(["  container".into(), ours.found.name.as_str().into(), size.into(), inside]);
        }
        for PathToGo { path, what, size, account } in &plan.paths {
            let note = match (what.word(), account) {
                ("credentials", Some(account)) => {
                    Cell::from(format!("keys and logins of {account}")).styled(ui::WARNING)
                }
                ("session", _) => Cell::from("conversations, settings, choices"),
                _ => Cell::default(),
            };
            let name = format!("  {}", what.word());
            table.row([name.into(), path.to_string_lossy().into(), shown(*size).into(), note]);
        }
        for image in &plan.images {
            let note = match image.other_names.len() {
                0 => Cell::default(),
                _ => Cell::from(format!("stays as {}", image.other_names.join(", "))),
            };
            table.row(["  image".into(), image.shown().into(), human::size(image.size).into(), note]);
        }
        text.push_str(&table.render());
        let _ = writeln!(text, "in all {}", shown(plan.size()));
    }
    for losing in &plan.losing {
        let words = format!("{}, and lose what goes", losing.words());
        let _ = writeln!(text, "{}", ui::styled(ui::WARNING, words));
    }
    for kept in &plan.kept {
        let _ = writeln!(text, "{}", kept.words());
    }
    text
}

fn shown(size: Size) -> String {
    let at_least = if size.at_least { "at least " } else { "" };
    format!("{at_least}{}", human::size(size.bytes))
}
