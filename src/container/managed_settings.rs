//! The settings that keep a stored login where it belongs, whatever the settings of a repository say.
//!
//! A session whose credential is a variable is told to let its environment win. With a stored login, that would log the
//! user out; so instead the variables that lead elsewhere, or log in otherwise, are pinned by a file in the folder that
//! Claude Code takes its administrator's settings from. Those win over all other settings files.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

/// Where the folder is inside. All of it is mounted, not the file: a mounted file is dropped when another is renamed to
/// its place.
pub const INSIDE: &str = "/etc/claude-code";
/// The file in it.
pub const FILE: &str = "managed-settings.json";

/// Variables that a repository could move requests, or the login, by. Each is as in the session's environment, or empty.
const PINNED: [&str; 22] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_UNIX_SOCKET",
    "CLAUDE_CODE_API_BASE_URL",
    "CLAUDE_CODE_ENABLE_TELEMETRY",
    "CLAUDE_CODE_HOST_AUTH_ENV_VAR",
    "CLAUDE_CODE_HTTPS_PROXY",
    "CLAUDE_CODE_HTTP_PROXY",
    "CLAUDE_CODE_OAUTH_REFRESH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_GATEWAY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Proxies, which programs read under either spelling.
const PROXIES: [(&str, &str); 4] = [
    ("ALL_PROXY", "all_proxy"),
    ("HTTPS_PROXY", "https_proxy"),
    ("HTTP_PROXY", "http_proxy"),
    ("NO_PROXY", "no_proxy"),
];

/// The file's text for a session with these variables. The user's own proxies are among what it holds, perhaps with a
/// password.
pub fn text<'a>(session: impl Iterator<Item = (&'a str, &'a SecretString)>) -> String {
    let session: BTreeMap<&str, &str> = session.map(|(name, value)| (name, value.expose_secret())).collect();
    let stated = |name: &str| session.get(name).copied().filter(|value| !value.is_empty());
    let mut env: Map<String, Value> =
        PINNED.iter().map(|name| ((*name).to_owned(), json!(stated(name).unwrap_or_default()))).collect();
    for (large, small) in PROXIES {
        for (name, other) in [(large, small), (small, large)] {
            env.insert(name.to_owned(), json!(stated(name).or(stated(other)).unwrap_or_default()));
        }
    }
    // A program that prints a key is asked before the login is looked at. An empty one cannot be replaced by another.
    format!("{:#}\n", json!({ "disableAutoMode": "disable", "apiKeyHelper": "", "env": env }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::user_env;

    #[test]
    fn what_is_pinned_is_nobodys_to_set_but_for_the_proxies() {
        for name in PINNED {
            assert!(user_env::check(name).is_err(), "{name}");
        }
        for name in PROXIES.into_iter().flat_map(|(large, small)| [large, small]) {
            assert_eq!(user_env::check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_pinned() {
        let lines = [
            ("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
            ("CLAUDE_SECURESTORAGE_CONFIG_DIR", "/home/claude/.claude-login"),
            ("HTTPS_PROXY", "http://proxy:3128"),
            ("http_proxy", "http://small:1"),
            ("HTTP_PROXY", "http://large:1"),
            ("MY_OWN", "x"),
        ]
        .map(|(name, value)| (name, SecretString::from(value)));
        insta::assert_snapshot!(text(lines.iter().map(|(name, value)| (*name, value))));
    }
}
