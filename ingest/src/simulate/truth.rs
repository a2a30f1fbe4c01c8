//! What is known of a simulated history: what was planted, and what really came of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Plan;
use super::economy::BUDGET;
use super::event::rfc3339;
use super::team::{TASK_TYPES, Team};

/// What was counted while writing.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Tasks created.
    pub tasks: u64,
    /// Tasks completed.
    pub completed: u64,
    /// Tasks given up.
    pub given_up: u64,
    /// Calls.
    pub interactions: u64,
    /// Tasks that went to another agent.
    pub hand_overs: u64,
    /// Solutions noted.
    pub notes: u64,
    /// Tasks that had to wait for something.
    pub blocked: u64,
    /// People who reviewed an attempt, and how many of them did not agree with its tests.
    pub reviews: (u64, u64),
    /// Merged changes that were taken back.
    pub reverted: u64,
    /// By agent and task type: attempts that said something of ability, and how many succeeded.
    cells: BTreeMap<(String, &'static str), (u64, u64)>,
    /// Attempts that an outage ended.
    outages: u64,
    /// By team, in millionths of a millionth of a dollar.
    cost: BTreeMap<&'static str, u128>,
}

impl Tally {
    pub(super) fn attempt(&mut self, agent: &str, task_type: &'static str, succeeded: bool, out: bool) {
        if out {
            self.outages += 1;
            return;
        }
        let cell = self.cells.entry((agent.to_owned(), task_type)).or_default();
        cell.0 += 1;
        cell.1 += u64::from(succeeded);
    }

    /// Counts a call's cost and returns it, in dollars.
    pub(super) fn tokens(
        &mut self,
        team: &'static str,
        tokens_in: u64,
        tokens_out: u64,
        price: (&str, &str),
    ) -> String {
        // Prices are dollars per million tokens; times a million they are whole numbers.
        let micros = |text: &str| text.parse::<f64>().map_or(0, |price| (price * 1e6).round() as u128);
        let cost = u128::from(tokens_in) * micros(price.0) + u128::from(tokens_out) * micros(price.1);
        *self.cost.entry(team).or_default() += cost;
        dollars(cost)
    }
}

/// Returns the truth as JSON.
pub fn of(plan: &Plan, team: &Team, tally: &Tally) -> Value {
    let cells: Vec<Value> = tally
        .cells
        .iter()
        .map(|((agent, task_type), (n, succeeded))| {
            json!({"agent_id": agent, "task_type": task_type, "attempts": n, "succeeded": succeeded})
        })
        .collect();
    let cost: BTreeMap<_, _> = tally.cost.iter().map(|(team, units)| (*team, dollars(*units))).collect();
    let total: u128 = tally.cost.values().sum();
    json!({
        "plan": {
            "days": plan.days, "agents": plan.agents, "seed": plan.seed,
            "begin": rfc3339(plan.begin()), "until": rfc3339(plan.until),
        },
        "agents": team.agents.iter().map(|agent| truth_of(plan, agent)).collect::<Vec<_>>(),
        "budget_overrun": {"budget_id": BUDGET.0, "team": BUDGET.1, "amount": BUDGET.2, "currency": "USD"},
        "counted": {
            "tasks": tally.tasks, "completed": tally.completed, "given_up": tally.given_up,
            "interactions": tally.interactions, "hand_overs": tally.hand_overs, "notes": tally.notes,
            "blocked": tally.blocked, "reviews": tally.reviews.0, "reviews_against_tests": tally.reviews.1,
            "reverted": tally.reverted,
            "attempts_lost_to_outage": tally.outages,
            "attempts": cells, "cost_usd_by_team": cost, "cost_usd": dollars(total),
        },
    })
}

/// Writes millionths of a millionth of a dollar as dollars.
fn dollars(units: u128) -> String {
    format!("{}.{:012}", units / 1_000_000_000_000, units % 1_000_000_000_000)
}

fn truth_of(plan: &Plan, agent: &super::team::Agent) -> Value {
    let day = |day: u32| rfc3339(plan.begin() + chrono::Duration::days(i64::from(day)));
    let ability: BTreeMap<_, _> = TASK_TYPES.iter().zip(agent.ability).collect();
    json!({
        "agent_id": agent.id, "model": agent.model, "ability": ability, "latency_ms_median": agent.latency_ms,
        "price_usd_per_million_tokens": {"in": agent.price.0, "out": agent.price.1},
        "better_from": agent.drift.map(|(from, by)| json!({"time": day(from), "by": by})),
        "outage": agent.outage.map(|(from, to)| json!({"from": day(from), "to": day(to)})),
    })
}
