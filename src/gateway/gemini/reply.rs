//! What comes back of Gemini, as a stream or whole, made into a reply.

use serde::Deserialize;
use serde_json::Value;

use super::signature;
use crate::gateway::event::{Stop, Usage};
use crate::gateway::reply::Reply;
use crate::gateway::upstream::Trouble;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Chunk {
    candidates: Vec<Candidate>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Used>,
    error: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Content {
    parts: Vec<Part>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    thought: bool,
    thought_signature: Option<String>,
    function_call: Option<FunctionCall>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct FunctionCall {
    id: Option<String>,
    name: String,
    args: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default, rename_all = "camelCase")]
struct Used {
    #[serde(rename = "promptTokenCount")]
    prompt: u64,
    #[serde(rename = "cachedContentTokenCount")]
    cached: u64,
    #[serde(rename = "candidatesTokenCount")]
    candidates: u64,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts: u64,
    #[serde(rename = "toolUsePromptTokenCount")]
    tools: u64,
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        let cached = used.cached.min(used.prompt);
        Self {
            input: used.prompt - cached + used.tools,
            output: used.candidates + used.thoughts,
            cache_read: cached,
            cache_creation: 0,
        }
    }
}

/// A reply while it comes.
#[derive(Debug, Default)]
pub struct Stream {
    calls: usize,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

impl Stream {
    /// Takes the data of one event, or a whole reply.
    pub fn push(&mut self, data: &[u8], reply: &mut Reply) -> Result<(), Trouble> {
        let chunk: Chunk = serde_json::from_slice(data).map_err(|_| Trouble::Garbled)?;
        if let Some(error) = chunk.error {
            return Err(Trouble::reported(&error));
        }
        if let Some(used) = chunk.usage_metadata {
            self.usage = Some(used.into());
        }
        if chunk.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some()) {
            self.stop = Some(Stop::Refusal);
        }
        let Some(candidate) = chunk.candidates.into_iter().next() else { return Ok(()) };
        for part in candidate.content.unwrap_or_default().parts {
            self.part(part, reply);
        }
        match candidate.finish_reason.as_deref() {
            None | Some("" | "FINISH_REASON_UNSPECIFIED") => {}
            // The model wrote a call that the backend could not read; another try usually does better.
            Some(reason @ ("MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL")) => {
                return Err(Trouble::Reported {
                    status: None,
                    message: format!("the model's call could not be read ({reason})"),
                });
            }
            Some("MAX_TOKENS") => self.stop = Some(Stop::MaxTokens),
            Some("STOP") => self.stop = Some(self.stop.unwrap_or(Stop::EndTurn)),
            // SAFETY, RECITATION, BLOCKLIST, PROHIBITED_CONTENT, SPII, LANGUAGE and what is to come.
            Some(_) => self.stop = Some(Stop::Refusal),
        }
        Ok(())
    }

    fn part(&mut self, part: Part, reply: &mut Reply) {
        if let Some(call) = part.function_call {
            let own = call.id.unwrap_or_default();
            let id = match part.thought_signature {
                Some(signature) => {
                    signature::with(&format!("{}_{}", reply.call_prefix(), self.calls), &signature)
                }
                None => own,
            };
            self.calls += 1;
            let handle = reply.call(&id, &call.name);
            if let Some(args) = call.args {
                reply.arguments(handle, &args.to_string());
            }
            return;
        }
        let text = part.text.unwrap_or_default();
        if part.thought { reply.thinking(&text) } else { reply.text(&text) }
    }

    /// Nothing comes any more.
    pub fn finish(self, reply: &mut Reply) -> Result<(), Trouble> {
        let stop = self.stop.ok_or(Trouble::Cut)?;
        reply.finish(stop, self.usage).map_err(|_| Trouble::Empty)
    }
}
