//! `/metrics`: text that Prometheus reads, with what a person on call needs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::server::Server;

/// One family as it was written.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    /// Name and labels, without those of buckets, to the values of its lines.
    samples: BTreeMap<String, f64>,
    buckets: BTreeMap<String, Vec<(f64, f64)>>,
}

/// Reads the exposition format strictly: every rule that `promtool check metrics` has for it.
fn read(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    assert!(text.ends_with('\n'), "the last line ends");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help");
            assert!(is_name(name) && !families.contains_key(name), "{name} begins once");
            current = name.to_owned();
            families.entry(current.clone()).or_default().help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert_eq!(name, current, "type follows help");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            families.get_mut(name).expect("it has begun").kind = kind.to_owned();
        } else {
            sample(line, families.get_mut(&current).expect("a family has begun"), &current);
        }
    }
    families
}

fn sample(line: &str, family: &mut Family, name: &str) {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
    let (written, labels) =
        series.split_once('{').map_or((series, ""), |(name, rest)| (name, rest.strip_suffix('}').expect("labels end")));
    let suffix = written.strip_prefix(name).unwrap_or_else(|| panic!("{line} is of {name}"));
    let histogram = family.kind == "histogram";
    assert!(suffix.is_empty() != histogram && ["", "_bucket", "_sum", "_count"].contains(&suffix), "{line}");
    let mut rest = Vec::new();
    let mut bound = None;
    for pair in labels.split("\",").filter(|pair| !pair.is_empty()) {
        let (label, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(is_name(label), "{line}");
        match label {
            "le" => bound = Some(value.trim_end_matches('"').parse::<f64>().unwrap_or_else(|_| panic!("{line}"))),
            _ => rest.push(format!("{label}={}", value.trim_end_matches('"'))),
        }
    }
    let key = rest.join(",");
    match bound {
        Some(bound) => family.buckets.entry(key).or_default().push((bound, value)),
        None => assert!(family.samples.insert(format!("{key}{suffix}"), value).is_none(), "{line} is there once"),
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

#[tokio::test]
async fn they_are_valid_and_complete() {
    let server = Server::start();
    for n in 0..3 {
        let secret = format!("the key is gh{}_{}", "p", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8");
        let event = json!({"type": "note.taken", "source": "s", "id": n.to_string(), "data": {"text": secret}});
        server.post("/v1/events", &event).await.expect(201);
        server.post("/v1/events", &event).await.expect(200);
    }
    server.post("/v1/events", &json!({"type": "task.created", "data": {}})).await.expect(422);
    server.rows("SELECT count(*) AS n FROM events", 3).await;
    server.post("/v1/search", &json!({"query": "key", "min_position": 3, "wait_ms": 30_000})).await.expect(200);
    server.get("/nowhere").await.expect(404);
    let answer = server.get("/metrics").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let families = read(&answer.text);
    for (name, family) in &families {
        assert!(!family.kind.is_empty() && !family.help.is_empty(), "{name}: {family:?}");
        assert_eq!(family.kind == "counter", name.ends_with("_total"), "counters end with _total: {name}");
        for (labels, buckets) in &family.buckets {
            let rising = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            let (bound, count) = buckets.last().expect("a bucket");
            assert!(rising && bound.is_infinite(), "{name}{{{labels}}}: {buckets:?}");
            assert_eq!(family.samples[&format!("{labels}_count")], *count, "{name}{{{labels}}}");
        }
    }
    let value = |name: &str, labels: &str| {
        let family = families.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        *family.samples.get(labels).unwrap_or_else(|| panic!("{name}{{{labels}}}: {family:?}"))
    };
    assert_eq!(value("partitura_events_total", "result=new"), 3.0);
    assert_eq!(value("partitura_events_total", "result=duplicate"), 3.0);
    assert_eq!(value("partitura_events_total", "result=refused"), 1.0);
    assert_eq!(value("partitura_append_seconds", "_count"), 6.0);
    assert!(value("partitura_sql_seconds", "_count") >= 1.0 && value("partitura_search_seconds", "_count") >= 1.0);
    assert_eq!(value("partitura_http_requests_total", "method=POST,route=/v1/events,status=201"), 3.0);
    assert_eq!(value("partitura_http_requests_total", "method=GET,route=none,status=404"), 1.0);
    assert_eq!(value("partitura_log_position", ""), 3.0);
    assert_eq!(value("partitura_tables_lag_events", ""), 0.0);
    assert_eq!(value("partitura_search_position", ""), 3.0);
    assert_eq!(value("partitura_vectors_pending", ""), 0.0);
    assert_eq!(value("partitura_gate_places", "gate=appends"), 256.0);
    let redacted: f64 = families["partitura_redactions_total"].samples.values().sum();
    assert!(redacted >= 3.0, "{redacted}");
    assert!(value("partitura_disk_bytes", "part=log") > 0.0 && value("partitura_disk_free_bytes", "") > 0.0);
    assert!(value("process_resident_memory_bytes", "") > 1e6 && value("process_open_fds", "") > 5.0);
    let wanted: BTreeSet<&str> = [
        "partitura_body_memory_bytes",
        "partitura_build_info",
        "partitura_disk_free_bytes",
        "partitura_events_parked",
        "partitura_gate_refused_total",
        "partitura_gate_running",
        "partitura_gate_waiting",
        "partitura_http_request_seconds",
        "partitura_log_poisoned",
        "partitura_tables_checkpoint",
        "partitura_tables_lag_seconds",
        "partitura_tables_tail_bytes",
        "process_cpu_seconds_total",
    ]
    .into();
    let there: BTreeSet<&str> = families.keys().map(String::as_str).collect();
    assert!(wanted.is_subset(&there), "missing: {:?}", wanted.difference(&there));
}
