//! A request as Chat Completions has it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::gateway::conversation::{Conversation, Outcome, Part, Said, Turn, text};
use crate::gateway::message::{Request, Source, ToolChoice};
use crate::gateway::names::fitting;
use crate::provider::catalog::dialect::{Dialect, MaxTokensField, SystemRole};

/// The body. The order of the fields is fixed, and what changes from turn to turn comes last, for the backend's cache.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    messages: Vec<Message<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a RawValue>,
}

#[derive(Serialize, Default)]
struct Message<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    reasoning: Option<std::collections::BTreeMap<&'a str, String>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Value>),
}

#[derive(Serialize)]
struct Call<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: Cow<'a, str>,
    arguments: &'a str,
}

/// The request's body. `model` is the backend's name of the model.
pub fn request(
    request: &Request,
    conversation: &Conversation<'_>,
    model: &str,
    dialect: &Dialect,
) -> Vec<u8> {
    let most = dialect.clamped(request.max_tokens);
    let of = |field: MaxTokensField| most.filter(|_| dialect.max_tokens_field == field);
    let has_tools = !conversation.tools.is_empty();
    let effort = request.effort();
    let choice = request.tool_choice.as_ref().filter(|_| has_tools);
    let one_at_a_time = choice.is_some_and(|choice| choice.disable_parallel_tool_use);
    let body = Body {
        model,
        tools: conversation.tools.iter().map(|tool| function(tool)).collect(),
        messages: messages(conversation, dialect),
        stream: request.stream,
        stream_options: (request.stream && dialect.stream_usage)
            .then_some(StreamOptions { include_usage: true }),
        max_tokens: of(MaxTokensField::MaxTokens),
        max_completion_tokens: of(MaxTokensField::MaxCompletionTokens),
        tool_choice: choice.map(tool_choice),
        parallel_tool_calls: (one_at_a_time && dialect.parallel_tool_calls).then_some(false),
        temperature: request.temperature,
        top_p: request.top_p,
        stop: request.stop_sequences.iter().map(String::as_str).collect(),
        reasoning_effort: effort.and_then(|effort| dialect.effort(effort)),
        user: user(request).filter(|_| dialect.user_field),
    };
    serde_json::to_vec(&body).expect("it has only texts for keys")
}

fn function(tool: &crate::gateway::message::Tool) -> Tool<'_> {
    Tool {
        kind: "function",
        function: Function {
            name: fitting(&tool.name),
            description: tool.description.as_deref(),
            parameters: tool.input_schema.as_deref(),
        },
    }
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match (choice.kind.as_str(), &choice.name) {
        ("any", _) => json!("required"),
        ("none", _) => json!("none"),
        ("tool", Some(name)) => json!({"type": "function", "function": {"name": fitting(name)}}),
        _ => json!("auto"),
    }
}

/// Whose request it is: Claude Code's text names device and account, so a digest of it has to do.
fn user(request: &Request) -> Option<String> {
    let id = request.metadata.as_ref()?.user_id.as_deref()?;
    Some(hex(&Sha256::digest(id)[..16]))
}

fn messages<'a>(conversation: &Conversation<'a>, dialect: &'a Dialect) -> Vec<Message<'a>> {
    let system_role = match dialect.system_role {
        SystemRole::System => "system",
        SystemRole::Developer => "developer",
    };
    let mut messages = Vec::with_capacity(conversation.turns.len() + 1);
    if !conversation.system.is_empty() {
        messages.push(Message {
            role: system_role,
            content: Some(plain(conversation.system.join("\n\n"))),
            ..Message::default()
        });
    }
    for turn in &conversation.turns {
        match turn {
            Turn::System(text) => {
                let role = if dialect.inline_system { system_role } else { "user" };
                messages.push(Message { role, content: Some(plain(text.clone())), ..Message::default() });
            }
            Turn::User(parts) => messages.push(user_message(parts, dialect)),
            Turn::Assistant(said) => messages.push(assistant(said, dialect)),
            Turn::Results(outcomes) => results(outcomes, dialect, &mut messages),
        }
    }
    messages
}

fn plain(text: String) -> Content<'static> {
    Content::Text(Cow::Owned(text))
}

fn user_message<'a>(parts: &[Part<'a>], dialect: &Dialect) -> Message<'a> {
    let only_text = parts.iter().all(|part| matches!(part, Part::Text(_)));
    let content = if only_text {
        plain(text(parts))
    } else {
        Content::Parts(parts.iter().map(|part| shown(part, dialect)).collect())
    };
    Message { role: "user", content: Some(content), ..Message::default() }
}

/// A part of a message as the backend can see it; what it cannot is said in words.
fn shown(part: &Part<'_>, dialect: &Dialect) -> Value {
    let said = |text: &str| json!({"type": "text", "text": text});
    match part {
        Part::Text(text) => said(text),
        Part::Image(source) if dialect.images => {
            json!({"type": "image_url", "image_url": {"url": address(source)}})
        }
        Part::Image(_) => said("(A picture, which this model cannot see.)"),
        Part::Document { source, title } if dialect.images && source.kind == "base64" => {
            json!({"type": "file", "file": {"filename": title.unwrap_or("document.pdf"), "file_data": address(source)}})
        }
        Part::Document { title, .. } => {
            said(&format!("(A document that this model cannot read: {})", title.unwrap_or("without a title")))
        }
    }
}

fn address(source: &Source) -> String {
    if source.kind == "url" {
        return source.url.clone();
    }
    format!("data:{};base64,{}", source.media_type, source.data)
}

fn assistant<'a>(said: &[Said<'a>], dialect: &'a Dialect) -> Message<'a> {
    let texts: Vec<&str> =
        said.iter().filter_map(|said| if let Said::Text(text) = said { Some(*text) } else { None }).collect();
    let thoughts: String = said
        .iter()
        .filter_map(|said| if let Said::Thinking { text, .. } = said { Some(*text) } else { None })
        .collect::<Vec<_>>()
        .join("\n");
    let calls: Vec<Call<'a>> = said
        .iter()
        .filter_map(|said| {
            let Said::Call(call) = said else { return None };
            let function = Called { name: fitting(call.name), arguments: call.input.get() };
            Some(Call { id: call_id(call.id, dialect), kind: "function", function })
        })
        .collect();
    let content = match texts.as_slice() {
        [] if !calls.is_empty() => None,
        [one] => Some(Content::Text(Cow::Borrowed(*one))),
        all => Some(plain(all.join("\n\n"))),
    };
    let reasoning = dialect.reasoning_field.as_deref().filter(|_| !thoughts.is_empty());
    Message {
        role: "assistant",
        content,
        tool_calls: calls,
        reasoning: reasoning.map(|field| [(field, thoughts)].into()),
        ..Message::default()
    }
}

/// The results of a turn's calls, and then what of them only a person can show: pictures and documents.
fn results<'a>(outcomes: &[Outcome<'a>], dialect: &Dialect, messages: &mut Vec<Message<'a>>) {
    let mut beside = Vec::new();
    for outcome in outcomes {
        let mut said = text(&outcome.parts);
        if outcome.is_error && !said.starts_with("Error") {
            said.insert_str(0, "Error: ");
        }
        let others = outcome.parts.iter().filter(|part| !matches!(part, Part::Text(_)));
        let shown: Vec<Value> = others.map(|part| shown(part, dialect)).collect();
        if !shown.is_empty() {
            if said.is_empty() {
                "It is shown below.".clone_into(&mut said);
            }
            beside.push(json!({"type": "text", "text": format!("What {} brought:", outcome.call.name)}));
            beside.extend(shown);
        }
        messages.push(Message {
            role: "tool",
            tool_call_id: Some(call_id(outcome.call.id, dialect)),
            content: Some(plain(said)),
            ..Message::default()
        });
    }
    if !beside.is_empty() {
        messages.push(Message { role: "user", content: Some(Content::Parts(beside)), ..Message::default() });
    }
}

/// The longest id of a call that `OpenAI` itself takes.
const LONGEST_CALL_ID: usize = 40;

/// A call's id as the backend takes it: its own, or where it is of another form, a digest of it.
fn call_id<'a>(id: &'a str, dialect: &Dialect) -> Cow<'a, str> {
    let digest = || hex(&Sha256::digest(id));
    let is_plain = || id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match dialect.call_id_length {
        Some(length) if id.len() != length || !is_plain() => {
            let digest = digest();
            Cow::Owned(digest[..length.min(digest.len())].to_owned())
        }
        None if id.len() > LONGEST_CALL_ID => Cow::Owned(format!("call_{}", &digest()[..32])),
        _ => Cow::Borrowed(id),
    }
}
