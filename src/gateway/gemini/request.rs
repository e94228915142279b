//! A request as Gemini has it.

use serde_json::{Map, Value, json};

use super::{schema, signature};
use crate::gateway::conversation::{Conversation, Outcome, Part, Said, Turn, text};
use crate::gateway::message::{Request, ToolChoice};
use crate::gateway::names::fitting;
use crate::provider::catalog::dialect::{Dialect, ThinkingField};

/// How many tokens a model that is told so by a number may think, by effort.
const BUDGETS: [(&str, i64); 5] =
    [("low", 1024), ("medium", 8192), ("high", 24576), ("xhigh", 32768), ("max", 32768)];
/// As many as it sees fit.
const ANY_BUDGET: i64 = -1;

/// The request's body. The model is in the address.
pub fn request(request: &Request, conversation: &Conversation<'_>, dialect: &Dialect) -> Vec<u8> {
    let mut body = Map::new();
    let mut set = |field: &str, value: Value| body.insert(field.to_owned(), value);
    if !conversation.system.is_empty() {
        let parts: Vec<Value> = conversation.system.iter().map(|text| json!({"text": text})).collect();
        set("systemInstruction", json!({"parts": parts}));
    }
    let tools = tools(conversation, dialect);
    if !tools.is_empty() {
        set("tools", json!(tools));
    }
    set("contents", json!(contents(conversation, dialect)));
    if let Some(choice) = request.tool_choice.as_ref().filter(|_| !conversation.tools.is_empty()) {
        set("toolConfig", json!({"functionCallingConfig": tool_choice(choice)}));
    }
    let generation = generation(request, dialect);
    if !generation.is_empty() {
        set("generationConfig", Value::Object(generation));
    }
    serde_json::to_vec(&body).expect("it has only texts for keys")
}

fn tools(conversation: &Conversation<'_>, dialect: &Dialect) -> Vec<Value> {
    let mut tools = Vec::new();
    let declarations: Vec<Value> = conversation
        .tools
        .iter()
        .map(|tool| {
            let mut declaration = json!({"name": fitting(&tool.name)});
            if let Some(description) = &tool.description {
                declaration["description"] = json!(description);
            }
            if let Some((field, value)) =
                tool.input_schema.as_deref().and_then(|text| schema::declared(text.get()))
            {
                declaration[field] = value;
            }
            declaration
        })
        .collect();
    if !declarations.is_empty() {
        tools.push(json!({"functionDeclarations": declarations}));
    }
    // The two kinds of tools do not go together.
    let searches = conversation.server_tools.iter().any(|kind| kind.starts_with("web_search"));
    if tools.is_empty() && searches && dialect.web_search {
        tools.push(json!({"googleSearch": {}}));
    }
    tools
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match (choice.kind.as_str(), &choice.name) {
        ("any", _) => json!({"mode": "ANY"}),
        ("none", _) => json!({"mode": "NONE"}),
        ("tool", Some(name)) => json!({"mode": "ANY", "allowedFunctionNames": [fitting(name)]}),
        _ => json!({"mode": "AUTO"}),
    }
}

fn generation(request: &Request, dialect: &Dialect) -> Map<String, Value> {
    let mut config = Map::new();
    let mut set = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(field.to_owned(), value);
        }
    };
    set("maxOutputTokens", dialect.clamped(request.max_tokens).map(Value::from));
    set("temperature", request.temperature.map(Value::from));
    set("topP", request.top_p.map(Value::from));
    set("topK", request.top_k.map(Value::from));
    set("stopSequences", (!request.stop_sequences.is_empty()).then(|| json!(request.stop_sequences)));
    set("thinkingConfig", thinking(request, dialect));
    config
}

fn thinking(request: &Request, dialect: &Dialect) -> Option<Value> {
    let effort = request.effort();
    let thinking = request.thinking.as_ref();
    match dialect.thinking {
        ThinkingField::None => None,
        ThinkingField::Level => {
            let level = effort.and_then(|effort| dialect.effort(effort));
            level.map(|level| json!({"thinkingLevel": level, "includeThoughts": true}))
        }
        ThinkingField::Budget => {
            let by_effort =
                || BUDGETS.iter().find(|(name, _)| Some(*name) == effort).map(|(_, budget)| *budget);
            let budget = match thinking?.kind.as_str() {
                "disabled" => 0,
                "enabled" => thinking?
                    .budget_tokens
                    .and_then(|tokens| i64::try_from(tokens).ok())
                    .unwrap_or(ANY_BUDGET),
                _ => by_effort().unwrap_or(ANY_BUDGET),
            };
            Some(json!({"thinkingBudget": budget, "includeThoughts": budget != 0}))
        }
    }
}

/// The turns, in which never two of one side follow each other.
fn contents(conversation: &Conversation<'_>, dialect: &Dialect) -> Vec<Value> {
    let mut contents: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for turn in &conversation.turns {
        let (role, parts) = match turn {
            Turn::User(parts) => ("user", parts.iter().map(|part| shown(part, dialect)).collect()),
            Turn::System(text) => ("user", vec![json!({"text": text})]),
            Turn::Assistant(said) => ("model", said_by_model(said, dialect)),
            Turn::Results(outcomes) => ("user", results(outcomes, dialect)),
        };
        if parts.is_empty() {
            continue;
        }
        match contents.last_mut() {
            // Results stand for themselves: what is beside them would have to be of the same number as the calls.
            Some((last, before))
                if *last == role && !matches!(turn, Turn::Results(_)) && !has_response(before) =>
            {
                before.extend(parts);
            }
            _ => contents.push((role, parts)),
        }
    }
    contents.into_iter().map(|(role, parts)| json!({"role": role, "parts": parts})).collect()
}

fn has_response(parts: &[Value]) -> bool {
    parts.iter().any(|part| part.get("functionResponse").is_some())
}

fn said_by_model(said: &[Said<'_>], dialect: &Dialect) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut is_first_call = true;
    for said in said {
        match said {
            Said::Text(text) => parts.push(json!({"text": text})),
            // Its own thoughts it wants back by their signatures only.
            Said::Thinking { .. } => {}
            Said::Call(call) => {
                let args: Value = serde_json::from_str(call.input.get()).unwrap_or_else(|_| json!({}));
                let mut part = json!({"functionCall": {"name": fitting(call.name), "args": args}});
                // Of calls at once only the first has one.
                let signature = signature::of(call.id).or_else(|| {
                    (is_first_call && dialect.thought_signatures).then(|| signature::NONE.to_owned())
                });
                if let Some(signature) = signature {
                    part["thoughtSignature"] = json!(signature);
                }
                is_first_call = false;
                parts.push(part);
            }
        }
    }
    parts
}

fn results(outcomes: &[Outcome<'_>], dialect: &Dialect) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut beside = Vec::new();
    for outcome in outcomes {
        let said = text(&outcome.parts);
        let response = if outcome.is_error { json!({"error": said}) } else { json!({"result": said}) };
        parts.push(json!({"functionResponse": {"name": fitting(outcome.call.name), "response": response}}));
        let others = outcome.parts.iter().filter(|part| !matches!(part, Part::Text(_)));
        beside.extend(others.map(|part| shown(part, dialect)));
    }
    parts.extend(beside);
    parts
}

fn shown(part: &Part<'_>, dialect: &Dialect) -> Value {
    match part {
        Part::Text(text) => json!({"text": text}),
        Part::Image(source) | Part::Document { source, .. } if dialect.images && source.kind == "base64" => {
            json!({"inlineData": {"mimeType": source.media_type, "data": source.data}})
        }
        Part::Image(source) | Part::Document { source, .. } if dialect.images && source.kind == "url" => {
            json!({"fileData": {"fileUri": source.url}})
        }
        Part::Image(_) => json!({"text": "(A picture, which this model cannot see.)"}),
        Part::Document { title, .. } => {
            json!({"text": format!("(A document that this model cannot read: {})", title.unwrap_or("without a title"))})
        }
    }
}
