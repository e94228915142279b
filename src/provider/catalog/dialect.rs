//! What a backend can do and how it wants things said, where backends of one wire differ: data of the catalogue's rows,
//! so that a new backend, or one that has learned something, is a line in `catalog.yaml` and no code.

use serde::{Deserialize, Serialize};

use crate::config::yaml::Keys;

/// What a backend can do. The defaults are those of `OpenAI`'s own API, which most others follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Dialect {
    /// Whether a system message may stand in the midst of a conversation; where not, it is said as the person's.
    pub inline_system: bool,
    /// The role of the system prompt.
    pub system_role: SystemRole,
    /// Whether it takes pictures.
    pub images: bool,
    /// Whether it takes `parallel_tool_calls`.
    pub parallel_tool_calls: bool,
    /// The field that bounds the reply.
    pub max_tokens_field: MaxTokensField,
    /// How many tokens a reply may have at most; a request for more is refused by most backends, so it is clamped.
    pub max_output: Option<u64>,
    /// The efforts it knows, from the least to the most; none where it takes no `reasoning_effort`.
    pub efforts: Vec<String>,
    /// The field that it wants its own thoughts back in; none where it refuses or ignores them.
    pub reasoning_field: Option<String>,
    /// Whether it takes `user`.
    pub user_field: bool,
    /// Whether it takes `stream_options`, by which it says what a stream used.
    pub stream_usage: bool,
    /// The exact length of the ids of calls, letters and digits only, where it insists on one.
    pub call_id_length: Option<usize>,
    /// How many tokens of context Ollama is to make room for.
    pub num_ctx: Option<u64>,
    /// How Gemini is told how much to think.
    pub thinking: ThinkingField,
    /// Whether Gemini refuses calls of its own that come back without the signature of the thought behind them.
    pub thought_signatures: bool,
    /// Whether the backend itself can search the web.
    pub web_search: bool,
    /// The header for the key, where it is neither `Authorization` nor `x-api-key`.
    pub key_header: Option<String>,
}

/// The keys that a row's `dialect` may have.
pub(super) const KEYS: Keys = Keys::Map(&[
    ("inline_system", Keys::Bool),
    ("system_role", Keys::OneOf(&["system", "developer"])),
    ("images", Keys::Bool),
    ("parallel_tool_calls", Keys::Bool),
    ("max_tokens_field", Keys::OneOf(&["max_tokens", "max_completion_tokens"])),
    ("max_output", Keys::Number),
    ("efforts", Keys::List),
    ("reasoning_field", Keys::Text),
    ("user_field", Keys::Bool),
    ("stream_usage", Keys::Bool),
    ("call_id_length", Keys::Number),
    ("num_ctx", Keys::Number),
    ("thinking", Keys::OneOf(&["level", "budget", "none"])),
    ("thought_signatures", Keys::Bool),
    ("web_search", Keys::Bool),
    ("key_header", Keys::Text),
]);

/// How a model of Gemini is told how much to think.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThinkingField {
    /// By a word: the models from 3 on.
    #[default]
    Level,
    /// By a number of tokens: those of 2.5.
    Budget,
    /// Not at all.
    None,
}

/// The role of the system prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SystemRole {
    /// What everybody takes.
    #[default]
    System,
    /// `OpenAI`'s newer word for it.
    Developer,
}

/// The field that bounds a reply of Chat Completions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// The old one, which everybody but `OpenAI`'s reasoning models takes.
    #[default]
    MaxTokens,
    /// The new one.
    MaxCompletionTokens,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            inline_system: true,
            system_role: SystemRole::System,
            images: true,
            parallel_tool_calls: true,
            max_tokens_field: MaxTokensField::MaxTokens,
            max_output: None,
            efforts: Vec::new(),
            reasoning_field: None,
            user_field: false,
            stream_usage: true,
            call_id_length: None,
            num_ctx: None,
            thinking: ThinkingField::Level,
            thought_signatures: true,
            web_search: false,
            key_header: None,
        }
    }
}

impl Dialect {
    /// How long a reply may be, for one that is wanted as long as `wanted`.
    pub fn clamped(&self, wanted: Option<u64>) -> Option<u64> {
        match (wanted, self.max_output) {
            (Some(wanted), Some(most)) => Some(wanted.min(most)),
            (wanted, most) => wanted.or(most),
        }
    }

    /// The backend's word for an effort: its own where it has it, else its nearest lesser one, else its least.
    pub fn effort(&self, wanted: &str) -> Option<&str> {
        const ORDER: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];
        let rank = |effort: &str| ORDER.iter().position(|known| *known == effort);
        let wanted = rank(wanted)?;
        let known = || self.efforts.iter().filter_map(|effort| Some((rank(effort)?, effort.as_str())));
        let lesser = known().filter(|(rank, _)| *rank <= wanted).max_by_key(|(rank, _)| *rank);
        lesser.or_else(|| known().min_by_key(|(rank, _)| *rank)).map(|(_, effort)| effort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effort_is_the_nearest_that_is_known() {
        let dialect = |efforts: &[&str]| Dialect {
            efforts: efforts.iter().map(|&effort| effort.to_owned()).collect(),
            ..Dialect::default()
        };
        let three = dialect(&["low", "medium", "high"]);
        assert_eq!(three.effort("max"), Some("high"));
        assert_eq!(three.effort("medium"), Some("medium"));
        assert_eq!(dialect(&["high"]).effort("low"), Some("high"));
        assert_eq!(dialect(&[]).effort("high"), None);
        assert_eq!(three.effort("unheard-of"), None);
    }

    #[test]
    fn every_field_is_a_key() {
        let serde_json::Value::Object(fields) = serde_json::json!(Dialect::default()) else {
            panic!("an object")
        };
        let Keys::Map(keys) = KEYS else { panic!("a map") };
        assert_eq!(
            fields.keys().map(String::as_str).collect::<Vec<_>>(),
            keys.iter().map(|(key, _)| *key).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_reply_is_no_longer_than_it_may_be() {
        let dialect = Dialect { max_output: Some(8192), ..Dialect::default() };
        assert_eq!(dialect.clamped(Some(128_000)), Some(8192));
        assert_eq!(dialect.clamped(Some(100)), Some(100));
        assert_eq!(dialect.clamped(None), Some(8192));
        assert_eq!(Dialect::default().clamped(Some(128_000)), Some(128_000));
    }
}
