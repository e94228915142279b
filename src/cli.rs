//! The command line: global flags and the commands. Types only; what a command does is in `command`.

use clap::{Parser, Subcommand};

use crate::command::{exec, run};

const ENVIRONMENT_AND_EXIT_CODES: &str = "\
Environment, for one run and not remembered:
  CLAUDE_REACTOR_ACCOUNT, CLAUDE_REACTOR_VARIANT, CLAUDE_REACTOR_DANGER,
  CLAUDE_REACTOR_LLM_PROVIDER, CLAUDE_REACTOR_LLM_MODEL, CLAUDE_REACTOR_LLM_SMALL_MODEL,
  CLAUDE_REACTOR_LLM_ENV, CLAUDE_REACTOR_LLM_EXPORT_KEY, CLAUDE_REACTOR_CA_FILE
  CLAUDE_REACTOR_HOME   where accounts, keys and history are kept (default: ~/.claude-reactor)
  DOCKER_HOST           the container engine to use (default: the first that answers)

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
    args_conflicts_with_subcommands = true,
    after_long_help = format!("{}\n\n{ENVIRONMENT_AND_EXIT_CODES}", run::EXAMPLES),
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
}
