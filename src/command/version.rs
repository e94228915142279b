//! `version`: what exactly this program is, and what its sessions run.

use std::process::ExitCode;

use serde::Serialize;

use crate::container::image::{Recipe, pinned_claude_version};
use crate::error::Error;
use crate::ui;
use crate::ui::table::Table;
use crate::variant::Variant;

const EXAMPLES: &str = "\
Examples:
  claude-reactor version
  claude-reactor version --json | jq -r .claude_code
  claude-reactor --version                     one line, for a script";

/// Say what exactly this program is, and which Claude Code and images belong to it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What `version --json` prints.
#[derive(Debug, Serialize)]
pub struct Version {
    /// The program's version.
    pub version: &'static str,
    /// The commit that it was built from; null where that was not known, in a build from an archive for instance.
    pub commit: Option<&'static str>,
    /// The platform that it was built for, as Rust names it.
    pub target: &'static str,
    /// The version of Claude Code in the built-in images.
    pub claude_code: String,
    /// The built-in images.
    pub images: Vec<Image>,
}

/// A built-in image.
#[derive(Debug, Serialize)]
pub struct Image {
    /// Its variant.
    pub variant: &'static str,
    /// The reference by which the engine knows it once it is built.
    pub reference: String,
}

impl Version {
    /// What this program is.
    pub fn current() -> Self {
        let image =
            |variant: Variant| Image { variant: variant.name(), reference: Recipe::pinned(variant).tag() };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("CLAUDE_REACTOR_BUILD_COMMIT"),
            target: env!("CLAUDE_REACTOR_BUILD_TARGET"),
            claude_code: pinned_claude_version().to_string(),
            images: Variant::ALL.map(image).into(),
        }
    }
}

/// Does it.
pub fn version(args: &Args) -> Result<ExitCode, Error> {
    let version = Version::current();
    if args.json {
        ui::json(&version)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::plain();
    table.row(["claude-reactor".into(), version.version.into()]);
    table.row(["commit".into(), version.commit.unwrap_or("not known").into()]);
    table.row(["target".into(), version.target.into()]);
    table.row(["Claude Code".into(), version.claude_code.into()]);
    for image in version.images {
        table.row([format!("image {}", image.variant).into(), image.reference.into()]);
    }
    ui::shown(&table.render())?;
    Ok(ExitCode::SUCCESS)
}
