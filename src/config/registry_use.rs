//! How the registry of the built-in images is used: the flags and the variable of the Go tool.

use crate::host::Host;

/// What is done about images that the configured registry may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegistryUse {
    /// One that is missing here is pulled, and built where that fails.
    #[default]
    WhereMissing,
    /// One is pulled although it is here.
    Always,
    /// Images are built here.
    Never,
}

/// The variable of the Go tool that turned the registry off.
const VARIABLE: &str = "CLAUDE_REACTOR_USE_REGISTRY";

/// The flags of the Go tool. They are hidden: a `registry` in `config.yaml` is what says that there is one.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct RegistryArgs {
    /// Pull the built-in image from the configured registry although it is here
    #[arg(long, hide = true)]
    pub pull_latest: bool,
    /// Build the image here, whatever registry is configured
    #[arg(long, hide = true, conflicts_with = "pull_latest")]
    pub registry_off: bool,
    /// The same
    #[arg(long, hide = true, conflicts_with = "pull_latest")]
    pub dev: bool,
}

impl RegistryArgs {
    /// What they say, and where they say nothing, what the variable says.
    pub fn choice(self, host: &Host) -> Result<RegistryUse, super::Error> {
        match self {
            Self { registry_off: true, .. } | Self { dev: true, .. } => return Ok(RegistryUse::Never),
            Self { pull_latest: true, .. } => return Ok(RegistryUse::Always),
            _ => {}
        }
        let wanted =
            host.var(VARIABLE).map(|text| super::parse_at(|| VARIABLE.to_owned(), text)).transpose()?;
        Ok(if wanted == Some(false) { RegistryUse::Never } else { RegistryUse::WhereMissing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_says_more_than_the_variable() {
        let choice = |args: RegistryArgs, value: &str| {
            args.choice(&Host::new("/h", "/h", [(VARIABLE.to_owned(), value.to_owned())]))
        };
        let none = RegistryArgs::default();
        assert_eq!(choice(none, "").unwrap(), RegistryUse::WhereMissing);
        assert_eq!(choice(none, "1").unwrap(), RegistryUse::WhereMissing);
        assert_eq!(choice(none, "0").unwrap(), RegistryUse::Never);
        assert_eq!(choice(RegistryArgs { pull_latest: true, ..none }, "false").unwrap(), RegistryUse::Always);
        assert_eq!(choice(RegistryArgs { dev: true, ..none }, "true").unwrap(), RegistryUse::Never);
        let error = choice(none, "no").unwrap_err().to_string();
        assert_eq!(error, r#"CLAUDE_REACTOR_USE_REGISTRY: "no" is neither true nor false"#);
    }
}
