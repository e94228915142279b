//! `config unset`: a key out of a configuration file.

use std::process::ExitCode;

use super::choice_file::Change;
use super::scope::ScopeArgs;
use super::set;
use crate::error::Error;
use crate::host::Host;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config unset llm.model
  claude-reactor config unset env.EDITOR --global";

/// Take a key out of a configuration file
///
/// By default out of your own file for this project. What a lower layer says counts again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The key: a dotted path such as `llm.model` or `env.EDITOR`
    pub key: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc here would take the place of the flags' own heading")]
    pub scope: ScopeArgs,
}

/// Does it.
pub fn unset(args: &Args, host: &Host) -> Result<ExitCode, Error> {
    set::apply(&args.key, Change::Unset, &args.scope, host)
}
