//! Every key of the configuration files, as data: what the reference in the documentation, the JSON Schema, the completion
//! and the list of variables in the help are made of.
//!
//! Which file may have a key, and of which type it is, is what `keys` says, because reading goes by that; the tests hold the
//! two together, and both to what `vars` and `entries` know.

use std::fmt::Write;

use serde_json::{Value, json};

use super::EnvMode;
use super::vars::PREFIX;
use super::yaml::Keys;
use crate::variant::Variant;

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Its dotted path; `{…}` is a name of the user's choice.
    pub path: &'static str,
    /// Another name for it.
    pub alias: Option<&'static str>,
    /// What it is for.
    pub meaning: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What counts where nobody says anything.
    pub default: Default,
    /// In which files it may stand, in the words of the documentation.
    pub valid_in: &'static str,
    /// The flag that says the same, with what becomes of it.
    pub flag: &'static str,
    /// The variables that say the same, without their prefix; of two the first counts.
    pub variables: &'static [&'static str],
    /// Whether it takes effect in a project's file only with the user's consent.
    pub consent: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// Where the session's variables are set.
    EnvMode,
    /// A built-in image or a reference.
    Image,
    /// The name of an account or a provider.
    Name,
    /// A line of text.
    Text,
    /// A duration.
    Duration,
    /// A number of processors.
    Cpus,
    /// An amount of memory.
    Memory,
    /// A number of processes.
    Pids,
    /// Mounts.
    Mounts,
    /// The values of variables, by their names.
    Variables,
    /// The socket of an SSH agent.
    AgentSocket,
    /// A container engine.
    Engine,
    /// Where images are kept.
    Registry,
    /// A version of Claude Code.
    ClaudeVersion,
    /// A file.
    Path,
}

/// What counts where nobody says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// This value.
    Value(&'static str),
    /// What these words say.
    Words(&'static str),
    /// Nothing.
    None,
}

const MINE: &str = "mine, project";
const CONFIGS: &str = "both `config.yaml`";

/// What most keys have in common.
const PLAIN: Key = Key {
    path: "",
    alias: None,
    meaning: "",
    kind: Kind::Bool,
    default: Default::None,
    valid_in: MINE,
    flag: "",
    variables: &[],
    consent: "no",
};

/// The keys, in the order of the documentation.
pub static TABLE: [Key; 23] = [
    Key {
        path: "variant",
        alias: Some("image"),
        meaning: "the image: a built-in one, or a reference; without a choice, what the [project's folder speaks for](images.md#which-one-a-project-gets)",
        kind: Kind::Image,
        default: Default::Value("base"),
        flag: "`--image`, remembered; a reference once a session ran in it",
        variables: &["VARIANT", "IMAGE"],
        consent: "for a reference",
        ..PLAIN
    },
    Key {
        path: "account",
        meaning: "whose credentials and history",
        kind: Kind::Name,
        default: Default::Words("your user name"),
        valid_in: "project, your `config.yaml`",
        flag: "`--account`, remembered",
        variables: &["ACCOUNT"],
        consent: "once",
        ..PLAIN
    },
    Key {
        path: "llm.provider",
        meaning: "the LLM backend",
        kind: Kind::Name,
        default: Default::Value("claude"),
        flag: "`--llm-provider`, remembered",
        variables: &["LLM_PROVIDER"],
        consent: "once",
        ..PLAIN
    },
    Key {
        path: "llm.model",
        meaning: "the main model",
        kind: Kind::Text,
        default: Default::Words("the provider's"),
        flag: "`--llm-model`, remembered",
        variables: &["LLM_MODEL"],
        ..PLAIN
    },
    Key {
        path: "llm.small_model",
        meaning: "the model for quick background work",
        kind: Kind::Text,
        default: Default::Words("the provider's"),
        variables: &["LLM_SMALL_MODEL"],
        ..PLAIN
    },
    Key {
        path: "llm.env",
        meaning: "where the session's variables are set: each `session`, or the `container`, where `inspect` shows them",
        kind: Kind::EnvMode,
        default: Default::Value("session"),
        variables: &["LLM_ENV"],
        consent: "for `container`",
        ..PLAIN
    },
    Key {
        path: "llm.export_key",
        meaning: "gives Claude Code's tools the key under its own name",
        default: Default::Value("false"),
        variables: &["LLM_EXPORT_KEY"],
        consent: "for `true`",
        ..PLAIN
    },
    Key {
        path: "danger",
        meaning: "Claude Code acts without asking",
        default: Default::Value("false"),
        flag: "`--danger[=BOOL]`, remembered",
        variables: &["DANGER"],
        consent: "for `true`",
        ..PLAIN
    },
    Key {
        path: "host_docker",
        meaning: "the session may use this machine's engine",
        default: Default::Value("false"),
        flag: "`--host-docker[=BOOL]`, remembered",
        variables: &["HOST_DOCKER"],
        consent: "for `true`",
        ..PLAIN
    },
    Key {
        path: "host_docker_timeout",
        meaning: "how long one use of it may take",
        kind: Kind::Duration,
        default: Default::Value("5m"),
        flag: "`--host-docker-timeout`, remembered",
        variables: &["HOST_DOCKER_TIMEOUT"],
        consent: "yes",
        ..PLAIN
    },
    Key {
        path: "ssh_agent",
        meaning: "the session may use your SSH agent",
        default: Default::Value("false"),
        flag: "`--ssh-agent[=SOCK]`, remembered; `=off` ends it",
        variables: &["SSH_AGENT"],
        consent: "for `true`",
        ..PLAIN
    },
    Key {
        path: "ssh_agent_socket",
        meaning: "which agent: its socket, or `auto` for your shell's",
        kind: Kind::AgentSocket,
        default: Default::Value("auto"),
        flag: "`--ssh-agent=SOCK`, remembered",
        variables: &["SSH_AGENT_SOCKET"],
        consent: "yes",
        ..PLAIN
    },
    Key {
        path: "session_persistence",
        meaning: "the container stays after the session",
        default: Default::Value("true"),
        flag: "`--no-persist`, for one run",
        variables: &["SESSION_PERSISTENCE"],
        ..PLAIN
    },
    Key {
        path: "mounts",
        meaning: "host folders inside, as `--mount` writes them",
        kind: Kind::Mounts,
        flag: "`--mount`, for one run",
        variables: &["MOUNTS"],
        consent: "yes",
        ..PLAIN
    },
    Key {
        path: "env.{name}",
        meaning: "variables of every process inside; no secrets",
        kind: Kind::Variables,
        consent: "yes",
        ..PLAIN
    },
    Key {
        path: "sudo",
        meaning: "`sudo` works inside",
        default: Default::Value("true"),
        variables: &["SUDO"],
        consent: "for `true`",
        ..PLAIN
    },
    Key {
        path: "limits.cpus",
        meaning: "processors the container may use",
        kind: Kind::Cpus,
        default: Default::Words("no limit"),
        variables: &["LIMITS_CPUS"],
        consent: "to raise it",
        ..PLAIN
    },
    Key {
        path: "limits.memory",
        meaning: "memory it may use",
        kind: Kind::Memory,
        default: Default::Words("no limit"),
        variables: &["LIMITS_MEMORY"],
        consent: "to raise it",
        ..PLAIN
    },
    Key {
        path: "limits.pids",
        meaning: "processes it may have at once",
        kind: Kind::Pids,
        default: Default::Value("4096"),
        variables: &["LIMITS_PIDS"],
        consent: "to raise it",
        ..PLAIN
    },
    Key {
        path: "engine",
        meaning: "the container engine",
        kind: Kind::Engine,
        default: Default::Words("the first that answers"),
        valid_in: CONFIGS,
        flag: "`--engine`, for one run",
        variables: &["ENGINE"],
        consent: "",
        ..PLAIN
    },
    Key {
        path: "registry",
        meaning: "where [built-in images may be had](images.md#from-a-registry)",
        kind: Kind::Registry,
        valid_in: CONFIGS,
        variables: &["REGISTRY"],
        consent: "",
        ..PLAIN
    },
    Key {
        path: "claude_version",
        meaning: "the [version of Claude Code](images.md#the-version-of-claude-code) in the built-in images",
        kind: Kind::ClaudeVersion,
        default: Default::Words("the one that this claude-reactor pins"),
        valid_in: CONFIGS,
        flag: "`build --claude-version`, remembered",
        variables: &["CLAUDE_VERSION"],
        consent: "",
        ..PLAIN
    },
    Key {
        path: "ca_file",
        meaning: "CA certificates (PEM) to trust in addition",
        kind: Kind::Path,
        default: Default::Words("what `SSL_CERT_FILE` names"),
        valid_in: CONFIGS,
        flag: "`--ca-file`, for one run",
        variables: &["CA_FILE"],
        consent: "",
        ..PLAIN
    },
];

/// The account of one project, which nobody sets by its path: `--account` and `config set account` do.
pub static PROJECT_ACCOUNT: Key = Key {
    path: "projects.{hash}.account",
    meaning: "the account of one project",
    kind: Kind::Name,
    valid_in: "your `config.yaml`",
    flag: "`--account` writes it",
    consent: "",
    ..PLAIN
};

/// All keys.
pub fn all() -> impl Iterator<Item = &'static Key> {
    TABLE.iter().chain([&PROJECT_ACCOUNT])
}

/// The key of this dotted path, by whichever of its names.
pub fn find(path: &str) -> Option<&'static Key> {
    all().find(|key| key.is(path) || key.alias == Some(path))
}

/// What a shell offers for a key: paths that name one key each. After `env.` a name of the user's choice follows.
pub fn paths() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|key| key.path.trim_end_matches("{name}"))
}

impl Key {
    /// Whether this is the key of a path.
    pub fn is(&self, path: &str) -> bool {
        let (own, given): (Vec<&str>, Vec<&str>) =
            (self.path.split('.').collect(), path.split('.').collect());
        own.len() == given.len()
            && own
                .iter()
                .zip(&given)
                .all(|(own, given)| own == given || own.starts_with('{') && !given.is_empty())
    }

    /// The names of its variables; of two the first counts.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        self.variables.iter().map(|name| format!("{PREFIX}{name}"))
    }

    /// What a shell offers for its value, where that is one of a few words.
    pub fn words(&self) -> Vec<&'static str> {
        self.kind.words()
    }
}

/// What a name may look like (`name`).
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

impl Kind {
    fn words(self) -> Vec<&'static str> {
        match self {
            Self::Bool => vec!["true", "false"],
            Self::EnvMode => EnvMode::NAMES.map(|(name, _)| name).to_vec(),
            Self::Image => Variant::ALL.iter().map(|variant| variant.name()).collect(),
            Self::AgentSocket => vec!["auto"],
            Self::Engine => vec!["docker", "podman"],
            _ => Vec::new(),
        }
    }

    /// In the words of the documentation; nothing where the words of the default say it all.
    pub fn described(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::EnvMode => "`session` or `container`",
            Self::Image => "name or reference",
            Self::Name => "name",
            Self::Text => "text",
            Self::Duration => "duration (`5m`, `1h30m`; `0` is no limit)",
            Self::Cpus => "decimal from `0.01`",
            Self::Memory => "as Docker writes it: `512m`, `4g`",
            Self::Pids => "whole number",
            Self::Mounts => "list of `SRC[:DST][:ro]`",
            Self::Variables => "names with values",
            Self::AgentSocket => "absolute path or `auto`",
            Self::Engine => "`docker`, `podman`, an address, a Docker context",
            Self::ClaudeVersion => "three numbers",
            Self::Registry => "a prefix such as `ghcr.io/acme`",
            Self::Path => "path",
        }
    }

    /// What a JSON Schema says of the value.
    fn schema(self) -> Value {
        // What a file may have without quotes is a number to who checks by the schema, and a text to us.
        match self {
            Self::Bool => json!({"type": "boolean"}),
            Self::EnvMode => json!({"enum": self.words()}),
            Self::Image | Self::Engine => {
                json!({"anyOf": [{"enum": self.words()}, {"type": "string", "minLength": 1}]})
            }
            Self::Name => json!({"type": ["string", "number"], "pattern": NAME}),
            Self::Text => json!({"type": ["string", "number"], "minLength": 1}),
            Self::Duration => json!({
                "type": ["string", "number"],
                "pattern": r"^(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(h|m|s|ms|us|µs|ns)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(h|m|s|ms|us|µs|ns))*)$",
            }),
            Self::Cpus => {
                json!({"type": ["number", "string"], "minimum": 0.01, "pattern": r"^([0-9]+\.?[0-9]*|\.[0-9]+)$"})
            }
            Self::Memory => json!({
                "type": ["string", "number"],
                "pattern": r"^([0-9]+\.?[0-9]*|\.[0-9]+)[kKmMgGtT]?([iI]?[bB])?$",
            }),
            Self::Pids => json!({"type": ["integer", "string"], "minimum": 1, "pattern": "^[0-9]+$"}),
            Self::Mounts => json!({"type": "array", "items": {"type": "string"}}),
            Self::Variables => json!({"type": ["string", "number", "boolean", "null"]}),
            Self::AgentSocket => json!({"type": "string", "pattern": "^(auto$|/|~/)"}),
            Self::ClaudeVersion => json!({"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"}),
            Self::Registry | Self::Path => json!({"type": "string", "minLength": 1}),
        }
    }
}

/// What a JSON Schema says of the key of this path, as it stands in a tree of [`Keys`]: a name of the user's choice is `*`.
pub fn schema_of(path: &str) -> Option<Value> {
    let key = all().find(|key| key.is(path) || key.alias == Some(path))?;
    let mut schema = key.kind.schema();
    schema["description"] = json!(plain(key.meaning));
    if let Default::Value(text) = key.default {
        schema["default"] = match (key.kind, text.parse::<u64>()) {
            (Kind::Bool, _) => json!(text == "true"),
            (_, Ok(number)) => json!(number),
            (_, Err(_)) => json!(text),
        };
    }
    Some(schema)
}

/// A text of the documentation, without its marks.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    // Of a link, its text.
    while let Some((before, link)) = rest.split_once('[')
        && let Some((shown, after)) = link.split_once("](")
        && let Some((_, after)) = after.split_once(')')
    {
        plain.push_str(before);
        plain.push_str(shown);
        rest = after;
    }
    plain.push_str(rest);
    plain.replace('`', "")
}

/// The table of the documentation.
pub fn markdown() -> String {
    let mut text =
        "| key | meaning | type, default | valid in | flag | variable `CLAUDE_REACTOR_…` | consent |\n\
                    |---|---|---|---|---|---|---|\n"
            .to_owned();
    for key in all() {
        let path = key.path.trim_end_matches(".{name}");
        let alias = key.alias.map(|alias| format!(" (or `{alias}`)")).unwrap_or_default();
        let default = match key.default {
            Default::Value(value) => format!(", `{value}`"),
            Default::Words(words) => format!("; {words}"),
            Default::None => String::new(),
        };
        let variables: Vec<String> = key.variables.iter().map(|name| format!("`{name}`")).collect();
        let cells = [
            format!("`{path}`{alias}"),
            key.meaning.to_owned(),
            format!("{}{default}", key.kind.described()),
            key.valid_in.to_owned(),
            key.flag.to_owned(),
            variables.join(", "),
            key.consent.to_owned(),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | ").replace("  ", " "));
    }
    text
}

/// The keys of a tree that take a value, as dotted paths; a name of the user's choice is `*`.
pub fn leaves(keys: &Keys) -> Vec<String> {
    fn below(keys: &Keys, parents: &str, into: &mut Vec<String>) {
        match keys {
            Keys::Map(entries) => {
                for (name, keys) in *entries {
                    let separator = if parents.is_empty() { "" } else { "." };
                    below(keys, &format!("{parents}{separator}{name}"), into);
                }
            }
            Keys::Each(keys) => below(keys, &format!("{parents}.*"), into),
            Keys::Elsewhere(_) => {}
            _ => into.push(parents.to_owned()),
        }
    }
    let mut leaves = Vec::new();
    below(keys, "", &mut leaves);
    leaves
}

#[cfg(test)]
mod tests;
