//! A request of Anthropic's Messages API as Claude Code sends it: what of it a translation needs, and nothing checked away.
//!
//! Schemas and arguments stay the text they came as: parsing and writing them anew would cost time, and a prefix that is
//! not byte for byte the same defeats the caches of backends. Fields that no backend here understands are passed over.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::value::RawValue;

/// The body of `POST /v1/messages`, and of `count_tokens`, which has no `max_tokens`.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// The model, in the client's words.
    pub model: String,
    /// How long the reply may be, in tokens.
    #[serde(default)]
    pub max_tokens: Option<u64>,
    /// Whether the reply comes as events.
    #[serde(default)]
    pub stream: bool,
    /// What stands above the conversation.
    #[serde(default)]
    pub system: Content,
    /// The conversation.
    #[serde(default)]
    pub messages: Vec<Message>,
    /// What the model may call.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// Whether it has to call something.
    #[serde(default)]
    pub tool_choice: Option<ToolChoice>,
    /// Sampling: temperature.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Sampling: nucleus.
    #[serde(default)]
    pub top_p: Option<f64>,
    /// Sampling: the most likely ones only.
    #[serde(default)]
    pub top_k: Option<u64>,
    /// Texts that end the reply.
    #[serde(default)]
    pub stop_sequences: Vec<String>,
    /// Whether the model is to think before it answers.
    #[serde(default)]
    pub thinking: Option<Thinking>,
    /// How hard it is to try.
    #[serde(default)]
    pub output_config: Option<OutputConfig>,
    /// Whose request it is.
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

impl Request {
    /// How hard the model is to try, where the client says it.
    pub fn effort(&self) -> Option<&str> {
        self.output_config.as_ref()?.effort.as_deref()
    }
}

/// One message of the conversation.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    #[serde(default)]
    pub content: Content,
}

/// Who speaks. `system` in the midst of a conversation is Claude Code's own habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person, and the tools.
    User,
    /// The model.
    Assistant,
    /// Claude Code.
    System,
}

/// A string, or blocks; a string is one block of text.
#[derive(Debug, Clone, Default)]
pub struct Content(pub Vec<Block>);

/// A part of a message.
#[derive(Debug, Clone)]
pub enum Block {
    /// Text.
    Text(String),
    /// What the model thought, with what lets its own backend recognise it.
    Thinking {
        /// The thought.
        text: String,
        /// The backend's signature.
        signature: Option<String>,
    },
    /// A call.
    ToolUse {
        /// Its id.
        id: String,
        /// The tool.
        name: String,
        /// The arguments, a JSON object as text.
        input: Box<RawValue>,
    },
    /// What came of a call.
    ToolResult {
        /// Of which.
        tool_use_id: String,
        /// What.
        content: Content,
        /// Whether it failed.
        is_error: bool,
    },
    /// A picture.
    Image(Source),
    /// A document, most often a PDF.
    Document {
        /// Its content.
        source: Source,
        /// Its title.
        title: Option<String>,
    },
    /// A tool whose description was deferred and is to be used from now on.
    ToolReference(String),
    /// Anything else, by its type.
    Other(String),
}

/// Where a picture's or a document's content is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Source {
    /// `base64`, `url`, `text`, `content` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The media type.
    pub media_type: String,
    /// The content: base64, or text.
    pub data: String,
    /// Where it can be had.
    pub url: String,
}

/// A tool.
#[derive(Debug, Clone, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// A type of a tool that the backend itself is to run, such as `web_search_20250305`; none or `custom` otherwise.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// Its arguments: a JSON Schema.
    #[serde(default)]
    pub input_schema: Option<Box<RawValue>>,
    /// Whether its description is left out until the model asks for it.
    #[serde(default)]
    pub defer_loading: bool,
}

/// Whether, and what, the model has to call.
#[derive(Debug, Clone, Deserialize)]
pub struct ToolChoice {
    /// `auto`, `any`, `tool` or `none`.
    #[serde(rename = "type")]
    pub kind: String,
    /// With `tool`: which.
    #[serde(default)]
    pub name: Option<String>,
    /// One call at a time.
    #[serde(default)]
    pub disable_parallel_tool_use: bool,
}

/// Thinking before the answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Thinking {
    /// `enabled`, `adaptive` or `disabled`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many tokens it may take.
    #[serde(default)]
    pub budget_tokens: Option<u64>,
}

/// How the reply is to be.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OutputConfig {
    /// `low`, `medium`, `high`, `xhigh` or `max`.
    #[serde(default)]
    pub effort: Option<String>,
}

/// Whose request it is.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Metadata {
    /// Claude Code's device, account and session in one text.
    #[serde(default)]
    pub user_id: Option<String>,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or a list of content blocks")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content(vec![Block::Text(text.to_owned())]))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Content, E> {
                Ok(Content::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Content, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = sequence.next_element()? {
                    blocks.push(block);
                }
                Ok(Content(blocks))
            }

            // A single block, as some tools give.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Content, A::Error> {
                Ok(Content(vec![Block::deserialize(MapAccessDeserializer::new(map))?]))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// All fields of all blocks. An enum by tag would have to read everything into memory first, raw texts included.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Fields {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    thinking: String,
    signature: Option<String>,
    id: String,
    name: String,
    tool_name: String,
    title: Option<String>,
    input: Option<Box<RawValue>>,
    tool_use_id: String,
    content: Content,
    is_error: Option<bool>,
    source: Source,
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        Ok(match fields.kind.as_str() {
            "text" => Self::Text(fields.text),
            "thinking" => Self::Thinking { text: fields.thinking, signature: fields.signature },
            "tool_use" => Self::ToolUse {
                id: fields.id,
                name: fields.name,
                input: fields.input.unwrap_or_else(empty_object),
            },
            "tool_result" => Self::ToolResult {
                tool_use_id: fields.tool_use_id,
                content: fields.content,
                is_error: fields.is_error.unwrap_or(false),
            },
            "image" => Self::Image(fields.source),
            "document" => Self::Document { source: fields.source, title: fields.title },
            "tool_reference" => Self::ToolReference(fields.tool_name),
            _ => Self::Other(fields.kind),
        })
    }
}

/// `{}`.
pub fn empty_object() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("it is JSON")
}

impl Content {
    /// All its text, a block a paragraph.
    pub fn text(&self) -> String {
        let mut whole = String::new();
        for block in &self.0 {
            if let Block::Text(text) = block {
                if !whole.is_empty() {
                    whole.push('\n');
                }
                whole.push_str(text);
            }
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_claude_codes_is_read() {
        let request: Request = serde_json::from_str(
            r#"{"model":"m","max_tokens":32000,"stream":true,"unknown":{"a":[1]},
                "system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],
                "messages":[{"role":"user","content":"hi"},
                  {"role":"system","content":"note"},
                  {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},
                    {"type":"tool_use","id":"a","name":"Bash","input":{"b": 1,"a":"x"}},{"type":"new_kind","x":1}]},
                  {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","is_error":true,
                    "content":[{"type":"text","text":"no"},{"type":"tool_reference","tool_name":"T"}]}]}],
                "tools":[{"name":"Bash","input_schema":{"type":"object"},"defer_loading":true}],
                "thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"high"}}"#,
        )
        .unwrap();
        assert_eq!(request.system.text(), "S");
        assert_eq!(request.messages[1].role, Role::System);
        let Block::ToolUse { input, .. } = &request.messages[2].content.0[1] else { panic!("a call") };
        assert_eq!(input.get(), r#"{"b": 1,"a":"x"}"#, "as it came");
        assert!(matches!(&request.messages[2].content.0[2], Block::Other(kind) if kind == "new_kind"));
        let Block::ToolResult { is_error: true, content, .. } = &request.messages[3].content.0[0] else {
            panic!("a failed result")
        };
        assert!(matches!(&content.0[1], Block::ToolReference(name) if name == "T"));
        assert!(request.tools[0].defer_loading);
    }
}
