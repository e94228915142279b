//! Which variables a configuration file's `env` may not set: those by which a session is told where to go and who pays.

use super::variables::{field_instead, reserved};

/// The beginnings of names that are Claude Code's own, for routing or for logging in.
const PREFIXES: [&str; 4] = ["ANTHROPIC_", "CLAUDE_CODE_USE_", "CLAUDE_CODE_SKIP_", "CLAUDE_CODE_OAUTH"];

/// Refuses a name, with what is wrong and what to do about it.
pub fn check(name: &str) -> Result<(), (String, String)> {
    if let Some(why) = reserved(name) {
        return Err((
            format!("claude-reactor sets this variable itself: {why}"),
            "remove the line".to_owned(),
        ));
    }
    if field_instead(name).is_some() || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Err((
            "this variable decides which backend a session talks to, and is the provider's".to_owned(),
            "choose a provider with `--llm-provider`, or describe one in ~/.claude-reactor/providers.yaml"
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_routes_a_session_is_not_to_be_set() {
        for name in [
            "HOME",
            "PATH",
            "CLAUDE_CONFIG_DIR",
            "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
            "CLAUDE_CODE_USE_BEDROCK",
            "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CODE_MAX_CONTEXT_TOKENS",
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_BEDROCK_BASE_URL",
            "ANTHROPIC_MODEL",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
        for name in ["EDITOR", "HTTP_PROXY", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "RUST_LOG"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }
}
