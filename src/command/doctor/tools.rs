//! What a session uses of the machine's programs: git, and the SSH agent where it is on.

use super::check::{Check, Subject, Told};
use crate::config::vars;
use crate::host::Host;

const GIT: Subject = Subject::new("git", "git");
pub(super) const AGENT: Subject = Subject::new("ssh-agent", "SSH agent");
const VARIABLES: Subject = Subject::new("variables", "variables");

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
    let unknown = vars::unknown(host);
    if unknown.is_empty() {
        return VARIABLES.pass(format!("no {}* variable is set that nobody reads", vars::PREFIX));
    }
    let said: Vec<&str> = unknown.iter().map(|(_, why)| why.as_str()).collect();
    let names: Vec<&str> = unknown.iter().map(|(name, _)| name.as_str()).collect();
    VARIABLES.warn(said.join("; "), format!("unset {}", names.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome::{Fail, Pass, Skipped, Warn};
    use super::*;

    #[test]
    fn a_variable_that_nobody_reads_is_named_with_the_one_that_was_meant() {
        let check = |names: &[&str]| {
            let vars = names.iter().map(|name| (format!("CLAUDE_REACTOR_{name}"), "x".to_owned()));
            variables(&Host::new("/home/alice", "/work", vars))
        };
        assert_eq!(check(&["HOME", "LLM_MODEL"]).outcome, Pass);
        let found = check(&["HOME", "LLM_MODLE"]);
        assert_eq!(found.outcome, Warn);
        assert!(found.found.contains("did you mean CLAUDE_REACTOR_LLM_MODEL?"), "{}", found.found);
        assert_eq!(found.remedy.as_deref(), Some("unset CLAUDE_REACTOR_LLM_MODLE"));
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
