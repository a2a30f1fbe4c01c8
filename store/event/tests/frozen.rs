//! The freeze: every kind has golden bytes, and what was once accepted means the same for ever.
//!
//! `golden/kinds.ndjson` has one line per kind and shape: a filled example, the canonical form that it decodes to,
//! and a digest of the field table. Lines are added and never edited: a kind that gets a new optional field gets a
//! second line, and the first one must go on decoding to its own canonical form. The failing test prints the line.

use std::collections::BTreeMap;

use partitura_event::field::{FieldSpec, FieldType};
use partitura_event::json::Node;
use partitura_event::kind::{self, Kind, KindSpec};
use partitura_event::{EventType, canonical, schema};
use serde_json::{Value, json};

fn golden() -> BTreeMap<String, Vec<Value>> {
    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in include_str!("golden/kinds.ndjson").lines() {
        let line: Value = serde_json::from_str(line).expect("a golden line is JSON");
        lines.entry(line["type"].as_str().expect("a golden line has a type").to_owned()).or_default().push(line);
    }
    lines
}

/// Spells out what a field table promises: names, types, needs and words, not the documentation.
fn promise(spec: &KindSpec) -> String {
    fn fields(fields: &[FieldSpec], text: &mut String) {
        for field in fields {
            text.push_str(&format!("{}{}:", field.name, if field.required { "!" } else { "?" }));
            ty(&field.ty, text);
            text.push(';');
        }
    }
    fn ty(of: &FieldType, text: &mut String) {
        match of {
            FieldType::List(item) => {
                text.push('[');
                ty(item, text);
                text.push(']');
            }
            FieldType::Record(inner) => {
                text.push('{');
                fields(inner, text);
                text.push('}');
            }
            other => text.push_str(&format!("{other:?}")),
        }
    }
    let mut text = format!("{} v{} rank {}; ", spec.type_name, spec.version, spec.lifecycle_rank);
    fields(spec.fields, &mut text);
    text.push_str(&format!(" rules {:?} stream {:?}", spec.rules, spec.entity));
    text
}

fn line(spec: &KindSpec) -> String {
    let example = schema::example(spec);
    let decoded = Kind::from_value(spec.type_name, &example).expect("the example is valid").expect("a known kind");
    let digest = blake3::hash(promise(spec).as_bytes()).to_hex();
    canonical::to_string(&json!({
        "type": spec.type_name,
        "example": canonical::to_string(&example),
        "canonical": canonical::to_string(&decoded.to_data()),
        "fields": &digest[..32],
    }))
}

#[test]
fn every_kind_is_golden() {
    let golden = golden();
    let missing: Vec<String> = kind::all()
        .iter()
        .filter(|spec| {
            let digest = blake3::hash(promise(spec).as_bytes()).to_hex();
            let last = golden.get(spec.type_name).and_then(|lines| lines.last());
            last.is_none_or(|line| line["fields"] != digest[..32])
        })
        .map(line)
        .collect();
    assert!(
        missing.is_empty(),
        "a field table has changed or is new. Released fields are frozen; if only optional fields or kinds were \
         added, append to tests/golden/kinds.ndjson:\n{}",
        missing.join("\n")
    );
}

#[test]
fn golden_bytes_decode_to_what_they_always_meant() {
    for (name, lines) in golden() {
        for line in lines {
            let example = line["example"].as_str().expect("an example");
            let decoded = Kind::decode(&name, example).expect("a golden example is valid").expect("a known kind");
            assert_eq!(canonical::to_string(&decoded.to_data()), line["canonical"], "{name} means something else now");

            let again = Kind::decode(&name, line["canonical"].as_str().expect("canonical bytes"));
            assert_eq!(again.expect("canonical bytes are valid"), Some(decoded), "{name}: canonical form is stable");
        }
    }
}

#[test]
fn golden_examples_pass_the_door_without_a_warning() {
    for (name, lines) in golden() {
        let kind = EventType::new(name.clone()).expect("a type");
        for line in lines {
            let data: Value = serde_json::from_str(line["example"].as_str().expect("an example")).expect("JSON");
            let checked = kind::check(&kind, &Node::from(&data));
            assert_eq!((checked.issues, checked.warnings), (vec![], vec![]), "{name}");
        }
    }
}

#[test]
fn names_are_unique_and_well_formed() {
    let mut names: Vec<&str> = kind::all().iter().map(|spec| spec.type_name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a kind is declared twice");
    for spec in kind::all() {
        assert_eq!(kind::find(spec.type_name), Some(spec));
        let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(spec.type_name.split_once('.').is_some_and(|(a, b)| word(a) && word(b)), "{}", spec.type_name);
        for field in spec.fields {
            assert!(word(field.name) && !field.doc.is_empty(), "{}.{}", spec.type_name, field.name);
        }
        for name in spec.entity.fields {
            assert!(spec.fields.iter().any(|field| field.name == *name), "{}: stream by {name}", spec.type_name);
        }
    }
}
