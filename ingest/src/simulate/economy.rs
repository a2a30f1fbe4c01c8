//! What holds from the first day on: agents, prices, a budget that will be overrun.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::event::{Writer, rfc3339};
use super::team::Team;

/// The budget that is set too low on purpose, in US dollars a month.
pub const BUDGET: (&str, &str, &str) = ("payments-monthly", "payments", "40");

/// Writes registrations, prices and the budget.
pub fn open(writer: &mut Writer, team: &Team, at: DateTime<Utc>) {
    for agent in &team.agents {
        let capabilities = ["code", "review", "write"];
        writer.say(
            "agent.registered",
            at,
            json!({
                "agent_id": agent.id, "name": agent.id, "provider": agent.provider, "model": agent.model,
                "version": "1", "capabilities": capabilities, "concurrency": 4,
            }),
        );
    }
    let mut models: Vec<_> = team.agents.iter().map(|agent| (agent.model, agent.provider, agent.price)).collect();
    models.sort_unstable();
    models.dedup();
    for (model, provider, (tokens_in, tokens_out)) in models {
        writer.say(
            "price.set",
            at,
            json!({
                "price_id": format!("{model}-list"), "model": model, "provider": provider, "currency": "USD",
                "valid_from": rfc3339(at),
                "meters": [
                    {"unit": "tokens_in", "per": 1_000_000, "amount": tokens_in},
                    {"unit": "tokens_out", "per": 1_000_000, "amount": tokens_out},
                ],
            }),
        );
    }
    writer.say(
        "verdict.policy_set",
        at,
        json!({"order": ["human", "code", "model", "attempt"], "success": "success", "settle_after": "2d"}),
    );
    let (budget_id, team_name, amount) = BUDGET;
    writer.say(
        "budget.set",
        at,
        json!({
            "budget_id": budget_id, "amount": amount, "currency": "USD", "period": "month",
            "scope": {"team": team_name}, "thresholds": [0.5, 0.8, 1.0], "on_exceeded": "warn",
        }),
    );
}
