//! The message that a fake says, whole or as the events of a stream.

use serde_json::{Value, json};

use super::script::ToolCall;

/// One assistant turn with a single block.
pub(super) struct Message {
    model: Value,
    block: Block,
}

enum Block {
    Text(String),
    Tool(ToolCall),
}

impl Message {
    pub(super) fn text(model: Option<&str>, text: &str) -> Self {
        Self { model: json!(model), block: Block::Text(text.to_owned()) }
    }

    pub(super) fn tool(model: Option<&str>, tool: &ToolCall) -> Self {
        Self { model: json!(model), block: Block::Tool(tool.clone()) }
    }

    /// The message as one JSON value.
    pub(super) fn whole(&self) -> Value {
        let block = match &self.block {
            Block::Text(text) => json!({ "type": "text", "text": text }),
            Block::Tool(tool) => tool_block(tool, &tool.input),
        };
        let mut message = self.envelope();
        message["content"] = json!([block]);
        message["stop_reason"] = json!(self.stop_reason());
        message["usage"]["output_tokens"] = json!(OUTPUT_TOKENS);
        message
    }

    /// The message as the data of the events of a stream, in order.
    pub(super) fn events(&self) -> Vec<Value> {
        let (start, deltas) = match &self.block {
            Block::Text(text) => {
                let (first, second) = halves(text);
                let delta = |text| json!({ "type": "text_delta", "text": text });
                (json!({ "type": "text", "text": "" }), [delta(first), delta(second)])
            }
            Block::Tool(tool) => {
                let input = tool.input.to_string();
                let (first, second) = halves(&input);
                let delta = |part| json!({ "type": "input_json_delta", "partial_json": part });
                (tool_block(tool, &json!({})), [delta(first), delta(second)])
            }
        };
        let [first, second] =
            deltas.map(|delta| json!({ "type": "content_block_delta", "index": 0, "delta": delta }));
        vec![
            json!({ "type": "message_start", "message": self.envelope() }),
            json!({ "type": "content_block_start", "index": 0, "content_block": start }),
            json!({ "type": "ping" }),
            first,
            second,
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({
                "type": "message_delta",
                "delta": { "stop_reason": self.stop_reason(), "stop_sequence": null },
                "usage": { "output_tokens": OUTPUT_TOKENS },
            }),
            json!({ "type": "message_stop" }),
        ]
    }

    /// The message before anything is said.
    fn envelope(&self) -> Value {
        json!({
            "id": "msg_fake_0001",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": { "input_tokens": 11, "output_tokens": 1 },
        })
    }

    fn stop_reason(&self) -> &'static str {
        match self.block {
            Block::Text(_) => "end_turn",
            Block::Tool(_) => "tool_use",
        }
    }
}

fn tool_block(tool: &ToolCall, input: &Value) -> Value {
    json!({ "type": "tool_use", "id": "toolu_fake_0001", "name": tool.name, "input": input })
}

const OUTPUT_TOKENS: u32 = 7;

/// Two parts of a text, cut at a character, so that a client must put them together.
fn halves(text: &str) -> (&str, &str) {
    let middle = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at));
    text.split_at(middle.unwrap_or(text.len()))
}
