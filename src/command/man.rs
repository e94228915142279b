//! `man`: the manual, a page for every command, made from the same texts as the help.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::error::Error;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor man | man -l -                read the page of claude-reactor itself
  claude-reactor man config trust | man -l -   and that of a command
  claude-reactor man --dir /usr/local/share/man/man1";

/// Print a page of the manual, or write all of them
///
/// A page is in the form that `man` reads (roff). `make install` installs all of them: `man claude-reactor`,
/// `man claude-reactor-run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The command whose page it is; none for the program itself
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    pub command: Vec<String>,
    /// Write every page into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Does it.
pub fn man(args: &Args) -> Result<ExitCode, Error> {
    let program = program();
    match &args.dir {
        Some(dir) => write_all(&program, dir)?,
        None => ui::data(&page(find(&program, &args.command)?))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The command line with the full name of every command, which is that of its page.
fn program() -> Command {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    program
}

fn find<'c>(program: &'c Command, names: &[String]) -> Result<&'c Command, Error> {
    names.iter().try_fold(program, |command, name| {
        command.find_subcommand(name).ok_or_else(|| Error::NoPage { command: names.join(" ") })
    })
}

fn page(command: &Command) -> String {
    let mut text = Vec::new();
    Man::new(command.clone()).render(&mut text).expect("writing to memory does not fail");
    String::from_utf8(text).expect("a page is text")
}

fn write_all(program: &Command, dir: &Path) -> Result<(), Error> {
    let failed = |source| Error::Page { dir: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut left = vec![program];
    while let Some(command) = left.pop() {
        let name = command.get_display_name().unwrap_or(command.get_name());
        std::fs::write(dir.join(format!("{name}.1")), page(command)).map_err(failed)?;
        left.extend(command.get_subcommands().filter(|below| !below.is_hide_set()));
    }
    Ok(())
}
