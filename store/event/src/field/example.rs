//! Examples: one valid value of each field, for the reference, the schemas and the golden bytes.

use serde_json::{Map, Value, json};

use super::spec::{FieldSpec, FieldType};

/// Returns an object with those of `fields` that `wanted` chooses filled in.
pub fn example(fields: &[FieldSpec], wanted: &dyn Fn(&FieldSpec) -> bool) -> Map<String, Value> {
    let chosen = fields.iter().filter(|field| wanted(field));
    chosen.map(|field| (field.name.to_owned(), value(field.name, &field.ty))).collect()
}

fn value(name: &str, ty: &FieldType) -> Value {
    match ty {
        FieldType::Id | FieldType::Name | FieldType::Text => Value::from(text(name)),
        FieldType::Bool => Value::from(true),
        FieldType::Count => Value::from(1200),
        FieldType::Positive => Value::from(if name == "per" { 1_000_000 } else { 2 }),
        FieldType::Number => json!(0.75),
        FieldType::Measure => json!(12.5),
        FieldType::Fraction => json!(0.8),
        FieldType::Percent => Value::from(60),
        FieldType::Priority => Value::from("high"),
        FieldType::Amount | FieldType::Price => Value::from("0.0125"),
        FieldType::Currency => Value::from(if name == "base" { "EUR" } else { "USD" }),
        FieldType::Time => Value::from("2026-01-05T10:00:00Z"),
        FieldType::Span => Value::from("24h"),
        FieldType::Period => Value::from("2026-01"),
        FieldType::Word(words) => Value::from(words[0]),
        FieldType::Labels => json!({"area": "billing"}),
        FieldType::Content => Value::from(text(name)),
        FieldType::Condition => json!({"any": [{"outcome": {"name": "tests", "at_least": 1}}, "success"]}),
        FieldType::Object if name == "otlp" => otlp(),
        FieldType::Object if name == "above" => json!({
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b6", "name": "invoke_agent planner",
        }),
        FieldType::Object => json!({"team_size": 3}),
        FieldType::List(item) => Value::Array(vec![value(name, item)]),
        FieldType::Record(fields) => Value::Object(example(fields, &|_| true)),
    }
}

fn otlp() -> Value {
    let attribute = |key: &str, value: Value| json!({"key": key, "value": value});
    let attributes = [
        attribute("gen_ai.operation.name", json!({"stringValue": "chat"})),
        attribute("gen_ai.request.model", json!({"stringValue": "claude-sonnet-4-5"})),
        attribute("gen_ai.usage.input_tokens", json!({"intValue": "1200"})),
        attribute("gen_ai.usage.output_tokens", json!({"intValue": "80"})),
    ];
    json!({"resourceSpans": [{
        "resource": {"attributes": [attribute("service.name", json!({"stringValue": "billing-agent"}))]},
        "scopeSpans": [{"scope": {"name": "billing"}, "spans": [{
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7",
            "name": "chat claude-sonnet-4-5", "kind": 3, "attributes": attributes,
            "startTimeUnixNano": "1767607200000000000", "endTimeUnixNano": "1767607201500000000",
        }]}],
    }]})
}

/// Texts by the field's name, so that an example reads like an event.
const TEXTS: &[(&str, &str)] = &[
    ("action", "Deploy release 2.4 to production"),
    ("actions", "webhook:on-call"),
    ("agent_id", "claude"),
    ("agent_version", "2026-01-03"),
    ("alert_id", "error-rate"),
    ("alias", "claude-code"),
    ("approval_id", "approval-7"),
    ("approvers", "dana"),
    ("artifact_id", "pr-311"),
    ("attempt_id", "42-1"),
    ("budget_id", "platform-monthly"),
    ("by", "dana"),
    ("capabilities", "rust"),
    ("charge_id", "seats-2026-01"),
    ("chosen", "claude"),
    ("comment", "Exactly what I needed."),
    ("complexity", "medium"),
    ("context_refs", "knowledge/k-12"),
    ("control", "prompt-a"),
    ("conversation_id", "thread-9"),
    ("decision_id", "decision-88"),
    ("depends_on", "41"),
    ("description", "Share of tasks that were accepted at the first attempt"),
    ("disabled", "email"),
    ("error", "migration 0042 fails: column \"region\" already exists"),
    ("error_class", "tests_failed"),
    ("evaluator_id", "ci"),
    ("evaluator_version", "3"),
    ("evidence", "SELECT * FROM interactions WHERE status = 'error'"),
    ("experiment_id", "prompt-b"),
    ("explanation", "All 214 tests pass."),
    ("filter", "type = 'bugfix'"),
    ("fingerprint", "error-rate/claude"),
    ("finish_reason", "stop"),
    ("forecast_id", "cost-2026-02"),
    ("from", "claude"),
    ("from_attempt", "42-1"),
    ("handoff_id", "handoff-3"),
    ("hypothesis", "A shorter prompt is as good and costs less."),
    ("input", "Why does the migration fail?"),
    ("interaction_id", "call-1001"),
    ("key_id", "key-ci"),
    ("kpi_id", "first-time-right"),
    ("knowledge_id", "k-12"),
    ("label", "pass"),
    ("language", "rust"),
    ("links", "task/42"),
    ("message_id", "message-5"),
    ("method", "ets-1"),
    ("metric", "cost"),
    ("model", "claude-sonnet-4-5"),
    ("name", "tests"),
    ("note", "The schema is migrated, the backfill is running."),
    ("outcome_id", "outcome-19"),
    ("output", "Because the column exists since migration 0040."),
    ("parent_id", "40"),
    ("pattern", "tok_[a-z0-9]{32}"),
    ("policy", "balanced"),
    ("preferred_over", "42-2"),
    ("price_id", "claude-sonnet-2026"),
    ("project_id", "billing"),
    ("prompt_id", "triage"),
    ("prompt_version", "7"),
    ("provider", "anthropic"),
    ("question", "when_done"),
    ("reason", "The staging database is down."),
    ("reasons", "Accepted 41 of 44 bug fixes."),
    ("replaced_by", "claude-next"),
    ("reply_to", "message-4"),
    ("repository", "acme/billing"),
    ("requested_by", "claude"),
    ("requester", "dana"),
    ("required", "rust"),
    ("retry_of", "42-0"),
    ("service", "billing-agent"),
    ("shortened", "9c1185a5c5e9fc54612808977ee8f548"),
    ("sla_id", "bugs-in-a-day"),
    ("source", "ci"),
    ("sql", "SELECT count(*) FROM tasks WHERE status = 'blocked'"),
    ("state", "merged"),
    ("status", "ok"),
    ("subject_id", "person-3f9a"),
    ("summary", "Made migration 0042 idempotent."),
    ("supersedes", "outcome-18"),
    ("tags", "migrations"),
    ("task_id", "42"),
    ("task_type", "bugfix"),
    ("team", "platform"),
    ("text", "Migration 0042 adds a column that may exist; guard it with IF NOT EXISTS."),
    ("time_zone", "Europe/Berlin"),
    ("title", "Migration 0042 fails on staging"),
    ("to", "gemini"),
    ("to_agent", "gemini"),
    ("tool_name", "bash"),
    ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("type", "bugfix"),
    ("unit", "task"),
    ("unit_id", "42"),
    ("uri", "https://git.example.com/acme/billing/pull/311"),
    ("user_id", "user-17"),
    ("variant", "prompt-b"),
    ("version", "2026-01-03"),
    ("whole_of", "9c1185a5c5e9fc54612808977ee8f548"),
    ("why", "Its breaker is open."),
    ("winner", "prompt-b"),
    ("workspaces", "research"),
];

fn text(name: &str) -> String {
    match TEXTS.iter().find(|(field, _)| *field == name) {
        Some((_, text)) => (*text).to_owned(),
        None => name.replace('_', "-"),
    }
}
