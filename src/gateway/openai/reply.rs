//! What comes back of Chat Completions, as a stream or whole, made into a reply.

use serde::Deserialize;
use serde_json::Value;

use crate::gateway::event::{Stop, Usage};
use crate::gateway::reply::{CallHandle, Reply};
use crate::gateway::upstream::Trouble;

/// A chunk of a stream, or a whole reply: of `delta` and `message` a choice has one.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Chunk {
    choices: Vec<Choice>,
    usage: Option<Used>,
    error: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
    usage: Option<Used>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Delta {
    content: Option<Text>,
    reasoning_content: Option<Text>,
    reasoning: Option<Text>,
    refusal: Option<Text>,
    tool_calls: Option<Vec<ToolCall>>,
}

/// Text, or parts of which some are text; anything else says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Parts(Vec<Value>),
    #[expect(dead_code, reason = "it takes what is neither")]
    Other(Value),
}

impl Text {
    fn each(&self, mut say: impl FnMut(&str)) {
        match self {
            Self::Plain(text) => say(text),
            Self::Parts(parts) => parts.iter().filter_map(|part| part["text"].as_str()).for_each(say),
            Self::Other(_) => {}
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ToolCall {
    index: Option<u64>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Function {
    name: Option<String>,
    /// A string; an object with some backends.
    arguments: Option<Value>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct Used {
    #[serde(deserialize_with = "count")]
    prompt_tokens: u64,
    #[serde(deserialize_with = "count")]
    completion_tokens: u64,
    prompt_tokens_details: Option<Cached>,
    /// `DeepSeek`'s word for the cached part.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct Cached {
    cached_tokens: Option<u64>,
}

fn count<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(0))
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        let cached = used.prompt_tokens_details.and_then(|details| details.cached_tokens);
        let cached = cached.or(used.prompt_cache_hit_tokens).unwrap_or(0).min(used.prompt_tokens);
        Self {
            input: used.prompt_tokens - cached,
            output: used.completion_tokens,
            cache_read: cached,
            cache_creation: 0,
        }
    }
}

/// A reply while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    calls: Vec<Slot>,
    stop: Option<Stop>,
    usage: Option<Usage>,
    is_done: bool,
}

/// A call of the stream, by what later pieces of it may say they belong to.
#[derive(Debug)]
struct Slot {
    index: Option<u64>,
    id: String,
    has_name: bool,
    handle: CallHandle,
}

impl Stream {
    /// Takes the data of one event, or a whole reply.
    pub fn push(&mut self, data: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        if data.trim_ascii() == b"[DONE]" {
            self.is_done = true;
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_slice(data).map_err(|_| Trouble::Garbled)?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(Trouble::reported(&error));
        }
        if let Some(used) = chunk.usage {
            self.usage = Some(used.into());
        }
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(()) };
        if let Some(used) = choice.usage {
            self.usage = Some(used.into());
        }
        if let Some(delta) = choice.delta {
            let thoughts = delta.reasoning_content.or(delta.reasoning);
            if let Some(thoughts) = thoughts {
                thoughts.each(|text| reply.thinking(text));
            }
            if let Some(content) = delta.content {
                content.each(|text| reply.text(text));
            }
            if let Some(refusal) = delta.refusal {
                refusal.each(|text| reply.text(text));
            }
            for call in delta.tool_calls.into_iter().flatten() {
                self.call(call, reply);
            }
        }
        if let Some(reason) = choice.finish_reason {
            self.stop = Some(stop(&reason));
        }
        Ok(())
    }

    /// Nothing comes any more.
    pub fn finish(self, reply: &mut Reply) -> Result<(), Trouble> {
        let stop = match self.stop {
            Some(stop) => stop,
            // Some never say why, but say that it is all.
            None if self.is_done => Stop::EndTurn,
            None => return Err(Trouble::Cut),
        };
        reply.finish(stop, self.usage).map_err(|_| Trouble::Empty)
    }

    fn call(&mut self, piece: ToolCall, reply: &mut Reply) {
        let id = piece.id.unwrap_or_default();
        let function = piece.function.unwrap_or_default();
        let name = function.name.unwrap_or_default();
        let handle = if let Some(slot) = self.slot(piece.index, &id, &name, reply) {
            if slot.id.is_empty() {
                slot.id.clone_from(&id);
            }
            slot.has_name |= !name.is_empty();
            reply.complete_call(slot.handle, &id, &name);
            slot.handle
        } else {
            let handle = reply.call(&id, &name);
            self.calls.push(Slot { index: piece.index, id, has_name: !name.is_empty(), handle });
            handle
        };
        match function.arguments {
            Some(Value::String(text)) => reply.arguments(handle, &text),
            None | Some(Value::Null) => {}
            Some(whole) => reply.arguments(handle, &whole.to_string()),
        }
    }

    /// The call that a piece belongs to; none for the first piece of a new one.
    fn slot(&mut self, index: Option<u64>, id: &str, name: &str, reply: &Reply) -> Option<&mut Slot> {
        // An id that is known says it, whatever the index.
        if !id.is_empty() && self.calls.iter().any(|slot| slot.id == id) {
            let is_again = |slot: &&mut Slot| {
                // The same id with another name and whole arguments before it is another call with an id used twice.
                slot.id == id && (name.is_empty() || !slot.has_name || !reply.is_whole(slot.handle))
            };
            return self.calls.iter_mut().rev().find(is_again);
        }
        let at_index = match index {
            Some(index) => self.calls.iter_mut().rev().find(|slot| slot.index == Some(index)),
            None => self.calls.last_mut(),
        };
        at_index.filter(|slot| {
            let is_other_id = !id.is_empty() && !slot.id.is_empty();
            let begins_anew =
                !name.is_empty() && slot.has_name && (index.is_none() || reply.is_whole(slot.handle));
            !is_other_id && !begins_anew
        })
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "length" | "max_tokens" | "model_length" => Stop::MaxTokens,
        "tool_calls" | "function_call" => Stop::ToolUse,
        "content_filter" => Stop::Refusal,
        _ => Stop::EndTurn,
    }
}
