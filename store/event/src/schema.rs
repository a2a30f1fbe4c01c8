//! JSON Schemas (2020-12) of the kinds, made from their field tables.

use serde_json::{Map, Value, json};

use crate::field::{self, FieldSpec, FieldType, MAX_LIST_ITEMS, Priority};
use crate::id::MAX_ID_BYTES;
use crate::kind::{self, KindSpec, Rule};

/// Returns the schema of `data` of one kind, or `None` when the type is not known.
pub fn json_schema(type_name: &str) -> Option<Value> {
    let spec = kind::find(type_name)?;
    let mut schema = object(spec.fields, &|field| spec.is_required(field));
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("$id".to_owned(), json!(format!("/v1/schemas/{type_name}")));
    schema.insert("title".to_owned(), json!(type_name));
    schema.insert("description".to_owned(), json!(spec.doc));
    schema.insert("examples".to_owned(), json!([example(spec)]));
    let rules: Vec<Value> = spec.rules.iter().filter_map(rule).collect();
    if !rules.is_empty() {
        schema.insert("allOf".to_owned(), Value::Array(rules));
    }
    Some(Value::Object(schema))
}

/// Returns a valid payload with as many fields as the kind's rules allow.
pub fn example(spec: &KindSpec) -> Value {
    let surplus = |field: &FieldSpec| {
        spec.rules.iter().any(|rule| matches!(rule, Rule::ExactlyOne(names) if names[1..].contains(&field.name)))
    };
    Value::Object(field::example(spec.fields, &|field| !surplus(field)))
}

fn object(fields: &[FieldSpec], required: &dyn Fn(&FieldSpec) -> bool) -> Map<String, Value> {
    let mut properties: Map<String, Value> = fields.iter().map(property).collect();
    properties.insert(
        "attributes".to_owned(),
        json!({"type": ["object", "null"], "description": "Anything else; unknown fields are kept here too."}),
    );
    let needed: Vec<&str> = fields.iter().filter(|field| required(field)).map(|field| field.name).collect();
    let mut schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties)),
        ("additionalProperties".to_owned(), json!(true)),
    ]);
    if !needed.is_empty() {
        schema.insert("required".to_owned(), json!(needed));
    }
    schema
}

fn property(field: &FieldSpec) -> (String, Value) {
    let mut schema = field_type(&field.ty);
    schema.insert("description".to_owned(), json!(field.doc));
    (field.name.to_owned(), Value::Object(schema))
}

fn rule(rule: &Rule) -> Option<Value> {
    let each = |names: &[&str]| names.iter().map(|name| json!({"required": [name]})).collect::<Vec<_>>();
    match rule {
        Rule::Needs(_) => None,
        Rule::ExactlyOne(names) => Some(json!({"oneOf": each(names)})),
        Rule::AtLeastOne(names) => Some(json!({"anyOf": each(names)})),
    }
}

fn field_type(ty: &FieldType) -> Map<String, Value> {
    let schema = match ty {
        FieldType::Id | FieldType::Name => {
            json!({"type": ["string", "integer"], "minLength": 1, "maxLength": MAX_ID_BYTES})
        }
        FieldType::Text => json!({"type": "string"}),
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Count => json!({"type": "integer", "minimum": 0, "maximum": i64::MAX}),
        FieldType::Positive => json!({"type": "integer", "minimum": 1, "maximum": i64::MAX}),
        FieldType::Number => json!({"type": "number"}),
        FieldType::Measure => json!({"type": "number", "minimum": 0}),
        FieldType::Fraction => json!({"type": "number", "minimum": 0, "maximum": 1}),
        FieldType::Percent => json!({"type": "number", "minimum": 0, "maximum": 100}),
        FieldType::Priority => {
            json!({"oneOf": [{"type": "integer", "minimum": 0, "maximum": 4}, {"enum": Priority::WORDS}]})
        }
        FieldType::Amount => json!({"oneOf": [{"type": "string", "pattern": AMOUNT}, {"type": "number"}]}),
        FieldType::Price => {
            json!({"oneOf": [{"type": "string", "pattern": AMOUNT}, {"type": "number", "minimum": 0}]})
        }
        FieldType::Currency => json!({"type": "string", "pattern": "^\\s*[A-Za-z]{3,8}\\s*$"}),
        FieldType::Time => json!({"oneOf": [{"type": "string"}, {"type": "number", "minimum": 0}]}),
        FieldType::Span => json!({"oneOf": [{"type": "string"}, {"type": "number", "minimum": 0}]}),
        FieldType::Period => json!({"type": "string"}),
        FieldType::Word(words) => json!({"enum": words}),
        FieldType::Labels => json!({"type": ["object", "array"]}),
        FieldType::Content => json!({}),
        FieldType::Condition => json!({"oneOf": [{"const": "success"}, {"type": "object", "minProperties": 1,
            "maxProperties": 1}]}),
        FieldType::Object => json!({"type": "object"}),
        FieldType::List(item) => {
            json!({"type": "array", "maxItems": MAX_LIST_ITEMS, "items": field_type(item)})
        }
        FieldType::Record(fields) => Value::Object(object(fields, &|field| field.required)),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// A decimal, with an exponent if need be.
const AMOUNT: &str = "^\\s*-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?\\s*$";
