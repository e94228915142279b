//! Which keys each of the configuration files may have.

use super::yaml::Keys;

const LLM: Keys = Keys::Map(&[
    ("provider", Keys::Leaf),
    ("model", Keys::Leaf),
    ("small_model", Keys::Leaf),
    ("env", Keys::Leaf),
    ("export_key", Keys::Leaf),
]);
const LIMITS: Keys = Keys::Map(&[("cpus", Keys::Leaf), ("memory", Keys::Leaf), ("pids", Keys::Leaf)]);

/// The keys that every file may have, and then those that one has alone.
macro_rules! choices_and {
    ($($own:expr),* $(,)?) => {
        Keys::Map(&[
            ("variant", Keys::Leaf),
            ("image", Keys::AliasOf("variant")),
            ("danger", Keys::Leaf),
            ("llm", LLM),
            ("host_docker", Keys::Leaf),
            ("host_docker_timeout", Keys::Leaf),
            ("ssh_agent", Keys::Leaf),
            ("ssh_agent_socket", Keys::Leaf),
            ("session_persistence", Keys::Leaf),
            ("mounts", Keys::Leaf),
            ("env", Keys::Each(&Keys::Leaf)),
            ("sudo", Keys::Leaf),
            ("limits", LIMITS),
            $($own),*
        ])
    };
}

/// The keys of a `.claude-reactor` file, in a project and in a session dir.
pub static CHOICES_KEYS: Keys = choices_and!(
    ("account", Keys::Leaf),
    (
        "engine",
        Keys::Elsewhere(
            "which engine is used is not a project's choice: it belongs in ~/.claude-reactor/config.yaml"
        )
    ),
    ("ca_file", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
    ("registry", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
    ("claude_version", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
);

/// The keys of an account's `config.yaml`.
pub static ACCOUNT_KEYS: Keys = choices_and!(
    ("engine", Keys::Leaf),
    ("ca_file", Keys::Leaf),
    ("registry", Keys::Leaf),
    ("claude_version", Keys::Leaf),
    (
        "account",
        Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml: this file is one account's already")
    ),
    ("projects", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
);

/// The keys of the user's `config.yaml`.
pub static USER_KEYS: Keys = choices_and!(
    ("account", Keys::Leaf),
    ("engine", Keys::Leaf),
    ("ca_file", Keys::Leaf),
    ("registry", Keys::Leaf),
    ("claude_version", Keys::Leaf),
    ("projects", Keys::Each(&Keys::Map(&[("account", Keys::Leaf)]))),
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The dotted paths of everything that takes a value.
    fn paths(keys: &Keys, parents: &str, into: &mut Vec<String>) {
        match keys {
            Keys::Map(entries) => {
                for (name, below) in *entries {
                    let separator = if parents.is_empty() { "" } else { "." };
                    paths(below, &format!("{parents}{separator}{name}"), into);
                }
            }
            Keys::Each(below) if matches!(below, Keys::Map(_)) => {
                paths(below, &format!("{parents}.{{hash}}"), into);
            }
            Keys::Elsewhere(_) => {}
            Keys::Leaf | Keys::Each(_) | Keys::Free | Keys::AliasOf(_) => into.push(parents.to_owned()),
        }
    }

    #[test]
    fn every_key_is_documented() {
        let mut all = Vec::new();
        for keys in [&CHOICES_KEYS, &ACCOUNT_KEYS, &USER_KEYS] {
            paths(keys, "", &mut all);
        }
        let documentation = include_str!("../../docs/configuration.md");
        for key in all {
            assert!(documentation.contains(&format!("`{key}`")), "{key} is not in docs/configuration.md");
        }
    }
}
