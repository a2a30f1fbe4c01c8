//! `record_interaction`, `record_task`, `record_outcome`: what happened.

use std::collections::BTreeMap;

use futures::FutureExt;
use partitura_event::Problem;
use partitura_service::{Recording, Scope, recording::raw};

use crate::arguments::{Members, read, take_text};
use crate::reply::{Answer, appended};
use crate::schema;
use crate::tool::{Call, Effect, Tool};

/// What can happen to a task; each is the kind `task.…`.
const TASK_EVENTS: &[&str] = &[
    "created",
    "updated",
    "assigned",
    "started",
    "progressed",
    "blocked",
    "unblocked",
    "paused",
    "reopened",
    "unassigned",
    "handed_off",
    "completed",
    "failed",
    "cancelled",
];

/// Members of the envelope, by the name of the argument.
const ENVELOPE: &[(&str, &str)] = &[("event_id", "id"), ("source", "source"), ("time", "time")];

pub fn tools() -> Vec<Tool> {
    vec![
        Tool {
            name: "record_interaction",
            title: "Record a call",
            about: "Record one call of a model, a tool, another agent or a retriever: what went in and out, what it \
                    took and cost.",
            scope: Scope::Ingest,
            effect: Effect::Adds,
            takes: || {
                let mut fields = fields(&["interaction.recorded"]);
                fields.insert("interaction_id".into(), schema::text("The call; a new id when it is left out"));
                schema::object(fields, &["kind"])
            },
            gives: || schema::appended(&["interaction_id"]),
            run: |call| interaction(call).boxed(),
        },
        Tool {
            name: "record_task",
            title: "Record what happens to a task",
            about: "Record that a task was created, assigned, started, has moved on, was blocked, handed off, completed, \
                    failed or cancelled. `event` says which; the other fields are those of that event. A new task needs \
                    a title; task.assigned an agent_id; task.handed_off a handoff_id and to_agent.",
            scope: Scope::Ingest,
            effect: Effect::Adds,
            takes: || schema::object(task_fields(), &[]),
            gives: || schema::appended(&["task_id"]),
            run: |call| task(call).boxed(),
        },
        Tool {
            name: "record_outcome",
            title: "Record how good something was",
            about: "Record a score, a label or a success of exactly one attempt, task, interaction, conversation, \
                    decision or experiment, by a named evaluator: human, code (tests, checks) or model.",
            scope: Scope::Ingest,
            effect: Effect::Adds,
            takes: || schema::object(fields(&["outcome.recorded"]), &["name", "evaluator"]),
            gives: || schema::appended(&[]),
            run: |call| outcome(call).boxed(),
        },
    ]
}

fn fields(kinds: &[&str]) -> schema::Properties {
    let mut fields = schema::fields_of(kinds);
    fields.extend(schema::envelope());
    fields
}

fn task_fields() -> schema::Properties {
    let kinds: Vec<String> = TASK_EVENTS.iter().map(|event| format!("task.{event}")).collect();
    let mut fields = fields(&kinds.iter().map(String::as_str).collect::<Vec<_>>());
    fields.insert("event".into(), schema::word("What happened; `created` when it is left out", TASK_EVENTS));
    fields.insert("task_id".into(), schema::text("The task; a new id when a new task has none"));
    fields
}

async fn interaction(call: Call) -> Result<Answer, Problem> {
    let members = read(&call.arguments)?;
    record(&call, "interaction.recorded", Some("interaction_id"), members).await
}

async fn outcome(call: Call) -> Result<Answer, Problem> {
    let members = read(&call.arguments)?;
    record(&call, "outcome.recorded", None, members).await
}

async fn task(call: Call) -> Result<Answer, Problem> {
    let mut members: Members = read(&call.arguments)?;
    let event = take_text(&mut members, "event")?.unwrap_or_else(|| "created".to_owned());
    if !TASK_EVENTS.contains(&event.as_str()) {
        let detail = format!("`event` = `{event:.60}` is nothing that can happen to a task");
        return Err(Problem::invalid_field("event", "unknown_value", detail)
            .code("unknown_value")
            .suggest(&event, TASK_EVENTS.iter().copied())
            .hint(format!("`event` is one of {}", TASK_EVENTS.join(", "))));
    }
    let id_field = (event == "created").then_some("task_id");
    record(&call, &format!("task.{event}"), id_field, members).await
}

/// Splits the arguments into envelope and data, and records them.
async fn record(call: &Call, kind: &str, id_field: Option<&str>, mut members: Members) -> Result<Answer, Problem> {
    let key = take_text(&mut members, "idempotency_key")?;
    let mut envelope = BTreeMap::new();
    for (argument, name) in ENVELOPE {
        if let Some(value) = members.remove(*argument) {
            envelope.insert(*name, value);
        }
    }
    if let Some(traceparent) = &call.traceparent {
        envelope.insert("traceparent", raw(traceparent)?);
    }
    let recording = Recording { kind, data: members, envelope, id_field, request_key: key.as_deref() };
    let (given, done) = call.service.record(&call.principal, recording).await?;
    let named = id_field.zip(given.as_deref());
    Ok(appended(&done, named.as_slice()))
}
