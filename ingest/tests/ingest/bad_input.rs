//! Every sort of bad body gets its status and words that help; nothing panics, nothing is half-taken.

use crate::door::{Door, whole};
use partitura_event::ErrorClass::{self, Invalid, Malformed, TooLarge, UnsupportedMedia};
use partitura_ingest::{ContentType, Limits, decode};

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// Content type, body, class, words that the message must have.
type Case = (&'static str, Vec<u8>, ErrorClass, &'static [&'static str]);

fn event(data: &str) -> Vec<u8> {
    format!(r#"{{"type":"x.y","id":"1","data":{data}}}"#).into_bytes()
}

fn bodies() -> Vec<Case> {
    vec![
        (JSON, b"".to_vec(), Malformed, &["empty"]),
        (JSON, b" \n ".to_vec(), Malformed, &["empty"]),
        (JSON, b"{".to_vec(), Malformed, &["ends", "line 1", "byte 1"]),
        (JSON, br#"{"type":"x.y","#.to_vec(), Malformed, &["ends"]),
        (JSON, br#"{"type":"x.y"#.to_vec(), Malformed, &["ends inside a string"]),
        (JSON, b"{\"type\":\"x.y\"}\n{}".to_vec(), Malformed, &["line 2", "end of the body"]),
        (JSON, b"{'type':1}".to_vec(), Malformed, &["double quotes", "column 2"]),
        (JSON, b"[{},]".to_vec(), Malformed, &["']'", "a value"]),
        (JSON, b"[1 2]".to_vec(), Malformed, &["`,` or `]`"]),
        (JSON, b"{\"a\" 1}".to_vec(), Malformed, &["`:`"]),
        (JSON, b"tru".to_vec(), Malformed, &["a value"]),
        (JSON, b"7".to_vec(), Invalid, &["an event", "array of events"]),
        (JSON, b"[]".to_vec(), Invalid, &["no event"]),
        (JSON, b"[7]".to_vec(), Invalid, &["JSON object", "a number"]),
        (JSON, event("[1]"), Invalid, &["`data` must be a JSON object", "an array"]),
        (JSON, "[".repeat(1_000_000).into_bytes(), Malformed, &["nested deeper than 128"]),
        (JSON, "{\"a\":".repeat(1_000_000).into_bytes(), Malformed, &["nested deeper than 128"]),
        (JSON, event(&format!("{}1{}", "[".repeat(126), "]".repeat(126))), Invalid, &["must be a JSON object"]),
        (JSON, event(r#"{"a":1,"b":2,"a":3}"#), Malformed, &["\"a\"", "twice", "data"]),
        (JSON, event(r#"{"a":1,"\u0061":3}"#), Malformed, &["\"a\"", "twice"]),
        (JSON, br#"{"type":"x.y","type":"x.z"}"#.to_vec(), Malformed, &["\"type\"", "twice"]),
        (JSON, event(r#"{"n":NaN}"#), Malformed, &["NaN and Infinity are not JSON"]),
        (JSON, event(r#"{"n":Infinity}"#), Malformed, &["NaN and Infinity"]),
        (JSON, event(r#"{"n":-Infinity}"#), Malformed, &["NaN and Infinity"]),
        (JSON, event(r#"{"n":1e400}"#), Invalid, &["1e400", "data.n", "range"]),
        (JSON, event(r#"{"n":-1e400}"#), Invalid, &["-1e400", "data.n"]),
        (JSON, event(r#"{"n":[0,18446744073709551616]}"#), Invalid, &["data.n[1]", "64-bit integers", "string"]),
        (JSON, event(r#"{"n":-9223372036854775809}"#), Invalid, &["data.n", "64-bit integers"]),
        (JSON, event(r#"{"n":01}"#), Malformed, &["not a JSON number"]),
        (JSON, event(r#"{"n":1.}"#), Malformed, &["not a JSON number"]),
        (JSON, event(r#"{"n":+1}"#), Malformed, &["a value"]),
        (JSON, b"{\"type\":\"x\xFFy\"}".to_vec(), Malformed, &["not UTF-8", "0xFF", "offset 10"]),
        (JSON, b"\xFF\xFE{\x00}\x00".to_vec(), Malformed, &["UTF-16", "send UTF-8"]),
        (JSON, event(r#"{"t":"\ud83d"}"#), Malformed, &["surrogate"]),
        (JSON, event(r#"{"t":"\ude00\ud83d"}"#), Malformed, &["surrogate"]),
        (JSON, event(r#"{"t":"\u12g4"}"#), Malformed, &["hexadecimal"]),
        (JSON, event(r#"{"t":"\x41"}"#), Malformed, &["escape"]),
        (JSON, event("{\"t\":\"a\u{0}b\"}"), Malformed, &["control character"]),
        (JSON, event(r#"{"t":{"u":"a\u0000b"}}"#), Invalid, &["data.t.u", "NUL"]),
        (JSON, event(&many_keys(1_000_000)), TooLarge, &["bytes"]),
        (JSON, event(&many_keys(20_000)), TooLarge, &["10000 keys", "data"]),
        (JSON, event(&format!("{{\"l\":[{}0]}}", "0,".repeat(150_000))), TooLarge, &["50000 JSON values"]),
        (JSON, event(&format!("{{\"t\":\"{}\"}}", "x".repeat(1 << 20))), TooLarge, &["1048576", "event"]),
        (JSON, vec![b' '; (8 << 20) + 1], TooLarge, &["8388608"]),
        (JSON, format!("[{}{{}}]", "{},".repeat(10_000)).into_bytes(), TooLarge, &["10000 events"]),
        (NDJSON, "x\n".repeat(10_001).into_bytes(), TooLarge, &["10000 events"]),
        (JSON, br#"{"id":"1"}"#.to_vec(), Invalid, &["`type` is missing"]),
        (JSON, br#"{"type":7}"#.to_vec(), Invalid, &["`type` must be a string", "a number"]),
        (JSON, br#"{"type":""}"#.to_vec(), Invalid, &["must not be empty"]),
        (JSON, format!(r#"{{"type":"x.y","id":"{}"}}"#, "i".repeat(65_536)).into_bytes(), Invalid, &["65536", "512"]),
        (JSON, br#"{"type":"x.y","id":"a\u0007"}"#.to_vec(), Invalid, &["`id`", "control character"]),
        (JSON, br#"{"type":"x.y","time":"1969-12-31T23:59:59Z"}"#.to_vec(), Invalid, &["`time`", "1970"]),
        (JSON, br#"{"type":"x.y","time":"2263-01-01T00:00:00Z"}"#.to_vec(), Invalid, &["`time`", "2262"]),
        (JSON, br#"{"type":"x.y","time":-1}"#.to_vec(), Invalid, &["`time`", "1970"]),
        (JSON, br#"{"type":"x.y","time":"yesterday"}"#.to_vec(), Invalid, &["`time`", "RFC 3339"]),
        (
            JSON,
            br#"{"type":"x.y","tiem":"2026-01-01T00:00:00Z"}"#.to_vec(),
            Invalid,
            &["`tiem`", "did you mean `time`"],
        ),
        (JSON, br#"{"type":"x.y","position":3}"#.to_vec(), Invalid, &["`position` is given by the server"]),
        (JSON, br#"{"type":"x.y","workspace":"other"}"#.to_vec(), Invalid, &["`workspace` is given by the server"]),
        (JSON, br#"{"type":"x.y","expected_revision":"maybe"}"#.to_vec(), Invalid, &["expected_revision", "exists"]),
        (JSON, br#"{"type":"x.y","expected_revision":-1}"#.to_vec(), Invalid, &["expected_revision", "-1"]),
        (JSON, br#"{"type":"x.y","specversion":"0.3"}"#.to_vec(), Invalid, &["CloudEvents", "1.0"]),
        (JSON, br#"{"events":{}}"#.to_vec(), Invalid, &["`events` must be an array"]),
        (JSON, br#"{"events":[],"cheks":[]}"#.to_vec(), Invalid, &["`cheks`", "checks"]),
        (JSON, br#"{"events":[],"events":[]}"#.to_vec(), Malformed, &["\"events\"", "twice"]),
        (JSON, br#"{"events":[],"checks":[{"stream":"s"}]}"#.to_vec(), Invalid, &["checks[0].expected"]),
        (JSON, br#"{"events":[],"checks":[{"stream":"","expected":1}]}"#.to_vec(), Invalid, &["empty"]),
        ("application/cloudevents+json", br#"{"type":"x.y","id":"1"}"#.to_vec(), Invalid, &["specversion"]),
        ("application/cloudevents+json", b"[]".to_vec(), Invalid, &["one CloudEvent"]),
        ("application/cloudevents-batch+json", b"{}".to_vec(), Invalid, &["array of CloudEvents"]),
        ("application/vnd.apache.arrow.stream", b"".to_vec(), Malformed, &["empty"]),
        ("application/vnd.apache.arrow.stream", b"{}".to_vec(), Malformed, &["Arrow IPC stream"]),
        ("application/vnd.apache.arrow.stream", vec![0xFF; 64], Malformed, &["Arrow IPC stream"]),
        ("application/vnd.apache.arrow.stream", vec![0; 64], Malformed, &["Arrow IPC stream"]),
    ]
}

fn many_keys(count: usize) -> String {
    let keys: Vec<String> = (0..count).map(|n| format!("\"k{n}\":1")).collect();
    format!("{{{}}}", keys.join(","))
}

#[test]
fn each_gets_its_class_and_words() {
    let door = Door::new();
    for (content, body, class, words) in bodies() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
        let content = ContentType::parse(Some(content), false).expect("known type");
        let problem = match decode(content, &[], &body, &door.context()) {
            Err(problem) => problem,
            Ok(decoded) => match decoded.items.into_iter().next() {
                Some(Err(rejected)) => rejected.problem,
                other => panic!("{shown}: was taken: {other:?}"),
            },
        };
        assert_eq!(problem.class, class, "{shown}: {problem}");
        let told = whole(&problem);
        for word in words {
            assert!(told.contains(word), "{shown}: {word:?} is not in {told:?}");
        }
        assert!(told.len() < 4_000, "{shown}: the message has {} bytes", told.len());
    }
}

#[test]
fn content_types() {
    let cases: &[(Option<&str>, bool, Result<ContentType, &str>)] = &[
        (None, false, Ok(ContentType::Json)),
        (Some("application/json; charset=utf-8"), false, Ok(ContentType::Json)),
        (Some("APPLICATION/JSON"), false, Ok(ContentType::Json)),
        (Some("application/json"), true, Ok(ContentType::CloudEventBinary)),
        (Some("application/x-ndjson"), false, Ok(ContentType::Ndjson)),
        (Some("application/cloudevents+json; charset=UTF-8"), true, Ok(ContentType::CloudEvent)),
        (Some("application/cloudevents-batch+json"), false, Ok(ContentType::CloudEventBatch)),
        (Some("application/vnd.apache.arrow.stream"), false, Ok(ContentType::ArrowStream)),
        (Some("text/csv"), false, Err("application/x-ndjson")),
        (Some("application/json; charset=latin1"), false, Err("UTF-8")),
        (Some("application/xml"), true, Err("application/json")),
    ];
    for (header, binary, wanted) in cases {
        match (ContentType::parse(*header, *binary), wanted) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, *wanted, "{header:?}"),
            (Err(problem), Err(word)) => {
                assert_eq!(problem.class, UnsupportedMedia);
                assert!(whole(&problem).contains(word), "{header:?}: {}", whole(&problem));
            }
            (found, wanted) => panic!("{header:?}: {found:?} instead of {wanted:?}"),
        }
    }
}

#[test]
fn a_bad_line_does_not_stop_the_others() {
    let door = Door::new();
    let body = "{\"type\":\"x.y\",\"id\":\"1\"}\n{oops}\n\n{\"type\":\"x.y\",\"id\":\"2\",\"data\":{\"a\":1,\"a\":2}}\r\n\
                {\"type\":\"x.y\",\"id\":\"3\"}";
    let decoded = decode(ContentType::Ndjson, &[], body.as_bytes(), &door.context()).expect("lines");
    let outcome: Vec<Result<String, ErrorClass>> = decoded
        .items
        .iter()
        .map(|item| match item {
            Ok(accepted) => Ok(accepted.draft.id.to_string()),
            Err(rejected) => Err(rejected.problem.class),
        })
        .collect();
    assert_eq!(outcome, [Ok("1".to_owned()), Err(Malformed), Err(Malformed), Ok("3".to_owned())]);
    let told = whole(&decoded.items[1].as_ref().expect_err("the second line").problem);
    assert!(told.contains("line 2") && told.contains("events[1]"), "{told}");
}

#[test]
fn limits_can_be_set() {
    let mut door = Door::new();
    door.limits = Limits { event_bytes: 60, batch_bytes: 200, ..Limits::default() };
    let small = br#"[{"type":"x.y","id":"1"},{"type":"x.y","id":"2","data":{"text":"a text that is too long"}}]"#;
    let decoded = decode(ContentType::Json, &[], small, &door.context()).expect("a batch");
    assert!(decoded.items[0].is_ok());
    assert_eq!(decoded.items[1].as_ref().expect_err("too long").problem.class, TooLarge);
    let large = vec![b'['; 201];
    assert_eq!(decode(ContentType::Json, &[], &large, &door.context()).expect_err("too long").class, TooLarge);
}
