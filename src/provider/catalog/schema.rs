//! The JSON Schema of `providers.yaml`.

use serde_json::{Value, json};

use super::row;
use crate::config::schema;

/// What the fields of a row are for. A name of the user's choice is `*`.
const MEANINGS: [(&str, &str); 39] = [
    ("providers.*.name", "what people call it"),
    ("providers.*.wire", "the API it speaks"),
    ("providers.*.base_url", "its endpoint; Claude Code appends /v1/messages"),
    ("providers.*.auth", "how the key is sent"),
    ("providers.*.key_env", "the variables its key is known by, the usual one first"),
    ("providers.*.key_url", "where a key is to be had"),
    ("providers.*.key_optional", "whether it works without a key"),
    ("providers.*.models.main", "the model that answers"),
    ("providers.*.models.small", "the model for quick background work; the main one if it is left out"),
    ("providers.*.models.map.*", "the backend's name of the model that clients of the gateway call so"),
    ("providers.*.context_window", "how many tokens the main model takes"),
    (
        "providers.*.dialect.inline_system",
        "whether a system message may stand in the midst of a conversation",
    ),
    ("providers.*.dialect.system_role", "the role of the system prompt"),
    ("providers.*.dialect.images", "whether it takes pictures and documents"),
    ("providers.*.dialect.parallel_tool_calls", "whether it takes parallel_tool_calls"),
    ("providers.*.dialect.max_tokens_field", "the field that bounds a reply"),
    ("providers.*.dialect.max_output", "the most tokens that a reply may have; more is clamped"),
    (
        "providers.*.dialect.efforts",
        "the words it knows for reasoning_effort (Gemini: thinkingLevel, Ollama: think)",
    ),
    ("providers.*.dialect.reasoning_field", "the field it wants its own thoughts back in"),
    ("providers.*.dialect.user_field", "whether it takes user"),
    ("providers.*.dialect.stream_usage", "whether it takes stream_options"),
    ("providers.*.dialect.call_id_length", "the exact length of the ids of calls"),
    ("providers.*.dialect.num_ctx", "how many tokens of context Ollama is to make room for"),
    ("providers.*.dialect.thinking", "how Gemini is told how much to think"),
    (
        "providers.*.dialect.thought_signatures",
        "whether calls come back to Gemini with the signature of their thought",
    ),
    ("providers.*.dialect.web_search", "whether it can search the web itself"),
    (
        "providers.*.dialect.key_header",
        "the header for the key, where it is neither Authorization nor x-api-key",
    ),
    ("providers.*.mode", "a cloud's API, which needs what `ask` and `files` say"),
    ("providers.*.ask.*.ask", "the question, for a variable of this name"),
    ("providers.*.ask.*.secret", "whether the answer is hidden while it is typed"),
    ("providers.*.ask.*.optional", "whether it may be left out"),
    ("providers.*.ask.*.default", "the answer where nothing is typed"),
    ("providers.*.ask.*.way", "the alternative that it belongs to"),
    ("providers.*.files.*.ask", "the question, for a variable of this name"),
    ("providers.*.files.*.file", "the name that the file is kept by"),
    ("providers.*.files.*.optional", "whether it may be left out"),
    ("providers.*.env.*", "one more variable of a session; no secret"),
    ("providers.*.ask", "the variables that are asked for, by name"),
    ("providers.*.files", "the files that are asked for, by the variable that names them"),
];

/// The schema.
pub(super) fn schema() -> Value {
    schema::schema("claude-reactor: providers (~/.claude-reactor/providers.yaml)", &row::FILE, &of_key)
}

fn of_key(path: &str) -> Option<Value> {
    let (_, meaning) = MEANINGS.iter().find(|(known, _)| *known == path)?;
    let mut more = json!({"description": meaning});
    if path == "providers.*.context_window" {
        more["minimum"] = json!(1);
    }
    Some(more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::leaves;

    #[test]
    fn every_field_is_described_and_no_other() {
        for leaf in leaves(&row::FILE) {
            assert!(of_key(&leaf).is_some(), "{leaf}");
        }
        let schema = schema();
        let row = &schema["properties"]["providers"]["additionalProperties"]["properties"];
        assert_eq!(row["wire"]["enum"][0], "anthropic");
        assert_eq!(row["context_window"]["type"], "integer");
        assert_eq!(row["models"]["properties"]["main"]["description"], "the model that answers");
    }

    #[test]
    fn the_words_of_a_field_are_those_that_it_is_read_by() {
        use serde::de::DeserializeOwned;

        fn reads<T: DeserializeOwned>(words: &Value) -> bool {
            let words = words["enum"].as_array().unwrap();
            words.iter().all(|word| serde_json::from_value::<T>(word.clone()).is_ok())
        }
        let schema = schema();
        let row = &schema["properties"]["providers"]["additionalProperties"]["properties"];
        assert!(reads::<super::super::Wire>(&row["wire"]));
        assert!(reads::<super::super::Auth>(&row["auth"]));
        assert!(reads::<super::super::Mode>(&row["mode"]));
    }
}
