//! Why an `llm` command cannot do what was asked for.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::command::keys;
use crate::command::target::Target;
use crate::name::ProviderId;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No row and no file has the name.
    #[error("the provider `{id}` is not known")]
    Unknown {
        /// The name.
        id: ProviderId,
        /// The known provider that was probably meant.
        nearest: Option<ProviderId>,
        /// The command that adds it.
        add: String,
    },
    /// A row of the user's own needs to say where it is.
    #[error("the provider `{0}` is not known, so it takes --base-url")]
    NoBaseUrl(ProviderId),
    /// Nobody could be asked.
    #[error("there is no terminal to ask whether {0} may go")]
    Unconfirmed(String),
    /// There is nothing of that provider.
    #[error("nothing of `{id}` is stored for account {account}")]
    NothingStored {
        /// The provider.
        id: ProviderId,
        /// Whose.
        account: String,
        /// Whether the user has a row for it.
        has_row: bool,
    },
    /// `--row` without a row.
    #[error("providers.yaml has no row `{0}`")]
    NoRow(ProviderId),
    /// The file is another one than was opened.
    #[error("{0} was changed by somebody else meanwhile; your edit was not written")]
    Changed(String),
    /// A folder could not be removed.
    #[error("cannot remove {}", .path.display())]
    Remove {
        /// What.
        path: PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    pub(super) fn unknown(target: &Target, id: &ProviderId) -> Self {
        let nearest = target.catalog.nearest(id).cloned();
        Self::Unknown { id: id.clone(), nearest, add: keys::add_command(target, id) }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::Unknown { add, .. } => format!(
                "`{add} --base-url URL` adds it; `claude-reactor llm list --all` shows the known ones"
            ),
            Self::NoBaseUrl(_) => "give the address that /v1/messages is appended to".to_owned(),
            Self::Unconfirmed(_) => "say so with --yes".to_owned(),
            Self::NothingStored { has_row: true, .. } => {
                "--row removes its row from providers.yaml".to_owned()
            }
            Self::NothingStored { .. } => {
                "`claude-reactor llm list` shows what is set up; --account NAME looks at another account"
                    .to_owned()
            }
            Self::NoRow(_) => "leave --row out; a built-in row cannot be removed".to_owned(),
            Self::Changed(_) => "run it again".to_owned(),
            Self::Remove { path, source } if source.kind() == ErrorKind::PermissionDenied => {
                format!(
                    "something in it belongs to another user: sudo rm -rf {}",
                    crate::private_file::quoted(path)
                )
            }
            Self::Remove { .. } => return None,
        })
    }
}
