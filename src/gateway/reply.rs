//! A reply while it is put together: whatever order a backend sends things in, what comes out is one block at a time.
//!
//! Text and thoughts go out as they come. From the first call on everything waits until the reply is complete: arguments
//! of parallel calls come interleaved, and what a backend leaves half-said can only be told at the end. Nobody can act on
//! half a call, so nothing is lost but the sight of it.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::arguments;
use super::conversation::Conversation;
use super::event::{Begun, Delta, Event, Stop, Usage};
use super::names::Names;

/// What is said where a reply consists of thoughts alone, which Claude Code would throw away and ask for once more.
const ONLY_THOUGHTS: &str = "(The model ended its turn without an answer.)";
/// The same, where its room ran out.
const THOUGHTS_UNTIL_THE_END: &str = "(The model used up all tokens of its reply on thinking.)";

/// What of a request the reply to it needs.
#[derive(Debug, Default)]
pub struct Asked {
    /// The model, in the client's words.
    pub model: String,
    /// The id of the reply.
    pub id: String,
    /// How many tokens it reads, as an estimate.
    pub input: u64,
    names: Names,
    schemas: HashMap<String, Box<RawValue>>,
}

impl Asked {
    /// Notes what the reply to a conversation needs. `id` is the reply's.
    pub fn new(model: &str, conversation: &Conversation<'_>, input: u64, id: String) -> Self {
        let schema = |tool: &&super::message::Tool| Some((tool.name.clone(), tool.input_schema.clone()?));
        Self {
            model: model.to_owned(),
            id,
            input,
            names: Names::new(conversation.tool_names()),
            schemas: conversation.tools.iter().filter_map(schema).collect(),
        }
    }
}

/// A backend ended its reply without having said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the backend's reply is empty")]
pub struct Empty;

/// A reply while it is put together.
#[derive(Debug)]
pub struct Reply {
    asked: Asked,
    events: Vec<Event>,
    is_started: bool,
    /// The block that is open, if one is.
    open: Option<Kind>,
    /// How many blocks were begun.
    blocks: usize,
    /// What waits for the end.
    waiting: Vec<Waiting>,
    has_answer: bool,
    /// What was written, in bytes, for an estimate of the tokens.
    written: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

#[derive(Debug)]
enum Waiting {
    Said(Kind, String),
    Call(Call),
}

#[derive(Debug, Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

/// A call of the reply, for what comes of it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallHandle(usize);

impl Reply {
    /// A reply of which nothing has come yet.
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            events: Vec::new(),
            is_started: false,
            open: None,
            blocks: 0,
            waiting: Vec::new(),
            has_answer: false,
            written: 0,
        }
    }

    /// What came of it since the last time.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Begins the reply, if nothing has begun it yet: its client is waiting.
    pub fn start(&mut self) {
        if !std::mem::replace(&mut self.is_started, true) {
            let Asked { id, model, input, .. } = &self.asked;
            self.events.push(Event::Start { id: id.clone(), model: model.clone(), input: *input });
        }
    }

    /// More text.
    pub fn text(&mut self, text: &str) {
        self.say(Kind::Text, text);
    }

    /// More of a thought.
    pub fn thinking(&mut self, text: &str) {
        self.say(Kind::Thinking, text);
    }

    fn say(&mut self, kind: Kind, text: &str) {
        if text.is_empty() {
            return;
        }
        self.written += text.len();
        if self.waiting.is_empty() {
            self.say_now(kind, text);
            return;
        }
        match self.waiting.last_mut() {
            Some(Waiting::Said(last, said)) if *last == kind => said.push_str(text),
            _ => self.waiting.push(Waiting::Said(kind, text.to_owned())),
        }
    }

    fn say_now(&mut self, kind: Kind, text: &str) {
        self.has_answer |= kind == Kind::Text && !text.trim().is_empty();
        if self.open != Some(kind) {
            self.close();
            self.begin(match kind {
                Kind::Text => Begun::Text,
                Kind::Thinking => Begun::Thinking,
            });
            self.open = Some(kind);
        }
        let delta = match kind {
            Kind::Text => Delta::Text(text.to_owned()),
            Kind::Thinking => Delta::Thinking(text.to_owned()),
        };
        self.events.push(Event::Delta { index: self.blocks - 1, delta });
    }

    fn begin(&mut self, block: Begun) {
        self.start();
        self.events.push(Event::BlockStart { index: self.blocks, block });
        self.blocks += 1;
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.events.push(Event::BlockStop { index: self.blocks - 1 });
        }
    }

    /// What an id of a call begins with that no other reply has.
    pub fn call_prefix(&self) -> String {
        format!("toolu_{}", self.asked.id.trim_start_matches("msg_"))
    }

    /// A call begins. An empty id is given one of ours.
    pub fn call(&mut self, id: &str, name: &str) -> CallHandle {
        self.written += name.len();
        self.waiting.push(Waiting::Call(Call {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: String::new(),
        }));
        CallHandle(self.waiting.len() - 1)
    }

    /// More of a call's name or id, which came without them.
    pub fn complete_call(&mut self, handle: CallHandle, id: &str, name: &str) {
        if let Waiting::Call(call) = &mut self.waiting[handle.0] {
            if call.id.is_empty() {
                id.clone_into(&mut call.id);
            }
            if call.name.is_empty() {
                name.clone_into(&mut call.name);
            }
        }
    }

    /// More of a call's arguments.
    pub fn arguments(&mut self, handle: CallHandle, text: &str) {
        self.written += text.len();
        if let Waiting::Call(call) = &mut self.waiting[handle.0] {
            call.arguments.push_str(text);
        }
    }

    /// Whether a call's arguments are a whole JSON text.
    pub fn is_whole(&self, handle: CallHandle) -> bool {
        let Waiting::Call(call) = &self.waiting[handle.0] else { return true };
        serde_json::from_str::<&RawValue>(&call.arguments).is_ok()
    }

    /// The reply is complete. Where the backend did not say what it used, that is estimated.
    pub fn finish(&mut self, stop: Stop, usage: Option<Usage>) -> Result<(), Empty> {
        let mut ids = HashSet::new();
        let mut calls = 0;
        for (position, waiting) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            match waiting {
                Waiting::Said(kind, text) => self.say_now(kind, &text),
                Waiting::Call(call) => calls += usize::from(self.emit(call, position, stop, &mut ids)),
            }
        }
        if self.blocks == 0 && stop == Stop::EndTurn {
            return Err(Empty);
        }
        if !self.has_answer && calls == 0 && stop != Stop::Refusal {
            self.say_now(
                Kind::Text,
                if stop == Stop::MaxTokens { THOUGHTS_UNTIL_THE_END } else { ONLY_THOUGHTS },
            );
        }
        self.close();
        self.start();
        let stop = match stop {
            Stop::EndTurn | Stop::StopSequence | Stop::ToolUse if calls > 0 => Stop::ToolUse,
            // A finish that announces calls of which none came.
            Stop::ToolUse => Stop::EndTurn,
            stop => stop,
        };
        let usage = usage.unwrap_or(Usage {
            input: self.asked.input,
            output: (self.written as u64).div_ceil(4),
            ..Usage::default()
        });
        self.events.push(Event::End { stop, usage });
        Ok(())
    }

    /// Sends a call; not one whose arguments were cut off with the reply.
    fn emit(&mut self, call: Call, position: usize, stop: Stop, ids: &mut HashSet<String>) -> bool {
        let name = self.asked.names.restored(&call.name).to_owned();
        let schema = self.asked.schemas.get(&name).map(AsRef::as_ref);
        let arguments = match arguments::tidied(&call.arguments, schema) {
            Some(arguments) => arguments,
            None if stop == Stop::MaxTokens => return false,
            // Claude Code shows the model what it wrote.
            None => call.arguments,
        };
        let id = if call.id.is_empty() || !ids.insert(call.id.clone()) {
            let id = format!("{}_{position}", self.call_prefix());
            ids.insert(id.clone());
            id
        } else {
            call.id
        };
        self.close();
        self.begin(Begun::ToolUse { id, name });
        let index = self.blocks - 1;
        self.events.push(Event::Delta { index, delta: Delta::Input(arguments) });
        self.events.push(Event::BlockStop { index });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> Reply {
        Reply::new(Asked { model: "m".to_owned(), id: "msg_1".to_owned(), input: 7, ..Asked::default() })
    }

    /// The events in short.
    fn outline(events: &[Event]) -> String {
        let one = |event: &Event| match event {
            Event::Start { .. } => "start".to_owned(),
            Event::BlockStart { index, block: Begun::Text } => format!("{index}:text"),
            Event::BlockStart { index, block: Begun::Thinking } => format!("{index}:thinking"),
            Event::BlockStart { index, block: Begun::ToolUse { id, name } } => format!("{index}:{name}#{id}"),
            Event::Delta { delta: Delta::Text(text) | Delta::Thinking(text), .. } => format!("+{text}"),
            Event::Delta { delta: Delta::Input(text), .. } => text.clone(),
            Event::Delta { delta: Delta::Signature(text), .. } => format!("~{text}"),
            Event::BlockStop { index } => format!("/{index}"),
            Event::End { stop, usage } => format!("{} {}/{}", stop.as_str(), usage.input, usage.output),
        };
        events.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn text_and_thoughts_go_out_at_once_one_block_at_a_time() {
        let mut reply = reply();
        reply.thinking("hm");
        assert_eq!(outline(&reply.take()), "start 0:thinking +hm");
        reply.text("a");
        reply.text("");
        reply.text("b");
        assert_eq!(outline(&reply.take()), "/0 1:text +a +b");
        reply.finish(Stop::EndTurn, None).unwrap();
        assert_eq!(outline(&reply.take()), "/1 end_turn 7/1");
    }

    #[test]
    fn interleaved_calls_come_out_one_after_the_other() {
        let mut reply = reply();
        reply.text("see");
        let one = reply.call("a", "Read");
        let two = reply.call("a", "Bash");
        reply.arguments(one, "{\"x\"");
        reply.arguments(two, "{}");
        assert!(!reply.is_whole(one) && reply.is_whole(two));
        reply.text("after");
        reply.arguments(one, ":1}");
        let three = reply.call("", "");
        reply.complete_call(three, "", "Glob");
        reply.finish(Stop::EndTurn, Some(Usage { input: 1, output: 2, ..Usage::default() })).unwrap();
        assert_eq!(
            outline(&reply.take()),
            "start 0:text +see /0 1:Read#a {\"x\":1} /1 2:Bash#toolu_1_1 {} /2 3:text +after /3 4:Glob#toolu_1_3 {} /4 \
             tool_use 1/2"
        );
    }

    #[test]
    fn a_call_that_is_cut_off_is_left_out_and_one_that_is_wrong_is_not() {
        let mut cut = reply();
        let call = cut.call("a", "Write");
        cut.arguments(call, "{\"content\":\"half");
        cut.finish(Stop::MaxTokens, None).unwrap();
        assert!(outline(&cut.take()).ends_with("max_tokens 7/6"));
        let mut wrong = reply();
        let call = wrong.call("a", "Write");
        wrong.arguments(call, "{oops");
        wrong.finish(Stop::ToolUse, None).unwrap();
        assert_eq!(outline(&wrong.take()), "start 0:Write#a {oops /0 tool_use 7/3");
    }

    #[test]
    fn no_reply_is_empty() {
        assert_eq!(reply().finish(Stop::EndTurn, None), Err(Empty));
        let mut thoughts = reply();
        thoughts.thinking("hm");
        thoughts.finish(Stop::ToolUse, None).unwrap();
        let outline_of = outline(&thoughts.take());
        assert!(outline_of.contains(ONLY_THOUGHTS) && outline_of.ends_with("end_turn 7/1"), "{outline_of}");
        let mut refused = reply();
        refused.finish(Stop::Refusal, None).unwrap();
        assert_eq!(outline(&refused.take()), "start refusal 7/0");
    }
}
