//! Any JSON survives or is refused; any bytes are answered; nothing panics.

use std::sync::LazyLock;

use partitura_ingest::json::{self, Cursor};
use partitura_ingest::{ContentType, Limits, decode};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::door::Door;

/// One for all cases: compiling the rules takes longer than a case.
static DOOR: LazyLock<Door> = LazyLock::new(Door::new);

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // serde_json itself reads long fractions one unit in the last place off; ours keep their text.
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 64.0)),
        "[^\0]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[^\0]{0,6}", inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn json_is_read_as_serde_reads_it(value in values(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.expect("text");
        let node = json::parse(&text, &Limits::default()).expect("sound JSON");
        prop_assert_eq!(node.to_value(), value.clone());
        let back: Value = serde_json::from_str(&node.compact()).expect("sound JSON");
        prop_assert_eq!(&back, &value);
        let canonical: Value = serde_json::from_slice(&node.canonical()).expect("sound JSON");
        prop_assert_eq!(&canonical, &value);
    }

    #[test]
    fn the_grammar_is_serdes(text in r#"[\[\]{},:"0-9eE.+\-tfnrulasd\\ \n]{0,24}"#) {
        let mut cursor = Cursor::new(&text);
        let ours = cursor.skip_value().and_then(|_| cursor.end()).is_ok();
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        // serde checks surrogates only when it decodes; these alphabets have no such pair.
        prop_assert_eq!(ours, theirs, "{:?}", text);
    }

    #[test]
    fn any_event_is_taken_or_refused(data in values(), kind in "[a-z]{1,8}\\.[a-z]{1,8}", extra in "[a-z_]{1,9}") {
        let door = &*DOOR;
        let body = json!({"type": kind, "id": "1", "data": data}).to_string();
        let decoded = door.json(&body).expect("a body");
        if let Ok(accepted) = &decoded.items[0] {
            let kept: Value = serde_json::from_str(accepted.draft.data.get()).expect("sound JSON");
            prop_assert!(kept.is_object());
            if decoded.redactions.is_empty() {
                prop_assert_eq!(kept, if data.is_null() { json!({}) } else { data.clone() });
            }
        }
        let _ = door.json(&json!({"type": "task.started", extra: data}).to_string());
    }

    #[test]
    fn any_known_event_is_taken_or_refused(data in values(), n in 0..1000_usize) {
        let all = partitura_event::kind::all();
        let kind = all[n % all.len()].type_name;
        let _ = DOOR.json(&json!({"type": kind, "id": "1", "data": data}).to_string());
    }

    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200), n in 0..6_usize) {
        let contents = [
            ContentType::Json, ContentType::Ndjson, ContentType::CloudEvent, ContentType::CloudEventBatch,
            ContentType::CloudEventBinary, ContentType::ArrowStream,
        ];
        let _ = decode(contents[n], &[("ce-type", "x.y")], &body, &DOOR.context());
    }
}
