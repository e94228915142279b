//! The environment variables by which Claude Code is told where to go and who pays, and who may set which.
//!
//! Three places can name variables: a row's `env`, a provider's `.env`, and claude-reactor itself. The rules here keep
//! the first two from setting, under a variable's name, what would break a promise of the third.

/// Where Claude Code sends its requests; it appends `/v1/messages`.
pub const BASE_URL: &str = "ANTHROPIC_BASE_URL";
/// The key that is sent as `Authorization: Bearer`.
pub const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";
/// The key that is sent as `x-api-key`.
pub const API_KEY: &str = "ANTHROPIC_API_KEY";
/// The login of a Claude subscription. Claude Code sends it to *any* endpoint that it has no key for.
pub const OAUTH_TOKEN: &str = "CLAUDE_CODE_OAUTH_TOKEN";
/// The model of a session.
pub const MODEL: &str = "ANTHROPIC_MODEL";
/// The model behind the alias `haiku`, which Claude Code uses for quick background work.
pub const SMALL_MODEL: &str = "ANTHROPIC_DEFAULT_HAIKU_MODEL";
/// The models behind the other aliases. One that is not mapped sends a `claude-*` id to the endpoint.
pub const ALIAS_MODELS: [&str; 3] =
    ["ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "ANTHROPIC_DEFAULT_FABLE_MODEL"];
/// How many tokens the model takes.
pub const CONTEXT_WINDOW: &str = "CLAUDE_CODE_MAX_CONTEXT_TOKENS";
/// Makes the environment win over the `env` of every settings file, those of a repository included.
pub const MANAGED_BY_HOST: &str = "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST";
/// Each switches Claude Code to a cloud's API, whatever the base URL says.
pub const CLOUD_MODES: [&str; 3] =
    ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];

/// Has Claude Code tell somebody what is done in it.
pub const TELEMETRY: &str = "CLAUDE_CODE_ENABLE_TELEMETRY";

/// The beginnings of names that are Claude Code's own, for routing or for logging in.
const ROUTING_PREFIXES: [&str; 4] =
    ["ANTHROPIC_", "CLAUDE_CODE_USE_", "CLAUDE_CODE_SKIP_", "CLAUDE_CODE_OAUTH"];
/// Words in the other names of Claude Code's variables that decide where a session goes, as whom, or with which files.
const DECISIVE: [&str; 11] =
    ["API", "AUTH", "CERT", "CONFIG", "HEADERS", "HELPER", "MODEL", "PROXY", "SOCKET", "TOKEN", "URL"];

/// Claude Code's switches to further APIs, which no provider here stands for.
const OTHER_MODES: [&str; 4] = [
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_GATEWAY",
];

/// Whether a process can be given a variable of this name by every shell: POSIX's letters, digits and `_`.
pub fn is_variable_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Why nobody but claude-reactor sets this variable of a session, or `None` for a variable that is free to set.
pub fn reserved(name: &str) -> Option<&'static str> {
    match name {
        MANAGED_BY_HOST => {
            Some("it keeps a repository's settings from moving the session to another endpoint")
        }
        "CLAUDE_CONFIG_DIR" | "CLAUDE_SECURESTORAGE_CONFIG_DIR" => {
            Some("it keeps each provider's state and login in a folder of its own")
        }
        OAUTH_TOKEN => Some("it is the login of a Claude subscription, which no other endpoint may see"),
        "GIT_CONFIG_SYSTEM" => Some("git inside knows by it who commits"),
        "HOME" => Some("the session's user has it from claude-reactor"),
        "PATH" => Some("the image has it, and it decides which `claude` is started"),
        name if CLOUD_MODES.contains(&name) || OTHER_MODES.contains(&name) => {
            Some("it would send the session to another backend than the endpoint of this provider")
        }
        _ => None,
    }
}

/// Whether a variable decides where what a session sends goes, as whom, or who is believed to be there. The one list of
/// them, for whoever else sets variables: a file's `env`, an image. Proxies that every program knows are not of it: they
/// are the user's to set.
pub fn decides_route(name: &str) -> bool {
    let is_claudes = name.starts_with("CLAUDE_") && name.split('_').any(|word| DECISIVE.contains(&word));
    let is_telemetrys = name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("ENDPOINT");
    is_claudes
        || is_telemetrys
        || name == "NODE_TLS_REJECT_UNAUTHORIZED"
        || field_instead(name).is_some()
        || ROUTING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Why a cloud mode of Claude Code has no use for this variable, or `None`. What names its endpoint is checked by the
/// mode itself.
pub fn reserved_in_modes(name: &str) -> Option<&'static str> {
    match name {
        BASE_URL | AUTH_TOKEN | API_KEY => {
            Some("it is for Anthropic's own API, which a cloud mode does not use")
        }
        "ANTHROPIC_BEDROCK_BASE_URL" | "ANTHROPIC_VERTEX_BASE_URL" | "ANTHROPIC_FOUNDRY_BASE_URL" => {
            Some("it is the endpoint of another cloud mode")
        }
        name if name.starts_with("CLAUDE_CODE_SKIP_") && name.ends_with("_AUTH") => {
            Some("without its credentials a session would not be this provider's")
        }
        _ => None,
    }
}

/// Which field of a row says what this variable would say, or `None` for a variable no field stands for.
pub fn field_instead(name: &str) -> Option<&'static str> {
    match name {
        // ANTHROPIC_API_BASE is not in the CLI, but guides name it: a row that relied on it would go to Anthropic.
        BASE_URL | "ANTHROPIC_API_BASE" => Some("base_url"),
        AUTH_TOKEN | API_KEY => Some("auth and key_env"),
        MODEL => Some("models.main"),
        SMALL_MODEL | "ANTHROPIC_SMALL_FAST_MODEL" => Some("models.small"),
        CONTEXT_WINDOW => Some("context_window"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_name_is_letters_digits_and_underscores() {
        for name in ["A", "_x", "ZAI_API_KEY", "k2"] {
            assert!(is_variable_name(name), "{name}");
        }
        for name in ["", "2K", "A-B", "A B", "A=B", "Ä", "A\n"] {
            assert!(!is_variable_name(name), "{name:?}");
        }
    }
}
