//! The flags by which a project's choices are made, and remembering them.

use std::path::Path;

use super::config::choice_file::ChoiceFile;
use crate::config::agent_socket::AgentFlag;
use crate::config::file::USER_KEYS;
use crate::config::registry_use::RegistryArgs;
use crate::config::timeout::Timeout;
use crate::config::yaml::{Document, Scalar};
use crate::config::{ModelId, MountText, Values, parse_at};
use crate::engine_choice::EngineChoice;
use crate::error::Error;
use crate::host::Host;
use crate::image_choice::ImageChoice;
use crate::name::{AccountName, ProviderId};
use crate::private_file;
use crate::project::{Project, SessionDir};
use crate::user_file;

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
    /// The image: `base`, `go`, `full`, `cloud`, `k8s`, or the reference of one of your own; remembered for this project
    #[arg(long, visible_alias = "variant", value_name = "IMAGE")]
    pub image: Option<String>,
    /// A host folder the container is to see as well, at /mnt/{its name} if DST is not given; may be repeated, and adds
    /// to the `mounts` of the files
    #[arg(long, short, value_name = "SRC[:DST][:ro]")]
    pub mount: Vec<String>,
    /// CA certificates (PEM) to trust in addition, at build and at run; by default what `SSL_CERT_FILE` names
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// Let the session use this machine's container engine; remembered for this project, `--host-docker=false` ends it
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub host_docker: Option<bool>,
    /// How long one use of the machine's engine may take (`5m`, `1h30m`, `0` for no limit); remembered for this project
    #[arg(long, value_name = "DURATION")]
    pub host_docker_timeout: Option<String>,
    /// Let the session use your SSH agent, or the one at SOCK; remembered for this project, `--ssh-agent=off` ends it
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "on", value_name = "SOCK")]
    pub ssh_agent: Option<String>,
    /// The container engine for this run: docker, podman, an address (unix://, tcp://, ssh://) or a Docker context
    #[arg(long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// Whether the registry of the built-in images is asked.
    #[command(flatten)]
    pub registry: RegistryArgs,
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
    /// Checks the flags. `own` is what the flags of one command alone say.
    pub fn parse(&self, own: Values, host: &Host) -> Result<Choices, Error> {
        fn flag<T: crate::config::ValueText>(name: &str, text: Option<&String>) -> Result<Option<T>, Error> {
            Ok(text.map(|text| parse_at(|| name.to_owned(), text)).transpose()?)
        }
        let mount = |given: &String| MountText {
            given: given.clone(),
            base: host.cwd.clone(),
            place: "--mount".to_owned(),
        };
        let agent = flag::<AgentFlag>("--ssh-agent", self.ssh_agent.as_ref())?;
        Ok(Choices {
            account: flag::<AccountName>("--account", self.account.as_ref())?,
            values: Values {
                image: flag::<ImageChoice>("--image", self.image.as_ref())?,
                provider: flag::<ProviderId>("--llm-provider", self.llm_provider.as_ref())?,
                model: flag::<ModelId>("--llm-model", self.llm_model.as_ref())?.map(|ModelId(id)| id),
                ca_file: self.ca_file.as_ref().map(|path| host.absolute(path)),
                mounts: self.mount.iter().map(mount).collect(),
                host_docker: self.host_docker,
                host_docker_timeout: flag::<Timeout>(
                    "--host-docker-timeout",
                    self.host_docker_timeout.as_ref(),
                )?,
                ssh_agent: agent.as_ref().map(|agent| agent.on),
                ssh_agent_socket: agent.and_then(|agent| agent.socket),
                engine: flag::<EngineChoice>("--engine", self.engine.as_ref())?,
                ..own
            },
        })
    }
}

impl Choices {
    /// Whether they are remembered only when a container runs: an image of the user's may be absent, or none that a
    /// session can run in, and every run after would fail by what this one left.
    pub fn await_the_image(&self) -> bool {
        matches!(self.values.image, Some(ImageChoice::Custom(_)))
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
    let kept = kept(&chosen.values);
    if kept.is_empty() {
        return Ok(());
    }
    let changes_provider = chosen.values.provider.as_ref().is_some_and(|provider| provider != before);
    let file = ChoiceFile::of_session(session_dir, reactor_home);
    file.edit(|document| with(document, &kept, changes_provider))?;
    Ok(())
}

/// Writes what was chosen into the account's `config.yaml`, as the default of its projects. Another provider than the one
/// `before` drops the models there.
pub fn remember_for_account(
    chosen: &Values,
    before: &ProviderId,
    account: &AccountName,
    reactor_home: &Path,
) -> Result<(), Error> {
    let changes_provider = chosen.provider.as_ref().is_some_and(|provider| provider != before);
    let kept = kept(chosen);
    let file = ChoiceFile::of_account(account, reactor_home);
    file.edit(|document| with(document, &kept, changes_provider))?;
    Ok(())
}

/// The document with these keys; a change of the provider drops the models that were chosen for the other one.
fn with(
    document: &Document,
    kept: &[(&'static [&'static str], Scalar)],
    changes_provider: bool,
) -> Result<Document, Error> {
    let mut document = document.clone();
    if changes_provider {
        document = unset(&document, &["llm", "model"])?;
        document = unset(&document, &["llm", "small_model"])?;
    }
    for (key, value) in kept {
        document = set(&document, key, value)?;
    }
    Ok(document)
}

/// The keys that are remembered, with what the flags say of them.
fn kept(chosen: &Values) -> Vec<(&'static [&'static str], Scalar)> {
    fn text(value: Option<&impl ToString>) -> Option<Scalar> {
        value.map(|value| Scalar::Text(value.to_string()))
    }
    let flag = |value: Option<bool>| value.map(Scalar::Bool);
    let keys: [(&'static [&'static str], Option<Scalar>); 9] = [
        (&["llm", "provider"], text(chosen.provider.as_ref())),
        (&["llm", "model"], text(chosen.model.as_ref())),
        (&["llm", "small_model"], text(chosen.small_model.as_ref())),
        (&["variant"], text(chosen.image.as_ref())),
        (&["danger"], flag(chosen.danger)),
        (&["host_docker"], flag(chosen.host_docker)),
        (&["host_docker_timeout"], text(chosen.host_docker_timeout.as_ref())),
        (&["ssh_agent"], flag(chosen.ssh_agent)),
        (&["ssh_agent_socket"], text(chosen.ssh_agent_socket.as_ref())),
    ];
    keys.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// Edits a file of the user's own.
pub(super) fn edit(
    path: &Path,
    keys: &'static crate::config::yaml::Keys,
    change: impl FnOnce(&Document) -> Result<Document, Error>,
) -> Result<(), Error> {
    user_file::edit(path, |text| {
        let document = Document::parse(path, text, keys).map_err(crate::config::Error::from)?;
        Ok(change(&document)?.text().to_owned())
    })
}

pub(super) fn set(document: &Document, key: &[&str], value: &Scalar) -> Result<Document, Error> {
    Ok(document.set(key, value).map_err(crate::config::Error::from)?)
}

pub(super) fn unset(document: &Document, key: &[&str]) -> Result<Document, Error> {
    Ok(document.unset(key).map_err(crate::config::Error::from)?)
}
