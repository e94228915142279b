//! The flags by which a project's choices are made, and remembering them.

use std::path::Path;

use crate::config::file::{CHOICES_KEYS, USER_KEYS};
use crate::config::yaml::{Document, Scalar};
use crate::config::{ModelId, Values, parse_at};
use crate::error::Error;
use crate::host::Host;
use crate::name::{AccountName, ProviderId};
use crate::private_file;
use crate::project::{Project, SessionDir};
use crate::user_file;
use crate::variant::Variant;

/// The flags that say which container, and which backend.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ChoiceArgs {
    /// Whose credentials and sessions to use; remembered for this project
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// The LLM backend; remembered for this project
    #[arg(long, value_name = "NAME")]
    pub llm_provider: Option<String>,
    /// The main model, in the provider's own words; remembered for this project
    #[arg(long, value_name = "MODEL")]
    pub llm_model: Option<String>,
    /// The image: `base` for now; remembered for this project
    #[arg(long, visible_alias = "variant", value_name = "VARIANT")]
    pub image: Option<String>,
    /// A host folder the container is to see as well, at /mnt/{its name} if DST is not given; may be repeated
    #[arg(long, short, value_name = "SRC[:DST][:ro]")]
    pub mount: Vec<String>,
    /// CA certificates (PEM) to trust in addition, at build and at run; by default what `SSL_CERT_FILE` names
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
}

/// What the flags say, checked.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The values that go through the layers.
    pub values: Values,
    /// The account.
    pub account: Option<AccountName>,
}

impl ChoiceArgs {
    /// Checks the flags. `danger` is a flag of `run` alone.
    pub fn parse(&self, danger: Option<bool>, host: &Host) -> Result<Choices, Error> {
        fn flag<T: crate::config::ValueText>(name: &str, text: Option<&String>) -> Result<Option<T>, Error> {
            Ok(text.map(|text| parse_at(|| name.to_owned(), text)).transpose()?)
        }
        Ok(Choices {
            account: flag::<AccountName>("--account", self.account.as_ref())?,
            values: Values {
                variant: flag::<Variant>("--image", self.image.as_ref())?,
                danger,
                provider: flag::<ProviderId>("--llm-provider", self.llm_provider.as_ref())?,
                model: flag::<ModelId>("--llm-model", self.llm_model.as_ref())?.map(|ModelId(id)| id),
                ca_file: self.ca_file.as_ref().map(|path| host.absolute(path)),
                ..Values::default()
            },
        })
    }
}

/// Writes what the flags chose into the session dir's file and, for the account, into the user's `config.yaml`.
///
/// Another provider drops the models chosen for the one `before`: they would mean nothing to it.
pub fn remember(
    chosen: &Choices,
    before: &ProviderId,
    project: &Project,
    session_dir: &SessionDir,
    reactor_home: &Path,
) -> Result<(), Error> {
    if let Some(account) = &chosen.account {
        let path = reactor_home.join("config.yaml");
        private_file::create_dir(reactor_home, reactor_home)?;
        edit(&path, &USER_KEYS, |document| {
            set(document, &["projects", project.hash(), "account"], &Scalar::Text(account.to_string()))
        })?;
    }
    let Values { variant, danger, provider, model, .. } = &chosen.values;
    if variant.is_none() && danger.is_none() && provider.is_none() && model.is_none() {
        return Ok(());
    }
    private_file::create_dir(reactor_home, session_dir.path())?;
    edit(&session_dir.file(), &CHOICES_KEYS, |document| {
        let mut document = document.clone();
        if let Some(provider) = provider {
            document = set(&document, &["llm", "provider"], &Scalar::Text(provider.to_string()))?;
            if provider != before {
                document = unset(&document, &["llm", "model"])?;
                document = unset(&document, &["llm", "small_model"])?;
            }
        }
        if let Some(model) = model {
            document = set(&document, &["llm", "model"], &Scalar::Text(model.clone()))?;
        }
        if let Some(variant) = variant {
            document = set(&document, &["variant"], &Scalar::Text(variant.name().to_owned()))?;
        }
        if let Some(danger) = danger {
            document = set(&document, &["danger"], &Scalar::Bool(*danger))?;
        }
        Ok(document)
    })
}

fn edit(
    path: &Path,
    keys: &'static crate::config::yaml::Keys,
    change: impl FnOnce(&Document) -> Result<Document, Error>,
) -> Result<(), Error> {
    user_file::edit(path, |text| {
        let document = Document::parse(path, text, keys).map_err(crate::config::Error::from)?;
        Ok(change(&document)?.text().to_owned())
    })
}

fn set(document: &Document, key: &[&str], value: &Scalar) -> Result<Document, Error> {
    Ok(document.set(key, value).map_err(crate::config::Error::from)?)
}

fn unset(document: &Document, key: &[&str]) -> Result<Document, Error> {
    Ok(document.unset(key).map_err(crate::config::Error::from)?)
}
