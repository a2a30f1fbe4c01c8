//! Mappings: what they make of rows, and what they say when they are wrong.

use partitura_ingest::import::{EventJson, Mapping, Row, shipped};
use partitura_ingest::json;
use partitura_ingest::{Limits, decode};
use serde_json::{Value, json};

use crate::door::{Door, whole};

fn row(file: &str, value: &Value) -> Row {
    let text = value.to_string();
    let value = json::parse(&text, &Limits::default()).expect("a row").into_owned();
    Row { file: file.to_owned(), number: 3, value }
}

fn event(rule: &str) -> String {
    format!("name = \"test\"\nsource = \"s\"\n[[event]]\ntype = \"x.y\"\nid = \"{{id}}\"\ntime = \"{{t}}\"\n{rule}\n")
}

fn json_of(event: &EventJson) -> Value {
    serde_json::from_str(&event.text()).expect("JSON")
}

/// Maps one row by one rule; the data, or the message.
fn data(rule: &str, value: &Value) -> Result<Value, String> {
    let mapping =
        Mapping::parse(&event(&format!("[event.data]\n{rule}"))).unwrap_or_else(|problem| panic!("{problem}"));
    let mut value = value.clone();
    value["id"] = json!("1");
    value["t"] = json!(0);
    let mut events = mapping.events(&row("rows.jsonl", &value));
    assert_eq!(events.len(), 1);
    events.remove(0).map(|event| json_of(&event)["data"].clone()).map_err(|problem| whole(&problem))
}

#[test]
fn values() {
    let given = json!({
        "a": "Some Text", "n": "0.3873467499999999", "b": "1", "deep": {"list": [1, {"x": "y"}]}, "empty": "", "s": 12.5,
        "tags": "a, b,,c", "json": "{\"k\":[1]}", "day": "2026-01-05", "end": "2026-01-05T00:01:30Z", "cents": 1999
    });
    let cases: &[(&str, Value)] = &[
        (r#"v = "{a}""#, json!({"v": "Some Text"})),
        (r#"v = "{/deep/list/1/x}""#, json!({"v": "y"})),
        (r#"v = "{/deep/list}""#, json!({"v": [1, {"x": "y"}]})),
        (r#"v = "{a}-{/deep/list/0}-{{}}""#, json!({"v": "Some Text-1-{}"})),
        (r#"v = "constant""#, json!({"v": "constant"})),
        ("v = 3\nw = 1.50\nx = true", json!({"v": 3, "w": 1.5, "x": true})),
        (r#"v = "{nothing}""#, json!({})),
        (r#"v = "{a}/{nothing}""#, json!({})),
        (r#"v = { from = "{nothing}", default = 7 }"#, json!({"v": 7})),
        (r#"v = { first = ["{nothing}", "{empty}", "{a}"] }"#, json!({"v": "Some Text"})),
        (r#"v = { join = ["{a}", "{nothing}", "{b}"], with = "+" }"#, json!({"v": "Some Text+1"})),
        (r#"v = ["{a}", "{nothing}", "{b}"]"#, json!({"v": ["Some Text", "1"]})),
        (r#"v = { sum = ["{b}", "{s}", "{nothing}"] }"#, json!({"v": 13.5})),
        (r#"v = { from = "{a}", lower = true }"#, json!({"v": "some text"})),
        (r#"v = { from = "{a}", slug = true }"#, json!({"v": "some_text"})),
        (r#"v = { from = "{a}", matches = "S(o)me" }"#, json!({"v": "o"})),
        (r#"v = { from = "{a}", matches = "none" }"#, json!({})),
        (r#"v = { from = "{tags}", split = "," }"#, json!({"v": ["a", "b", "c"]})),
        (r#"v = { from = "{json}", json = true }"#, json!({"v": {"k": [1]}})),
        (r#"v = { from = "{b}", bool = true }"#, json!({"v": true})),
        (r#"v = { from = "{b}", table = { "1" = "one" } }"#, json!({"v": "one"})),
        (r#"v = { from = "{a}", table = { "1" = "one" }, otherwise = "other" }"#, json!({"v": "other"})),
        (r#"v = { from = "{cents}", multiply = 0.01 }"#, json!({"v": 19.99})),
        (r#"v = { from = "{cents}", multiply = 0.01, round = true }"#, json!({"v": 20})),
        (r#"v = { from = "{s}", add = -12.5 }"#, json!({"v": 0})),
        (r#"v = { from = "{cents}", text = true }"#, json!({"v": "1999"})),
        (r#"v = { from = "{day}", time = "%Y-%m-%d" }"#, json!({"v": "2026-01-05T00:00:00Z"})),
        (r#"v = { from = "{day}", time = "%Y-%m-%d", add_seconds = "{s}" }"#, json!({"v": "2026-01-05T00:00:12.500Z"})),
        (r#"v = { from = "1767607200123", time = "ms" }"#, json!({"v": "2026-01-05T10:00:00.123Z"})),
        (r#"v = { between = [{ from = "{day}", time = "%Y-%m-%d" }, "{end}"], unit = "ms" }"#, json!({"v": 90000})),
        (r#""labels.repo" = "{a}""#, json!({"labels": {"repo": "Some Text"}})),
        (
            r#"v = "{@row}"
w = "{@file}""#,
            json!({"v": 3, "w": "rows"}),
        ),
    ];
    for (rule, wanted) in cases {
        assert_eq!(data(rule, &given).as_ref(), Ok(wanted), "{rule}");
    }
    let exact = Mapping::parse(&event("[event.data]\nv = { from = \"{n}\", number = true }")).expect("a mapping");
    let made = exact.events(&row("r.csv", &json!({"id": "1", "t": 0, "n": "0.3873467499999999"})));
    assert!(made[0].as_ref().expect("an event").text().contains(":0.3873467499999999}"), "digits are kept");
}

#[test]
fn rows_that_do_not_fit() {
    let cases: &[(&str, &[&str])] = &[
        (r#"v = { from = "{a}", number = true }"#, &["event[0].data.v", "not a number"]),
        (r#"v = { from = "{a}", bool = true }"#, &["data.v", "neither true nor false"]),
        (r#"v = { from = "{a}", time = "s" }"#, &["data.v", "number of seconds"]),
        (r#"v = { from = "{a}", time = "%Y" }"#, &["data.v", "does not look like"]),
        (r#"v = { from = "-5", time = "s" }"#, &["data.v", "1970"]),
        (r#"v = { from = "{a}", json = true }"#, &["data.v"]),
    ];
    for (rule, words) in cases {
        let told = data(rule, &json!({"a": "text"})).expect_err(rule);
        assert!(words.iter().all(|word| told.contains(word)), "{rule}: {told}");
    }
    let mapping = Mapping::parse(&event("")).expect("a mapping");
    let made = mapping.events(&row("r.csv", &json!({"t": 0})));
    assert!(whole(made[0].as_ref().expect_err("no id")).contains("`{id}` is missing"));
}

#[test]
fn conditions_and_items() {
    let text = r#"
name = "test"
[[event]]
files = ["a*.json"]
each = "/groups/g_*/*"
when = { kind = ["x", "y"], "^on" = true, skip = { present = false }, size = { above = 1 } }
type = "x.y"
source = "{^by}"
id = "{*1}/{#}/{@hash}"
time = { at = "^/dates/{*1}", add_seconds = "{#}" }
data = "{.}"
"#;
    let mapping = Mapping::parse(text).expect("a mapping");
    let value = json!({
        "on": true, "by": "me", "dates": {"1": "2026-01-05T10:00:00Z", "2": "2026-01-06T10:00:00Z"},
        "groups": {
            "g_1": [{"kind": "x", "size": 2}, {"kind": "z", "size": 2}, {"kind": "y", "size": 3, "skip": null}],
            "g_2": [{"kind": "y", "size": 1}, {"kind": "y", "size": "2"}, {"kind": "x", "size": 9, "skip": "yes"}],
            "g_": [{"kind": "x", "size": 2}],
            "other": [{"kind": "x", "size": 2}]
        }
    });
    let events = mapping.events(&row("a1.json", &value));
    let told: Vec<String> = events
        .iter()
        .map(|event| {
            let event = json_of(event.as_ref().expect("an event"));
            let id = event["id"].as_str().expect("an id");
            format!("{} {} {}", &id[..3], event["time"].as_str().expect("a time"), event["data"]["kind"])
        })
        .collect();
    let wanted = ["1/0 2026-01-05T10:00:00Z \"x\"", "1/2 2026-01-05T10:00:02Z \"y\"", "2/1 2026-01-06T10:00:01Z \"y\""];
    assert_eq!(told, wanted);
    assert_eq!(mapping.events(&row("a1.json", &value)), events, "the same in every run");
    assert!(mapping.events(&row("b.json", &value)).is_empty());
    assert_eq!((mapping.reads("a.json"), mapping.reads("b.json"), mapping.files()), (true, false, vec!["a*.json"]));
}

#[test]
fn faults_of_a_mapping_name_the_line() {
    let cases: &[(String, &[&str])] = &[
        (String::new(), &["`name` is missing"]),
        ("name = ".to_owned(), &["line 1"]),
        ("name = \"x\"".to_owned(), &["no [[event]]"]),
        ("name = \"x\"\n[[evnt]]\n".to_owned(), &["line 2", "evnt", "event"]),
        (event("tpye = 1"), &["line 7", "event[0].tpye", "type"]),
        ("name=\"x\"\n[[event]]\nid=\"1\"\n".to_owned(), &["`type` is missing", "event[0]"]),
        ("name=\"x\"\n[[event]]\ntype=\"x\"\nid=\"1\"\nsource=\"s\"\n".to_owned(), &["`time` is missing"]),
        (event("[event.data]\nv = \"{a\""), &["line 8", "event[0].data.v", "without its `}`"]),
        (event("[event.data]\nv = \"a}\""), &["without its `{`"]),
        (event("[event.data]\nv = \"{}\""), &["names nothing"]),
        (event("[event.data]\nv = \"{@rwo}\""), &["@row"]),
        (event("[event.data]\nv = { form = \"{a}\" }"), &["exactly one of from"]),
        (event("[event.data]\nv = { from = \"{a}\", nubmer = true }"), &["data.v.nubmer", "number"]),
        (event("[event.data]\nv = { from = \"{a}\", time = \"hours\" }"), &["strftime"]),
        (event("[event.data]\nv = { from = \"{a}\", matches = \"(\" }"), &["data.v.matches"]),
        (event("[event.data]\nv = { from = \"{a}\", otherwise = 1 }"), &["needs a `table`"]),
        (event("[event.data]\nv = { between = [\"{a}\"] }"), &["two times"]),
        (event("each = \"items\""), &["each", "/items/*"]),
        (event("each = \"/a*b*\""), &["more than one"]),
        (event("when = { a = { presnt = true } }"), &["when.a.presnt", "present"]),
        (event("when = { a = {} }"), &["exactly one of present"]),
        (event("files = \"x\""), &["must be an array"]),
        ("name=\"x\"\n[input]\nformat=\"cvs\"\n".to_owned(), &["line 3", "csv"]),
    ];
    for (text, words) in cases {
        let problem = Mapping::parse(text).expect_err(text);
        let told = whole(&problem);
        assert!(words.iter().all(|word| told.contains(word)), "{text}\n-> {told}");
    }
}

#[test]
fn shipped_mappings_are_sound() {
    for mapping in shipped() {
        let parsed = Mapping::parse(mapping.text).unwrap_or_else(|problem| panic!("{}: {problem}", mapping.name));
        assert_eq!(parsed.name, mapping.name);
        assert!(!parsed.about.is_empty());
    }
}

/// Rows in the shape of the known formats become events that the door takes without a warning of a
/// misspelt field.
#[test]
fn shipped_mappings_make_events_that_are_taken() {
    let samples: &[(&str, &str, Value, &[&str])] = &[
        (
            "swebench_bashonly",
            "tasks.jsonl",
            json!({"instance_id": "a__b-1", "repo": "a/b", "created_at": "2018-02-07T15:05:31Z", "version": "1.3",
                "difficulty": "<15 min fix", "problem_statement": "Title here\nmore text", "hints_text": ""}),
            &["task.created"],
        ),
        (
            "swebench_bashonly",
            "outcomes.csv",
            json!({"agent": "A (1)", "run_folder": "2025_a", "run_date": "2025-11-24", "instance_id": "a__b-1",
                "resolved": "1", "cost_usd": "0.3873467499999999", "api_calls": "29"}),
            &["attempt.started", "interaction.recorded", "attempt.ended", "outcome.recorded"],
        ),
        (
            "acr_sweagent_runs",
            "runs.jsonl",
            json!({"agent": "A", "config": "run-1", "model": "m", "instance_id": "a__b-1", "patch_status": "applicable_patch",
                "start_epoch": 1712382710.596481, "end_epoch": 1712382822.791482, "elapsed_s": 112.195001,
                "input_tokens": 19305, "output_tokens": 2442, "cost_usd": 0.26631, "search_calls": 7, "resolved": 0}),
            &["attempt.started", "interaction.recorded", "attempt.ended", "outcome.recorded"],
        ),
        (
            "acr_sweagent_runs",
            "runs.jsonl",
            json!({"agent": "B", "config": "run-2", "model": "m", "instance_id": "a__b-1", "exit_status": "exit_cost",
                "input_tokens": 1, "output_tokens": 2, "cost_usd": 0.5, "api_calls": 7, "resolved": 0}),
            &["attempt.started", "interaction.recorded", "attempt.ended", "outcome.recorded"],
        ),
        (
            "aider_events",
            "events.jsonl",
            json!({"event": "message_send", "user_id": "u1", "time": 1735659551, "properties": {"main_model": "m",
                "prompt_tokens": 6154, "completion_tokens": 411, "cost": 0.00097664, "edit_format": "ask"}}),
            &["interaction.recorded"],
        ),
        (
            "aider_events",
            "events.jsonl",
            json!({"event": "message_send_exception", "user_id": "u1", "time": 1733514282,
                "properties": {"exception": "no usage"}}),
            &["interaction.recorded"],
        ),
        (
            "aider_events",
            "events.jsonl",
            json!({"event": "cli session", "user_id": "u1", "time": 1733514282, "properties": {}}),
            &["aider.cli_session"],
        ),
        (
            "aider_events",
            "git_commits.csv",
            json!({"commit": "61f912", "author_time": "1735582899", "commit_time": "1735582899", "ai_authored": "1",
                "ai_model": null, "n_files": "1", "top_paths": "aider", "subject": "style"}),
            &["artifact.recorded"],
        ),
        (
            "gitlab_issues",
            "issues.jsonl",
            json!({"project_id": 7, "iid": 2, "title": "t", "description": "", "labels": ["P::1 - High"], "weight": 3,
                "created_at": 1553785456070_i64, "closed_at": 1560936612537_i64, "due_date": null,
                "milestone_due": "2019-06-19", "author": "p1", "assignees": ["p2", "p3"], "closed_by": "p3",
                "time_spent_s": 5400, "type": "issue"}),
            &["task.created", "task.assigned", "task.assigned", "task.completed"],
        ),
        (
            "langfuse_traces",
            "a.trace.json",
            json!({
                "trace": {"id": "t1", "name": "Agent.run", "sessionId": null, "userId": null, "scores": [{"id": "s1",
                    "name": "quality", "value": 0.2, "source": "EVAL", "comment": "c", "stringValue": null,
                    "createdAt": "2025-08-01T13:57:42.000Z", "timestamp": "2025-08-01T13:57:41.654Z"}]},
                "observations": [
                    {"id": "o1", "traceId": "t1", "type": "GENERATION", "startTime": "2025-06-11T14:01:34.290Z",
                        "endTime": "2025-06-11T14:01:39.089Z", "parentObservationId": null, "level": "DEFAULT",
                        "statusMessage": null, "input": "i", "output": [{"role": "assistant", "content": "o"}], "model": "m",
                        "usageDetails": {"input": 1568, "output": 423, "total": 1991}, "totalCost": 0.000489},
                    {"id": "o2", "traceId": "t1", "type": "TOOL", "name": "search", "startTime": "2025-06-11T14:01:34.290Z",
                        "endTime": null, "parentObservationId": "o1", "level": "ERROR", "statusMessage": "failed"}
                ]
            }),
            &["interaction.recorded", "interaction.recorded", "outcome.recorded"],
        ),
        (
            "locomo",
            "locomo10.json",
            json!({"sample_id": "conv-1", "conversation": {"speaker_a": "A", "session_1_date_time": "7:31 pm on 21 January, 2022",
                "session_1": [{"speaker": "A", "dia_id": "D1:1", "text": "Hey", "blip_caption": "a dog", "img_url": ["u"]},
                    {"speaker": "B", "dia_id": "D1:2", "text": "Hi"}]}}),
            &["message.sent", "message.sent"],
        ),
    ];
    let door = Door::new();
    for (name, file, value, kinds) in samples {
        let text = shipped().iter().find(|mapping| mapping.name == *name).expect(name).text;
        let mapping = Mapping::parse(text).expect(name);
        let events: Vec<EventJson> = mapping
            .events(&row(file, value))
            .into_iter()
            .map(|event| event.unwrap_or_else(|problem| panic!("{name}: {}", whole(&problem))))
            .collect();
        let types: Vec<&str> = events.iter().filter_map(|event| event.field("type")).collect();
        assert_eq!(types, *kinds, "{name} {file}");
        for event in &events {
            let accepted = door.one(&event.text());
            let near = accepted.warnings.iter().find(|warning| warning.nearest.is_some());
            assert!(near.is_none(), "{name}: {near:?}");
        }
        let body: Vec<String> = events.iter().map(EventJson::text).collect();
        let body = format!("[{}]", body.join(","));
        let decoded =
            decode(partitura_ingest::ContentType::Json, &[], body.as_bytes(), &door.context()).expect("a batch");
        assert!(decoded.items.iter().all(Result::is_ok));
    }
}
