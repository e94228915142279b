//! What a session uses of the machine's programs: git, and the SSH agent where it is on.

use std::collections::BTreeSet;

use super::check::{Check, Subject, Told};
use crate::host::Host;

const GIT: Subject = Subject::new("git", "git");
pub(super) const AGENT: Subject = Subject::new("ssh-agent", "SSH agent");
const VARIABLES: Subject = Subject::new("variables", "variables");

/// What we call our variables.
const PREFIX: &str = "CLAUDE_REACTOR_";

/// Every variable of ours, without the prefix. What reads each: `host`, `config::vars`, `container::engine`.
const KNOWN: [&str; 24] = [
    "ACCOUNT",
    "CA_FILE",
    "DANGER",
    "ENGINE",
    "ENGINE_SHARES_FILES",
    "HOME",
    "HOST_DOCKER",
    "HOST_DOCKER_TIMEOUT",
    "IMAGE",
    "LIMITS_CPUS",
    "LIMITS_MEMORY",
    "LIMITS_PIDS",
    "LLM_ENV",
    "LLM_EXPORT_KEY",
    "LLM_MODEL",
    "LLM_PROVIDER",
    "LLM_SMALL_MODEL",
    "REGISTRY",
    "SESSION",
    "SESSION_PERSISTENCE",
    "SSH_AGENT",
    "SSH_AGENT_SOCKET",
    "SUDO",
    "VARIANT",
];

/// Whether names on commits can be asked for.
pub(super) fn git(is_installed: bool) -> Check {
    if is_installed {
        GIT.pass("it is installed; a session's commits bear the names that it knows")
    } else {
        GIT.warn("it is not installed here, so a session's commits bear no name", "install git")
    }
}

/// What became of looking for the agent: nothing where it is off.
pub(super) fn ssh_agent(is_on: bool, found: Result<(), Told>) -> Check {
    match found {
        _ if !is_on => AGENT.skipped("--ssh-agent is off for this project"),
        Ok(()) => AGENT.pass("it answers"),
        Err(told) => AGENT.failed(told),
    }
}

/// The caller's variables that look like ours.
pub(super) fn variables(host: &Host) -> Check {
    let given: BTreeSet<&str> = host.vars().filter_map(|(name, _)| name.strip_prefix(PREFIX)).collect();
    judge(&given)
}

fn judge(given: &BTreeSet<&str>) -> Check {
    let unknown: Vec<&&str> = given.iter().filter(|name| !KNOWN.contains(name)).collect();
    if unknown.is_empty() {
        let names: Vec<String> = given.iter().map(|name| format!("{PREFIX}{name}")).collect();
        return VARIABLES.pass(if names.is_empty() {
            format!("no {PREFIX}* variable is set")
        } else {
            format!("set: {}", names.join(", "))
        });
    }
    let names: Vec<String> =
        unknown.iter().map(|name| format!("{PREFIX}{}", crate::ui::one_line(name))).collect();
    let remedies: Vec<String> = unknown
        .iter()
        .zip(&names)
        .map(|(unknown, name)| match nearest(unknown) {
            Some(near) => format!("unset {name}, or call it {PREFIX}{near}"),
            None => format!("unset {name}"),
        })
        .collect();
    VARIABLES.warn(format!("nobody reads {}", names.join(", ")), remedies.join("\n"))
}

fn nearest(name: &str) -> Option<&'static str> {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    KNOWN.into_iter().filter(|known| distance(known) <= known.len() / 3).min_by_key(|known| distance(known))
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{Fail, Pass, Skipped, Warn};
    use super::*;

    #[test]
    fn a_variable_that_nobody_reads_is_named_with_the_one_that_was_meant() {
        assert_eq!(judge(&BTreeSet::new()).outcome, Pass);
        assert_eq!(judge(&BTreeSet::from(["HOME", "LLM_MODEL"])).outcome, Pass);
        let check = judge(&BTreeSet::from(["HOME", "LLM_MODLE", "XYZ"]));
        assert_eq!(check.outcome, Warn);
        assert_eq!(check.found, "nobody reads CLAUDE_REACTOR_LLM_MODLE, CLAUDE_REACTOR_XYZ");
        let remedy =
            "unset CLAUDE_REACTOR_LLM_MODLE, or call it CLAUDE_REACTOR_LLM_MODEL\nunset CLAUDE_REACTOR_XYZ";
        assert_eq!(check.remedy.as_deref(), Some(remedy));
    }

    #[test]
    fn every_variable_that_is_read_is_known() {
        let read = include_str!("../../config/vars.rs");
        let names = read.split(PREFIX).skip(1).map(|rest| {
            rest.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).next().unwrap_or_default()
        });
        for name in names.filter(|name| !name.is_empty()) {
            assert!(KNOWN.contains(&name), "{PREFIX}{name} is read, and not in KNOWN");
        }
    }

    #[test]
    fn git_and_the_agent() {
        assert_eq!([git(true).outcome, git(false).outcome], [Pass, Warn]);
        let told = || Told { found: "dead".to_owned(), remedy: None };
        assert_eq!(ssh_agent(false, Ok(())).outcome, Skipped);
        assert_eq!(ssh_agent(true, Ok(())).outcome, Pass);
        assert_eq!(ssh_agent(true, Err(told())).outcome, Fail);
    }
}
