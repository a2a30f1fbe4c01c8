//! CloudEvents in their three modes are the same event.

use partitura_ingest::{ContentType, Decoded, decode};

use crate::door::{Door, whole};

const STRUCTURED: &str = r#"{"specversion":"1.0","type":"task.started","source":"ci","id":"1","subject":"task/42",
    "time":"2026-01-05T10:00:00Z","expectedrevision":2,"correlationid":"c",
    "datacontenttype":"application/json","data":{"task_id":"42"}}"#;

fn read(door: &Door, content: ContentType, headers: &[(&str, &str)], body: &str) -> Decoded {
    decode(content, headers, body.as_bytes(), &door.context()).unwrap_or_else(|problem| panic!("{body}: {problem}"))
}

#[test]
fn the_modes_agree() {
    let door = Door::new();
    let structured = read(&door, ContentType::CloudEvent, &[], STRUCTURED);
    let batch = read(&door, ContentType::CloudEventBatch, &[], &format!("[{STRUCTURED}]"));
    let headers = [
        ("Ce-Specversion", "1.0"),
        ("ce-type", "task.started"),
        ("ce-source", "ci"),
        ("ce-id", "1"),
        ("ce-subject", "task%2F42"),
        ("ce-time", "2026-01-05T10:00:00Z"),
        ("ce-expectedrevision", "2"),
        ("CE-CorrelationId", "c"),
        ("content-type", "application/json"),
    ];
    let binary = read(&door, ContentType::CloudEventBinary, &headers, r#"{"task_id":"42"}"#);
    assert!(structured.single && binary.single && !batch.single);
    let drafts: Vec<_> = [structured, batch, binary]
        .into_iter()
        .map(|decoded| decoded.items.into_iter().next().expect("one").expect("taken").draft)
        .collect();
    for draft in &drafts {
        assert_eq!(draft.stream.as_str(), "task/42");
        assert_eq!(draft.correlation.as_deref(), Some("c"));
        assert_eq!(draft.data.get(), r#"{"task_id":"42"}"#);
        assert_eq!(draft.fingerprint, drafts[0].fingerprint);
        assert_eq!(draft.expected, drafts[0].expected);
    }
}

#[test]
fn extension_attributes_are_kept() {
    let body = r#"{"specversion":"1.0","type":"x.y","id":"1","partitionkey":"k","dataschema":"urn:x","data":{"a":1}}"#;
    let decoded = read(&Door::new(), ContentType::CloudEvent, &[], body);
    let draft = &decoded.items[0].as_ref().expect("taken").draft;
    assert_eq!(draft.data.get(), r#"{"a":1,"ce_partitionkey":"k","ce_dataschema":"urn:x"}"#);
}

#[test]
fn what_is_no_json_is_refused() {
    let cases = [
        (r#"{"specversion":"1.0","type":"x.y","id":"1","datacontenttype":"text/plain","data":"x"}"#, "text/plain"),
        (r#"{"specversion":"1.0","type":"x.y","id":"1","data_base64":"e30="}"#, "data_base64"),
        (r#"{"specversion":"1.0","type":"x.y","id":"1","data":"x"}"#, "must be a JSON object"),
    ];
    for (body, word) in cases {
        let decoded = read(&Door::new(), ContentType::CloudEvent, &[], body);
        let problem = &decoded.items[0].as_ref().expect_err(body).problem;
        assert!(whole(problem).contains(word), "{}", whole(problem));
    }
    let headers = [("ce-specversion", "1.0"), ("ce-type", "x.y"), ("ce-id", "%ff")];
    let refused = decode(ContentType::CloudEventBinary, &headers, b"{}", &Door::new().context());
    assert!(refused.expect_err("not UTF-8").detail.contains("ce-id"));
}
