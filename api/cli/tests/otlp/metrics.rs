//! Metrics of every kind become rows; what is sent again, and in other batches, is there once.

use serde_json::{Value, json};

use crate::request::{START, export, int, text};
use crate::server::Server;

fn metrics(service: &str, metrics: &[Value]) -> Value {
    json!({"resourceMetrics": [{
        "resource": {"attributes": [text("service.name", service), text("agent.id", "planner")]},
        "scopeMetrics": [{"scope": {"name": "meter"}, "metrics": metrics}],
    }]})
}

fn point(more: Value) -> Value {
    let mut point = json!({
        "startTimeUnixNano": START.to_string(), "timeUnixNano": (START + 1_000_000_000).to_string(),
        "attributes": [text("type", "input")],
    });
    more.as_object().into_iter().flatten().for_each(|(name, value)| point[name] = value.clone());
    point
}

fn all() -> Vec<Value> {
    vec![
        json!({"name": "g", "unit": "Cel", "gauge": {"dataPoints": [point(json!({"asDouble": 21.5}))]}}),
        json!({"name": "s", "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point(json!({"asInt": "7"}))]}}),
        json!({"name": "h", "histogram": {"aggregationTemporality": 2, "dataPoints": [point(json!({
            "count": "3", "sum": 5.0, "min": 0.5, "max": 3.0, "bucketCounts": ["1", "2"], "explicitBounds": [1.0],
        }))]}}),
        json!({"name": "e", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [point(json!({
            "count": "4", "sum": 9.0, "scale": 2, "zeroCount": "1", "positive": {"offset": -1, "bucketCounts": ["1", "2"]},
        }))]}}),
        json!({"name": "q", "summary": {"dataPoints": [point(json!({
            "count": "2", "sum": 3.0, "quantileValues": [{"quantile": 0.5, "value": 1.5}],
        }))]}}),
        json!({"name": "none", "gauge": {"dataPoints": [point(json!({"flags": 1}))]}}),
    ]
}

#[tokio::test]
async fn every_kind_is_a_row_with_what_it_has() {
    let server = Server::start();
    let position = export(&server, "/v1/metrics", &metrics("app", &all())).await;
    let sql = "SELECT name, kind, unit, temporality, monotonic, value, count, sum, min, max, buckets, labels, source, \
               agent_id, started_at, time FROM metrics ORDER BY name";
    let rows = server.rows(sql, position).await;
    let row = |name: &str, kind: &str, more: Value| {
        let mut row = json!({
            "name": name, "kind": kind, "unit": null, "temporality": null, "monotonic": null, "value": null, "count": null,
            "sum": null, "min": null, "max": null, "buckets": null, "labels": "{\"type\":\"input\"}", "source": "app",
            "agent_id": "planner", "started_at": "2026-01-05T10:00:00Z", "time": "2026-01-05T10:00:01Z",
        });
        more.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
        row
    };
    let exponential = r#"{"positive":{"counts":[1,2],"offset":-1},"scale":2,"zero_count":1}"#;
    let expected = json!([
        row(
            "e",
            "exponential_histogram",
            json!({"temporality": "delta", "count": 4, "sum": 9.0, "buckets": exponential})
        ),
        row("g", "gauge", json!({"unit": "Cel", "value": 21.5})),
        row(
            "h",
            "histogram",
            json!({
                "temporality": "cumulative", "count": 3, "sum": 5.0, "min": 0.5, "max": 3.0,
                "buckets": r#"{"bounds":[1.0],"counts":[1,2]}"#,
            })
        ),
        row("q", "summary", json!({"count": 2, "sum": 3.0, "buckets": r#"{"quantiles":[[0.5,1.5]]}"#})),
        row("s", "sum", json!({"temporality": "delta", "monotonic": true, "value": 7.0})),
    ]);
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_point_that_is_sent_again_is_there_once() {
    let server = Server::start();
    let mut position = export(&server, "/v1/metrics", &metrics("app", &all())).await;
    let sql = "SELECT count(*) AS n, sum(value) AS total FROM metrics";
    let once = json!([{"n": 5, "total": 28.5}]);
    assert_eq!(server.rows(sql, position).await, once);
    for metric in all() {
        position = export(&server, "/v1/metrics", &metrics("app", &[metric])).await;
    }
    assert_eq!(server.rows(sql, position).await, once, "in other batches");
    // Another label, another time, another service: other points.
    let mut other = all()[1].clone();
    other["sum"]["dataPoints"][0]["attributes"][0]["value"]["stringValue"] = json!("output");
    export(&server, "/v1/metrics", &metrics("app", &[other])).await;
    let mut later = all()[1].clone();
    later["sum"]["dataPoints"][0]["timeUnixNano"] = json!((START + 2_000_000_000).to_string());
    export(&server, "/v1/metrics", &metrics("app", &[later])).await;
    position = export(&server, "/v1/metrics", &metrics("web", &all()[1..2])).await;
    assert_eq!(server.rows(sql, position).await, json!([{"n": 8, "total": 49.5}]));
    let before = server.rows("SELECT * FROM metrics ORDER BY metric_id", position).await;
    server.post("/v1/rebuild", &json!({})).await.expect(200);
    assert_eq!(server.rows("SELECT * FROM metrics ORDER BY metric_id", position).await, before);
}

#[tokio::test]
async fn a_metric_with_many_points_loses_none() {
    let server = Server::start();
    let points: Vec<_> = (0..1_000).map(|n| point(json!({"asInt": "1", "attributes": [int("n", n)]}))).collect();
    let wide = json!({"name": "wide", "sum": {"aggregationTemporality": 1, "dataPoints": points}});
    let narrow =
        (0..300).map(|n| json!({"name": format!("m{n}"), "gauge": {"dataPoints": [point(json!({"asInt": "1"}))]}}));
    let metrics = metrics("app", &[wide].into_iter().chain(narrow).collect::<Vec<_>>());
    let position = export(&server, "/v1/metrics", &metrics).await;
    let sql = "SELECT count(*) AS n, sum(value) AS total, count(DISTINCT name) AS names FROM metrics";
    assert_eq!(server.rows(sql, position).await, json!([{"n": 1_300, "total": 1_300.0, "names": 301}]));
    assert_eq!(server.rows("SELECT count(*) AS n FROM parked_events", position).await, json!([{"n": 0}]));
}

#[tokio::test]
async fn health_tells_of_each_source() {
    let server = Server::start_with(&["--content-of", "quiet=none"]);
    export(&server, "/v1/metrics", &metrics("app", &all())).await;
    let secret = format!("sk-ant-api03-{}", "Ab3".repeat(31));
    let span = |id: &str| {
        json!({
            "traceId": crate::request::TRACE, "spanId": id, "name": "chat m", "droppedEventsCount": 3, "droppedLinksCount": 1,
            "attributes": [text("gen_ai.operation.name", "chat"), text("note", &secret)],
        })
    };
    let spans = [span("0000000000000001"), span("")];
    server.post("/v1/traces", &crate::request::traces("app", &spans)).await.expect(200);
    server.post("/v1/traces", &crate::request::traces("lost", &[span("")])).await.expect(400);
    let mixed = json!({"resourceSpans": [
        crate::request::traces("other", &[span("")])["resourceSpans"][0],
        crate::request::traces("app", &[span("0000000000000002")])["resourceSpans"][0],
    ]});
    let taken = server.post("/v1/traces", &mixed).await.expect(200);
    let position = taken.header("x-partitura-position").parse().expect("a position");
    server.rows("SELECT 1 AS one FROM events", position).await;
    let health = server.get("/v1/ingest/health").await.expect(200).json;
    let source = |name: &str| {
        let sources = health["sources"].as_array().expect("sources");
        sources.iter().find(|source| source["source"] == name).unwrap_or_else(|| panic!("{name}: {health:#}")).clone()
    };
    let app = source("app");
    assert_eq!((&app["metric_points"], &app["metric_names"]["g"]), (&json!(5), &json!(1)), "{app:#}");
    assert_eq!((&app["events_dropped_by_exporter"], &app["links_dropped_by_exporter"]), (&json!(6), &json!(2)));
    assert_eq!(app["since_start"]["refused"], json!({"otlp.traces": {"without a span id of 8 bytes": 1}}));
    assert!(app["since_start"]["redacted"].as_object().is_some_and(|rules| !rules.is_empty()), "{app:#}");
    assert_eq!(source("other")["since_start"]["refused"], json!({"otlp.traces": {"without a span id of 8 bytes": 1}}));
    assert_eq!(health["refused_since_start"], json!({"otlp.traces": {"without a span id of 8 bytes": 2}}));
    assert_eq!(health["refused_requests_since_start"], json!({"otlp.traces": {"otlp_nothing_usable": 1}}));
}
