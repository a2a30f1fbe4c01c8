//! Every kind of the vocabulary is folded, or is listed here as kept in `events` only.

use partitura_event::kind;
use partitura_event::schema::example;
use partitura_projection::builtin;

use super::world::{Told, World, batches_of, workspace};

const HANDOFF: &str = r#"{"otlp":{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"transfer","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}},{"key":"gen_ai.tool.name","value":{"stringValue":"transfer_to_billing"}}]}]}]}]}}"#;
const METRIC: &str = r#"{"otlp":{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}}"#;

#[test]
fn kinds_without_a_table_of_their_own() {
    let folded =
        |name: &str| builtin::all().iter().filter(|fold| fold.table().name != "events").any(|fold| fold.wants(name));
    let kept: Vec<_> = kind::all().iter().map(|spec| spec.type_name).filter(|name| !folded(name)).collect();
    let expected =
        ["redaction.policy_set", "retention.policy_set", "key.created", "key.rotated", "key.revoked", "subject.erased"];
    assert_eq!(kept, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_folded_without_parking() {
    let world = World::new(batches_of(1_000)).await;
    let told = |number: usize, kind: &str, data: String| Told {
        source: "test".into(),
        id: format!("e{number}"),
        kind: kind.into(),
        time: 1_767_600_000_000_000,
        data,
    };
    let examples = kind::all().iter().map(|spec| (spec.type_name, example(spec).to_string()));
    // The example of telemetry is a call, and no hand-off and no metric.
    let more = [("otlp.traces", HANDOFF), ("otlp.metrics", METRIC)].map(|(kind, data)| (kind, data.to_owned()));
    let all = examples.chain(more).enumerate();
    let events: Vec<_> = all.map(|(number, (kind, data))| told(number, kind, data)).collect();
    world.append(&workspace("w"), &events).await;
    world.projector.catch_up().await.expect("catches up");
    let progress = world.projector.progress();
    assert_eq!(progress.latest_parked, []);
    let tables = world.dump(&workspace("w"), &[], false).await;
    let filled: Vec<_> =
        partitura_table::BASE_TABLES.iter().map(|spec| spec.name).filter(|name| !tables.contains_key(*name)).collect();
    assert_eq!(filled, ["parked_events"], "every table but that of parked events has a row");
}
