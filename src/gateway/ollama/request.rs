//! A request as Ollama has it.

use serde_json::{Map, Value, json};

use crate::gateway::conversation::{Conversation, Outcome, Part, Said, Turn, text};
use crate::gateway::message::Request;
use crate::gateway::names::fitting;
use crate::provider::catalog::dialect::Dialect;

/// The request's body. `model` is the backend's name of the model.
pub fn request(
    request: &Request,
    conversation: &Conversation<'_>,
    model: &str,
    dialect: &Dialect,
) -> Vec<u8> {
    let mut body = json!({
        "model": model,
        "messages": messages(conversation, dialect),
        "stream": request.stream,
    });
    let tools: Vec<Value> = conversation
        .tools
        .iter()
        .map(|tool| {
            let schema = tool.input_schema.as_deref().and_then(|text| serde_json::from_str(text.get()).ok());
            json!({"type": "function", "function": {
                "name": fitting(&tool.name),
                "description": tool.description.as_deref().unwrap_or_default(),
                "parameters": schema.unwrap_or_else(|| json!({"type": "object", "properties": {}})),
            }})
        })
        .collect();
    // It knows no choice of tools but to leave them out.
    let refused = request.tool_choice.as_ref().is_some_and(|choice| choice.kind == "none");
    if !tools.is_empty() && !refused {
        body["tools"] = json!(tools);
    }
    let mut options = Map::new();
    let mut set = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            options.insert(field.to_owned(), value);
        }
    };
    set("num_ctx", dialect.num_ctx.map(Value::from));
    set("num_predict", dialect.clamped(request.max_tokens).map(Value::from));
    set("temperature", request.temperature.map(Value::from));
    set("top_p", request.top_p.map(Value::from));
    set("top_k", request.top_k.map(Value::from));
    set("stop", (!request.stop_sequences.is_empty()).then(|| json!(request.stop_sequences)));
    if !options.is_empty() {
        body["options"] = Value::Object(options);
    }
    let effort = request.effort();
    if let Some(effort) = effort.and_then(|effort| dialect.effort(effort)) {
        body["think"] = json!(effort);
    }
    serde_json::to_vec(&body).expect("it has only texts for keys")
}

fn messages(conversation: &Conversation<'_>, dialect: &Dialect) -> Vec<Value> {
    let mut messages = Vec::new();
    if !conversation.system.is_empty() {
        messages.push(json!({"role": "system", "content": conversation.system.join("\n\n")}));
    }
    for turn in &conversation.turns {
        match turn {
            Turn::System(text) => {
                let role = if dialect.inline_system { "system" } else { "user" };
                messages.push(json!({"role": role, "content": text}));
            }
            Turn::User(parts) => messages.push(with_images("user", text(parts), parts, dialect)),
            Turn::Assistant(said) => messages.push(assistant(said)),
            Turn::Results(outcomes) => {
                messages.extend(outcomes.iter().map(|outcome| result(outcome, dialect)));
            }
        }
    }
    messages
}

fn with_images(role: &str, said: String, parts: &[Part<'_>], dialect: &Dialect) -> Value {
    let mut said = said;
    let mut images = Vec::new();
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Image(source) if dialect.images && source.kind == "base64" => {
                images.push(source.data.as_str());
            }
            Part::Image(_) => said.push_str("\n(A picture, which this model cannot see.)"),
            Part::Document { title, .. } => {
                said.push_str("\n(A document that this model cannot read: ");
                said.push_str(title.unwrap_or("without a title"));
                said.push(')');
            }
        }
    }
    let mut message = json!({"role": role, "content": said});
    if !images.is_empty() {
        message["images"] = json!(images);
    }
    message
}

fn assistant(said: &[Said<'_>]) -> Value {
    let mut texts = Vec::new();
    let mut calls = Vec::new();
    for said in said {
        match said {
            Said::Text(text) => texts.push(*text),
            Said::Thinking { .. } => {}
            Said::Call(call) => {
                let arguments: Value = serde_json::from_str(call.input.get()).unwrap_or_else(|_| json!({}));
                calls.push(json!({"function": {"name": fitting(call.name), "arguments": arguments}}));
            }
        }
    }
    let mut message = json!({"role": "assistant", "content": texts.join("\n\n")});
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    message
}

fn result(outcome: &Outcome<'_>, dialect: &Dialect) -> Value {
    let mut said = text(&outcome.parts);
    if outcome.is_error && !said.starts_with("Error") {
        said.insert_str(0, "Error: ");
    }
    let mut message = with_images("tool", said, &outcome.parts, dialect);
    message["tool_name"] = json!(fitting(outcome.call.name));
    message
}
