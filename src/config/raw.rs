//! A configuration file as the YAML library reads it, and the values it becomes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::yaml::{Document, printable};
use super::{Error, ModelId, MountText, ValueText, Values, Variable, variable};
use crate::name::AccountName;

/// Every key of every file; which of them a file may have is checked before.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Raw {
    #[serde(alias = "image")]
    variant: Option<String>,
    account: Option<String>,
    danger: Option<bool>,
    llm: Option<RawLlm>,
    host_docker: Option<bool>,
    host_docker_timeout: Option<String>,
    ssh_agent: Option<bool>,
    ssh_agent_socket: Option<String>,
    session_persistence: Option<bool>,
    mounts: Option<Vec<String>>,
    env: Option<BTreeMap<String, Option<String>>>,
    sudo: Option<bool>,
    limits: Option<RawLimits>,
    engine: Option<String>,
    registry: Option<String>,
    claude_version: Option<String>,
    ca_file: Option<PathBuf>,
    projects: Option<BTreeMap<String, Option<RawProject>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawLlm {
    provider: Option<String>,
    model: Option<String>,
    small_model: Option<String>,
    env: Option<String>,
    export_key: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawLimits {
    cpus: Option<String>,
    memory: Option<String>,
    pids: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawProject {
    account: Option<String>,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) values: Values,
    pub(super) account: Option<AccountName>,
    pub(super) project_accounts: BTreeMap<String, AccountName>,
}

/// Reads a document. A relative `ca_file` is below the file's folder (`~/…` stays as it is), the relative source of a mount below `mount_base`.
pub(super) fn content(document: &Document, mount_base: &Path) -> Result<Content, Error> {
    let (content, mut problems) = content_and_problems(document, document, mount_base)?;
    if problems.is_empty() { Ok(content) } else { Err(problems.swap_remove(0)) }
}

/// The same with all that is wrong, and what is left without that. Places are those of `document`, of which `readable` may be
/// a part.
pub(super) fn content_and_problems(
    document: &Document,
    readable: &Document,
    mount_base: &Path,
) -> Result<(Content, Vec<Error>), Error> {
    let raw: Raw = readable.read()?;
    let llm = raw.llm.unwrap_or_default();
    let limits = raw.limits.unwrap_or_default();
    let mut at = Reader { document, problems: Vec::new() };
    let mut project_accounts = BTreeMap::new();
    for (hash, project) in raw.projects.unwrap_or_default() {
        let account = project.unwrap_or_default().account;
        if let Some(account) = at.value(&["projects", &hash, "account"], account) {
            project_accounts.insert(hash, account);
        }
    }
    let mounts = raw.mounts.unwrap_or_default().into_iter().enumerate().map(|(index, given)| MountText {
        given,
        base: mount_base.to_owned(),
        place: format!("{}: mounts:", document.place(document.item_position(&["mounts"], index))),
    });
    let folder = document.path().parent().unwrap_or(Path::new("/"));
    let values = Values {
        image: at.value(&["variant"], raw.variant),
        danger: raw.danger,
        provider: at.value(&["llm", "provider"], llm.provider),
        model: at.value(&["llm", "model"], llm.model).map(|ModelId(id)| id),
        small_model: at.value(&["llm", "small_model"], llm.small_model).map(|ModelId(id)| id),
        env: at.value(&["llm", "env"], llm.env),
        export_key: llm.export_key,
        host_docker: raw.host_docker,
        host_docker_timeout: at.value(&["host_docker_timeout"], raw.host_docker_timeout),
        ssh_agent: raw.ssh_agent,
        ssh_agent_socket: at.value(&["ssh_agent_socket"], raw.ssh_agent_socket),
        session_persistence: raw.session_persistence,
        mounts: mounts.collect(),
        variables: at.variables(raw.env.unwrap_or_default()),
        sudo: raw.sudo,
        cpus: at.value(&["limits", "cpus"], limits.cpus),
        memory: at.value(&["limits", "memory"], limits.memory),
        pids: at.value(&["limits", "pids"], limits.pids),
        engine: at.value(&["engine"], raw.engine),
        registry: at.value(&["registry"], raw.registry),
        claude_version: at.value(&["claude_version"], raw.claude_version),
        // Where the home folder is, is not known here.
        ca_file: raw.ca_file.map(|file| if file.starts_with("~") { file } else { folder.join(file) }),
    };
    let account = at.value(&["account"], raw.account);
    Ok((Content { values, account, project_accounts }, at.problems))
}

/// Reads values of a document so that what is wrong says where it stands.
struct Reader<'a> {
    document: &'a Document,
    problems: Vec<Error>,
}

impl Reader<'_> {
    fn refuse(&mut self, key: &[&str], (problem, hint): (String, Option<String>)) {
        let place = self.document.place(self.document.position(key));
        self.problems.push(Error::FileValue {
            place: Box::new(place),
            key: printable(&key.join(".")),
            problem,
            hint,
        });
    }

    fn value<T: ValueText>(&mut self, key: &[&str], text: Option<String>) -> Option<T> {
        T::from_text(&text?).map_err(|wrong| self.refuse(key, wrong)).ok()
    }

    fn variables(&mut self, raw: BTreeMap<String, Option<String>>) -> BTreeMap<String, Variable> {
        let mut variables = BTreeMap::new();
        for (name, value) in raw {
            let Some(value) = value else { continue };
            if let Some((problem, hint)) = variable::problem(&name, &value) {
                self.refuse(&["env", &name], (problem, Some(hint)));
                continue;
            }
            let key = ["env", &name];
            let place = self.document.place(self.document.position(&key));
            let place = format!("{place}: {}", printable(&key.join(".")));
            variables.insert(name, Variable { value, place });
        }
        variables
    }
}
