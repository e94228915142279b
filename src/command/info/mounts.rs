//! What each mount of a container is for.

use serde::Serialize;

use crate::command::forward;
use crate::container::carried::{self, claude_folders};
use crate::container::managed_settings;
use crate::container::mount::Mount;
use crate::container::spec::{CA_FILE, CLAUDE_CONFIG_DIR, WORKDIR};
use crate::provider::{credential_files, login};

/// A mount and what it is for. Field names are stable: `--json` prints them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Explained {
    /// Absolute path on the host.
    pub(super) source: String,
    /// Absolute path inside.
    pub(super) target: String,
    /// Whether the container may only read.
    pub(super) read_only: bool,
    /// What it is for, in a word for programs.
    pub(super) kind: &'static str,
    /// The same for people.
    pub(super) purpose: &'static str,
}

/// Says of each mount what it is for. `own` are the user's own.
pub(super) fn explained(mounts: &[Mount], own: &[Mount]) -> Vec<Explained> {
    let explain = |mount: &Mount| {
        let (kind, purpose) = purpose(mount, own);
        let Mount { source, target, read_only } = mount.clone();
        Explained { source, target, read_only, kind, purpose }
    };
    mounts.iter().map(explain).collect()
}

fn purpose(mount: &Mount, own: &[Mount]) -> (&'static str, &'static str) {
    let history = format!("{CLAUDE_CONFIG_DIR}/projects");
    match mount.target.as_str() {
        _ if own.contains(mount) => ("mount", "a mount of your own"),
        WORKDIR => ("project", "the project"),
        CLAUDE_CONFIG_DIR => ("claude-state", "Claude Code's state, settings and agents with this provider"),
        target if target == history => {
            ("history", "the conversation history, which the project's providers share")
        }
        carried::FOLDER => ("carried", "your name on commits"),
        credential_files::INSIDE => ("credential-files", "the provider's credential files"),
        login::INSIDE => ("login", "the login of your Claude subscription"),
        managed_settings::INSIDE => ("policy", "settings that protect that login"),
        CA_FILE => ("ca-file", "CA certificates to trust in addition"),
        target if target.starts_with(claude_folders::PLACE) => {
            ("claude-folder", "your own agents, commands or skills")
        }
        target => match forward::flag_of(target) {
            Some("--host-docker") => ("host-docker", "the way to this machine's container engine"),
            Some(_) if target.ends_with("/.ssh") => ("ssh-files", "your known hosts and public keys"),
            Some(_) => ("ssh-agent", "the way to your SSH agent"),
            None => ("git", "what git needs of the repository around the project"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mount_has_its_purpose() {
        let own = [Mount::read_only("/data", "/mnt/data")];
        let kind = |target: &str| purpose(&Mount::writable("/x", target), &own).0;
        for (target, expected) in [
            ("/app", "project"),
            ("/home/claude/.claude", "claude-state"),
            ("/home/claude/.claude/projects", "history"),
            ("/etc/claude-reactor/carried", "carried"),
            ("/etc/claude-reactor/files", "credential-files"),
            ("/etc/claude-reactor/ca.pem", "ca-file"),
            ("/home/claude/.claude-login", "login"),
            ("/etc/claude-code", "policy"),
            ("/etc/claude-code/.claude/skills", "claude-folder"),
            ("/run/claude-reactor/ssh-agent", "ssh-agent"),
            ("/run/claude-reactor/docker", "host-docker"),
            ("/home/claude/.ssh", "ssh-files"),
            ("/home/alice/repository/.git", "git"),
        ] {
            assert_eq!(kind(target), expected, "{target}");
        }
        assert_eq!(explained(&own, &own)[0].kind, "mount");
    }
}
