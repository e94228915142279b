//! What has to be done so that the container of a spec runs: a pure comparison of the spec with what the engine has.

use std::path::Path;

use super::drift::{Change, Reason, changes, join};
use super::found::{Found, State};
use super::name::Identity;
use super::spec::ContainerSpec;

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// There is none yet.
    Create,
    /// It is as it should be, and runs.
    Reuse(Found),
    /// It is as it should be, but frozen.
    Unpause(Found),
    /// It is as it should be, but does not run.
    Start(Found),
    /// It has to go, and a new one to be made.
    Recreate(Found, Vec<Reason>),
}

impl Plan {
    /// The plan in a word, for people and for `--json`.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Reuse(_) => "reuse",
            Self::Unpause(_) => "unpause",
            Self::Start(_) => "start",
            Self::Recreate(..) => "recreate",
        }
    }

    /// The container that there is.
    pub fn found(&self) -> Option<&Found> {
        match self {
            Self::Create => None,
            Self::Reuse(found) | Self::Unpause(found) | Self::Start(found) | Self::Recreate(found, _) => {
                Some(found)
            }
        }
    }

    /// Why, in words.
    pub fn why(&self) -> String {
        match self {
            Self::Create => "there is none yet".to_owned(),
            Self::Reuse(_) => "it runs, and nothing changed".to_owned(),
            Self::Unpause(_) => "it is paused, and nothing changed".to_owned(),
            Self::Start(_) => "it is stopped, and nothing changed".to_owned(),
            Self::Recreate(_, reasons) => join(reasons),
        }
    }
}

/// Compares what is wanted with what there is under the identity's labels. Of several that are the identity's (a copy
/// that somebody made with our mounts, say) the best one counts, and the others are left alone. `is_younger` says whether a
/// folder of this machine was made after a time, in seconds since 1970: a container that runs has the one that was there
/// before, with its name gone, and what it writes there is lost.
pub fn plan(
    spec: &ContainerSpec,
    identity: &Identity,
    found: Vec<Found>,
    is_younger: &dyn Fn(&str, i64) -> bool,
) -> Plan {
    let ours = found.into_iter().filter(|found| found.belongs_to(&identity.home));
    let Some(found) = ours.max_by_key(|found| found.rank(spec)) else { return Plan::Create };
    let mut reasons = Vec::new();
    if found.home.is_none() {
        reasons.push(Reason::OlderVersion);
    }
    if found.spec_digest != spec.digest() {
        reasons.extend(changes(spec, &found.spec));
    }
    if reasons.is_empty() && matches!(found.state, State::Running | State::Paused) {
        // Those of the home alone: only they come and go by our own commands.
        let ours =
            spec.mounts.iter().filter(|mount| Path::new(&mount.source).starts_with(&identity.home.path));
        let replaced = ours.filter(|mount| is_younger(&mount.source, found.created));
        reasons.extend(
            replaced.map(|mount| Reason::Mount { target: mount.target.clone(), change: Change::Replaced }),
        );
    }
    match found.state {
        _ if !reasons.is_empty() => Plan::Recreate(found, reasons),
        State::Running => Plan::Reuse(found),
        State::Paused => Plan::Unpause(found),
        State::Stopped => Plan::Start(found),
        state
        @ (State::NeverStarted | State::Restarting | State::Removing | State::Dead | State::Unknown) => {
            Plan::Recreate(found, vec![Reason::State(state)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::found::tests::{HOME, found};
    use super::super::name::tests::identity;
    use super::super::spec::tests::spec;
    use super::*;

    fn plan_of(spec: &ContainerSpec, found: Vec<Found>) -> Plan {
        plan(spec, &identity("alice", "zai", HOME), found, &|_, _| false)
    }

    #[test]
    fn an_untouched_container_is_kept_in_whatever_state_it_can_be_used_in() {
        let spec = spec(1000);
        assert_eq!(plan_of(&spec, Vec::new()), Plan::Create);
        for (state, verb, why) in [
            (State::Running, "reuse", "it runs, and nothing changed"),
            (State::Paused, "unpause", "it is paused, and nothing changed"),
            (State::Stopped, "start", "it is stopped, and nothing changed"),
            (State::NeverStarted, "recreate", "it was left half-made"),
            (State::Restarting, "recreate", "it ends whenever it is started"),
            (State::Removing, "recreate", "the engine is removing it"),
            (State::Dead, "recreate", "the engine could not remove it completely"),
            (State::Unknown, "recreate", "the engine cannot say what it is doing"),
        ] {
            let plan = plan_of(&spec, vec![found(&spec, state)]);
            assert_eq!((plan.verb(), plan.why().as_str()), (verb, why));
        }
    }

    #[test]
    fn a_change_recreates_and_is_named() {
        let old = spec(1000);
        let mut new = old.clone();
        new.image = "claude-reactor/base:ba9876543210".to_owned();
        let gone = new.mounts.pop().unwrap().target;
        let plan = plan_of(&new, vec![found(&old, State::Running)]);
        let why = format!("the image changed, the mount {gone} is gone");
        assert_eq!((plan.verb(), plan.why()), ("recreate", why));
    }

    #[test]
    fn a_folder_that_was_removed_and_made_again_takes_a_new_container() {
        let spec = spec(1000);
        let history = format!("{HOME}/alice/my-app-76a2e845/projects");
        let younger = |folder: &str, time| time == 1 && (folder == history || folder == "/home/alice/my-app");
        let of = |state| plan(&spec, &identity("alice", "zai", HOME), vec![found(&spec, state)], &younger);
        let why = "the mount /home/claude/.claude/projects was replaced on this machine";
        assert_eq!((of(State::Running).verb(), of(State::Running).why().as_str()), ("recreate", why));
        assert_eq!(of(State::Paused).verb(), "recreate");
        assert_eq!(of(State::Stopped).verb(), "start", "it finds the new one as it starts");
    }

    #[test]
    fn a_container_that_does_not_tell_of_its_home_is_made_anew() {
        let spec = spec(1000);
        let old = Found { home: None, ..found(&spec, State::Running) };
        let plan = plan_of(&spec, vec![old]);
        assert_eq!(
            (plan.verb(), plan.why().as_str()),
            ("recreate", "an older version of claude-reactor made it")
        );
    }

    #[test]
    fn of_several_the_best_one_counts() {
        let wanted = spec(1000);
        let other = ContainerSpec { pids_limit: 1, ..wanted.clone() };
        let one = |id: &str, spec: &ContainerSpec, state, created| Found {
            id: id.to_owned(),
            created,
            ..found(spec, state)
        };
        let best = |found: Vec<Found>| match plan_of(&wanted, found) {
            Plan::Create => String::new(),
            Plan::Reuse(found) | Plan::Unpause(found) | Plan::Start(found) | Plan::Recreate(found, _) => {
                found.id
            }
        };
        let stopped = one("stopped", &wanted, State::Stopped, 1);
        let running = one("running", &wanted, State::Running, 1);
        let younger = one("younger", &wanted, State::Running, 2);
        let differs = one("differs", &other, State::Running, 3);
        let foreign = Found { mounted: Vec::new(), ..one("foreign", &wanted, State::Running, 4) };
        assert_eq!(best(vec![differs.clone(), stopped.clone(), foreign.clone()]), "stopped");
        assert_eq!(best(vec![running.clone(), stopped.clone(), differs.clone()]), "running");
        assert_eq!(best(vec![younger, running, stopped]), "younger");
        assert_eq!(best(vec![foreign.clone(), differs]), "differs");
        assert_eq!(best(vec![foreign]), "");
    }
}
