//! Which variables a configuration file's `env` may not set: those by which a session is told where to go and who pays.

use super::variables::{TELEMETRY, decides_route, reserved};

/// Refuses a name, with what is wrong and what to do about it.
pub fn check(name: &str) -> Result<(), (String, String)> {
    if let Some(why) = reserved(name) {
        return Err((
            format!("claude-reactor sets this variable itself: {why}"),
            "remove the line".to_owned(),
        ));
    }
    if name == "NODE_TLS_REJECT_UNAUTHORIZED" {
        return Err((
            "without that check a session's key would go to whoever answers".to_owned(),
            "to trust another authority, set CLAUDE_REACTOR_CA_FILE".to_owned(),
        ));
    }
    if name == TELEMETRY || name.starts_with("OTEL_") && decides_route(name) {
        return Err((
            "this variable decides who is told what is done in a session, and is the provider's".to_owned(),
            "set it in the provider's .env".to_owned(),
        ));
    }
    if decides_route(name) {
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
            "CLAUDE_CODE_API_BASE_URL",
            "CLAUDE_CODE_CUSTOM_OAUTH_URL",
            "CLAUDE_CODE_HTTPS_PROXY",
            "CLAUDE_CODE_SUBAGENT_MODEL",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
        for name in ["EDITOR", "HTTP_PROXY", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "OTEL_SERVICE_NAME", "RUST_LOG"]
        {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }
}
