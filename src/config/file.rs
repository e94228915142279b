//! The configuration files: `.claude-reactor` (in a project and in a session dir), the user's `config.yaml` and an
//! account's.

use std::collections::BTreeMap;
use std::path::Path;

pub use super::keys::{ACCOUNT_KEYS, CHOICES_KEYS, USER_KEYS};
use super::raw::{Content, content, content_and_problems};
use super::yaml::{Document, Keys, Place};
use super::{Error, Values, legacy};
use crate::name::AccountName;
use crate::wary_file::{self, Links, Opened};

/// The files that make a layer each, from the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The user's own defaults for everything.
    User,
    /// An account's defaults.
    Account,
    /// A project's file, shared through its repository.
    Project,
    /// This user's choices for a project.
    Session,
}

impl Kind {
    /// All of them, from the lowest layer to the highest.
    pub const ALL: [Self; 4] = [Self::User, Self::Account, Self::Project, Self::Session];

    /// In one word. Stable: `--json` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Account => "account",
            Self::Project => "project",
            Self::Session => "session",
        }
    }

    /// The keys that such a file may have.
    pub fn keys(self) -> &'static Keys {
        match self {
            Self::User => &USER_KEYS,
            Self::Account => &ACCOUNT_KEYS,
            Self::Project | Self::Session => &CHOICES_KEYS,
        }
    }

    /// Whether such a file may be of the old `key=value` form.
    pub fn can_be_legacy(self) -> bool {
        matches!(self, Self::Project | Self::Session)
    }
}

/// A file with all that is wrong with it.
#[derive(Debug, Default)]
pub struct Examined {
    /// What it is as YAML; nothing where it is none.
    pub document: Option<Document>,
    /// Its values that are right.
    pub values: Values,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Error>,
    /// What the user should know of lines that say nothing.
    pub warnings: Vec<String>,
}

/// Looks for all that is wrong with a text, by the same code that reads it. The relative source of a mount in a
/// `.claude-reactor` file is below `project`.
pub fn examine(kind: Kind, path: &Path, text: &str, project: &Path) -> Examined {
    let (yaml, warnings) = match kind.can_be_legacy().then(|| legacy::to_yaml(path, text)).transpose() {
        Ok(converted) => match converted.flatten() {
            Some(legacy::Converted { yaml, warnings }) => (yaml, warnings),
            None => (text.to_owned(), Vec::new()),
        },
        Err(error) => return Examined { problems: vec![error], ..Examined::default() },
    };
    let (document, problems) = Document::examine(path, &yaml, kind.keys());
    let readable = document.as_ref().map(|document| document.without(&problems));
    let mut problems: Vec<Error> = problems.into_iter().map(Error::from).collect();
    let base = if kind.can_be_legacy() { project } else { folder(path) };
    let mut values = Values::default();
    let read = document.as_ref().zip(readable.as_ref());
    match read.map(|(document, readable)| content_and_problems(document, readable, base)) {
        Some(Ok((content, more))) => {
            values = content.values;
            problems.extend(more);
        }
        // What cannot be read has been said already, in words of our own.
        Some(Err(error)) if problems.is_empty() => problems.push(error),
        Some(Err(_)) | None => {}
    }
    problems.sort_by_key(|problem| problem.place().and_then(|place| place.position));
    Examined { document, values, problems, warnings }
}

/// What a `.claude-reactor` file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The values that go through the layers.
    pub values: Values,
    /// The account. It decides which session dir counts, so it is resolved before the layers.
    pub account: Option<AccountName>,
    /// What the user should know of lines that say nothing.
    pub warnings: Vec<String>,
}

/// A project's `.claude-reactor` file.
#[derive(Debug, Clone)]
pub struct ProjectFile {
    /// What it says.
    pub choices: Choices,
    document: Document,
}

impl ProjectFile {
    /// File, line and column of a key.
    pub fn place(&self, key: &[&str]) -> Place {
        self.document.place(self.document.position(key))
    }

    /// File, line and column of an item of a list.
    pub fn item_place(&self, key: &[&str], index: usize) -> Place {
        self.document.place(self.document.item_position(key, index))
    }
}

/// What the user's `config.yaml` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFile {
    /// The values that go through the layers.
    pub values: Values,
    /// The account of projects that have none.
    pub account: Option<AccountName>,
    /// The account of projects by their hash.
    pub project_accounts: BTreeMap<String, AccountName>,
}

/// Far more than anybody writes. A repository's file may be anything, and YAML takes long to refuse some of it.
pub const LARGEST: u64 = 256 * 1024;

/// Reads the text of a file of the user's own; a file that is not there is empty.
pub fn read_text(path: &Path) -> Result<String, Error> {
    Ok(read_wary(path, Links::Followed)?.map(|opened| opened.text).unwrap_or_default())
}

/// Reads the text of a project's file, which a session can swap for anything else; one that is not the caller's own says
/// nothing.
pub fn read_project_text(path: &Path, uid: u32) -> Result<String, Error> {
    let opened = read_wary(path, Links::Refused)?.filter(|opened| opened.owner == uid);
    Ok(opened.map(|opened| opened.text).unwrap_or_default())
}

fn read_wary(path: &Path, links: Links) -> Result<Option<Opened>, Error> {
    wary_file::read(path, links, LARGEST).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Reads a `.claude-reactor` file of a session dir. The relative source of a mount is below `project`.
pub fn choices(path: &Path, text: &str, project: &Path) -> Result<Choices, Error> {
    Ok(parse_choices(path, text, project)?.1)
}

/// The document of a `.claude-reactor` file, which may be of the old form, and what to say about that.
pub fn document(path: &Path, text: &str) -> Result<(Document, Vec<String>), Error> {
    let legacy::Converted { yaml, warnings } = legacy::to_yaml(path, text)?
        .unwrap_or_else(|| legacy::Converted { yaml: text.to_owned(), warnings: Vec::new() });
    Ok((Document::parse(path, &yaml, &CHOICES_KEYS)?, warnings))
}

fn parse_choices(path: &Path, text: &str, mount_base: &Path) -> Result<(Document, Choices), Error> {
    let (document, warnings) = document(path, text)?;
    let Content { values, account, .. } = content(&document, mount_base)?;
    Ok((document, Choices { values, account, warnings }))
}

/// Reads a project's `.claude-reactor` file, which comes with a repository and is trusted accordingly (`trust`).
pub fn project_choices(path: &Path, text: &str) -> Result<ProjectFile, Error> {
    let (document, choices) = parse_choices(path, text, folder(path))?;
    Ok(ProjectFile { choices, document })
}

/// Reads an account's `config.yaml`.
pub fn account_file(path: &Path, text: &str) -> Result<Values, Error> {
    Ok(parse(path, text, &ACCOUNT_KEYS, folder(path))?.1.values)
}

/// Reads the user's `config.yaml`. A relative `ca_file` is one beside it.
pub fn user_file(path: &Path, text: &str) -> Result<UserFile, Error> {
    let (_, Content { values, account, project_accounts }) = parse(path, text, &USER_KEYS, folder(path))?;
    Ok(UserFile { values, account, project_accounts })
}

fn parse(
    path: &Path,
    text: &str,
    keys: &'static Keys,
    mount_base: &Path,
) -> Result<(Document, Content), Error> {
    let document = Document::parse(path, text, keys)?;
    let content = content(&document, mount_base)?;
    Ok((document, content))
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::limits::Cpus;
    use crate::config::yaml::Scalar;
    use crate::config::{EnvMode, ValueText};
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Choices, Error> {
        choices(Path::new("/s/.claude-reactor"), text, Path::new("/p"))
    }

    #[test]
    fn every_key() {
        let choices = read(
            "image: base\naccount: bob\ndanger: true\nllm:\n  provider: zai\n  model: glm-5.2\n  small_model: glm-4.5-air\n  \
             env: container\n  export_key: true\nhost_docker: true\nhost_docker_timeout: 1h30m\nssh_agent: true\n\
             ssh_agent_socket: auto\nsession_persistence: false\nmounts: [~/data, ./x:/srv:ro]\nenv: {EDITOR: vim, N: 1}\n\
             sudo: false\nlimits: {cpus: 1.5, memory: 4g, pids: 200}\n",
        )
        .unwrap();
        assert_eq!(choices.account.unwrap().as_str(), "bob");
        let values = choices.values;
        assert_eq!(values.provider.unwrap().as_str(), "zai");
        assert_eq!(
            (values.model.as_deref(), values.small_model.as_deref()),
            (Some("glm-5.2"), Some("glm-4.5-air"))
        );
        assert_eq!(
            (values.danger, values.env, values.export_key),
            (Some(true), Some(EnvMode::Container), Some(true))
        );
        assert_eq!(
            (values.host_docker, values.ssh_agent, values.sudo),
            (Some(true), Some(true), Some(false))
        );
        assert_eq!(values.host_docker_timeout.unwrap().to_string(), "1h30m");
        assert_eq!(values.session_persistence, Some(false));
        assert_eq!(values.mounts[1].to_string(), "/s/.claude-reactor:15:18: mounts: ./x:/srv:ro");
        assert_eq!(values.mounts[1].base, Path::new("/p"));
        let variables: Vec<_> = values.variables.iter().map(|(name, var)| (&**name, &*var.value)).collect();
        assert_eq!(variables, [("EDITOR", "vim"), ("N", "1")]);
        assert_eq!(values.cpus, Cpus::from_text("1.5").ok());
        assert_eq!(values.memory.unwrap().to_string(), "4g");
        assert_eq!(values.pids.unwrap().count(), 200);
    }

    #[test]
    fn a_projects_file_is_the_callers_own_and_no_link() {
        let project = tempfile::tempdir().unwrap();
        let (file, link) = (project.path().join("file"), project.path().join("link"));
        std::fs::write(&file, "variant: base\n").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let uid = rustix::process::getuid().as_raw();
        assert_eq!(read_project_text(&file, uid).unwrap(), "variant: base\n");
        assert_eq!(read_project_text(&file, uid + 1).unwrap(), "");
        assert!(matches!(read_project_text(&link, uid), Err(Error::Read { .. })));
        assert_eq!(read_text(&link).unwrap(), "variant: base\n");
    }

    #[test]
    fn nothing_is_nothing() {
        for text in ["", "# later\n", "llm:\n", "llm: {}\n"] {
            assert_eq!(read(text).unwrap(), Choices::default(), "{text:?}");
        }
    }

    #[test]
    fn a_bad_value_is_placed() {
        let error = read("# choices\nllm:\n  provider: ../zai\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"/s/.claude-reactor:3:3: llm.provider: provider name "../zai": it begins with '.'"#
        );
        let error = read("llm: {env: inspect}\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"/s/.claude-reactor:1:7: llm.env: "inspect" is not session or container"#
        );
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_file_is_read_or_refused_in_one_line(
            lines in proptest::collection::vec(
                ("(variant|danger|llm|mounts|env|limits|engine|host_docker_timeout|ssh_agent_socket|  -|  cpus|  A)",
                 "(:|: |: \\[|: \\{| |)", "\\PC{0,12}"),
                0..6,
            ),
        ) {
            let line = |(key, separator, value): &(String, String, String)| format!("{key}{separator}{value}\n");
            let text: String = lines.iter().map(line).collect();
            if let Err(error) = user_file(Path::new("/h/config.yaml"), &text) {
                prop_assert!(!error.to_string().contains('\n'), "{:?}", error.to_string());
            }
        }
    }

    #[test]
    fn a_hash_that_looks_like_a_number_is_a_key_all_the_same() {
        for hash in ["12345678", "1234e567", "00000000"] {
            let document = Document::parse(Path::new("/h/config.yaml"), "", &USER_KEYS).unwrap();
            let text = document.set(&["projects", hash, "account"], &Scalar::Text("bob".to_owned())).unwrap();
            let file = user_file(Path::new("/h/config.yaml"), text.text()).unwrap();
            assert_eq!(file.project_accounts[hash].as_str(), "bob", "{}", text.text());
        }
    }

    #[test]
    fn the_users_file() {
        let file = user_file(
            Path::new("/home/alice/.claude-reactor/config.yaml"),
            "account: alice\nca_file: company.pem\nprojects:\n  76a2e845:\n    account: bob\n",
        )
        .unwrap();
        assert_eq!(file.account.unwrap().as_str(), "alice");
        assert_eq!(file.values.ca_file.unwrap(), Path::new("/home/alice/.claude-reactor/company.pem"));
        assert_eq!(file.project_accounts["76a2e845"].as_str(), "bob");
    }
}
