//! claude-reactor: the real Claude Code CLI in a container of the user's own engine, on the LLM backend a project chose.
//!
//! Imports point one way: `main → cli → command → {container, inventory, old_home} → provider → {config, project} → host`, and below
//! all of them what knows nothing of the rest: names, digests, signals, files. Nothing below `command` prints, and only
//! `provider::setup` asks.

pub mod claude_version;
pub mod cli;
pub mod command;
pub mod complete;
pub mod config;
pub mod container;
pub mod detect;
pub mod digest;
pub mod engine_choice;
pub mod error;
pub mod folder_tree;
pub mod gateway;
pub mod host;
pub mod image_choice;
pub mod inventory;
pub mod name;
pub mod nearest;
pub mod old_home;
pub mod private_file;
pub mod project;
pub mod provider;
pub mod removed;
pub mod signals;
pub mod text;
pub mod ui;
pub mod user_file;
pub mod variant;
pub mod wary_file;

use std::process::ExitCode;

use cli::{Cli, Command, Talk};
use error::Error;
use host::Host;

/// Runs the program: answers a shell that completes, or parses the command line, does what it says, and renders the error
/// if there is one.
pub fn main() -> ExitCode {
    complete::answer().unwrap_or_else(|| {
        Cli::from_process().and_then(dispatch).unwrap_or_else(|error| {
            ui::error(&error);
            error.exit_code()
        })
    })
}

fn dispatch(cli: Cli) -> Result<ExitCode, Error> {
    let Cli { talk, command, run } = cli;
    log(talk.or_as_the_environment_says()?);
    match command.unwrap_or(Command::Run(run)) {
        Command::Run(args) => block_on(async |host| Box::pin(command::run::run(&args, host)).await),
        Command::Exec(args) => block_on(async |host| command::exec::exec(&args, host).await),
        Command::Shell(args) => block_on(async |host| command::shell::shell(&args, host).await),
        Command::List(args) => block_on(async |host| command::list::list(&args, host).await),
        Command::Stop(args) => block_on(async |host| command::stop::stop(&args, host).await),
        Command::Logs(args) => block_on(async |host| command::logs::logs(&args, host).await),
        Command::Clean(args) => block_on(async |host| command::clean::clean(&args, host).await),
        Command::Build(args) => block_on(async |host| command::build::build(&args, host).await),
        Command::Config(args) => block_on(async |host| command::config::config(&args, host).await),
        Command::Llm(args) => block_on(async |host| command::llm::llm(&args, host).await),
        Command::Ask(args) => block_on(async |host| command::ask::ask(&args, host).await),
        Command::Gateway(args) => block_on(async |host| command::gateway::gateway(&args, host).await),
        Command::Info(args) => block_on(async |host| command::info::info(&args, host).await),
        Command::Doctor(args) => block_on(async |host| command::doctor::doctor(&args, host).await),
        Command::Completion(args) => command::completion::completion(&args),
        Command::Man(args) => command::man::man(&args),
        Command::Version(args) => command::version::version(&args),
    }
}

/// Runs a command on one thread: it waits for one engine and one terminal, and starting more threads takes longer than
/// they would save. A thread that still waits for standard input at the end is left behind.
fn block_on(command: impl AsyncFnOnce(&Host) -> Result<ExitCode, Error>) -> Result<ExitCode, Error> {
    let host = Host::from_process()?;
    for (_, warning) in config::vars::unknown(&host) {
        ui::warn(&warning);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::Io { action: "start the runtime", source })?;
    let done = runtime.block_on(command(&host));
    runtime.shutdown_background();
    done
}

/// What `--verbose` and `--debug` show. Only our own events: a library's could hold what it was given to send.
fn log(talk: Talk) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;

    let level = match talk {
        Talk { debug: true, .. } => LevelFilter::DEBUG,
        Talk { verbose: true, .. } => LevelFilter::INFO,
        _ => return,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).without_time();
    tracing_subscriber::registry()
        .with(lines)
        .with(Targets::new().with_target(env!("CARGO_CRATE_NAME"), level))
        .init();
}
