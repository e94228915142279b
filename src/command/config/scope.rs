//! The flags that say which configuration file is meant.

use super::choice_file::ChoiceFile;
use super::sources::{Places, Sources};
use crate::config::file::Kind;
use crate::config::{parse_at, resolve};
use crate::error::Error;
use crate::host::Host;
use crate::name::{AccountName, ProviderId};

/// Which file; without a flag, your own choices for this project.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ScopeArgs {
    /// The project's file, which the team shares
    #[arg(long, conflicts_with_all = ["account_default", "global"])]
    pub shared: bool,
    /// The account's defaults, for all its projects
    #[arg(long, conflicts_with = "global")]
    pub account_default: bool,
    /// Your defaults for everything
    #[arg(long)]
    pub global: bool,
    /// Whose files; by default those of the account that this project uses
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

impl ScopeArgs {
    /// The file's layer, where a flag names one.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self { shared: true, .. } => Some(Kind::Project),
            Self { account_default: true, .. } => Some(Kind::Account),
            Self { global: true, .. } => Some(Kind::User),
            _ => None,
        }
    }

    /// The account that a flag names.
    pub fn account(&self) -> Result<Option<AccountName>, Error> {
        account(self.account.as_ref())
    }

    /// Where the files are. A file that is wrong is no obstacle, unless it could decide whose file is changed.
    pub fn places(&self, host: &Host) -> Result<Places, Error> {
        let account = self.account()?;
        match self.kind() {
            Some(Kind::Project | Kind::User) => Places::guess(account.as_ref(), host),
            _ => Places::find(account.as_ref(), host),
        }
    }
}

/// What `--account` says.
pub fn account(text: Option<&String>) -> Result<Option<AccountName>, Error> {
    Ok(text.map(|text| parse_at(|| "--account".to_owned(), text)).transpose()?)
}

/// The provider that is chosen below the file's layer; where that cannot be read, Anthropic.
pub fn provider_below(file: &ChoiceFile, places: &Places, host: &Host) -> ProviderId {
    let sources = Sources::read(Some(&places.account), host);
    sources.map_or_else(
        |_| ProviderId::claude(),
        |sources| {
            let below = Kind::ALL.iter().take_while(|kind| **kind != file.kind).count();
            resolve(&sources.layers[..below]).provider.value
        },
    )
}
