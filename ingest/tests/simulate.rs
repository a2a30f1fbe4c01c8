//! The simulated history: the same for the same seed, valid to the last event, and true to what it says of itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use partitura_event::json::Node;
use partitura_event::{EventType, kind};
use partitura_ingest::simulate::{Plan, Simulation};
use serde_json::Value;

fn plan(days: u32, seed: u64) -> Plan {
    let until = DateTime::<Utc>::from_timestamp(1_772_323_200, 0).expect("a time");
    Plan { days, agents: 6, seed, until, tasks_per_day: 34.0 }
}

fn history(plan: Plan) -> (Vec<Value>, Value) {
    let mut simulation = Simulation::new(plan);
    let mut events = Vec::new();
    while let Some(day) = simulation.next_day() {
        events.extend(day);
    }
    (events, simulation.truth())
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let text = |seed| {
        let (events, truth) = history(plan(6, seed));
        (events.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"), truth.to_string())
    };
    assert_eq!(text(7), text(7));
    assert_ne!(text(7).0, text(8).0);
}

#[test]
fn every_event_passes_the_door_without_a_warning() {
    let (events, _) = history(plan(12, 7));
    let mut ids = BTreeSet::new();
    for event in &events {
        let name = event["type"].as_str().expect("a type");
        assert!(kind::find(name).is_some(), "{name} is known");
        let checked = kind::check(&EventType::new(name).expect("a type"), &Node::from(&event["data"]));
        assert_eq!((checked.issues, checked.warnings), (vec![], vec![]), "{event}");
        assert!(ids.insert(event["id"].to_string()), "ids are unique");
    }
}

#[test]
fn the_default_history_is_large_and_true() {
    let (events, truth) = history(plan(90, 7));
    assert!(events.len() >= 50_000, "only {} events", events.len());
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &events {
        *counts.entry(event["type"].as_str().expect("a type")).or_default() += 1;
    }
    let counted = &truth["counted"];
    for (kind, name) in [
        ("task.created", "tasks"),
        ("task.completed", "completed"),
        ("task.failed", "given_up"),
        ("interaction.recorded", "interactions"),
        ("task.handed_off", "hand_overs"),
        ("task.blocked", "blocked"),
    ] {
        assert_eq!(counted[name], counts[kind], "{kind}");
    }
    observed_rates_match_abilities(&truth);
    the_budget_is_overrun(&truth);
}

/// Holds the counted success of each agent and task type against its ability, within four standard errors.
fn observed_rates_match_abilities(truth: &Value) {
    let agents: BTreeMap<&str, &Value> =
        truth["agents"].as_array().expect("agents").iter().map(|a| (a["agent_id"].as_str().expect("id"), a)).collect();
    let mut judged = 0;
    for cell in truth["counted"]["attempts"].as_array().expect("cells") {
        let agent = agents[cell["agent_id"].as_str().expect("an agent")];
        let n = cell["attempts"].as_f64().expect("a count");
        if n < 30.0 {
            continue;
        }
        let low = agent["ability"][cell["task_type"].as_str().expect("a type")].as_f64().expect("an ability");
        let high = (low + agent["better_from"]["by"].as_f64().unwrap_or(0.0)).min(0.98);
        let rate = cell["succeeded"].as_f64().expect("a count") / n;
        let error = 4.0 * (low * (1.0 - low) / n).sqrt();
        assert!((low - error..=high + error).contains(&rate), "{cell}: ability {low} to {high}");
        judged += 1;
    }
    assert!(judged > 20, "only {judged} cells have enough attempts");
}

fn the_budget_is_overrun(truth: &Value) {
    let budget = &truth["budget_overrun"];
    let spent = &truth["counted"]["cost_usd_by_team"][budget["team"].as_str().expect("a team")];
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok()).expect("an amount");
    // Three months of history against a monthly amount.
    assert!(number(spent) > 3.0 * number(&budget["amount"]), "{spent} of {}", budget["amount"]);
}
