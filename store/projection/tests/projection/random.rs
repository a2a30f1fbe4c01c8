//! Random valid events of every family, made from the vocabulary itself.

use partitura_event::EventType;
use partitura_event::field::{FieldSpec, FieldType};
use partitura_event::json::Node;
use partitura_event::kind::{self, KindSpec, Rule};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::world::Told;

const BASE: i64 = 1_767_600_000_000_000;

/// Makes `count` events with ids of their own, many of them about the same few entities, with clocks that
/// tie, jump and start in 1970.
pub fn events(rng: &mut ChaCha8Rng, count: usize) -> Vec<Told> {
    (0..count)
        .map(|number| {
            let spec = any_kind(rng);
            let source = ["ci", "claude-code"].choose(rng).expect("a source");
            Told {
                source: (*source).to_owned(),
                id: format!("e{number}"),
                kind: spec.type_name.to_owned(),
                time: time(rng),
                data: data(rng, spec).to_string(),
            }
        })
        .collect()
}

fn time(rng: &mut ChaCha8Rng) -> i64 {
    match rng.random_range(0..10) {
        0 => 0,
        1 => rng.random_range(0..3) * 1_000_000,
        2 => BASE,
        _ => BASE + rng.random_range(0..20) * 60_000_000,
    }
}

fn any_kind(rng: &mut ChaCha8Rng) -> &'static KindSpec {
    let family = if rng.random_bool(0.5) { Some("tasks") } else { None };
    let all: Vec<_> = kind::all().iter().filter(|spec| family.is_none_or(|family| spec.family == family)).collect();
    all.choose(rng).expect("a kind")
}

fn data(rng: &mut ChaCha8Rng, spec: &KindSpec) -> Value {
    let mut object = Map::new();
    for field in spec.fields {
        if spec.is_required(field) || rng.random_bool(0.4) {
            object.insert(field.name.to_owned(), value(rng, field));
        }
    }
    for rule in spec.rules {
        match rule {
            Rule::Needs(_) => {}
            Rule::ExactlyOne(names) => {
                let chosen = *names.choose(rng).expect("a name");
                names.iter().for_each(|name| drop(object.remove(*name)));
                put(rng, spec, chosen, &mut object);
            }
            Rule::AtLeastOne(names) => {
                let chosen = *names.choose(rng).expect("a name");
                put(rng, spec, chosen, &mut object);
            }
        }
    }
    if rng.random_bool(0.2) {
        object.insert("flavour".into(), json!(["sweet", 3]));
    }
    let data = Value::Object(object);
    let checked = kind::check(&EventType::new(spec.type_name).expect("a type"), &Node::from(&data));
    assert!(checked.issues.is_empty(), "{} {data}: {:?}", spec.type_name, checked.issues);
    data
}

fn put(rng: &mut ChaCha8Rng, spec: &KindSpec, name: &str, object: &mut Map<String, Value>) {
    let field = spec.fields.iter().find(|field| field.name == name).expect("a field");
    object.insert(name.to_owned(), value(rng, field));
}

fn value(rng: &mut ChaCha8Rng, field: &FieldSpec) -> Value {
    of_type(rng, field.name, &field.ty)
}

fn of_type(rng: &mut ChaCha8Rng, name: &str, ty: &FieldType) -> Value {
    match ty {
        FieldType::Id => {
            let id = format!("{}-{}", id_stem(name), rng.random_range(0..3));
            Value::from(if rng.random_bool(0.2) { id.to_uppercase() } else { id })
        }
        FieldType::Name => match name {
            "time_zone" => json!("Europe/Berlin"),
            _ => Value::from(format!("{name} {}", rng.random_range(0..3))),
        },
        FieldType::Text => Value::from(format!("Some {name} \"{}\" ünï", rng.random_range(0..4))),
        FieldType::Bool => Value::from(rng.random_bool(0.5)),
        FieldType::Count => Value::from(rng.random_range(0..5000_u64)),
        FieldType::Positive => Value::from(rng.random_range(1..5_u64)),
        FieldType::Number | FieldType::Measure => Value::from(f64::from(rng.random_range(0..40_u32)) / 4.0),
        FieldType::Fraction => Value::from(f64::from(rng.random_range(0..=4_u32)) / 4.0),
        FieldType::Percent => Value::from(rng.random_range(0..=100_u64)),
        FieldType::Priority => [json!(3), json!("high"), json!("low")].choose(rng).expect("one").clone(),
        FieldType::Amount | FieldType::Price => {
            [json!("0.0125"), json!(2.5), json!("1e-6")].choose(rng).expect("one").clone()
        }
        FieldType::Currency => json!("EUR"),
        FieldType::Time => [json!("2026-01-05T10:00:00+02:00"), json!(1_767_600_123)].choose(rng).expect("one").clone(),
        FieldType::Span => [json!("24h"), json!(90)].choose(rng).expect("one").clone(),
        FieldType::Period => json!("2026-Q1"),
        FieldType::Word(words) => Value::from(*words.choose(rng).expect("a word")),
        FieldType::Labels => json!({"area": "billing", "n": "1"}),
        FieldType::Content => {
            [json!("plain text"), json!([{"role": "user", "content": "listed text"}])].choose(rng).expect("one").clone()
        }
        FieldType::Condition => json!({"any": ["success", {"result": "succeeded"}]}),
        FieldType::Object if name == "otlp" => super::telemetry::export(rng),
        FieldType::Object if name == "above" => super::telemetry::span(rng),
        FieldType::Object => json!({"key": "value"}),
        FieldType::List(item) => (0..rng.random_range(1..3)).map(|_| of_type(rng, name, item)).collect(),
        FieldType::Record(fields) => {
            let chosen: Vec<_> = fields.iter().filter(|field| field.required || rng.random_bool(0.5)).collect();
            Value::Object(chosen.into_iter().map(|field| (field.name.to_owned(), value(rng, field))).collect())
        }
    }
}

/// Fields that name the same sort of thing share their ids.
fn id_stem(name: &str) -> &str {
    match name {
        "to_agent" | "from" | "to" | "chosen" | "replaced_by" | "alias" => "agent",
        "from_attempt" => "attempt",
        "parent_id" | "depends_on" => "task",
        "by" | "supersedes" => "outcome",
        _ => name.trim_end_matches("_id"),
    }
}
