//! The command line: global flags and the commands. Types only; what a command does is in `command`.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::command::{
    ask, build, clean, completion, config, doctor, exec, gateway, info, list, llm, logs, man, run, shell,
    stop, version,
};
use crate::config::{parse_at, vars};
use crate::error::Error;
use crate::host::Host;
use crate::nearest::nearest;
use crate::removed::{self, Removed};

const EXIT_CODES: &str = "\
Exit codes:
  the session's own; 128+n when signal n ended it
  1    something failed on this machine
  2    wrong usage, a configuration that cannot be, or a key that is missing or refused;
       nothing was started
  125  the container engine is missing or failed
  130  you left a question with Ctrl-C";

/// The real Claude Code CLI in a container of your own, on the LLM backend this project chose.
///
/// Without a command, `claude-reactor` is `claude-reactor run`.
#[derive(Debug, Parser)]
#[command(
    name = "claude-reactor",
    version,
    override_usage = "claude-reactor [OPTIONS] [-- <CLAUDE ARGS>...]\n       claude-reactor <COMMAND>",
    after_long_help = format!("{}\n\n{}\n\n{EXIT_CODES}", run::EXAMPLES, vars::help()),
    max_term_width = 110
)]
pub struct Cli {
    /// How much is said.
    #[command(flatten)]
    pub talk: Talk,
    /// What to do; nothing is `run`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `run`.
    #[command(flatten)]
    pub run: run::Args,
}

impl Cli {
    /// The command line of this process. Where it is not understood, clap says so and ends the process.
    /// A flag or a command of an earlier claude-reactor is an error of ours, which says what takes its place.
    pub fn from_process() -> Result<Self, Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(std::env::args_os()).map_err(|error| {
            let arguments: Vec<String> =
                std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
            match removed::find(&error, &arguments) {
                Some(Removed { name, instead }) => Error::Removed { name, instead },
                None => no_command(&error, &arguments).unwrap_or_else(|| error.exit()),
            }
        })?;
        if let Some((flag, name)) = misplaced(&command, &matches) {
            command.error(ErrorKind::ArgumentConflict, format!("`{flag}` belongs after `{name}`")).exit();
        }
        Ok(Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
    }
}

/// A first word that is no command, which clap takes for one too many of `run`'s arguments.
fn no_command(error: &clap::Error, arguments: &[String]) -> Option<Error> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    if error.kind() != ErrorKind::UnknownArgument || arguments.first() != Some(word) || word.starts_with('-')
    {
        return None;
    }
    let command = Cli::command();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let nearest = nearest(word, names).map(str::to_owned);
    Some(Error::NoCommand { word: word.clone(), nearest })
}

/// A flag of `run` that stands before a command, where nobody would read it. (clap's own setting for this refuses the
/// global flags there too.)
fn misplaced(command: &clap::Command, matches: &ArgMatches) -> Option<(String, String)> {
    let (name, _) = matches.subcommand()?;
    let given =
        |arg: &&clap::Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let flag = command.get_arguments().filter(|arg| !arg.is_global_set()).find(given)?.get_long()?;
    Some((format!("--{flag}"), name.to_owned()))
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Talk {
    /// Say what is being done.
    #[arg(long, short, global = true, display_order = 100)]
    pub verbose: bool,
    /// Say everything that helps to find a fault. Keys are never among it.
    #[arg(long, global = true, display_order = 101)]
    pub debug: bool,
}

impl Talk {
    /// The same, where no flag says it as `CLAUDE_REACTOR_VERBOSE` and `CLAUDE_REACTOR_DEBUG` do.
    pub fn or_as_the_environment_says(self) -> Result<Self, Error> {
        let says = |name: &str| match Host::early_var(name) {
            Some(text) => Ok::<bool, Error>(parse_at(|| name.to_owned(), &text)?),
            None => Ok(false),
        };
        Ok(Self {
            verbose: self.verbose || says("CLAUDE_REACTOR_VERBOSE")?,
            debug: self.debug || says("CLAUDE_REACTOR_DEBUG")?,
        })
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[expect(
        missing_docs,
        reason = "a doc here would take the place of the arguments' own, which is the help"
    )]
    Run(run::Args),
    #[expect(missing_docs, reason = "as above")]
    Exec(exec::Args),
    #[expect(missing_docs, reason = "as above")]
    Shell(shell::Args),
    #[expect(missing_docs, reason = "as above")]
    List(list::Args),
    #[expect(missing_docs, reason = "as above")]
    Stop(stop::Args),
    #[expect(missing_docs, reason = "as above")]
    Logs(logs::Args),
    #[expect(missing_docs, reason = "as above")]
    Clean(clean::Args),
    #[expect(missing_docs, reason = "as above")]
    Build(build::Args),
    #[expect(missing_docs, reason = "as above")]
    Config(config::Args),
    #[expect(missing_docs, reason = "as above")]
    Llm(llm::Args),
    #[expect(missing_docs, reason = "as above")]
    Ask(ask::Args),
    #[expect(missing_docs, reason = "as above")]
    Gateway(gateway::Args),
    #[expect(missing_docs, reason = "as above")]
    Info(info::Args),
    #[expect(missing_docs, reason = "as above")]
    Doctor(doctor::Args),
    #[expect(missing_docs, reason = "as above")]
    Completion(completion::Args),
    #[expect(missing_docs, reason = "as above")]
    Man(man::Args),
    #[expect(missing_docs, reason = "as above")]
    Version(version::Args),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table;

    /// The help is at most this wide; what is wider is broken, and stands below the wrong column then.
    #[test]
    fn no_line_of_the_examples_is_broken() {
        let mut left = vec![Cli::command()];
        while let Some(command) = left.pop() {
            let texts = [command.get_after_help(), command.get_after_long_help()];
            for line in texts.into_iter().flatten().map(ToString::to_string).collect::<String>().lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
            left.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn the_flags_that_the_reference_names_are_there() {
        let command = Cli::command();
        let flags: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        for key in table::all().filter(|key| key.flag.starts_with("`--")) {
            let name = key.flag.trim_start_matches("`--").split(['`', '[', '=']).next().unwrap();
            let known = flags.contains(&name)
                || command
                    .get_arguments()
                    .any(|arg| arg.get_all_aliases().is_some_and(|all| all.contains(&name)));
            assert!(known, "--{name}");
        }
    }
}
