//! Containers of ours that are of no use any more, and projects whose folders are gone.

use std::path::Path;

use super::check::{Check, Subject};
use crate::container::found::State;
use crate::container::ours::Ours;
use crate::inventory;
use crate::ui::one_line;

pub(super) const CONTAINERS: Subject = Subject::new("leftovers", "leftover containers");
const PROJECTS: Subject = Subject::new("gone-projects", "projects that are gone");

/// The containers that this home's user can do without: dead or half-made ones, and those of projects that are gone.
pub(super) fn containers(ours: &[Ours], is_there: impl Fn(&str) -> bool, program: &str) -> Check {
    let why = |container: &Ours| match container.found.state {
        State::Dead => Some("dead"),
        State::NeverStarted => Some("half-made"),
        State::Restarting => Some("ends whenever it is started"),
        _ if !is_there(container.project.root()) => Some("its project is gone"),
        _ => None,
    };
    let left: Vec<(&Ours, &str)> = ours.iter().filter_map(|one| Some((one, why(one)?))).collect();
    if left.is_empty() {
        return CONTAINERS.pass(match ours.len() {
            0 => "there is no container yet".to_owned(),
            1 => "1 container, of a project that is there".to_owned(),
            count => format!("{count} containers, all of projects that are there"),
        });
    }
    let found: Vec<String> =
        left.iter().map(|(one, why)| format!("{} ({why})", one_line(&one.found.name))).collect();
    let names: Vec<String> = left.iter().map(|(one, _)| one_line(&one.found.name)).collect();
    CONTAINERS.warn(found.join(", "), format!("{program} rm -f {}", names.join(" ")))
}

/// What is kept of projects whose folders are gone.
pub(super) fn projects(reactor_home: &Path) -> Check {
    let accounts = inventory::accounts(reactor_home).unwrap_or_default();
    let all: Vec<inventory::KnownProject> = accounts
        .iter()
        .flat_map(|account| inventory::projects(reactor_home, account).unwrap_or_default())
        .collect();
    let gone: Vec<(String, &str)> = all
        .iter()
        .filter_map(|known| Some((known.root.as_deref()?, known.hash.as_str())))
        .filter(|(root, _)| !Path::new(root).is_dir())
        .map(|(root, hash)| (one_line(root), hash))
        .collect();
    if gone.is_empty() {
        return PROJECTS.pass(format!("none of {} known", all.len()));
    }
    let roots: Vec<&str> = gone.iter().map(|(root, _)| root.as_str()).collect();
    let remedies: Vec<String> =
        gone.iter().map(|(_, hash)| format!("claude-reactor clean --sessions {hash}")).collect();
    PROJECTS.warn(format!("history is kept of {}", roots.join(", ")), remedies.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{Pass, Warn};
    use super::*;
    use crate::container::found::Found;
    use crate::project::Project;

    fn one(name: &str, state: State, project: &str) -> Ours {
        let found = Found {
            id: "c0ffee".to_owned(),
            name: name.to_owned(),
            state,
            created: 1,
            image: "claude-reactor/base:0".to_owned(),
            mounted: Vec::new(),
            home: None,
            spec_digest: String::new(),
            spec: String::new(),
        };
        Ours {
            found,
            project: Project::at(Path::new(project)).unwrap(),
            account: "alice".parse().unwrap(),
            provider: "zai".parse().unwrap(),
            image: "base".to_owned(),
        }
    }

    #[test]
    fn what_is_dead_or_of_a_project_that_is_gone_is_named() {
        let check = |ours: &[Ours]| containers(ours, |project| project == "/there", "docker");
        assert_eq!(check(&[]).outcome, Pass);
        let good = [one("a", State::Running, "/there"), one("b", State::Stopped, "/there")];
        assert_eq!(check(&good).outcome, Pass);
        let bad = [
            one("d", State::Dead, "/there"),
            one("e", State::Stopped, "/gone"),
            one("f", State::NeverStarted, "/there"),
        ];
        let check = check(&[&good[..], &bad[..]].concat());
        assert_eq!(check.outcome, Warn);
        assert_eq!(check.found, "d (dead), e (its project is gone), f (half-made)");
        assert_eq!(check.remedy.as_deref(), Some("docker rm -f d e f"));
    }
}
