//! What has to be done so that the container of a spec runs: a pure comparison of the spec with what the engine has.

use std::fmt;

use super::spec::ContainerSpec;

/// A container of this identity, as the engine reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The engine's id.
    pub id: String,
    /// Its name, without the engines' leading slash.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// The digest of the spec it was made from, by its label.
    pub spec_digest: String,
    /// The spec it was made from, by its label.
    pub spec: String,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its main process runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// It ran and can run again.
    Stopped,
    /// It was never started, or the engine is half-way through making or removing it.
    Unfinished,
}

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

/// Why a container cannot stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// This field of the spec is another now.
    Changed(String),
    /// A spec that cannot be read, or whose difference no field shows.
    AnotherSpec,
    /// It was never started.
    Unfinished,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(field) => write!(f, "{} changed", in_words(field)),
            Self::AnotherSpec => f.write_str("its specification changed"),
            Self::Unfinished => f.write_str("it was left half-made"),
        }
    }
}

/// What a field of the spec is to people. One that only another version knows has no words here.
fn in_words(field: &str) -> &str {
    match field {
        "image" => "the image",
        "user" => "the user",
        "userns" => "the mapping of users",
        "mounts" => "the mounts",
        "env" => "the container's variables",
        "session_env_digest" => "the session's variables",
        "ca_digest" => "the CA certificates",
        "command" => "the main process",
        "extra_hosts" => "the known hosts",
        "cap_drop" => "the capabilities",
        "pids_limit" => "the limit of processes",
        "nano_cpus" => "the limit of processors",
        "memory" => "the limit of memory",
        "security_opt" => "whether sudo works",
        other => other,
    }
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

/// Reasons as one phrase.
pub fn join(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Compares what is wanted with what there is.
pub fn plan(spec: &ContainerSpec, found: Option<Found>) -> Plan {
    let Some(found) = found else { return Plan::Create };
    if found.spec_digest != spec.digest() {
        let reasons = changes(spec, &found.spec);
        return Plan::Recreate(found, reasons);
    }
    match found.state {
        State::Running => Plan::Reuse(found),
        State::Paused => Plan::Unpause(found),
        State::Stopped => Plan::Start(found),
        State::Unfinished => Plan::Recreate(found, vec![Reason::Unfinished]),
    }
}

/// The fields in which two specs differ. A spec that an older or newer version wrote may have others.
fn changes(wanted: &ContainerSpec, made_from: &str) -> Vec<Reason> {
    let parse = |text: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
    let (Ok(wanted), Ok(made_from)) = (parse(&wanted.to_json()), parse(made_from)) else {
        return vec![Reason::AnotherSpec];
    };
    let mut changes: Vec<Reason> = wanted
        .keys()
        .chain(made_from.keys().filter(|field| !wanted.contains_key(*field)))
        .filter(|field| wanted.get(*field) != made_from.get(*field))
        .map(|field| Reason::Changed(field.clone()))
        .collect();
    if changes.is_empty() {
        changes.push(Reason::AnotherSpec);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::super::spec::tests::{parts, spec};
    use super::super::spec::{Limits, Parts};
    use super::*;

    fn found(spec: &ContainerSpec, state: State) -> Found {
        Found {
            id: "c0ffee".to_owned(),
            name: "claude-reactor-base-amd64-76a2e845-alice".to_owned(),
            state,
            spec_digest: spec.digest(),
            spec: spec.to_json(),
        }
    }

    #[test]
    fn an_untouched_container_is_kept_in_whatever_state() {
        let spec = spec(1000);
        assert_eq!(plan(&spec, None), Plan::Create);
        for (state, verb) in [
            (State::Running, "reuse"),
            (State::Paused, "unpause"),
            (State::Stopped, "start"),
            (State::Unfinished, "recreate"),
        ] {
            assert_eq!(plan(&spec, Some(found(&spec, state))).verb(), verb);
        }
    }

    #[test]
    fn a_change_recreates_and_is_named() {
        let old = spec(1000);
        let mut new = old.clone();
        new.image = "claude-reactor/base:ba9876543210".to_owned();
        new.mounts.pop();
        let plan = plan(&new, Some(found(&old, State::Running)));
        assert_eq!((plan.verb(), plan.why().as_str()), ("recreate", "the image changed, the mounts changed"));
    }

    #[test]
    fn every_field_has_words() {
        let limits = Limits { nano_cpus: Some(1), memory: Some(1), pids: Some(1) };
        let full = ContainerSpec::new(Parts { limits, sudo: false, ..parts(1000) });
        let spec: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&full.to_json()).unwrap();
        for field in spec.keys() {
            assert!(!in_words(field).contains('_') && in_words(field) != field, "{field}");
        }
    }

    #[test]
    fn a_container_of_another_version_is_recreated() {
        let spec = spec(1000);
        let mut other = found(&spec, State::Running);
        other.spec_digest = "0".repeat(64);
        other.spec = spec.to_json().replacen('{', r#"{"seccomp":"strict","#, 1);
        assert_eq!(plan(&spec, Some(other.clone())).why(), "seccomp changed");
        other.spec = String::new();
        assert_eq!(plan(&spec, Some(other)).why(), "its specification changed");
    }
}
