//! Scores by hand: every type and target, repeated, changed, before and after their spans, and wrong ones.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const IN_FORCE: &str = "SELECT o.name, o.value, o.label, o.success FROM outcomes AS o WHERE NOT EXISTS (SELECT 1 FROM \
    outcome_supersessions AS s WHERE s.outcome_id = o.outcome_id) ORDER BY o.name, o.time";

async fn post(server: &Server, score: &Value) -> Answer {
    server.post("/api/public/scores", score).await
}

async fn rows(server: &Server, sql: &str) -> Value {
    let head = server.get("/readyz").await.expect(200).json["head"].as_u64().expect("a position");
    server.rows(sql, head).await
}

#[tokio::test]
async fn types_targets_and_judges_are_kept() {
    let server = Server::start();
    let span = "00f067aa0ba902b7";
    let scores = json!([
        {"id": "1", "name": "a", "traceId": TRACE.to_uppercase(), "observationId": span, "value": 0.5, "dataType": "NUMERIC", "source": "EVAL"},
        {"id": "2", "name": "b", "traceId": TRACE, "value": "good", "comment": "why", "timestamp": "2026-01-05T10:00:00Z"},
        {"id": "3", "name": "c", "sessionId": "s", "value": 0, "dataType": "BOOLEAN", "source": "ANNOTATION"},
        {"id": "4", "name": "d", "datasetRunId": "run", "value": true},
        {"id": "5", "name": "e", "traceId": "order 7", "observationId": "step 1", "value": "Rather say it so.", "dataType": "TEXT", "comment": "c"},
        {"id": "6", "name": "f", "traceId": TRACE, "value": 1, "metadata": {"evaluator": "human", "page": 3}, "configId": "q", "environment": "prod"},
    ]);
    let taken = post(&server, &scores).await.expect(202);
    assert_eq!(taken.json, json!({"message": "Accepted"}));
    let one = post(&server, &json!({"name": "g", "traceId": TRACE, "value": 1})).await.expect(200);
    assert_eq!(one.json["id"].as_str().map(str::len), Some(36), "it draws an id: {}", one.text);
    let told = rows(
        &server,
        "SELECT name, value, label, success, evaluator, interaction_id AS i, trace_id AS t, \
        conversation_id AS c, experiment_id AS e, explanation AS why FROM outcomes ORDER BY name",
    )
    .await;
    let row = |name: &str, evaluator: &str, more: Value| {
        let mut row = json!({"name": name, "value": null, "label": null, "success": null, "evaluator": evaluator, "i": null, "t": null, "c": null, "e": null, "why": null});
        more.as_object().into_iter().flatten().for_each(|(name, value)| row[name] = value.clone());
        row
    };
    let odd = told[4]["i"].clone();
    let expected = json!([
        row("a", "model", json!({"value": 0.5, "i": format!("{TRACE}-{span}")})),
        row("b", "code", json!({"label": "good", "t": TRACE, "why": "why"})),
        row("c", "human", json!({"success": false, "c": "s"})),
        row("d", "code", json!({"success": true, "e": "run"})),
        row("e", "code", json!({"label": "text", "i": odd, "why": "Rather say it so.\n\nc"})),
        row("f", "human", json!({"value": 1.0, "t": TRACE})),
        row("g", "code", json!({"value": 1.0, "t": TRACE})),
    ]);
    assert_eq!(told, expected);
    assert!(
        odd.as_str().is_some_and(|id| id.len() == 49 && id.as_bytes()[32] == b'-'),
        "ids of any form get one form: {odd}"
    );
    let more = rows(
        &server,
        "SELECT attributes ->> 'environment' AS e, attributes ->> 'config_id' AS q FROM outcomes WHERE name = 'f'",
    )
    .await;
    assert_eq!(more, json!([{"e": "prod", "q": "q"}]));
    let timed = rows(&server, "SELECT CAST(time AS VARCHAR) AS time FROM outcomes WHERE name = 'b'").await;
    assert!(timed[0]["time"].as_str().is_some_and(|time| time.starts_with("2026-01-05")), "{timed}");
}

#[tokio::test]
async fn a_score_sent_again_takes_the_place_of_the_former() {
    let server = Server::start();
    let score = |value: f64| json!({"id": "thumb-1", "name": "thumb", "traceId": TRACE, "value": value});
    for (value, events) in [(1.0, 1), (1.0, 1), (0.0, 2), (0.0, 2), (1.0, 3), (1.0, 3), (0.5, 4)] {
        let taken = post(&server, &score(value)).await.expect(200);
        assert_eq!(taken.json, json!({"id": "thumb-1"}));
        let expected = json!([{"name": "thumb", "value": value, "label": null, "success": null}]);
        assert_eq!(rows(&server, IN_FORCE).await, expected);
        assert_eq!(rows(&server, "SELECT count(*) AS n FROM events").await, json!([{"n": events}]), "{value}");
    }
    let twice = json!([score(0.1), score(0.2), score(0.3)]);
    post(&server, &twice).await.expect(202);
    let last = json!([{"name": "thumb", "value": 0.3, "label": null, "success": null}]);
    assert_eq!(rows(&server, IN_FORCE).await, last, "the last of a list counts");
    server.post("/v1/rebuild", &json!({})).await.expect(200);
    assert_eq!(rows(&server, IN_FORCE).await, last);
}

#[tokio::test]
async fn changes_at_the_same_time_leave_one_in_force() {
    let server = Server::start();
    let score = |n: usize| json!({"id": "x", "name": "x", "traceId": TRACE, "value": n});
    let sent = futures::future::join_all((0..6).map(|n| {
        let (server, body) = (&server, score(n));
        async move { post(server, &body).await.status }
    }));
    let taken = sent.await.into_iter().filter(|status| *status == 200).count();
    assert!(taken >= 1);
    assert_eq!(rows(&server, IN_FORCE).await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn wrong_scores_are_answered_one_by_one() {
    let server = Server::start();
    let good = json!({"id": "good", "name": "n", "traceId": TRACE, "value": 1});
    let cases = [
        (json!({"name": "n", "value": 1}), "traceId"),
        (json!({"name": "n", "observationId": "o", "value": 1}), "traceId"),
        (json!({"traceId": TRACE, "value": 1}), "name"),
        (json!({"name": "n", "traceId": TRACE}), "value"),
        (json!({"name": "n", "traceId": TRACE, "value": "x", "dataType": "NUMERIC"}), "does not go with NUMERIC"),
        (json!({"name": "n", "traceId": TRACE, "value": 2, "dataType": "BOOLEAN"}), "does not go with BOOLEAN"),
        (json!({"name": "n", "traceId": TRACE, "value": [1]}), "does not go with"),
        (json!({"name": "n", "traceId": TRACE, "value": 1, "dataType": "NUMBER"}), "NUMERIC"),
        (json!({"name": "n", "traceId": TRACE, "value": 1, "source": "MAGIC"}), "ANNOTATION"),
        (json!({"name": 7, "traceId": TRACE, "value": 1}), "string"),
        (json!({"id": "i".repeat(600), "name": "n", "traceId": TRACE, "value": 1}), "at most 512"),
        (json!({"name": "n", "traceId": TRACE, "value": 1, "timestamp": "yesterday"}), "time"),
        (json!("text"), "struct"),
    ];
    let mut list: Vec<_> = cases.iter().map(|(score, _)| score.clone()).collect();
    list.push(good.clone());
    let partly = post(&server, &json!(list)).await.expect(207);
    assert_eq!((&partly.json["accepted"], &partly.json["rejected"]), (&json!(1), &json!(cases.len())));
    for (at, (score, says)) in cases.iter().enumerate() {
        let told = partly.json["errors"][at]["message"].as_str().expect("a message");
        assert!(told.contains(says), "{score}: {told}");
        let alone = post(&server, score).await;
        assert!((400..=422).contains(&alone.status) && alone.json["code"].is_string(), "{score}: {}", alone.text);
    }
    for body in ["", "{", "null", "7", "[{]"] {
        let refused = server.post_bytes("/api/public/scores", "application/json", body).await;
        assert!((400..=422).contains(&refused.status), "{body}: {}", refused.text);
    }
    post(&server, &json!([])).await.expect(202);
    assert_eq!(rows(&server, "SELECT outcome_id FROM outcomes").await, json!([{"outcome_id": "good"}]));
    let health = server.get("/v1/ingest/health").await.expect(200).json;
    let refused = health["refused_since_start"]["langfuse.scores"].as_object().expect("counts by code");
    let total: u64 = refused.values().filter_map(Value::as_u64).sum();
    // Each in the list and each alone, and the two bodies that are JSON but no score.
    assert_eq!(total, 2 * cases.len() as u64 + 2, "{health}");
}
