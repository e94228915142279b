//! What makes a container another one than it would be made now, in words.

use std::fmt;

use serde_json::{Map, Value};

use super::found::State;
use super::spec::{CA_FILE, ContainerSpec, ca_variables};

/// Why a container cannot stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// This field of the spec is another now.
    Field(String),
    /// A mount is another now.
    Mount {
        /// Its place inside.
        target: String,
        /// What became of it.
        change: Change,
    },
    /// A variable is another now. Its value is never told.
    Variable {
        /// Its name.
        name: String,
        /// What became of it.
        change: Change,
    },
    /// A spec that cannot be read, or whose difference no field shows.
    AnotherSpec,
    /// It was made before containers told of their home.
    OlderVersion,
    /// It is in a state that it does not get out of by itself.
    State(State),
    /// The engine refused to start it, with these words.
    CannotStart(String),
}

/// What became of one part of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    New,
    /// It is not there any more.
    Gone,
    /// Its value, or what stands behind it, is another.
    Other,
    /// It can only be read now.
    ReadOnly,
    /// It can be written to now.
    Writable,
    /// Its folder was removed and made again, and the container has the removed one.
    Replaced,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) if field == SESSION_ENV => f.write_str("llm.env changed"),
            Self::Field(field) => write!(f, "{} changed", in_words(field)),
            // A folder's name may hold anything, control sequences too.
            Self::Mount { target, change } => write!(f, "the mount {} {change}", target.escape_debug()),
            Self::Variable { name, change } => write!(f, "the variable {} {change}", name.escape_debug()),
            Self::AnotherSpec => f.write_str("its specification changed"),
            Self::OlderVersion => f.write_str("an older version of claude-reactor made it"),
            Self::State(State::Removing) => f.write_str("the engine is removing it"),
            Self::State(State::Unknown) => f.write_str("the engine cannot say what it is doing"),
            Self::State(State::Dead) => f.write_str("the engine could not remove it completely"),
            Self::State(State::Restarting) => f.write_str("it ends whenever it is started"),
            Self::State(_) => f.write_str("it was left half-made"),
            Self::CannotStart(words) => write!(f, "it cannot be started: {}", words.trim().escape_debug()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "is new",
            Self::Gone => "is gone",
            Self::Other => "is another",
            Self::ReadOnly => "is read-only now",
            Self::Writable => "is writable now",
            Self::Replaced => "was replaced on this machine",
        })
    }
}

/// The field with the digests of the session's variables.
const SESSION_ENV: &str = "session_env";

/// What a field of the spec is to people. One that only another version knows has no words here.
fn in_words(field: &str) -> &str {
    match field {
        "image" | "image_id" => "the image",
        "unset" => "the image's variables",
        "user" => "the user",
        "userns" => "the mapping of users",
        "mounts" => "the order of the mounts",
        "env" => "the container's variables",
        SESSION_ENV => "the session's variables",
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

/// Reasons as one phrase.
pub fn join(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What differs between the spec that is wanted and the one a container was made from, which an older or newer version
/// may have written. Never empty.
pub fn changes(wanted: &ContainerSpec, made_from: &str) -> Vec<Reason> {
    let parse = |text: &str| serde_json::from_str::<Map<String, Value>>(text);
    let (Ok(wanted), Ok(made_from)) = (parse(&wanted.to_json()), parse(made_from)) else {
        return vec![Reason::AnotherSpec];
    };
    let fields = keys(&wanted, &made_from);
    let differing = fields.into_iter().filter(|field| get(&wanted, field) != get(&made_from, field));
    let mut changes: Vec<Reason> = differing
        .flat_map(|field| match (get(&wanted, field), get(&made_from, field)) {
            (Value::Array(now), Value::Array(before)) if field == "mounts" => mount_changes(now, before),
            (Value::Object(now), Value::Object(before)) if field == "env" => variable_changes(now, before),
            (Value::Object(now), Value::Object(before)) if field == SESSION_ENV => {
                if now.is_empty() || before.is_empty() {
                    vec![Reason::Field(field.clone())]
                } else {
                    variable_changes(now, before)
                }
            }
            _ => vec![Reason::Field(field.clone())],
        })
        .collect();
    without_consequences(&mut changes);
    if changes.is_empty() {
        changes.push(Reason::AnotherSpec);
    }
    changes
}

/// A field that is left out says the same as one that is null.
fn get<'a>(spec: &'a Map<String, Value>, field: &str) -> &'a Value {
    spec.get(field).unwrap_or(&Value::Null)
}

fn keys<'a>(now: &'a Map<String, Value>, before: &'a Map<String, Value>) -> Vec<&'a String> {
    now.keys().chain(before.keys().filter(|key| !now.contains_key(*key))).collect()
}

fn mount_changes(now: &[Value], before: &[Value]) -> Vec<Reason> {
    let at = |mounts: &'_ [Value], target: &Value| -> Option<Value> {
        mounts.iter().find(|mount| mount["target"] == *target).cloned()
    };
    let targets = now.iter().chain(before.iter().filter(|mount| at(now, &mount["target"]).is_none()));
    let changes: Vec<Reason> = targets
        .filter_map(|mount| {
            let target = &mount["target"];
            let change = match (at(now, target), at(before, target)) {
                (Some(now), Some(before)) if now == before => return None,
                (Some(now), Some(before)) if now["source"] != before["source"] => Change::Other,
                (Some(now), Some(_)) if now["read_only"] == true => Change::ReadOnly,
                (Some(_), Some(_)) => Change::Writable,
                (Some(_), None) => Change::New,
                (None, _) => Change::Gone,
            };
            Some(Reason::Mount { target: target.as_str().unwrap_or_default().to_owned(), change })
        })
        .collect();
    if changes.is_empty() { vec![Reason::Field("mounts".to_owned())] } else { changes }
}

fn variable_changes(now: &Map<String, Value>, before: &Map<String, Value>) -> Vec<Reason> {
    keys(now, before)
        .into_iter()
        .filter_map(|name| {
            let change = match (now.get(name), before.get(name)) {
                (Some(now), Some(before)) if now == before => return None,
                (Some(_), Some(_)) => Change::Other,
                (Some(_), None) => Change::New,
                (None, _) => Change::Gone,
            };
            Some(Reason::Variable { name: name.clone(), change })
        })
        .collect()
}

/// Leaves out what only follows from another change: certificates bring a mount, variables and a main process along, and
/// a user a home.
fn without_consequences(changes: &mut Vec<Reason>) {
    let has = |field: &str| changes.iter().any(|reason| matches!(reason, Reason::Field(one) if one == field));
    let (certificates, user) = (has("ca_digest"), has("user"));
    let of_certificates: Vec<String> = ca_variables().map(|(name, _)| name).collect();
    changes.retain(|reason| match reason {
        Reason::Mount { target, .. } => !(certificates && target == CA_FILE),
        Reason::Field(field) => !(certificates && field == "command"),
        Reason::Variable { name, .. } => {
            !(certificates && of_certificates.contains(name)
                || user && matches!(name.as_str(), "HOME" | "IS_SANDBOX"))
        }
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use super::super::mount::Mount;
    use super::super::spec::tests::{parts, spec};
    use super::super::spec::{CaFile, Limits, Parts};
    use super::*;

    fn why(now: &ContainerSpec, before: &ContainerSpec) -> String {
        join(&changes(now, &before.to_json()))
    }

    #[test]
    fn every_field_has_words() {
        let limits = Limits { nano_cpus: Some(1), memory: Some(1), pids: Some(1) };
        let full = ContainerSpec::new(Parts { limits, sudo: false, ..parts(1000) });
        let spec: Map<String, Value> = serde_json::from_str(&full.to_json()).unwrap();
        for field in spec.keys() {
            assert!(!in_words(field).contains('_') && in_words(field) != field, "{field}");
        }
    }

    #[test]
    fn a_limit_is_named() {
        let limits = Limits { memory: Some(1 << 30), ..Limits::default() };
        let limited = ContainerSpec::new(Parts { limits, ..parts(1000) });
        assert_eq!(why(&limited, &spec(1000)), "the limit of memory changed");
        assert_eq!(why(&spec(1000), &limited), "the limit of memory changed");
    }

    #[test]
    fn a_mount_is_named_by_its_place() {
        let with = |mounts: &[Mount]| {
            let mut spec = spec(1000);
            spec.mounts.extend_from_slice(mounts);
            spec
        };
        let (plain, data) = (with(&[]), Mount::writable("/data", "/mnt/data"));
        let data_only = with(std::slice::from_ref(&data));
        assert_eq!(why(&data_only, &plain), "the mount /mnt/data is new");
        assert_eq!(why(&plain, &data_only), "the mount /mnt/data is gone");
        let fixed = with(&[Mount::read_only("/data", "/mnt/data")]);
        assert_eq!(why(&fixed, &data_only), "the mount /mnt/data is read-only now");
        assert_eq!(why(&data_only, &fixed), "the mount /mnt/data is writable now");
        let elsewhere =
            with(&[Mount::read_only("/other", "/mnt/data"), Mount::writable("/x", "/mnt/\x1b[2Jx")]);
        assert_eq!(
            why(&elsewhere, &data_only),
            "the mount /mnt/data is another, the mount /mnt/\\u{1b}[2Jx is new"
        );
    }

    #[test]
    fn a_variable_is_named_and_its_value_is_not() {
        let with = |vars: &[(&str, &str)]| {
            let mut spec = spec(1000);
            let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            spec.session_env = vars.clone().collect();
            spec.env.extend(vars.map(|(name, value)| (format!("MY_{name}"), value)));
            spec
        };
        let one = with(&[("A", "1"), ("B", "1")]);
        let two = with(&[("A", "2"), ("C", "1")]);
        assert_eq!(
            why(&two, &one),
            "the variable MY_A is another, the variable MY_C is new, the variable MY_B is gone, \
             the variable A is another, the variable C is new, the variable B is gone"
        );
        let mut none = one.clone();
        none.session_env.clear();
        assert_eq!(why(&none, &one), "llm.env changed");
        assert_eq!(why(&one, &none), "llm.env changed");
    }

    #[test]
    fn what_follows_from_another_change_is_not_told() {
        let ca_file = CaFile { path: "/etc/company.pem".into(), digest: "c0ffee".to_owned() };
        let parts = |ca_file| Parts { ca_file, ..parts(1000) };
        let (plain, with_ca) = (ContainerSpec::new(parts(None)), ContainerSpec::new(parts(Some(&ca_file))));
        assert_eq!(why(&with_ca, &plain), "the CA certificates changed");
        assert_eq!(why(&plain, &with_ca), "the CA certificates changed");
        let root = ContainerSpec::new(Parts { user: spec(0).user, ..parts(None) });
        assert_eq!(why(&root, &plain), "the user changed");
    }

    #[test]
    fn a_spec_of_another_version_differs_in_what_both_do_not_say() {
        let spec = spec(1000);
        let newer = spec.to_json().replacen('{', r#"{"seccomp":"strict","nothing":null,"#, 1);
        assert_eq!(join(&changes(&spec, &newer)), "seccomp changed");
        assert_eq!(join(&changes(&spec, "no JSON")), "its specification changed");
        assert_eq!(join(&changes(&spec, &spec.to_json())), "its specification changed");
    }
}
