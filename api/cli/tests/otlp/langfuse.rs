//! Real traces of a dozen frameworks, as Langfuse stored them: sent once more in Langfuse's own words and once in
//! the words of their frameworks, every sum of tokens and cost is the stored one. Skipped where the traces are not
//! (`PARTITURA_REALDATA`, `../shared/data` by default).

use std::collections::BTreeMap;
use std::path::PathBuf;

use partitura_event::{Amount, Timestamp};
use serde_json::{Value, json};

use crate::request::{export, text, traces};
use crate::server::Server;

fn files() -> Vec<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("PARTITURA_REALDATA").map_or_else(beside, PathBuf::from);
    let Ok(entries) = std::fs::read_dir(folder.join("langfuse_traces")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}

/// Reads a value that may be JSON within a text.
fn opened(value: &Value) -> Value {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

fn id(value: &Value, digits: usize) -> String {
    let text: String = value.as_str().unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect();
    if text.is_empty() { text } else { format!("{text:0>digits$}")[..digits].to_lowercase() }
}

/// The id of the row that an observation, or its parent, becomes.
fn row_id(observation: &Value, key: &str) -> String {
    format!("{}-{}", id(&observation["traceId"], 32), id(&observation[key], 16))
}

fn nanos(value: &Value) -> String {
    let time = value.as_str().and_then(|text| Timestamp::parse("time", text).ok());
    time.map_or(0, |time| time.micros() * 1_000).to_string()
}

fn observations(path: &PathBuf) -> Vec<Value> {
    let document: Value = serde_json::from_slice(&std::fs::read(path).expect("reads")).expect("JSON");
    let lists = [&document["observations"], &document["trace"]["observations"]];
    lists.into_iter().find_map(Value::as_array).cloned().unwrap_or_default()
}

fn span(observation: &Value, attributes: Vec<Value>) -> Value {
    json!({
        "traceId": id(&observation["traceId"], 32), "spanId": id(&observation["id"], 16),
        "parentSpanId": id(&observation["parentObservationId"], 16), "name": observation["name"],
        "startTimeUnixNano": nanos(&observation["startTime"]), "endTimeUnixNano": nanos(&observation["endTime"]),
        "attributes": attributes,
    })
}

fn as_langfuse(observation: &Value) -> Value {
    let mut attributes =
        vec![text("langfuse.observation.type", &observation["type"].to_string().to_lowercase().replace('"', ""))];
    for (name, key) in [("model.name", "model"), ("input", "input"), ("output", "output")] {
        if let Some(value) = observation[key].as_str() {
            attributes.push(text(&format!("langfuse.observation.{name}"), value));
        }
    }
    for (name, key) in [("usage_details", "usageDetails"), ("cost_details", "costDetails")] {
        if observation[key].as_object().is_some_and(|details| !details.is_empty()) {
            attributes.push(text(&format!("langfuse.observation.{name}"), &observation[key].to_string()));
        }
    }
    span(observation, attributes)
}

fn as_sent(observation: &Value) -> Option<Value> {
    let metadata = opened(&observation["metadata"]);
    let attributes = opened(&metadata["attributes"]);
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let attributes: Vec<_> = attributes.as_object()?.iter().map(|(name, value)| text(name, &written(value))).collect();
    (!attributes.is_empty()).then(|| span(observation, attributes))
}

fn scaled(value: &Value) -> i128 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Amount::parse("cost", &text).map_or(0, Amount::scaled)
}

#[tokio::test]
async fn every_sum_is_the_stored_one() {
    for path in files() {
        let server = Server::start();
        let observations = observations(&path);
        let spans: Vec<_> = observations.iter().map(as_langfuse).collect();
        let position = export(&server, "/v1/traces", &traces("langfuse", &spans)).await;
        let sum = |key: &str| observations.iter().filter_map(|one| one["usageDetails"][key].as_i64()).sum::<i64>();
        let sql = "SELECT count(*) AS n, coalesce(sum(tokens_in), 0) AS i, coalesce(sum(tokens_out), 0) AS o, \
                   coalesce(sum(tokens_in), 0) + coalesce(sum(tokens_out), 0) AS total, sum(cost) AS cost FROM interactions";
        let rows = server.rows(sql, position).await;
        let told = (&rows[0]["n"], &rows[0]["i"], &rows[0]["o"]);
        let stored = (json!(observations.len()), json!(sum("input")), json!(sum("output")));
        assert_eq!(told, (&stored.0, &stored.1, &stored.2), "{}", path.display());
        // A provider's total may have tokens that it puts on neither side.
        if sum("total") == sum("input") + sum("output") {
            assert_eq!(rows[0]["total"], sum("total"), "{}", path.display());
        }
        let cost: i128 = observations.iter().map(|one| scaled(&one["costDetails"]["total"])).sum();
        assert_eq!(scaled(&rows[0]["cost"]), cost, "{}", path.display());
        let sql = "SELECT interaction_id AS id, parent_id, model FROM interactions";
        for row in server.rows(sql, position).await.as_array().expect("rows") {
            let one = observations.iter().find(|one| row["id"] == row_id(one, "id")).expect("it was sent");
            let parent = one["parentObservationId"].as_str().map(|_| row_id(one, "parentObservationId"));
            assert_eq!((&row["parent_id"], &row["model"]), (&json!(parent), &one["model"]), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn counts_in_the_words_of_frameworks_are_the_stored_ones() {
    let (mut compared, mut conventions) = (0, BTreeMap::new());
    for path in files() {
        let server = Server::start();
        let observations = observations(&path);
        let spans: Vec<_> = observations.iter().filter_map(as_sent).collect();
        if spans.is_empty() {
            continue;
        }
        let position = export(&server, "/v1/traces", &traces("app", &spans)).await;
        let sql = "SELECT interaction_id AS id, model, attributes ->> 'response_model' AS response_model, tokens_in, tokens_out, attributes ->> 'convention' AS convention \
                   FROM interactions WHERE tokens_in IS NOT NULL OR tokens_out IS NOT NULL";
        for row in server.rows(sql, position).await.as_array().expect("rows") {
            let one = observations.iter().find(|one| row["id"] == row_id(one, "id")).expect("it was sent");
            // Langfuse keeps the model that answered where one is told, we the one that was asked for, and both.
            let is_model = |key: &str| row[key] == one["model"];
            assert!(is_model("model") || is_model("response_model"), "{}: {row}", path.display());
            let stored = &one["usageDetails"];
            let told = json!({"input": row["tokens_in"].as_i64().unwrap_or(0), "output": row["tokens_out"].as_i64().unwrap_or(0)});
            let stored = json!({"input": stored["input"].as_i64().unwrap_or(0), "output": stored["output"].as_i64().unwrap_or(0)});
            assert_eq!(told, stored, "{}: {row}", path.display());
            compared += 1;
            *conventions.entry(row["convention"].to_string()).or_insert(0) += 1;
        }
    }
    assert!(files().is_empty() || compared >= 10 && conventions.len() >= 3, "{compared}: {conventions:?}");
}
