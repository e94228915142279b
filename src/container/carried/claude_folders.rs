//! The caller's own agents, commands and skills, read-only inside.
//!
//! They are mounted where Claude Code looks for an administrator's (`/etc/claude-code/.claude`), beside those of its
//! configuration folder: mounted there, they would hide what a session makes for itself, and in a folder below it skills
//! are not found and commands get another name.

use std::path::Path;

use super::super::mount::Mount;
use crate::host::Host;
use crate::project::holds;

/// Where Claude Code looks for an administrator's folders.
pub const PLACE: &str = "/etc/claude-code/.claude";
/// The folders that hold what people write for Claude Code, and no state or key of it.
const FOLDERS: [&str; 3] = ["agents", "commands", "skills"];

/// The mounts for those that there are. One that would show claude-reactor's home, or is not UTF-8, is left out.
pub fn mounts(host: &Host, reactor_home: &Path) -> Vec<Mount> {
    let mount = |name: &str| {
        // Resolved: the folder may be a link into a folder of dotfiles.
        let folder = host.home.join(".claude").join(name).canonicalize().ok().filter(|path| path.is_dir())?;
        if holds(&folder, reactor_home) || holds(reactor_home, &folder) {
            return None;
        }
        Some(Mount::read_only(folder.to_str()?, format!("{PLACE}/{name}")))
    };
    FOLDERS.into_iter().filter_map(mount).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn those_that_are_there_are_mounted_and_none_that_shows_keys() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let host = Host::new(&home, &home, []);
        let reactor = home.join(".claude-reactor");
        assert_eq!(mounts(&host, &reactor), []);

        for folder in [".claude/agents", "dotfiles/skills", ".claude/projects", ".claude-reactor"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        symlink(home.join("dotfiles/skills"), home.join(".claude/skills")).unwrap();
        symlink(&home, home.join(".claude/commands")).unwrap();
        let source = |name: &str| home.join(name).to_str().unwrap().to_owned();
        assert_eq!(
            mounts(&host, &reactor),
            [
                Mount::read_only(source(".claude/agents"), "/etc/claude-code/.claude/agents"),
                Mount::read_only(source("dotfiles/skills"), "/etc/claude-code/.claude/skills"),
            ]
        );
    }
}
