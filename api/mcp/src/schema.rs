//! JSON Schemas of tools, in the plain words that every model's API takes: no `oneOf` at the top, one type each.

use partitura_event::schema::json_schema;
use serde_json::{Map, Value, json};

/// Properties by name.
pub type Properties = Map<String, Value>;

/// Makes an object's schema. Unknown members of arguments are refused by the service with the nearest name.
pub fn object(properties: Properties, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

/// Puts named schemas together.
pub fn properties<const N: usize>(list: [(&str, Value); N]) -> Properties {
    list.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// A text.
pub fn text(about: &str) -> Value {
    json!({"type": "string", "description": about})
}

/// A whole number from `least`.
pub fn integer(about: &str, least: u64) -> Value {
    json!({"type": "integer", "minimum": least, "description": about})
}

/// True or false.
pub fn flag(about: &str) -> Value {
    json!({"type": "boolean", "description": about})
}

/// A list of texts.
pub fn texts(about: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "description": about})
}

/// One of some words.
pub fn word(about: &str, words: &[&str]) -> Value {
    json!({"type": "string", "enum": words, "description": about})
}

/// A list of objects.
pub fn objects(about: &str) -> Value {
    json!({"type": "array", "items": {"type": "object"}, "description": about})
}

/// A whole number, or null.
pub fn position(about: &str) -> Value {
    json!({"type": ["integer", "null"], "description": about})
}

/// What every read takes.
pub fn read_at() -> Properties {
    properties([
        ("min_position", integer("Wait until this position of a write is known, to read your own writes", 0)),
        ("wait_ms", integer("How long to wait for it, in milliseconds", 0)),
        ("as_of", text("Answer with what was known then: a position, an RFC 3339 time, or `now-7d`")),
    ])
}

/// The budget of an answer's text.
pub fn max_tokens() -> Value {
    integer("Most tokens of the text of the answer, by four characters each; 4000 when it is left out", 1)
}

/// The envelope of an event that is recorded.
pub fn envelope() -> Properties {
    properties([
        ("event_id", text("Id of the event; sent again with the same id it is recorded once")),
        ("source", text("Who produced the event; the key's own source when it is left out")),
        ("time", text("When it happened, RFC 3339; now when it is left out")),
        ("idempotency_key", idempotency_key()),
    ])
}

/// The key of a retry.
pub fn idempotency_key() -> Value {
    text("A key of your choice: a retry with the same key and arguments is recorded once and gets the stored answer")
}

/// The fields of `data` of event kinds, merged; the first that describes a field is taken.
pub fn fields_of(kinds: &[&str]) -> Properties {
    let mut merged = Properties::new();
    for kind in kinds {
        let Some(Value::Object(fields)) = json_schema(kind).map(|mut schema| schema["properties"].take()) else {
            continue;
        };
        for (name, schema) in fields.into_iter().filter(|(name, _)| name != "attributes") {
            merged.entry(name).or_insert_with(|| plain(schema));
        }
    }
    merged
}

/// Takes the first of several types: the service reads them all, but many models' APIs know only one.
fn plain(mut schema: Value) -> Value {
    if let Some(first) = schema["oneOf"].get(0).cloned() {
        let about = schema["description"].take();
        schema = first;
        schema["description"] = about;
    }
    if let Some(first) = schema["type"].get(0).cloned() {
        schema["type"] = first;
    }
    if schema.get("enum").is_some() && schema.get("type").is_none() {
        schema["type"] = json!("string");
    }
    if let Some(items) = schema.get_mut("items") {
        *items = plain(items.take());
    }
    if let Some(members) = schema.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    schema
}

/// What a write answers, as `POST /v1/events` does.
pub fn appended(named: &[&str]) -> Value {
    let mut all = properties([
        ("position", position("The log's position after the write; pass it as `min_position` to read your write")),
        ("results", objects("One entry: id, status (201 new, 200 a duplicate), position, stream_revision")),
        ("warnings", objects("Fields that the kind does not know, with the nearest name")),
        ("redacted", json!({"type": "object", "description": "What was taken out before it was stored, by rule"})),
    ]);
    for name in named {
        all.insert((*name).to_owned(), text("Its id"));
    }
    object(all, &["position", "results"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_one_type_and_a_meaning() {
        for (name, schema) in
            fields_of(&["task.created", "task.handed_off", "interaction.recorded", "outcome.recorded"])
        {
            assert!(schema["type"].is_string() || ["input", "output"].contains(&name.as_str()), "{name}: {schema}");
            assert!(schema["description"].is_string() && schema.get("oneOf").is_none(), "{name}: {schema}");
        }
    }
}
