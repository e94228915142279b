//! What comes back of Ollama, a JSON text a line, made into a reply.

use serde::Deserialize;
use serde_json::Value;

use crate::gateway::event::{Stop, Usage};
use crate::gateway::reply::Reply;
use crate::gateway::upstream::Trouble;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Chunk {
    message: Option<Message>,
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ToolCall {
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Function {
    name: String,
    arguments: Option<Value>,
}

/// A reply while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    stop: Option<Stop>,
    usage: Option<Usage>,
}

impl Stream {
    /// Takes one line, or a whole reply.
    pub fn push(&mut self, line: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_slice(line).map_err(|_| Trouble::Garbled)?;
        if let Some(error) = chunk.error {
            return Err(Trouble::reported(&error));
        }
        if let Some(message) = chunk.message {
            reply.thinking(message.thinking.as_deref().unwrap_or_default());
            reply.text(message.content.as_deref().unwrap_or_default());
            for call in message.tool_calls.into_iter().flatten() {
                let handle = reply.call(call.id.as_deref().unwrap_or_default(), &call.function.name);
                match call.function.arguments {
                    Some(Value::String(text)) => reply.arguments(handle, &text),
                    Some(arguments) => reply.arguments(handle, &arguments.to_string()),
                    None => {}
                }
            }
        }
        if chunk.done {
            self.stop = Some(match chunk.done_reason.as_deref() {
                Some("length") => Stop::MaxTokens,
                _ => Stop::EndTurn,
            });
            // Of a prompt that it has in its cache whole, it counts nothing.
            self.usage = chunk.prompt_eval_count.zip(chunk.eval_count).map(|(input, output)| Usage {
                input,
                output,
                ..Usage::default()
            });
        }
        Ok(())
    }

    /// Nothing comes any more.
    pub fn finish(self, reply: &mut Reply) -> Result<(), Trouble> {
        let stop = self.stop.ok_or(Trouble::Cut)?;
        reply.finish(stop, self.usage).map_err(|_| Trouble::Empty)
    }
}
