//! Names, defaults, conditions and fingerprints of single events.

use partitura_event::{Expected, Revision};
use partitura_ingest::{ContentType, decode, expected};

use crate::door::{Door, whole};

#[test]
fn all_fields_arrive() {
    let accepted = Door::new().one(
        r#"{"type":"task.completed","source":"ci","id":"e-1","time":"2026-01-05T11:00:00+01:00","subject":"task/42",
            "actor":"bob","causation":"e-0","correlation":"c","traceparent":"00-1-2-01","expected_revision":3,
            "data":{"task_id":"42","agent_id":"claude","summary":"migrated the schema"}}"#,
    );
    let draft = accepted.draft;
    assert_eq!(draft.kind.as_str(), "task.completed");
    assert_eq!((draft.source.as_str(), draft.id.as_str(), draft.stream.as_str()), ("ci", "e-1", "task/42"));
    assert_eq!(draft.time.to_string(), "2026-01-05T10:00:00Z");
    assert_eq!(draft.subject.as_deref(), Some("task/42"));
    assert_eq!(draft.actor.as_deref(), Some("bob"));
    assert_eq!(draft.causation.as_deref(), Some("e-0"));
    assert_eq!(draft.correlation.as_deref(), Some("c"));
    assert_eq!(draft.traceparent.as_deref(), Some("00-1-2-01"));
    assert_eq!(draft.expected, Expected::Exactly(Revision::new(3).expect("3")));
    assert_eq!(draft.data.get(), r#"{"task_id":"42","agent_id":"claude","summary":"migrated the schema"}"#);
    assert!(accepted.warnings.is_empty(), "{:?}", accepted.warnings);
}

#[test]
fn defaults() {
    let door = Door::new();
    let accepted = door.one(r#"{"type":"x.y"}"#);
    assert_eq!(accepted.draft.id.as_str(), "019b8d99-6900-7707-8707-070707070707");
    assert_eq!(accepted.draft.time.to_string(), "2026-01-05T10:00:00Z");
    assert_eq!(accepted.draft.source.as_str(), "local");
    assert_eq!(accepted.draft.stream.as_str(), "local");
    assert_eq!(accepted.draft.data.get(), "{}");
    assert_eq!(accepted.draft.expected, Expected::Any);
    assert_eq!(accepted.warnings[0].path, "id");
    let quiet = Door { idempotent: true, ..Door::new() };
    assert!(quiet.one(r#"{"type":"x.y"}"#).warnings.is_empty());
    let streams = [
        (r#"{"type":"task.started","id":"1","data":{"task_id":"42"}}"#, "task/42"),
        (r#"{"type":"task.started","id":"1","subject":"s","data":{"task_id":"42"}}"#, "s"),
        (r#"{"type":"task.started","id":"1","subject":"s","stream":"t","data":{"task_id":"42"}}"#, "t"),
        (r#"{"type":"x.y","id":"1","source":"ci"}"#, "ci"),
        (r#"{"type":"x.y","id":"1","source":null,"subject":null}"#, "local"),
    ];
    for (body, stream) in streams {
        assert_eq!(door.one(body).draft.stream.as_str(), stream, "{body}");
    }
}

#[test]
fn numbers_keep_their_spelling() {
    let data = r#"{"a":9007199254740993,"b":18446744073709551615,"c":0.3873467499999999,"d":1.50,"e":1e-7,"f":-0}"#;
    let accepted = Door::new().one(&format!(r#"{{"type":"x.y","id":"1","data":{data}}}"#));
    assert_eq!(accepted.draft.data.get(), data);
}

#[test]
fn text_survives() {
    let data = "{\"t\":\"\\u00e9\\ud83d\\ude00\\/\\n\\u001f\u{fffd}\u{feff}\",\"emoji 😀\":\"\\\\\"}";
    let accepted = Door::new().one(&format!("\u{feff}{{\"type\":\"x.y\",\"id\":\"1\",\"data\":{data}}}"));
    let wanted = "{\"t\":\"é😀/\\n\\u001f\u{fffd}\u{feff}\",\"emoji 😀\":\"\\\\\"}";
    assert_eq!(accepted.draft.data.get(), wanted);
}

#[test]
fn times() {
    let cases = [
        (r#""2026-01-05T10:00:00.123456Z""#, "2026-01-05T10:00:00.123456Z"),
        ("1767607200", "2026-01-05T10:00:00Z"),
        ("1767607200123", "2026-01-05T10:00:00.123Z"),
        ("1767607200123456", "2026-01-05T10:00:00.123456Z"),
        ("1767607200123456789", "2026-01-05T10:00:00.123456Z"),
        ("1767607200.5", "2026-01-05T10:00:00.500Z"),
        ("0", "1970-01-01T00:00:00Z"),
    ];
    let door = Door::new();
    for (given, wanted) in cases {
        let accepted = door.one(&format!(r#"{{"type":"x.y","id":"1","time":{given}}}"#));
        assert_eq!(accepted.draft.time.to_string(), wanted, "{given}");
    }
}

#[test]
fn the_fingerprint_is_of_what_was_sent() {
    let door = Door::new();
    let of = |body: &str| door.one(body).draft.fingerprint;
    let base = of(r#"{"type":"x.y","id":"1","data":{"a":1,"b":[1,2]}}"#);
    let same = [
        r#" { "data" : {"b":[1,2], "a":1}, "id":"1", "type":"x.y" } "#,
        r#"{"type":"x.y","id":"1","data":{"a":1,"b":[1,2]},"expected_revision":"none"}"#,
        r#"{"type":"x.y","id":"1","data":{"a":1,"b":[1,2]},"subject":null}"#,
        r#"{"specversion":"1.0","datacontenttype":"application/json","type":"x.y","id":"1","data":{"\u0061":1,"b":[1,2]}}"#,
    ];
    for body in same {
        assert_eq!(of(body), base, "{body}");
    }
    let other = [
        r#"{"type":"x.y","id":"1","data":{"a":2,"b":[1,2]}}"#,
        r#"{"type":"x.y","id":"1","data":{"a":1,"b":[2,1]}}"#,
        r#"{"type":"x.y","id":"2","data":{"a":1,"b":[1,2]}}"#,
        r#"{"type":"x.z","id":"1","data":{"a":1,"b":[1,2]}}"#,
        r#"{"type":"x.y","id":"1","data":{"a":1,"b":[1,2]},"time":"2026-01-05T10:00:00Z"}"#,
    ];
    for body in other {
        assert_ne!(of(body), base, "{body}");
    }
}

#[test]
fn faults_of_data_name_the_place() {
    let door = Door::new();
    let body = r#"[{"type":"x.y","id":"1"},{"type":"x.y","id":"2"},{"type":"x.y","id":"3"},
        {"type":"interaction.recorded","id":"4","data":{"interaction_id":"i","kind":"llm","tokens_in":"many"}}]"#;
    let decoded = door.json(body).expect("a batch");
    let rejected = decoded.items[3].as_ref().expect_err("tokens_in is wrong");
    assert_eq!(rejected.id.as_deref(), Some("4"));
    assert_eq!(rejected.problem.issues[0].path, "events[3].data.tokens_in");
    assert!(decoded.items[..3].iter().all(Result::is_ok));
    assert!(!decoded.single);
}

#[test]
fn unknown_fields_are_told() {
    let body = r#"{"type":"task.started","id":"1","data":{"task_id":"42","agnet_id":"claude","mine":1}}"#;
    let accepted = Door::new().one(body);
    assert_eq!(accepted.draft.data.get(), r#"{"task_id":"42","agnet_id":"claude","mine":1}"#);
    let told: Vec<_> = accepted.warnings.iter().map(|w| (w.path.as_str(), w.nearest.as_deref())).collect();
    assert_eq!(told, [("data.agnet_id", Some("agent_id")), ("data.mine", None)]);
    let strict = Door { strict: true, ..Door::new() }.refused(body);
    assert!(whole(&strict).contains("did you mean `agent_id`"), "{}", whole(&strict));
    let near = Door::new().one(r#"{"type":"task.strated","id":"1"}"#);
    assert_eq!(near.warnings[0].nearest.as_deref(), Some("task.started"));
}

#[test]
fn checks_and_conditions() {
    let door = Door::new();
    let body = r#"{"checks":[{"stream":"task/41","expected":"exists"},{"stream":"task/40","expected":7}],
                   "events":[{"type":"x.y","id":"1","expected_revision":"none"},{"type":"x.y","id":"2","expected_revision":"4"}]}"#;
    let decoded = door.json(body).expect("a batch");
    assert_eq!(decoded.items.len(), 2);
    assert_eq!(decoded.checks[0].stream.as_str(), "task/41");
    assert_eq!(decoded.checks[0].expected, Expected::Exists);
    assert_eq!(decoded.checks[1].expected, Expected::Exactly(Revision::new(7).expect("7")));
    let conditions: Vec<_> = decoded.items.iter().flatten().map(|item| item.draft.expected).collect();
    assert_eq!(conditions, [Expected::None, Expected::Exactly(Revision::new(4).expect("4"))]);
    assert_eq!(expected::if_match("\"3\"").expect("3"), Expected::Exactly(Revision::new(3).expect("3")));
    assert_eq!(expected::if_match("*").expect("any"), Expected::Exists);
    assert_eq!(expected::if_none_match("*").expect("none"), Expected::None);
    assert!(expected::if_none_match("\"3\"").is_err());
    assert!(expected::if_match("soon").is_err());
}

#[test]
fn one_hundred_and_twenty_eight_levels_are_taken() {
    let door = Door::new();
    let deep = format!("{}1{}", "[".repeat(126), "]".repeat(126));
    door.one(&format!(r#"{{"type":"x.y","id":"1","data":{{"d":{deep}}}}}"#));
    let deeper = format!("[{deep}]");
    door.refused(&format!(r#"{{"type":"x.y","id":"1","data":{{"d":{deeper}}}}}"#));
}

#[test]
fn a_batch_may_hold_only_checks() {
    let decoded = Door::new().json(r#"{"events":[],"checks":[{"stream":"s","expected":"none"}]}"#).expect("checks");
    assert!(decoded.items.is_empty());
    let empty = decode(ContentType::Json, &[], b"{\"events\":[]}", &Door::new().context());
    assert!(empty.is_err());
}
