//! A tool's arguments as Gemini takes them: in `parameters` a subset of `OpenAPI`'s schemas, which every model knows; in
//! `parametersJsonSchema` JSON Schema itself, for what that subset cannot say.
//!
//! Words of a schema are told from names of properties by where they stand: a tool may well have an argument `format`.

use serde_json::{Map, Value};

/// Words that say something the subset cannot.
const RICH: [&str; 16] = [
    "$ref",
    "$defs",
    "definitions",
    "oneOf",
    "allOf",
    "not",
    "const",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "propertyNames",
    "patternProperties",
    "prefixItems",
    "if",
    "then",
    "else",
];

/// Words that may go: the model needs none of them to write arguments.
const IDLE: [&str; 5] = ["$schema", "$id", "$comment", "additionalProperties", "examples"];

/// What a declaration of a function says of its arguments: the field, and its value; nothing for a tool without any.
pub(super) fn declared(schema: &str) -> Option<(&'static str, Value)> {
    let mut schema: Value = serde_json::from_str(schema).ok()?;
    let takes_nothing = schema["properties"].as_object().is_some_and(Map::is_empty)
        && schema["additionalProperties"] != Value::Bool(true)
        && !schema["additionalProperties"].is_object();
    if takes_nothing {
        return None;
    }
    if is_rich(&schema) {
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
        }
        return Some(("parametersJsonSchema", schema));
    }
    clean(&mut schema);
    Some(("parameters", schema))
}

/// Whether something in a schema needs JSON Schema.
fn is_rich(schema: &Value) -> bool {
    let Some(object) = schema.as_object() else { return schema.is_boolean() };
    let has_types = object.get("type").is_some_and(Value::is_array);
    let is_open = object.get("type").is_some_and(|kind| kind == "object")
        && object.get("properties").and_then(Value::as_object).is_none_or(Map::is_empty);
    let has_other_enum =
        object.get("enum").and_then(Value::as_array).is_some_and(|all| !all.iter().all(Value::is_string));
    has_types
        || is_open
        || has_other_enum
        || RICH.iter().any(|word| object.contains_key(*word))
        || object.get("additionalProperties").is_some_and(Value::is_object)
        || children(object).any(is_rich)
}

fn children(object: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let properties = object.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let any = object.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    properties.chain(any).chain(object.get("items"))
}

fn clean(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.retain(|word, _| !IDLE.contains(&word.as_str()));
    // Of the formats of a text only these are taken.
    let is_text = object.get("type").is_some_and(|kind| kind == "string");
    if is_text && object.get("format").is_some_and(|format| format != "enum" && format != "date-time") {
        object.remove("format");
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(clean);
    }
    if let Some(any) = object.get_mut("anyOf").and_then(Value::as_array_mut) {
        any.iter_mut().for_each(clean);
    }
    if let Some(items) = object.get_mut("items") {
        clean(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_simple_schema_loses_what_nobody_needs_and_keeps_its_names() {
        let schema = r#"{"$schema":"x","type":"object","additionalProperties":false,"required":["format"],
            "properties":{"format":{"type":"string","format":"uri","description":"f"},"title":{"type":"string"},
              "list":{"type":"array","items":{"type":"object","additionalProperties":false,
                "properties":{"$schema":{"type":"integer"}}}}}}"#;
        let expected = json!({"type": "object", "required": ["format"], "properties": {
            "format": {"type": "string", "description": "f"}, "title": {"type": "string"},
            "list": {"type": "array", "items": {"type": "object", "properties": {"$schema": {"type": "integer"}}}}}});
        assert_eq!(declared(schema), Some(("parameters", expected)));
    }

    #[test]
    fn what_the_subset_cannot_say_is_json_schema() {
        for rich in [
            r#"{"properties":{"a":{"type":["string","null"]}}}"#,
            r#"{"properties":{"a":{"exclusiveMinimum":0}}}"#,
            r#"{"properties":{"a":{"items":{"oneOf":[]}}}}"#,
            r##"{"properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{}}}"##,
            r#"{"properties":{"a":{"type":"object"}}}"#,
            r#"{"properties":{"a":{"enum":[1,2]}}}"#,
        ] {
            let (field, schema) = declared(rich).unwrap();
            assert_eq!(
                (field, schema),
                ("parametersJsonSchema", serde_json::from_str(rich).unwrap()),
                "{rich}"
            );
        }
        assert_eq!(
            declared(r#"{"properties":{"const":{"type":"string"}}}"#).unwrap().0,
            "parameters",
            "a name only"
        );
    }

    #[test]
    fn no_arguments_are_not_declared() {
        assert_eq!(declared(r#"{"type":"object","properties":{},"additionalProperties":false}"#), None);
    }
}
