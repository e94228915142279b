//! The arguments of a call as backends write them, made into what Claude Code takes.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The arguments as a JSON object in text, where that can be made of them; nothing where it cannot, because they end too
/// early for one.
///
/// Some backends send nothing for "none", some the object inside a string, and many fill every optional argument with
/// `null`, which a schema that does not allow it forbids: those are dropped.
pub(super) fn tidied(text: &str, schema: Option<&RawValue>) -> Option<String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Some("{}".to_owned());
    }
    let is_plain = trimmed.starts_with('{') && !trimmed.contains("null");
    if is_plain {
        return serde_json::from_str::<&RawValue>(trimmed).ok().map(|_| trimmed.to_owned());
    }
    match serde_json::from_str(trimmed).ok()? {
        Value::Object(mut object) => {
            let schema = schema.and_then(|schema| serde_json::from_str::<Value>(schema.get()).ok());
            let dropped = schema.is_some_and(|schema| drop_nulls(&mut object, &schema));
            Some(if dropped { Value::Object(object).to_string() } else { trimmed.to_owned() })
        }
        Value::Null => Some("{}".to_owned()),
        Value::String(inner) if inner.trim_start().starts_with('{') => tidied(&inner, schema),
        _ => Some(trimmed.to_owned()),
    }
}

/// Takes out what is `null` and may not be. Says whether anything was.
fn drop_nulls(object: &mut Map<String, Value>, schema: &Value) -> bool {
    let before = object.len();
    object.retain(|name, value| !value.is_null() || allows_null(&schema["properties"][name.as_str()]));
    let mut dropped = object.len() < before;
    for (name, value) in object {
        let schema = &schema["properties"][name.as_str()];
        match value {
            Value::Object(inner) => dropped |= drop_nulls(inner, schema),
            Value::Array(items) => {
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    dropped |= drop_nulls(item, &schema["items"]);
                }
            }
            _ => {}
        }
    }
    dropped
}

fn allows_null(schema: &Value) -> bool {
    let is_null = |value: &Value| value == "null";
    let of_type = match &schema["type"] {
        Value::Array(types) => types.iter().any(is_null),
        one => is_null(one),
    };
    let any = |key: &str| schema[key].as_array().is_some_and(|all| all.iter().any(allows_null));
    let says_nothing = schema.as_object().is_some_and(|schema| {
        !["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"]
            .iter()
            .any(|key| schema.contains_key(*key))
    });
    of_type
        || schema["nullable"] == true
        || schema["enum"].as_array().is_some_and(|all| all.contains(&Value::Null))
        || any("anyOf")
        || any("oneOf")
        || schema.get("$ref").is_some()
        || says_nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, schema: &str) -> Option<String> {
        tidied(text, Some(&RawValue::from_string(schema.to_owned()).unwrap()))
    }

    #[test]
    fn every_form_of_none_is_an_empty_object() {
        for text in ["", "  ", "null", "{}", "\"{}\""] {
            assert_eq!(tidied(text, None).as_deref(), Some("{}"), "{text:?}");
        }
    }

    #[test]
    fn what_is_as_it_should_be_stays_as_it_is() {
        let text = r#"{"b": 1.0,  "a":"null"}"#;
        assert_eq!(with(text, r#"{"properties":{"a":{"type":"string"}}}"#).as_deref(), Some(text));
        assert_eq!(tidied(r#""{\"a\":1}""#, None).as_deref(), Some(r#"{"a":1}"#), "out of its string");
        for cut in [r#"{"a":1"#, r#"{"a":nu"#, r#""{\"a"#] {
            assert_eq!(tidied(cut, None), None, "{cut}");
        }
    }

    #[test]
    fn nulls_that_are_not_allowed_go() {
        let schema = r#"{"type":"object","additionalProperties":false,"properties":{
            "a":{"type":"string"},"b":{"type":["string","null"]},"c":{"anyOf":[{"type":"null"},{"type":"number"}]},
            "d":{"type":"object","properties":{"x":{"type":"string"}}},
            "e":{"type":"array","items":{"type":"object","properties":{"x":{"type":"string"}}}}}}"#;
        let text = r#"{"a":null,"b":null,"c":null,"unknown":null,"d":{"x":null},"e":[{"x":null},{"x":"y"}]}"#;
        assert_eq!(with(text, schema).as_deref(), Some(r#"{"b":null,"c":null,"d":{},"e":[{},{"x":"y"}]}"#));
    }
}
