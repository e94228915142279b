//! `config schema`: the JSON Schema of a configuration file.

use std::process::ExitCode;

use super::schema_file;
use crate::config::file::Kind;
use crate::error::Error;
use crate::provider::catalog;
use crate::ui;

const EXAMPLES: &str = "\
Examples:
  claude-reactor config schema                     of a .claude-reactor file
  claude-reactor config schema --of providers      of ~/.claude-reactor/providers.yaml
  claude-reactor config schema > .claude-reactor.schema.json
      for a team: commit it, and begin the project's file with
      # yaml-language-server: $schema=.claude-reactor.schema.json";

/// Print the JSON Schema of a configuration file
///
/// Draft 2020-12. In your own files `config set` writes the line by which an editor with the YAML language server finds it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which file's
    #[arg(long, value_enum, default_value_t = Of::Project)]
    pub of: Of,
    /// Accepted for consistency: it is always JSON
    #[arg(long, hide = true)]
    pub json: bool,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Of {
    /// A `.claude-reactor` file: the project's, and your own choices for it
    Project,
    /// ~/.claude-reactor/config.yaml
    User,
    /// ~/.claude-reactor/{account}/config.yaml
    Account,
    /// ~/.claude-reactor/providers.yaml
    Providers,
}

/// Does it.
pub fn schema(args: &Args) -> Result<ExitCode, Error> {
    ui::json(&match args.of {
        Of::Project => schema_file::schema_of(Kind::Project),
        Of::User => schema_file::schema_of(Kind::User),
        Of::Account => schema_file::schema_of(Kind::Account),
        Of::Providers => catalog::schema(),
    })?;
    Ok(ExitCode::SUCCESS)
}
