//! Flags and commands of the earlier claude-reactor (the Go tool, and the shell script before it) that this one does not
//! have, and what takes their place. Looked at only where the command line was not understood, so a name that comes back
//! needs no change here.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Something that an earlier claude-reactor had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// How it was written.
    pub name: &'static str,
    /// What to do instead, as a hint.
    pub instead: &'static str,
}

const fn removed(name: &'static str, instead: &'static str) -> Removed {
    Removed { name, instead }
}

const WITH_THE_MAKEFILE: &str = "`make install` and `make uninstall` in claude-reactor's own folder do that";
const CHECKED: &str =
    "an image is checked before the first session in it: `claude-reactor run --image IMAGE`";

const ALL: [Removed; 30] = [
    removed("--clean", "use `claude-reactor clean`"),
    removed("--clean-all", "use `claude-reactor clean --all`"),
    removed(
        "--continue",
        "a new session starts afresh; `claude-reactor -- --continue` goes on with the last one",
    ),
    removed("--install", WITH_THE_MAKEFILE),
    removed("--list-accounts", "use `claude-reactor list`"),
    removed(
        "--list-variants",
        "`claude-reactor build --help` names the variants, `claude-reactor info` this project's",
    ),
    removed("--log-level", "use `--verbose`, or `--debug` for everything"),
    removed("--no-continue", "that is how a session starts; leave it out"),
    removed("--no-mounts", "leave it out; `claude-reactor run --dry-run` shows what would be mounted"),
    removed("--persist", "that is what happens unless you say `--no-persist`; leave it out"),
    removed("--platform", "images are made for the engine's own platform; leave it out"),
    removed("--raw", "`claude-reactor config show` names the file of every value"),
    removed("--rebuild", "use `claude-reactor build --no-cache`"),
    removed("--show-config", "use `claude-reactor config show`"),
    removed("--uninstall", WITH_THE_MAKEFILE),
    removed("-d", "use `--debug`"),
    removed("debug cache", "use `claude-reactor clean --cache`"),
    removed("debug image", CHECKED),
    removed("debug info", "use `claude-reactor info`, or `claude-reactor doctor` where something fails"),
    removed("debug", "use `claude-reactor info`, or `claude-reactor doctor` where something fails"),
    removed("dependency", "ask your package manager in the container: `claude-reactor exec -- COMMAND`"),
    removed("devcontainer", "a session's container is made by `claude-reactor run`; there is no other"),
    removed("hotreload", "the project's folder is mounted, so a session sees every change at once"),
    removed("info cache", "use `claude-reactor clean --cache`"),
    removed("info image", CHECKED),
    removed("info info", "use `claude-reactor info`"),
    removed("info status", "use `claude-reactor info`"),
    removed("install", WITH_THE_MAKEFILE),
    removed("template", "ask Claude Code for a project: `claude-reactor` in an empty folder"),
    removed("uninstall", WITH_THE_MAKEFILE),
];

/// What an earlier claude-reactor knew of a command line that this one did not understand, and why it did not.
pub fn find(error: &clap::Error, arguments: &[String]) -> Option<Removed> {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => return None,
    };
    let Some(ContextValue::String(word)) = error.get(kind) else { return None };
    let word = word.split('=').next().unwrap_or_default();
    let at = arguments.iter().position(|argument| argument.split('=').next() == Some(word));
    let beside =
        |at: Option<usize>| at.and_then(|at| arguments.get(at)).map(String::as_str).unwrap_or_default();
    let names = [
        format!("{} {word}", beside(at.and_then(|at| at.checked_sub(1)))),
        format!("{word} {}", beside(at.map(|at| at + 1))),
        word.to_owned(),
    ];
    names.iter().find_map(|name| ALL.into_iter().find(|removed| removed.name == name))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn found(arguments: &[&str]) -> Option<&'static str> {
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let whole = std::iter::once("claude-reactor".to_owned()).chain(arguments.clone());
        let error = Cli::command().try_get_matches_from(whole).unwrap_err();
        Some(find(&error, &arguments)?.name)
    }

    #[test]
    fn they_are_found_wherever_they_stand() {
        assert_eq!(found(&["--list-variants"]), Some("--list-variants"));
        assert_eq!(found(&["--log-level=debug", "run"]), Some("--log-level"));
        assert_eq!(found(&["run", "--account", "a", "--log-level", "debug"]), Some("--log-level"));
        assert_eq!(found(&["run", "-d"]), Some("-d"));
        assert_eq!(found(&["debug"]), Some("debug"));
        assert_eq!(found(&["debug", "cache", "clear"]), Some("debug cache"));
        assert_eq!(found(&["--frobnicate"]), None);
        assert_eq!(found(&["run", "--danger=maybe"]), None);
    }

    #[test]
    fn what_they_advise_is_there() {
        let program = Cli::command();
        let advice = ALL.iter().flat_map(|removed| removed.instead.split('`').skip(1).step_by(2));
        for line in advice.filter(|line| line.starts_with("claude-reactor ")) {
            let mut words = line.split(' ').skip(1);
            let command = words.next().and_then(|word| program.find_subcommand(word));
            let Some(command) = command.filter(|_| !line.contains(" -- ")) else { continue };
            for flag in words.filter_map(|word| word.strip_prefix("--")) {
                let known = command.get_arguments().any(|arg| arg.get_long() == Some(flag));
                assert!(known || flag == "help", "`{line}`: there is no --{flag}");
            }
        }
    }
}
