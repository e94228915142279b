//! JSON Schema (draft 2020-12) of the files that have [`Keys`]: what an editor completes and checks by.
//!
//! It says what a file may have; what a value comes to on this machine it cannot say, so `config validate` has the last word.
//! Nothing is used that draft 7 does not have as well, because many editors stop there.

use serde_json::{Map, Value, json};

use super::yaml::Keys;

/// The schema of a file. `of_key` is what it says of the key at a path, where a name of the user's choice is `*`.
pub fn schema(title: &str, keys: &Keys, of_key: &dyn Fn(&str) -> Option<Value>) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
    });
    if let (Value::Object(schema), Value::Object(body)) = (&mut schema, below(keys, "", of_key)) {
        schema.extend(body);
    }
    schema
}

fn below(keys: &Keys, path: &str, of_key: &dyn Fn(&str) -> Option<Value>) -> Value {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    // A section without a value is an empty one.
    let section = || json!({"type": ["object", "null"]});
    let stated = |mut plain: Value| {
        if let (Value::Object(plain), Some(Value::Object(more))) = (&mut plain, of_key(path)) {
            plain.extend(more);
        }
        plain
    };
    match keys {
        Keys::Map(entries) => {
            let mut properties = Map::new();
            for (name, keys) in *entries {
                match keys {
                    Keys::Elsewhere(_) => {}
                    Keys::AliasOf(canonical) => {
                        let mut same = entries
                            .iter()
                            .find(|(name, _)| name == canonical)
                            .map_or_else(|| json!({}), |(_, keys)| below(keys, &join(canonical), of_key));
                        same["description"] = json!(format!("another name for {canonical}"));
                        properties.insert((*name).to_owned(), same);
                    }
                    keys => {
                        properties.insert((*name).to_owned(), below(keys, &join(name), of_key));
                    }
                }
            }
            let mut section = section();
            section["properties"] = Value::Object(properties);
            section["additionalProperties"] = json!(false);
            section
        }
        Keys::Each(keys) => {
            let mut section = stated(section());
            section["additionalProperties"] = below(keys, &join("*"), of_key);
            section
        }
        Keys::Free => stated(json!({"type": ["object", "null"]})),
        Keys::Leaf => stated(json!({})),
        Keys::Bool => stated(json!({"type": "boolean"})),
        Keys::Text => stated(json!({"type": ["string", "number", "boolean"]})),
        Keys::OneOf(words) => stated(json!({"enum": words})),
        Keys::Number => stated(json!({"type": "integer", "minimum": 0})),
        Keys::List => stated(json!({"type": "array", "items": {"type": "string"}})),
        Keys::Texts => stated(json!({"type": ["string", "array"], "items": {"type": "string"}})),
        Keys::AliasOf(_) | Keys::Elsewhere(_) => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::{ACCOUNT_KEYS, CHOICES_KEYS, USER_KEYS};
    use super::super::table;
    use super::*;

    #[test]
    fn a_schema_has_the_keys_of_its_file_with_what_the_table_says_of_them() {
        for keys in [&CHOICES_KEYS, &ACCOUNT_KEYS, &USER_KEYS] {
            let schema = schema("x", keys, &table::schema_of);
            for leaf in table::leaves(keys) {
                let at = leaf.split('.').fold(&schema, |schema, name| match name {
                    "*" => &schema["additionalProperties"],
                    name => &schema["properties"][name],
                });
                assert!(at["description"].is_string(), "{leaf}: {at}");
                assert!(
                    at["type"] != json!(null) || at["enum"].is_array() || at["anyOf"].is_array(),
                    "{leaf}: {at}"
                );
            }
            assert_eq!(schema["additionalProperties"], false);
        }
        let choices = schema("x", &CHOICES_KEYS, &table::schema_of);
        assert!(choices["properties"].get("engine").is_none());
        assert_eq!(choices["properties"]["limits"]["properties"]["pids"]["default"], 4096);
        assert_eq!(choices["properties"]["danger"]["default"], false);
    }
}
