//! `completion`: the script by which a shell completes this program's command lines.

use std::process::ExitCode;

use clap::ValueEnum;

use crate::complete;
use crate::error::Error;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  bash        echo 'eval \"$(claude-reactor completion bash)\"' >>~/.bashrc
  zsh         claude-reactor completion zsh >~/.zfunc/_claude-reactor
              and in ~/.zshrc, before compinit: fpath+=~/.zfunc
  fish        claude-reactor completion fish >~/.config/fish/completions/claude-reactor.fish
  powershell  claude-reactor completion powershell >>$PROFILE
  elvish      claude-reactor completion elvish >>~/.config/elvish/rc.elv

`make install` puts those of bash, zsh and fish where these look for them.";

/// Print the script that makes a shell complete commands, flags and their values
///
/// Values are completed as they are at that moment: providers, accounts, images, projects by their hash, configuration keys.
/// The script asks `claude-reactor` on your PATH, so it need not be made anew after an upgrade.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// A shell that there is a script for.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "each is the name of a shell, and a doc would be its help")]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

/// Does it.
pub fn completion(args: &Args) -> Result<ExitCode, Error> {
    let shell = args.shell.to_possible_value().expect("no shell is hidden");
    ui::data(&complete::script(shell.get_name()))?;
    Ok(ExitCode::SUCCESS)
}
