//! A request put in order for backends that are stricter than Anthropic's: whose turn it is, which result answers which
//! call, which tools there are.
//!
//! Every other API wants the results of calls directly after them, in their order, none missing and none too many. Claude
//! Code gives them in any order, leaves them out after an interruption, and puts messages of its own in between. What is
//! settled here is settled once, so that the translators have only to write it down.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::message::{Block, Content, Request, Role, Source, Tool};

/// What Claude Code's first block of the system prompt begins with: an accounting line that differs from turn to turn.
const BILLING: &str = "x-anthropic-billing-header:";

/// What a call without a result is answered with.
const NO_RESULT: &str = "There is no result: the call was interrupted.";

/// A conversation as other backends take it.
#[derive(Debug)]
pub struct Conversation<'a> {
    /// What stands above it, a block each.
    pub system: Vec<&'a str>,
    /// Whose turn follows whose.
    pub turns: Vec<Turn<'a>>,
    /// What the model may call.
    pub tools: Vec<&'a Tool>,
    /// The tools that the backend itself would have to run, by their types.
    pub server_tools: Vec<&'a str>,
}

/// One turn.
#[derive(Debug)]
pub enum Turn<'a> {
    /// The person's.
    User(Vec<Part<'a>>),
    /// A note of Claude Code's in the midst of the conversation.
    System(String),
    /// The model's.
    Assistant(Vec<Said<'a>>),
    /// The results of all calls of the turn before, in their order.
    Results(Vec<Outcome<'a>>),
}

/// A part of what a person, or a result, says.
#[derive(Debug)]
pub enum Part<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A picture.
    Image(&'a Source),
    /// A document.
    Document {
        /// Its content.
        source: &'a Source,
        /// Its title.
        title: Option<&'a str>,
    },
}

/// A part of what the model said.
#[derive(Debug)]
pub enum Said<'a> {
    /// Text.
    Text(&'a str),
    /// A thought.
    Thinking {
        /// The thought.
        text: &'a str,
        /// Its backend's signature.
        signature: Option<&'a str>,
    },
    /// A call.
    Call(Call<'a>),
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Its id.
    pub id: &'a str,
    /// The tool.
    pub name: &'a str,
    /// The arguments.
    pub input: &'a RawValue,
}

/// What came of a call.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The call.
    pub call: Call<'a>,
    /// What came of it.
    pub parts: Vec<Part<'a>>,
    /// Whether it failed.
    pub is_error: bool,
}

impl<'a> Conversation<'a> {
    /// Puts a request in order.
    pub fn new(request: &'a Request) -> Self {
        let texts = request.system.0.iter().filter_map(|block| match block {
            Block::Text(text) if !text.is_empty() && !text.starts_with(BILLING) => Some(text.as_str()),
            _ => None,
        });
        let system = texts.collect();
        let turns = turns(request);
        let is_server = |tool: &&Tool| tool.kind.as_deref().is_some_and(|kind| kind != "custom");
        let wanted = wanted(request);
        let is_there = |tool: &&Tool| !tool.defer_loading || wanted.contains(tool.name.as_str());
        Self {
            system,
            turns,
            tools: request.tools.iter().filter(|tool| !is_server(tool) && is_there(tool)).collect(),
            server_tools: request
                .tools
                .iter()
                .filter(is_server)
                .filter_map(|tool| tool.kind.as_deref())
                .collect(),
        }
    }

    /// Every name of a tool in it: of those on offer, and of those that were called and are on offer no more.
    pub fn tool_names(&self) -> impl Iterator<Item = &'a str> {
        let called = self.turns.iter().flat_map(|turn| match turn {
            Turn::Assistant(said) => said.as_slice(),
            _ => &[],
        });
        let called = called.filter_map(|said| match said {
            Said::Call(call) => Some(call.name),
            _ => None,
        });
        self.tools.iter().map(|tool| tool.name.as_str()).chain(called)
    }
}

/// The deferred tools that the conversation has come to: referred to by a search, or called.
fn wanted(request: &Request) -> BTreeSet<&str> {
    fn of<'a>(content: &'a Content, wanted: &mut BTreeSet<&'a str>) {
        for block in &content.0 {
            match block {
                Block::ToolReference(name) | Block::ToolUse { name, .. } => {
                    wanted.insert(name);
                }
                Block::ToolResult { content, .. } => of(content, wanted),
                _ => {}
            }
        }
    }
    let mut wanted = BTreeSet::new();
    if request.tools.iter().any(|tool| tool.defer_loading) {
        request.messages.iter().for_each(|message| of(&message.content, &mut wanted));
    }
    wanted
}

fn turns(request: &Request) -> Vec<Turn<'_>> {
    let mut turns = Vec::new();
    let mut messages = request.messages.iter().peekable();
    // The calls of the model's turn that have no results yet.
    let mut calls: Vec<Call<'_>> = Vec::new();
    while let Some(message) = messages.next() {
        if message.role == Role::Assistant {
            let said = said(&message.content);
            calls.extend(said.iter().filter_map(|said| match said {
                Said::Call(call) => Some(*call),
                _ => None,
            }));
            match turns.last_mut() {
                Some(Turn::Assistant(before)) => before.extend(said),
                _ if said.is_empty() => {}
                _ => turns.push(Turn::Assistant(said)),
            }
            continue;
        }
        // All that is said until it is the model's turn again belongs together: results may come late, and in pieces.
        let mut run = vec![message];
        while let Some(next) = messages.next_if(|next| next.role != Role::Assistant) {
            run.push(next);
        }
        answer(&mut turns, &std::mem::take(&mut calls), &run);
    }
    if !calls.is_empty() {
        answer(&mut turns, &calls, &[]);
    }
    turns
}

/// The turns between two of the model's: the results of its calls, and then the rest in its order.
fn answer<'a>(turns: &mut Vec<Turn<'a>>, calls: &[Call<'a>], run: &[&'a super::message::Message]) {
    let mut outcomes: Vec<Option<Outcome<'a>>> = calls.iter().map(|_| None).collect();
    let mut rest = Vec::new();
    for message in run {
        let mut others = Vec::new();
        for block in &message.content.0 {
            let Block::ToolResult { tool_use_id, content, is_error } = block else {
                parts(block, &mut others);
                continue;
            };
            let mut found = Vec::new();
            content.0.iter().for_each(|block| parts(block, &mut found));
            let open = calls
                .iter()
                .zip(&mut outcomes)
                .find(|(call, outcome)| call.id == tool_use_id && outcome.is_none());
            match open {
                Some((call, outcome)) => {
                    *outcome = Some(Outcome { call: *call, parts: found, is_error: *is_error });
                }
                // It answers nothing that is there any more, after a compaction for one. What it says may still matter.
                None if !found.is_empty() => {
                    others.push(Part::Text(Cow::Borrowed("The result of an earlier call:")));
                    others.extend(found);
                }
                None => {}
            }
        }
        if others.is_empty() {
            continue;
        }
        if message.role == Role::System {
            rest.push(Turn::System(text(&others)));
        } else if let Some(Turn::User(before)) = rest.last_mut() {
            before.extend(others);
        } else {
            rest.push(Turn::User(others));
        }
    }
    let missing = |(call, outcome): (&Call<'a>, Option<Outcome<'a>>)| {
        outcome.unwrap_or_else(|| Outcome {
            call: *call,
            parts: vec![Part::Text(Cow::Borrowed(NO_RESULT))],
            is_error: true,
        })
    };
    if !calls.is_empty() {
        turns.push(Turn::Results(calls.iter().zip(outcomes).map(missing).collect()));
    }
    turns.extend(rest);
}

fn said(content: &Content) -> Vec<Said<'_>> {
    content.0.iter().filter_map(said_in).collect()
}

fn said_in(block: &Block) -> Option<Said<'_>> {
    match block {
        Block::Text(text) if !text.trim().is_empty() => Some(Said::Text(text)),
        Block::Thinking { text, signature } => Some(Said::Thinking { text, signature: signature.as_deref() }),
        Block::ToolUse { id, name, input } => Some(Said::Call(Call { id, name, input })),
        _ => None,
    }
}

fn parts<'a>(block: &'a Block, parts: &mut Vec<Part<'a>>) {
    match block {
        Block::Text(text) if text.is_empty() => {}
        Block::Text(text) => parts.push(Part::Text(Cow::Borrowed(text))),
        Block::Image(source) => parts.push(Part::Image(source)),
        Block::Document { source, title } if source.kind == "text" => {
            let title = title.as_deref().map(|title| format!("{title}\n\n")).unwrap_or_default();
            parts.push(Part::Text(Cow::Owned(format!("{title}{}", source.data))));
        }
        Block::Document { source, title } => parts.push(Part::Document { source, title: title.as_deref() }),
        Block::ToolReference(name) => {
            parts.push(Part::Text(Cow::Owned(format!("The tool {name} can be called now."))));
        }
        Block::Thinking { .. } | Block::ToolUse { .. } | Block::ToolResult { .. } | Block::Other(_) => {}
    }
}

/// All text of some parts, a part a paragraph.
pub fn text(parts: &[Part<'_>]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_ref()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The turns in short: `u:` the person's text, `s:` a note, `a:` the model's text and its calls, `r:` results.
    fn outline(messages: &Value) -> Vec<String> {
        let request: Request = serde_json::from_value(json!({"model": "m", "messages": messages})).unwrap();
        let turns = Conversation::new(&request).turns;
        let line = |turn: &Turn<'_>| match turn {
            Turn::User(parts) => format!("u:{}", text(parts)),
            Turn::System(text) => format!("s:{text}"),
            Turn::Assistant(said) => {
                let said = said.iter().map(|said| match said {
                    Said::Text(text) => (*text).to_owned(),
                    Said::Thinking { text, .. } => format!("({text})"),
                    Said::Call(call) => format!("{}#{}", call.name, call.id),
                });
                format!("a:{}", said.collect::<Vec<_>>().join(" "))
            }
            Turn::Results(outcomes) => {
                let one = |outcome: &Outcome<'_>| {
                    format!(
                        "{}{}={}",
                        outcome.call.id,
                        if outcome.is_error { "!" } else { "" },
                        text(&outcome.parts)
                    )
                };
                format!("r:{}", outcomes.iter().map(one).collect::<Vec<_>>().join(" "))
            }
        };
        turns.iter().map(line).collect()
    }

    fn call(id: &str) -> Value {
        json!({"type": "tool_use", "id": id, "name": "T", "input": {}})
    }

    fn result(id: &str, text: &str) -> Value {
        json!({"type": "tool_result", "tool_use_id": id, "content": text})
    }

    #[test]
    fn results_stand_after_their_calls_in_their_order() {
        let messages = json!([
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [{"type": "text", "text": "yes"}, call("1"), call("2")]},
            {"role": "user", "content": [{"type": "text", "text": "by the way"}, result("2", "two"), result("1", "one")]},
            {"role": "assistant", "content": "done"},
        ]);
        assert_eq!(outline(&messages), ["u:go", "a:yes T#1 T#2", "r:1=one 2=two", "u:by the way", "a:done"]);
    }

    #[test]
    fn missing_late_repeated_and_orphaned_results() {
        let messages = json!([
            {"role": "user", "content": [result("0", "old")]},
            {"role": "assistant", "content": [call("1"), call("2"), call("3")]},
            {"role": "user", "content": [result("1", "one")]},
            {"role": "system", "content": "a note"},
            {"role": "user", "content": [result("3", "three"), result("3", "again"), {"type": "text", "text": "well"}]},
        ]);
        assert_eq!(
            outline(&messages),
            [
                "u:The result of an earlier call:\nold",
                "a:T#1 T#2 T#3",
                &format!("r:1=one 2!={NO_RESULT} 3=three"),
                "s:a note",
                "u:The result of an earlier call:\nagain\nwell"
            ]
        );
    }

    #[test]
    fn a_conversation_that_ends_with_a_call_and_one_with_two_turns_of_the_models() {
        let messages = json!([
            {"role": "assistant", "content": [call("1")]},
            {"role": "assistant", "content": [{"type": "text", "text": "and"}, call("2")]},
        ]);
        assert_eq!(outline(&messages), ["a:T#1 and T#2", &format!("r:1!={NO_RESULT} 2!={NO_RESULT}")]);
    }

    #[test]
    fn deferred_tools_come_when_they_are_wanted_and_server_tools_are_told_apart() {
        let request: Request = serde_json::from_value(json!({
            "model": "m",
            "system": [{"type": "text", "text": "x-anthropic-billing-header: cc=1"}, {"type": "text", "text": "S"}],
            "tools": [
                {"name": "A", "input_schema": {}},
                {"name": "B", "input_schema": {}, "defer_loading": true},
                {"name": "C", "input_schema": {}, "defer_loading": true},
                {"name": "web_search", "type": "web_search_20250305"},
            ],
            "messages": [
                {"role": "assistant", "content": [call("1")]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "tool_reference", "tool_name": "C"}]},
                ]},
            ],
        }))
        .unwrap();
        let conversation = Conversation::new(&request);
        assert_eq!(conversation.system, ["S"]);
        assert_eq!(conversation.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["A", "C"]);
        assert_eq!(conversation.server_tools, ["web_search_20250305"]);
        assert_eq!(conversation.tool_names().collect::<Vec<_>>(), ["A", "C", "T"]);
    }
}
