//! Tasks, attempts, hand-offs, artifacts and agents that telemetry tells of, beside those that events tell of.

use serde_json::{Value, json};

use crate::request::{START, TRACE, chat, export, text, traces};
use crate::server::Server;

/// Makes a span of an agent, with its task and more.
fn agent(span: &str, parent: &str, name: &str, more: &[Value]) -> Value {
    let mut made = chat(TRACE, span);
    made["parentSpanId"] = json!(parent);
    made["name"] = json!(format!("invoke_agent {name}"));
    let mut attributes = vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", name)];
    attributes.extend(more.iter().cloned());
    made["attributes"] = json!(attributes);
    made
}

/// Wraps spans of a process that names its task and agent.
fn process(resource: &[(&str, &str)], spans: &[Value]) -> Value {
    let mut body = traces("app", spans);
    let named = body["resourceSpans"][0]["resource"]["attributes"].as_array_mut().expect("attributes");
    named.extend(resource.iter().map(|(name, value)| text(name, value)));
    body
}

#[tokio::test]
async fn a_task_is_named_on_the_resource_on_a_span_or_in_the_baggage() {
    let server = Server::start();
    let own = ("task.id", "of-resource");
    let bodies = [
        process(&[own, ("task.type", "bugfix"), ("agent.id", "claude")], &[chat(TRACE, "0000000000000001")]),
        process(
            &[own],
            &[agent("0000000000000002", "", "planner", &[text("task.id", "of-span"), text("task.title", "Plan")])],
        ),
        process(&[own], &[agent("0000000000000003", "", "coder", &[text("baggage.task.id", "of-baggage")])]),
    ];
    let mut position = 0;
    for body in &bodies {
        position = export(&server, "/v1/traces", body).await;
    }
    let sql = "SELECT task_id, title, type, status, agent_id, parent_id, implied FROM tasks ORDER BY task_id";
    let row = |id: &str, title: Value, ty: Value, agent: &str, parent: Value| json!({"task_id": id, "title": title, "type": ty, "status": "in_progress", "agent_id": agent, "parent_id": parent, "implied": true});
    let expected = json!([
        row("of-baggage", Value::Null, Value::Null, "coder", json!("of-resource")),
        row("of-resource", Value::Null, json!("bugfix"), "claude", Value::Null),
        row("of-span", json!("Plan"), Value::Null, "planner", json!("of-resource")),
    ]);
    assert_eq!(server.rows(sql, position).await, expected);
    let attempts = "SELECT attempt_id, agent_id, cause, status, started_at FROM attempts ORDER BY attempt_id";
    let attempt = |task: &str, agent: &str| json!({"attempt_id": format!("{task}#1"), "agent_id": agent, "cause": "first", "status": "running", "started_at": "2026-01-05T10:00:00Z"});
    let expected =
        json!([attempt("of-baggage", "coder"), attempt("of-resource", "claude"), attempt("of-span", "planner")]);
    assert_eq!(server.rows(attempts, position).await, expected);
}

#[tokio::test]
async fn a_task_that_the_process_names_comes_before_that_of_a_framework() {
    let mut task = chat(TRACE, "0000000000000001");
    task["name"] = json!("execute task");
    task["attributes"] = json!([text("crewai.task.id", "inner"), text("crewai.task.name", "write")]);
    let mut call = chat(TRACE, "0000000000000002");
    call["parentSpanId"] = json!("0000000000000001");
    let spans = [task, call];
    let named = process(&[("task.id", "42")], &spans);
    for (body, id, status) in [(named, "42", "in_progress"), (traces("app", &spans), "inner", "completed")] {
        let server = Server::start();
        let position = export(&server, "/v1/traces", &body).await;
        let calls = server.rows("SELECT task_id, count(*) AS n FROM interactions GROUP BY 1", position).await;
        assert_eq!(calls, json!([{"task_id": id, "n": 2}]));
        let tasks = server.rows("SELECT task_id, status FROM tasks", position).await;
        assert_eq!(tasks, json!([{"task_id": id, "status": status}]));
    }
}

#[tokio::test]
async fn events_and_spans_tell_of_one_task_in_any_order() {
    let created = json!({"type": "task.created", "source": "pm", "id": "1", "time": "2026-01-05T09:00:00Z",
        "data": {"task_id": "T-1", "title": "Fix the build", "type": "bugfix"}});
    let completed = json!({"type": "task.completed", "source": "pm", "id": "2", "time": "2026-01-05T12:00:00Z",
        "data": {"task_id": "T-1", "agent_id": "claude"}});
    let named = [("task.id", "t-1"), ("task.title", "another title"), ("task.type", "chore"), ("agent.id", "claude")];
    let spans = process(&named, &[chat(TRACE, "0000000000000001")]);
    let sql = "SELECT task_id, title, type, status, agent_id, created_at, first_started_at, ended_at, queue_minutes, \
               active_minutes, implied FROM tasks";
    let facts = "SELECT calls, tokens_in, attempts, first_agent FROM task_facts";
    let mut answers = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let server = Server::start();
        let mut position = 0;
        for step in order {
            position = match step {
                0 => {
                    server.post("/v1/events", &created).await.expect(201).json["position"].as_u64().expect("a position")
                }
                1 => export(&server, "/v1/traces", &spans).await,
                _ => server.post("/v1/events", &completed).await.expect(201).json["position"]
                    .as_u64()
                    .expect("a position"),
            };
        }
        let tasks = server.rows(sql, position).await;
        assert_eq!(
            server.rows(facts, position).await,
            json!([{"calls": 1, "tokens_in": 10, "attempts": 1, "first_agent": "claude"}])
        );
        answers.push(tasks);
        server.post("/v1/rebuild", &json!({})).await.expect(200);
        assert_eq!(server.rows(sql, position).await, answers[0]);
    }
    let mut expected = json!([{
        "task_id": "T-1", "title": "Fix the build", "type": "bugfix", "status": "completed", "agent_id": "claude",
        "created_at": "2026-01-05T09:00:00Z", "first_started_at": "2026-01-05T10:00:00Z", "ended_at": "2026-01-05T12:00:00Z",
        "queue_minutes": 60.0, "active_minutes": 120.0, "implied": false,
    }]);
    for answer in &answers {
        // The id is spelled as by the earliest of those that name it.
        expected[0]["task_id"] = answer[0]["task_id"].clone();
        assert_eq!(*answer, expected);
    }
    assert_eq!(expected[0]["task_id"], "T-1");
}

#[tokio::test]
async fn the_status_of_a_task_may_be_told() {
    let server = Server::start();
    let mut failed = agent("0000000000000001", "", "coder", &[text("task.id", "a"), text("task.status", "failed")]);
    failed["status"] = json!({"code": 2, "message": "no disk"});
    let mut again =
        agent("0000000000000002", "", "reviewer", &[text("task.id", "a"), text("task.status", "completed")]);
    again["startTimeUnixNano"] = json!((START + 60_000_000_000).to_string());
    again["endTimeUnixNano"] = json!((START + 120_000_000_000).to_string());
    let body = traces("app", &[again.clone(), failed.clone()]);
    let mut position = export(&server, "/v1/traces", &body).await;
    // Sent again in other batches: nothing happens twice.
    for span in [again, failed] {
        position = export(&server, "/v1/traces", &traces("app", &[span])).await;
    }
    let tasks = server.rows("SELECT status, agent_id, error FROM tasks", position).await;
    assert_eq!(tasks, json!([{"status": "completed", "agent_id": "reviewer", "error": null}]));
    let sql = "SELECT agent_id, number, cause, result FROM attempts ORDER BY number";
    let expected = json!([
        {"agent_id": "coder", "number": 1, "cause": "first", "result": "failed"},
        {"agent_id": "reviewer", "number": 2, "cause": "failover", "result": "succeeded"},
    ]);
    assert_eq!(server.rows(sql, position).await, expected);
}

#[tokio::test]
async fn attempts_artifacts_and_aliases_are_told() {
    let server = Server::start();
    let more = [
        text("gen_ai.agent.id", "asst_1"),
        text("gen_ai.agent.version", "2.0"),
        text("attempt.id", "at-1"),
        text("task.id", "42"),
        text("artifact.id", "pr-7"),
        text("artifact.kind", "pull_request"),
        text("artifact.uri", "https://example.com/pr/7"),
    ];
    let position =
        export(&server, "/v1/traces", &traces("app", &[agent("0000000000000001", "", "Coder", &more)])).await;
    let attempts = "SELECT attempt_id, task_id, agent_id, implied FROM attempts WHERE attempt_id = 'at-1'";
    let expected = json!([{"attempt_id": "at-1", "task_id": "42", "agent_id": "asst_1", "implied": true}]);
    assert_eq!(server.rows(attempts, position).await, expected);
    let artifacts = "SELECT artifact_id, attempt_id, task_id, kind, uri, implied FROM artifacts";
    let expected = json!([{
        "artifact_id": "pr-7", "attempt_id": "at-1", "task_id": "42", "kind": "pull_request",
        "uri": "https://example.com/pr/7", "implied": false,
    }]);
    assert_eq!(server.rows(artifacts, position).await, expected);
    let aliases = "SELECT alias, agent_id FROM agent_aliases";
    assert_eq!(server.rows(aliases, position).await, json!([{"alias": "asst_1", "agent_id": "Coder"}]));
    let agents = "SELECT agent_id, name, version FROM agents ORDER BY agent_id";
    let expected = json!([
        {"agent_id": "Coder", "name": null, "version": null}, {"agent_id": "asst_1", "name": "Coder", "version": "2.0"},
    ]);
    assert_eq!(server.rows(agents, position).await, expected);
    let facts = "SELECT agent_id FROM attempt_facts WHERE attempt_id = 'at-1'";
    assert_eq!(server.rows(facts, position).await, json!([{"agent_id": "Coder"}]), "facts count under the name");
    // What an event says of an alias counts more, whenever it happened.
    let alias = json!({"type": "agent.aliased", "source": "s", "id": "1", "time": "2020-01-01T00:00:00Z",
        "data": {"alias": "asst_1", "agent_id": "coder-prod"}});
    let position = server.post("/v1/events", &alias).await.expect(201).json["position"].as_u64().expect("a position");
    assert_eq!(server.rows(aliases, position).await, json!([{"alias": "asst_1", "agent_id": "coder-prod"}]));
}
