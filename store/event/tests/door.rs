//! What the door says of payloads, by table: the path, the code and the words of each fault and warning.

use partitura_event::json::Node;
use partitura_event::kind::{self, Kind, attempts::AttemptCause, tasks::TaskDetails};
use partitura_event::{EventType, Timestamp, schema};
use serde_json::{Value, json};

fn check(kind: &str, data: &Value) -> kind_report::Report {
    let checked = kind::check(&EventType::new(kind).expect("a type"), &Node::from(data));
    kind_report::Report {
        issues: checked.issues.iter().map(|issue| (issue.path.clone(), issue.code.clone())).collect(),
        messages: checked.issues.into_iter().map(|issue| issue.message).collect(),
        warnings: checked.warnings.into_iter().map(|warning| (warning.path, warning.nearest)).collect(),
        left_out: checked.warnings_left_out,
    }
}

mod kind_report {
    //! A checked payload in a form that is easy to compare.

    pub struct Report {
        pub issues: Vec<(String, String)>,
        pub messages: Vec<String>,
        pub warnings: Vec<(String, Vec<String>)>,
        pub left_out: usize,
    }
}

#[test]
fn each_fault_has_its_path_and_code() {
    let call = |more: Value| {
        let mut data = json!({"interaction_id": "i", "kind": "llm"});
        data.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        ("interaction.recorded", data)
    };
    let task = |more: Value| ("task.created", merge(json!({"task_id": "1", "title": "t"}), more));
    let table = [
        (("task.created", json!([])), "data", "type"),
        (("anything.else", json!(7)), "data", "type"),
        (("task.created", json!({"task_id": "1"})), "data.title", "missing"),
        (("task.created", json!({"task_id": null, "title": "t"})), "data.task_id", "missing"),
        (task(json!({"task_id": ""})), "data.task_id", "empty"),
        (task(json!({"task_id": "x".repeat(65_536)})), "data.task_id", "too_long"),
        (task(json!({"task_id": "a\u{1}"})), "data.task_id", "control_character"),
        (task(json!({"task_id": 1.5})), "data.task_id", "type"),
        (task(json!({"title": "nul \u{0}"})), "data.title", "nul"),
        (task(json!({"title": 7})), "data.title", "type"),
        (task(json!({"priority": 5})), "data.priority", "range"),
        (task(json!({"priority": -1})), "data.priority", "range"),
        (task(json!({"priority": "hihg"})), "data.priority", "word"),
        (task(json!({"estimate_minutes": -1})), "data.estimate_minutes", "range"),
        (task(json!({"due": "soon"})), "data.due", "time_format"),
        (task(json!({"due": "1960-01-01T00:00:00Z"})), "data.due", "time_range"),
        (task(json!({"due": true})), "data.due", "type"),
        (task(json!({"required": "rust"})), "data.required", "type"),
        (task(json!({"required": ["rust", 1.5]})), "data.required[1]", "type"),
        (task(json!({"required": vec!["rust"; 1_001]})), "data.required", "too_many"),
        (task(json!({"labels": "bug"})), "data.labels", "type"),
        (task(json!({"labels": {"a": {"b": 1}}})), "data.labels.a", "type"),
        (task(json!({"labels": ["a", 1.5]})), "data.labels[1]", "type"),
        (task(json!({"attributes": 1})), "data.attributes", "type"),
        (call(json!({"kind": "lllm"})), "data.kind", "word"),
        (call(json!({"tokens_in": -1})), "data.tokens_in", "range"),
        (call(json!({"tokens_in": 1.5})), "data.tokens_in", "range"),
        (call(json!({"tokens_in": 9_223_372_036_854_775_808_u64})), "data.tokens_in", "range"),
        (call(json!({"tokens_in": "12"})), "data.tokens_in", "type"),
        (call(json!({"latency_ms": -0.1})), "data.latency_ms", "range"),
        (call(json!({"cost": "-1"})), "data.cost", "range"),
        (call(json!({"cost": "one"})), "data.cost", "amount"),
        (call(json!({"cost": 1e15})), "data.cost", "amount"),
        (call(json!({"currency": "US Dollar"})), "data.currency", "currency"),
        (("task.progressed", json!({"task_id": "1", "percent": 101})), "data.percent", "range"),
        (("attempt.ended", json!({"attempt_id": "1", "result": "failed", "fraction": 1.1})), "data.fraction", "range"),
        (("attempt.ended", json!({"attempt_id": "1", "result": "won"})), "data.result", "word"),
        (("task.started", json!({"task_id": "1", "agent_id": ["a"]})), "data.agent_id", "type"),
        (("price.set", price(json!({"per": 0}))), "data.meters[0].per", "range"),
        (("price.set", price(json!({"unit": "token_in"}))), "data.meters[0].unit", "word"),
        (("price.set", price(json!({"amount": null}))), "data.meters[0].amount", "missing"),
        (("price.set", merge(price(json!({})), json!({"model": null}))), "data", "any_of"),
        (
            ("charge.recorded", json!({"charge_id": "c", "amount": 1, "currency": "USD", "period": "May"})),
            "data.period",
            "period",
        ),
        (("verdict.policy_set", policy(json!({"every": []}))), "data.success.every", "unknown"),
        (
            ("verdict.policy_set", policy(json!({"any": [{"artifact": {}}]}))),
            "data.success.any[0].artifact.state",
            "missing",
        ),
        (("verdict.policy_set", policy(json!({"all": [1]}))), "data.success.all[0]", "type"),
        (("outcome.recorded", json!({"name": "n", "value": 1, "evaluator": "code"})), "data", "one_of"),
        (
            ("outcome.recorded", json!({"name": "n", "value": 1, "evaluator": "code", "task_id": 1, "attempt_id": 2})),
            "data.task_id",
            "one_of",
        ),
        (("outcome.recorded", json!({"name": "n", "evaluator": "code", "task_id": 1})), "data", "any_of"),
        (
            ("outcome.recorded", json!({"name": "n", "evaluator": "code", "task_id": 1, "success": "yes"})),
            "data.success",
            "type",
        ),
        (("alert.silenced", json!({"alert_id": "a"})), "data.until", "missing"),
        (("message.sent", json!({"message_id": "m", "conversation_id": "c", "from": "a"})), "data.text", "missing"),
    ];
    for ((kind, data), path, code) in table {
        let report = check(kind, &data);
        assert_eq!(report.issues, [(path.to_owned(), code.to_owned())], "{kind} {data:.200}");
        assert!(report.messages[0].len() < 400 && report.messages[0].contains('`'), "{}", report.messages[0]);
        if kind::find(kind).is_some() {
            let problem = Kind::decode(kind, &data.to_string()).expect_err("what the door refuses is not decoded");
            assert_eq!(problem.issues[0].path, path);
        }
    }
}

fn merge(mut data: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        data[name] = value.clone();
    }
    data
}

fn price(meter: Value) -> Value {
    let meter = merge(json!({"unit": "tokens_in", "per": 1_000_000, "amount": "3"}), meter);
    json!({"model": "m", "currency": "USD", "valid_from": 0, "meters": [meter]})
}

fn policy(success: Value) -> Value {
    json!({"order": ["human"], "success": success})
}

#[test]
fn all_faults_are_told_at_once_and_name_what_was_meant() {
    let report = check("task.completed", &json!({"taskid": "1", "actual_minutes": -3, "summary": 1}));
    let paths: Vec<&str> = report.issues.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["data.task_id", "data.summary", "data.actual_minutes"]);
    assert!(report.messages[0].contains("`taskid`"), "{}", report.messages[0]);
    assert_eq!(report.warnings, [("data.taskid".to_owned(), vec!["task_id".to_owned()])]);
    let word = check("attempt.ended", &json!({"attempt_id": "1", "result": "suceeded"})).messages;
    assert!(word[0].contains("did you mean \"succeeded\"?"), "{}", word[0]);
}

#[test]
fn unknown_fields_are_kept_and_told() {
    let data = json!({"task_id": "1", "estimat_minutes": 5, "attributes": {"mine": 1}, "x": null});
    let report = check("task.updated", &data);
    assert!(report.issues.is_empty());
    let told: Vec<&str> = report.warnings.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(told, ["data.estimat_minutes", "data.x"]);
    assert_eq!(report.warnings[0].1[0], "estimate_minutes");
    let Ok(Some(Kind::TaskUpdated(TaskDetails { attributes, .. }))) = Kind::decode("task.updated", &data.to_string())
    else {
        panic!("it decodes");
    };
    assert_eq!(Value::Object(attributes), json!({"estimat_minutes": 5, "mine": 1, "x": null}));
}

#[test]
fn floods_of_fields_and_faults_are_bounded() {
    let mut data = json!({"task_id": "1"});
    for number in 0..20_000 {
        data[format!("field_{number}")] = json!(number);
    }
    let report = check("task.updated", &data);
    assert_eq!((report.warnings.len(), report.left_out), (64, 19_936));
    let report = check("task.updated", &json!({"task_id": "1", "required": vec![json!(1.5); 1_000]}));
    assert_eq!(report.issues.len(), 64);
    let mut deep = json!("success");
    for _ in 0..40 {
        deep = json!({"not": deep});
    }
    assert_eq!(check("verdict.policy_set", &policy(deep)).issues[0].1, "too_deep");
}

#[test]
fn values_are_read_as_they_are_meant() {
    let decode = |kind: &str, data: Value| Kind::from_value(kind, &data).expect("valid").expect("known").to_data();
    let table = [
        (
            "task.created",
            json!({"task_id": 42, "title": "t", "priority": "urgent", "due": 1_767_607_200}),
            json!({"task_id": "42", "title": "t", "priority": 3, "due": "2026-01-05T10:00:00Z"}),
        ),
        (
            "task.created",
            json!({"task_id": "Ä", "title": "", "labels": ["bug", "ui"], "parent_id": null, "points": 3.0}),
            json!({"task_id": "Ä", "title": "", "labels": {"bug": "", "ui": ""}, "points": 3}),
        ),
        (
            "interaction.recorded",
            json!({"interaction_id": "i", "kind": "llm", "cost": 0.000_001_5, "tokens_in": 12.0}),
            json!({"interaction_id": "i", "kind": "llm", "cost": "0.0000015", "tokens_in": 12}),
        ),
        (
            "interaction.recorded",
            json!({"interaction_id": "i", "kind": "llm", "cost": 0.1 + 0.2, "currency": "usd"}),
            json!({"interaction_id": "i", "kind": "llm", "cost": "0.3", "currency": "USD"}),
        ),
        ("verdict.policy_set", policy(json!("success")), policy(json!({"outcome": {"success": true}}))),
    ];
    for (kind, data, canonical) in table {
        assert_eq!(decode(kind, data), canonical);
    }
    let messages =
        json!([{"role": "user", "content": [{"type": "text", "text": "Why?"}]}, {"role": "x", "content": "So."}]);
    let call = json!({"interaction_id": "i", "kind": "llm", "input": messages});
    let Ok(Some(Kind::InteractionRecorded(call))) = Kind::from_value("interaction.recorded", &call) else {
        panic!("it decodes");
    };
    assert_eq!(call.input.expect("an input").text(), "Why?\nSo.");
}

#[test]
fn typed_fields_have_typed_values() {
    let data = json!({"attempt_id": "a", "task_id": "t", "agent_id": "x", "cause": "retry", "lease_until": 0});
    let Ok(Some(Kind::AttemptStarted(started))) = Kind::from_value("attempt.started", &data) else {
        panic!("it decodes");
    };
    assert_eq!((started.cause, started.lease_until), (Some(AttemptCause::Retry), Some(Timestamp::MIN)));
    assert_eq!(Kind::AttemptStarted(started).spec().type_name, "attempt.started");
}

#[test]
fn unknown_types_pass_and_near_names_are_found() {
    assert_eq!(Kind::decode("com.example.deployed", "{}"), Ok(None));
    assert_eq!(kind::nearest_type("Task.Complete"), Some("task.completed"));
    assert_eq!(kind::nearest_type("zzz"), None);
    assert_eq!(schema::json_schema("com.example.deployed"), None);
}

#[test]
fn default_streams_name_the_entity() {
    let table = [
        ("task.started", json!({"task_id": "ABC"}), Some("task/abc")),
        ("task.started", json!({"task_id": 42}), Some("task/42")),
        ("task.started", json!({}), None),
        ("outcome.recorded", json!({"attempt_id": "A1", "task_id": null}), Some("outcome/a1")),
        ("message.sent", json!({"message_id": "m", "conversation_id": "c"}), Some("conversation/c")),
        ("verdict.policy_set", json!({}), Some("verdict_policy/default")),
        ("workspace.configured", json!({"time_zone": "UTC"}), Some("workspace/settings")),
        ("com.example.deployed", json!({"task_id": "1"}), None),
    ];
    for (kind, data, wanted) in table {
        let stream = kind::default_stream(&EventType::new(kind).expect("a type"), &Node::from(&data));
        assert_eq!(stream.as_ref().map(|stream| stream.as_str()), wanted, "{kind}");
    }
}

#[test]
fn every_kind_has_a_schema_that_names_its_fields() {
    for spec in kind::all() {
        let schema = schema::json_schema(spec.type_name).expect("a schema");
        for field in spec.fields {
            assert_eq!(schema["properties"][field.name]["description"], field.doc, "{}", spec.type_name);
            let listed = schema["required"].as_array().is_some_and(|names| names.contains(&json!(field.name)));
            assert_eq!(listed, spec.is_required(field), "{}.{}", spec.type_name, field.name);
        }
    }
}
