//! Durable subscriptions: who gets what, once more when it failed, and after a crash.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;
use crate::world::{append, key, task, text, until};

async fn call(server: &Server, what: &str, body: Value) -> Value {
    server.post(&format!("/v1/subscriptions/{what}"), &body).await.expect(200).json
}

async fn make(server: &Server, body: Value) {
    server.post("/v1/subscriptions", &body).await.expect(201);
}

/// What one pull gave: delivery id, attempt and position of each.
fn given(pulled: &Value) -> Vec<(String, u64, u64)> {
    let each = |one: &Value| {
        let id = one["delivery_id"].as_str().expect("an id").to_owned();
        let position = one["event"]["position"].as_u64().expect("a position");
        (id, one["attempt"].as_u64().expect("a number"), position)
    };
    pulled["deliveries"].as_array().expect("deliveries").iter().map(each).collect()
}

fn positions(pulled: &Value) -> Vec<u64> {
    given(pulled).into_iter().map(|(.., position)| position).collect()
}

fn ids(pulled: &Value) -> Vec<String> {
    given(pulled).into_iter().map(|(id, ..)| id).collect()
}

fn tasks(range: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    range.map(|n| task(&n.to_string())).collect()
}

#[tokio::test]
async fn consumers_share_the_work_and_the_server_remembers() {
    let server = Server::start();
    append(&server, &tasks(1..=10)).await;
    make(&server, json!({"name": "workers", "filter": {"types": ["task.*"]}})).await;
    let (a, b) = (
        call(&server, "workers/pull", json!({"limit": 4})).await,
        call(&server, "workers/pull", json!({"limit": 4})).await,
    );
    assert_eq!((positions(&a), positions(&b)), (vec![1, 2, 3, 4], vec![5, 6, 7, 8]), "each event is out once");
    let listed = server.get("/v1/events").await.expect(200).json["data"].clone();
    assert_eq!(a["deliveries"][0]["event"], listed[0], "as lists show it");
    // The checkpoint waits for the first one that is out.
    let later = call(&server, "workers/ack", json!({"deliveries": ids(&b)})).await;
    assert_eq!((&later["checkpoint"], &later["results"][0]["result"]), (&Value::Null, &json!("acknowledged")));
    let earlier = call(&server, "workers/ack", json!({"deliveries": ids(&a)})).await;
    assert_eq!((&earlier["checkpoint"], &earlier["lag_events"]), (&json!(8), &json!(2)));
    let again = call(&server, "workers/ack", json!({"deliveries": [&ids(&a)[0], "nonsense", "1-2-3"]})).await;
    let results: Vec<_> = again["results"].as_array().expect("results").iter().map(|one| &one["result"]).collect();
    assert_eq!(json!(results), json!(["stale", "stale", "stale"]));
    assert_eq!(positions(&call(&server, "workers/pull", json!({})).await), [9, 10]);
    let shown = server.get("/v1/subscriptions/workers").await.expect(200).json;
    assert_eq!((&shown["in_flight"], &shown["checkpoint"]), (&json!(2), &json!(8)));
    let row = server.rows("SELECT name, checkpoint, in_flight FROM system.subscriptions", 0).await;
    assert_eq!(row, json!([{"name": "workers", "checkpoint": 8, "in_flight": 2}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_waits_for_what_comes() {
    let server = Server::start();
    make(&server, json!({"name": "w", "from": "now", "filter": {"agent_id": "claude"}})).await;
    let empty = call(&server, "w/pull", json!({"wait_ms": 50})).await;
    assert_eq!(positions(&empty), [0; 0]);
    let waiting = call(&server, "w/pull", json!({"wait_ms": 30_000}));
    let write = async {
        append(&server, &tasks(1..=3)).await;
        let done = json!({"type": "task.started", "data": {"task_id": "1", "agent_id": "Claude"}});
        append(&server, &[done]).await
    };
    let (pulled, position) = tokio::join!(waiting, write);
    assert_eq!(positions(&pulled), [position]);
    // One who waits is woken by what another gives back, too.
    let waiting = call(&server, "w/pull", json!({"wait_ms": 30_000}));
    let give_back = call(&server, "w/nack", json!({"deliveries": ids(&pulled)}));
    let (again, _) = tokio::join!(waiting, give_back);
    assert_eq!(given(&again).first().map(|(_, attempt, at)| (*attempt, *at)), Some((2, position)));
}

#[tokio::test]
async fn what_fails_comes_again_and_is_parked_at_last() {
    let server = Server::start();
    append(&server, &tasks(1..=4)).await;
    make(&server, json!({"name": "w", "max_attempts": 2, "ack_timeout_ms": 60_000})).await;
    let first = call(&server, "w/pull", json!({})).await;
    let out = ids(&first);
    // 1 is done; 2 fails twice; 3 is put off; 4 is hopeless.
    call(&server, "w/ack", json!({"deliveries": [out[0]]})).await;
    let back = call(&server, "w/nack", json!({"deliveries": [out[1]], "reason": "no database"})).await;
    assert_eq!(back["results"][0]["result"], "given_back");
    call(&server, "w/nack", json!({"deliveries": [out[2]], "delay_ms": 3_600_000})).await;
    call(&server, "w/nack", json!({"deliveries": [out[3]], "action": "park", "reason": "bad input"})).await;
    let second = call(&server, "w/pull", json!({})).await;
    assert_eq!(given(&second).iter().map(|(_, attempt, at)| (*attempt, *at)).collect::<Vec<_>>(), [(2, 2)]);
    call(&server, "w/nack", json!({"deliveries": ids(&second), "reason": "no database again"})).await;
    assert_eq!(positions(&call(&server, "w/pull", json!({})).await), [0; 0], "2 is parked, 3 is put off");
    let parked = server.get("/v1/subscriptions/w/parked").await.expect(200).json["data"].clone();
    let told: Vec<_> = parked
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["position"], &one["attempts"], &one["reason"]))
        .collect();
    assert_eq!(json!(told), json!([[2, 2, "no database again"], [4, 1, "bad input"]]));
    assert_eq!(parked[0]["event"]["data"]["task_id"], "2");
    let standing = server.get("/v1/subscriptions/w").await.expect(200).json;
    assert_eq!((&standing["checkpoint"], &standing["waiting"], &standing["parked"]), (&json!(2), &json!(1), &json!(2)));
    // Replayed, it is as new; what is done stays done.
    assert_eq!(call(&server, "w/replay", json!({"positions": [4, 999]})).await, json!({"replayed": 1}));
    let replayed = call(&server, "w/pull", json!({})).await;
    assert_eq!(given(&replayed).iter().map(|(_, attempt, at)| (*attempt, *at)).collect::<Vec<_>>(), [(1, 4)]);
    call(&server, "w/ack", json!({"deliveries": ids(&replayed)})).await;
    assert_eq!(call(&server, "w/replay", json!({})).await, json!({"replayed": 1}));
    let replayed = call(&server, "w/pull", json!({})).await;
    assert_eq!(positions(&replayed), [2], "also below the checkpoint");
    call(&server, "w/nack", json!({"deliveries": ids(&replayed), "action": "park"})).await;
    assert_eq!(call(&server, "w/discard", json!({})).await, json!({"discarded": 1}));
    assert_eq!(server.get("/v1/subscriptions/w").await.expect(200).json["parked"], 0);
}

#[tokio::test]
async fn who_takes_too_long_loses_it_to_another() {
    let server = Server::start();
    append(&server, &tasks(1..=1)).await;
    make(&server, json!({"name": "w", "ack_timeout_ms": 300})).await;
    let slow = call(&server, "w/pull", json!({})).await;
    let other = call(&server, "w/pull", json!({"wait_ms": 30_000})).await;
    assert_eq!(given(&other).first().map(|(_, attempt, at)| (*attempt, *at)), Some((2, 1)));
    let late = call(&server, "w/ack", json!({"deliveries": ids(&slow)})).await;
    assert_eq!(late["results"][0]["result"], "stale", "it is another's by now");
    let done = call(&server, "w/ack", json!({"deliveries": ids(&other)})).await;
    assert_eq!((&done["results"][0]["result"], &done["checkpoint"]), (&json!("acknowledged"), &json!(1)));
}

#[tokio::test]
async fn a_window_of_one_keeps_the_order() {
    let server = Server::start();
    append(&server, &tasks(1..=3)).await;
    make(&server, json!({"name": "w", "window": 1})).await;
    let mut seen = Vec::new();
    for turn in 0..6 {
        let pulled = call(&server, "w/pull", json!({"limit": 10})).await;
        let [(id, _, position)] = given(&pulled).try_into().expect("one at a time");
        assert_eq!(given(&call(&server, "w/pull", json!({})).await), [], "nothing beside it");
        seen.push(position);
        let way = if turn % 2 == 0 { "w/nack" } else { "w/ack" };
        call(&server, way, json!({"deliveries": [id]})).await;
    }
    assert_eq!(seen, [1, 1, 2, 2, 3, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_nothing_and_repeats_only_what_was_not_acknowledged() {
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let mut server = Server::start_in(&folder, &[]);
    append(&server, &tasks(1..=60)).await;
    make(&server, json!({"name": "w", "max_attempts": 100})).await;
    make(&server, json!({"name": "later", "from": 40})).await;
    let mut acknowledged = BTreeSet::new();
    let mut handed: BTreeMap<u64, u64> = BTreeMap::new();
    for round in 0..6 {
        let pulled = call(&server, "w/pull", json!({"limit": 20})).await;
        let given = given(&pulled);
        for (_, attempt, position) in &given {
            assert!(!acknowledged.contains(position), "{position} was acknowledged before the crash");
            let before = handed.insert(*position, *attempt).unwrap_or(0);
            assert!(*attempt > before || round == 0 || *attempt >= 1, "{position}");
        }
        // Every second one, and out of order, so that more than the checkpoint has to be remembered.
        let done: Vec<_> = given.iter().rev().step_by(2).collect();
        acknowledged.extend(done.iter().map(|(.., position)| *position));
        call(&server, "w/ack", json!({"deliveries": done.iter().map(|(id, ..)| id).collect::<Vec<_>>()})).await;
        server.kill();
        server = Server::start_in(&folder, &[]);
        let stale = call(&server, "w/ack", json!({"deliveries": [given[1].0]})).await;
        assert_eq!(stale["results"][0]["result"], "stale", "what was out before is nobody's now");
    }
    loop {
        let pulled = call(&server, "w/pull", json!({"limit": 7})).await;
        if ids(&pulled).is_empty() {
            break;
        }
        for position in positions(&pulled) {
            assert!(acknowledged.insert(position), "{position} came again");
        }
        call(&server, "w/ack", json!({"deliveries": ids(&pulled)})).await;
    }
    assert_eq!(acknowledged, (1..=60).collect(), "nothing is lost");
    assert_eq!(server.get("/v1/subscriptions/w").await.expect(200).json["checkpoint"], 60);
    assert_eq!(positions(&call(&server, "later/pull", json!({"limit": 3})).await), [41, 42, 43]);
    // A log does not grow by what its consumers do.
    assert_eq!(server.get("/readyz").await.expect(200).json["head"], 60);
}

#[tokio::test]
async fn it_can_begin_again() {
    let server = Server::start();
    append(&server, &tasks(1..=5)).await;
    make(&server, json!({"name": "w"})).await;
    let old = call(&server, "w/pull", json!({})).await;
    for (to, expected) in [(json!("beginning"), vec![1, 2, 3, 4, 5]), (json!(3), vec![4, 5]), (json!("now"), vec![])] {
        call(&server, "w/reset", json!({"to": to})).await;
        assert_eq!(positions(&call(&server, "w/pull", json!({})).await), expected, "{to}");
    }
    let stale = call(&server, "w/ack", json!({"deliveries": [ids(&old)[0]]})).await;
    assert_eq!(stale["results"][0]["result"], "stale");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let server = Server::start();
    append(&server, &tasks(1..=2)).await;
    make(&server, json!({"name": "workers"})).await;
    server.post("/v1/subscriptions", &json!({"name": "workers", "from": "now"})).await.expect(200);
    let other = json!({"name": "workers", "window": 7});
    server.post("/v1/subscriptions", &other).await.expect_problem(409, "subscription_exists");
    let cases = [
        ("", json!({"name": "Workers"}), 422, "invalid", "name"),
        ("", json!({"name": "../x"}), 422, "invalid", "name"),
        ("", json!({"name": ""}), 422, "invalid", "name"),
        ("", json!({}), 422, "invalid", "name"),
        ("", json!({"name": "x", "window": 0}), 422, "invalid", "window"),
        ("", json!({"name": "x", "window": 1_001}), 422, "invalid", "window"),
        ("", json!({"name": "x", "max_attempts": 0}), 422, "invalid", "max_attempts"),
        ("", json!({"name": "x", "ack_timeout_ms": 99}), 422, "invalid", "ack_timeout_ms"),
        ("", json!({"name": "x", "from": 3}), 422, "position_ahead", "after_position"),
        ("", json!({"name": "x", "from": true}), 422, "invalid", "from"),
        ("", json!({"name": "x", "filter": {"typ": []}}), 422, "unknown_field", "typ"),
        ("", json!({"name": "x", "filter": {"types": ["a*b"]}}), 422, "invalid", "type"),
        ("/workers/pull", json!({"limit": 0}), 422, "invalid", "limit"),
        ("/workers/pull", json!({"limit": 1_001}), 422, "invalid", "limit"),
        ("/workers/pull", json!({"wait_ms": 99_000_000}), 422, "invalid", "wait_ms"),
        ("/workers/ack", json!({"deliveries": []}), 422, "invalid", "deliveries"),
        ("/workers/nack", json!({"deliveries": ["x"], "delay_ms": 99_000_000}), 422, "invalid", "delay_ms"),
        ("/workers/nack", json!({"deliveries": ["x"], "action": "retri"}), 422, "unknown_value", ""),
        ("/workers/reset", json!({"to": 9}), 422, "position_ahead", "after_position"),
        ("/workers/reset", json!({"to": null}), 422, "invalid", "to"),
        ("/worker/pull", json!({}), 404, "unknown_subscription", ""),
    ];
    for (path, body, status, code, field) in cases {
        let refused = server.post(&format!("/v1/subscriptions{path}"), &body).await.expect_problem(status, code);
        let is_named = field.is_empty() || refused.json["issues"][0]["path"] == field;
        assert!(is_named, "{path} {body}: {}", refused.text);
    }
    let near = server.get("/v1/subscriptions/worker").await.expect_problem(404, "unknown_subscription");
    assert_eq!(near.json["suggestions"][0], "workers");
    let gone = Answer::of(server.request(Method::DELETE, "/v1/subscriptions/workers")).await.expect(200);
    assert_eq!(gone.json["name"], "workers");
    assert_eq!(server.get("/v1/subscriptions").await.expect(200).json["data"], json!([]));
    assert!(!server.folder.join("subscriptions/local/workers.json").exists(), "nothing is left of it");
}

#[tokio::test]
async fn it_is_of_one_workspace_and_asks_for_scopes() {
    let server = Server::start();
    let root = key(&server, None, "root", &["admin"], true).await;
    let own = key(&server, Some(text(&root)), "alpha", &["ingest", "read", "act"], false).await;
    let reader = key(&server, Some(text(&root)), "alpha", &["read"], false).await;
    let other = key(&server, Some(text(&root)), "beta", &["read", "act"], false).await;
    let ask = async |key: &Value, path: &str, body: Value| {
        Answer::of(server.request(Method::POST, path).bearer_auth(text(key)).json(&body)).await
    };
    ask(&own, "/v1/events", json!([task("a"), task("b")])).await.expect(201);
    ask(&reader, "/v1/subscriptions", json!({"name": "w"})).await.expect_problem(403, "forbidden");
    let of_type = json!({"types": ["task.created"]});
    ask(&own, "/v1/subscriptions", json!({"name": "w", "filter": of_type})).await.expect(201);
    ask(&other, "/v1/subscriptions", json!({"name": "w", "filter": of_type})).await.expect(201);
    ask(&reader, "/v1/subscriptions/w/reset", json!({"to": "now"})).await.expect_problem(403, "forbidden");
    let pulled = ask(&reader, "/v1/subscriptions/w/pull", json!({})).await.expect(200).json;
    assert_eq!(positions(&pulled).len(), 2, "who reads may pull");
    let theirs = ask(&other, "/v1/subscriptions/w/pull", json!({})).await.expect(200).json;
    assert_eq!(positions(&theirs), [0; 0], "another workspace's subscription of that name sees its own events");
    let stale = ask(&other, "/v1/subscriptions/w/ack", json!({"deliveries": ids(&pulled)})).await.expect(200).json;
    assert_eq!(stale["results"][0]["result"], "stale");
}

#[tokio::test]
async fn a_backup_has_them() {
    let server = Server::start();
    append(&server, &tasks(1..=3)).await;
    make(&server, json!({"name": "w"})).await;
    let pulled = call(&server, "w/pull", json!({"limit": 2})).await;
    call(&server, "w/ack", json!({"deliveries": ids(&pulled)})).await;
    let copy = server.folder.with_extension("copy");
    server.post("/v1/backup", &json!({"to": copy})).await.expect(200);
    let restored = Server::start_in(&copy, &[]);
    assert_eq!(positions(&call(&restored, "w/pull", json!({})).await), [3]);
    until("the original goes on", async || positions(&call(&server, "w/pull", json!({})).await) == [3]).await;
}
