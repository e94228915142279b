//! Which keys each of the configuration files may have, and of which type their values are. What each is for: `table`.

use super::yaml::Keys;

const LLM: Keys = Keys::Map(&[
    ("provider", Keys::Text),
    ("model", Keys::Text),
    ("small_model", Keys::Text),
    ("env", Keys::Text),
    ("export_key", Keys::Bool),
]);
const LIMITS: Keys = Keys::Map(&[("cpus", Keys::Text), ("memory", Keys::Text), ("pids", Keys::Text)]);

/// The keys that every file may have, and then those that one has alone.
macro_rules! choices_and {
    ($($own:expr),* $(,)?) => {
        Keys::Map(&[
            ("variant", Keys::Text),
            ("image", Keys::AliasOf("variant")),
            ("danger", Keys::Bool),
            ("llm", LLM),
            ("host_docker", Keys::Bool),
            ("host_docker_timeout", Keys::Text),
            ("ssh_agent", Keys::Bool),
            ("ssh_agent_socket", Keys::Text),
            ("session_persistence", Keys::Bool),
            ("mounts", Keys::List),
            ("env", Keys::Each(&Keys::Text)),
            ("sudo", Keys::Bool),
            ("limits", LIMITS),
            $($own),*
        ])
    };
}

/// The keys of a `.claude-reactor` file, in a project and in a session dir.
pub static CHOICES_KEYS: Keys = choices_and!(
    ("account", Keys::Text),
    (
        "engine",
        Keys::Elsewhere(
            "which engine is used is not a project's choice: it belongs in ~/.claude-reactor/config.yaml"
        )
    ),
    ("ca_file", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
    ("registry", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
    ("claude_version", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
    ("projects", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
);

/// The keys of an account's `config.yaml`.
pub static ACCOUNT_KEYS: Keys = choices_and!(
    ("engine", Keys::Text),
    ("ca_file", Keys::Text),
    ("registry", Keys::Text),
    ("claude_version", Keys::Text),
    (
        "account",
        Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml: this file is one account's already")
    ),
    ("projects", Keys::Elsewhere("it belongs in ~/.claude-reactor/config.yaml")),
);

/// The keys of the user's `config.yaml`.
pub static USER_KEYS: Keys = choices_and!(
    ("account", Keys::Text),
    ("engine", Keys::Text),
    ("ca_file", Keys::Text),
    ("registry", Keys::Text),
    ("claude_version", Keys::Text),
    ("projects", Keys::Each(&Keys::Map(&[("account", Keys::Text)]))),
);
