//! What comes back of Anthropic's own API, where somebody of ours reads it: `ask`, for one. Clients of the gateway get it as
//! it is.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::event::{Stop, Usage};
use super::reply::{CallHandle, Reply};
use super::upstream::Trouble;

/// An event, or a whole message: what both may have.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    message: Option<Message>,
    content_block: Option<Block>,
    delta: Option<Delta>,
    usage: Option<Used>,
    content: Vec<Block>,
    stop_reason: Option<String>,
    error: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message {
    usage: Option<Used>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    thinking: String,
    id: String,
    name: String,
    input: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Delta {
    text: Option<String>,
    thinking: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct Used {
    #[serde(rename = "input_tokens")]
    input: Option<u64>,
    #[serde(rename = "output_tokens")]
    output: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    cache_read: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens")]
    cache_creation: Option<u64>,
}

/// A reply while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    call: Option<CallHandle>,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

impl Stream {
    /// Takes the data of one event, or a whole message.
    pub fn push(&mut self, data: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        let event: Event = serde_json::from_slice(data).map_err(|_| Trouble::Garbled)?;
        if let Some(error) = event.error {
            return Err(Trouble::reported(&error));
        }
        let used = event.message.and_then(|message| message.usage).into_iter().chain(event.usage);
        used.for_each(|used| self.used(used));
        for block in event.content_block.into_iter().chain(event.content) {
            self.block(block, reply);
        }
        let delta = event.delta.unwrap_or_default();
        reply.text(delta.text.as_deref().unwrap_or_default());
        reply.thinking(delta.thinking.as_deref().unwrap_or_default());
        if let (Some(call), Some(arguments)) = (self.call, delta.partial_json) {
            reply.arguments(call, &arguments);
        }
        if event.kind == "message_stop" {
            self.stop = Some(self.stop.unwrap_or(Stop::EndTurn));
        }
        if let Some(reason) = delta.stop_reason.or(event.stop_reason) {
            self.stop = Some(match reason.as_str() {
                "max_tokens" | "model_context_window_exceeded" => Stop::MaxTokens,
                "tool_use" => Stop::ToolUse,
                "refusal" => Stop::Refusal,
                "stop_sequence" => Stop::StopSequence,
                _ => Stop::EndTurn,
            });
        }
        Ok(())
    }

    fn block(&mut self, block: Block, reply: &mut Reply) {
        reply.text(&block.text);
        reply.thinking(&block.thinking);
        if block.kind == "tool_use" {
            let call = reply.call(&block.id, &block.name);
            // In a stream it is empty, and the arguments follow.
            if let Some(Value::Object(input)) =
                block.input.filter(|input| input != &Value::Object(Map::default()))
            {
                reply.arguments(call, &Value::Object(input).to_string());
            }
            self.call = Some(call);
        }
    }

    /// What it used: of what is said twice, the later counts.
    fn used(&mut self, used: Used) {
        let usage = self.usage.get_or_insert_default();
        let set = |field: &mut u64, value: Option<u64>| *field = value.unwrap_or(*field);
        set(&mut usage.input, used.input);
        set(&mut usage.output, used.output);
        set(&mut usage.cache_read, used.cache_read);
        set(&mut usage.cache_creation, used.cache_creation);
    }

    /// Nothing comes any more.
    pub fn finish(self, reply: &mut Reply) -> Result<(), Trouble> {
        let stop = self.stop.ok_or(Trouble::Cut)?;
        reply.finish(stop, self.usage).map_err(|_| Trouble::Empty)
    }
}
