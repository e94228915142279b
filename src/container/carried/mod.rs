//! What a developer carries into a session: the names on commits, locale, time zone and terminal, their own agents, the
//! use of their ssh agent. Values and views only: no key, no password and no file that holds one.

pub mod claude_folders;
pub mod git_identity;
pub mod locale;
pub mod ssh_files;
pub mod terminal_type;
pub mod time_zone;

use crate::host::Host;

/// Where the folder of files that every session of the project gets is inside. It is mounted as a folder, so that what
/// is in it may change under a running container.
pub const FOLDER: &str = "/etc/claude-reactor/carried";
/// Its file with what git has to know.
pub const GIT_CONFIG: &str = "/etc/claude-reactor/carried/gitconfig";

/// The variables of a session that follow from the caller's surroundings. `tty` says whether it gets a terminal.
pub fn vars(host: &Host, tty: bool) -> Vec<(String, String)> {
    let mut vars = locale::vars(host);
    vars.extend(time_zone::zone(host).map(|zone| ("TZ".to_owned(), zone)));
    vars.extend(git_identity::vars(host));
    if tty {
        vars.extend(terminal_type::vars(host));
    }
    vars
}
