//! A reply in Anthropic's form: as the events of a stream, and as the one message that they make.

use std::fmt::Write;

use serde::Serialize;
use serde_json::value::RawValue;

/// What a reply used, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Read anew.
    #[serde(rename = "input_tokens")]
    pub input: u64,
    /// Written.
    #[serde(rename = "output_tokens")]
    pub output: u64,
    /// Read out of the backend's cache.
    #[serde(rename = "cache_read_input_tokens")]
    pub cache_read: u64,
    /// Put into the backend's cache.
    #[serde(rename = "cache_creation_input_tokens")]
    pub cache_creation: u64,
}

/// Why a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It is complete.
    EndTurn,
    /// It was as long as it may be.
    MaxTokens,
    /// One of the texts that end it came.
    StopSequence,
    /// It is the tools' turn.
    ToolUse,
    /// The backend would not say it.
    Refusal,
}

impl Stop {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::MaxTokens => "max_tokens",
            Self::StopSequence => "stop_sequence",
            Self::ToolUse => "tool_use",
            Self::Refusal => "refusal",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The reply begins.
    Start {
        /// Its id.
        id: String,
        /// The model that was asked for.
        model: String,
        /// How many tokens it read, as far as that is known by now.
        input: u64,
    },
    /// A block begins.
    BlockStart {
        /// The how-manieth, from 0.
        index: usize,
        /// What it is.
        block: Begun,
    },
    /// A block goes on.
    Delta {
        /// Which.
        index: usize,
        /// By what.
        delta: Delta,
    },
    /// A block is complete.
    BlockStop {
        /// Which.
        index: usize,
    },
    /// The reply is complete.
    End {
        /// Why.
        stop: Stop,
        /// What it used in all.
        usage: Usage,
    },
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Text.
    Text,
    /// A thought.
    Thinking,
    /// A call.
    ToolUse {
        /// Its id.
        id: String,
        /// The tool, by the client's name.
        name: String,
    },
}

/// How a block goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// More text.
    Text(String),
    /// More of a thought.
    Thinking(String),
    /// What a thought is recognised by.
    Signature(String),
    /// More of the arguments, a JSON text in pieces.
    Input(String),
}

/// What keeps a connection alive on which nothing happens.
pub const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

impl Event {
    /// Appends the event as a stream has it.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Start { id, model, input } => {
                let _ = write!(
                    out,
                    "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":{},\"type\":\"message\",\
                     \"role\":\"assistant\",\"model\":{},\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\
                     \"usage\":{{\"input_tokens\":{input},\"output_tokens\":1,\"cache_read_input_tokens\":0,\
                     \"cache_creation_input_tokens\":0}}}}}}\n\n",
                    quoted(id),
                    quoted(model)
                );
            }
            Self::BlockStart { index, block } => {
                let _ = write!(
                    out,
                    "event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":{index},\"content_block\":"
                );
                match block {
                    Begun::Text => out.push_str("{\"type\":\"text\",\"text\":\"\"}"),
                    Begun::Thinking => {
                        out.push_str("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
                    }
                    Begun::ToolUse { id, name } => {
                        let _ = write!(
                            out,
                            "{{\"type\":\"tool_use\",\"id\":{},\"name\":{},\"input\":{{}}}}",
                            quoted(id),
                            quoted(name)
                        );
                    }
                }
                out.push_str("}\n\n");
            }
            Self::Delta { index, delta } => {
                let (kind, field, text) = match delta {
                    Delta::Text(text) => ("text_delta", "text", text),
                    Delta::Thinking(text) => ("thinking_delta", "thinking", text),
                    Delta::Signature(text) => ("signature_delta", "signature", text),
                    Delta::Input(text) => ("input_json_delta", "partial_json", text),
                };
                let _ = write!(
                    out,
                    "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
                     \"delta\":{{\"type\":\"{kind}\",\"{field}\":{}}}}}\n\n",
                    quoted(text)
                );
            }
            Self::BlockStop { index } => {
                let _ = write!(
                    out,
                    "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{index}}}\n\n"
                );
            }
            Self::End { stop, usage } => {
                let _ = write!(
                    out,
                    "event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"{}\",\
                     \"stop_sequence\":null}},\"usage\":{}}}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n",
                    stop.as_str(),
                    serde_json::json!(usage)
                );
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// A whole reply.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: String,
    content: Vec<Whole>,
    stop_reason: Option<Stop>,
    stop_sequence: Option<String>,
    usage: Usage,
}

/// A whole block.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Whole {
    Text {
        text: String,
    },
    Thinking {
        thinking: String,
        signature: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(skip)]
        text: String,
        input: Option<Box<RawValue>>,
    },
}

impl Message {
    /// Puts a reply's events together; nothing where they are not those of a complete one.
    pub fn from_events(events: impl IntoIterator<Item = Event>) -> Option<Self> {
        let mut events = events.into_iter();
        let Some(Event::Start { id, model, .. }) = events.next() else { return None };
        let mut message = Self {
            id,
            kind: "message",
            role: "assistant",
            model,
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: Usage::default(),
        };
        for event in events {
            match event {
                Event::Start { .. } => return None,
                Event::BlockStart { block, .. } => message.content.push(match block {
                    Begun::Text => Whole::Text { text: String::new() },
                    Begun::Thinking => Whole::Thinking { thinking: String::new(), signature: String::new() },
                    Begun::ToolUse { id, name } => {
                        Whole::ToolUse { id, name, text: String::new(), input: None }
                    }
                }),
                Event::Delta { delta, .. } => match (message.content.last_mut()?, delta) {
                    (Whole::Text { text }, Delta::Text(more))
                    | (Whole::ToolUse { text, .. }, Delta::Input(more)) => text.push_str(&more),
                    (Whole::Thinking { thinking, .. }, Delta::Thinking(more)) => thinking.push_str(&more),
                    (Whole::Thinking { signature, .. }, Delta::Signature(more)) => signature.push_str(&more),
                    _ => return None,
                },
                Event::BlockStop { .. } => {
                    if let Some(Whole::ToolUse { text, input, .. }) = message.content.last_mut() {
                        // What does not parse is shown to the model as it is, as Claude Code itself does.
                        let raw = RawValue::from_string(std::mem::take(text)).or_else(|error| {
                            let _ = error;
                            RawValue::from_string("{}".to_owned())
                        });
                        *input = raw.ok();
                    }
                }
                Event::End { stop, usage } => {
                    message.stop_reason = Some(stop);
                    message.usage = usage;
                }
            }
        }
        message.stop_reason.map(|_| message)
    }

    /// All its text.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            Whole::Text { text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// What it used.
    pub fn usage(&self) -> Usage {
        self.usage
    }
}
