//! [`BASE_TABLES`]: the tables that projections write, in the order in which they are documented.

use super::TableSpec;
use super::agents::{AGENT_ALIASES, AGENTS};
use super::approvals::APPROVALS;
use super::artifacts::ARTIFACTS;
use super::attempts::ATTEMPTS;
use super::decisions::DECISIONS;
use super::documents::DOCUMENTS;
use super::economics::{BUDGETS, CHARGES};
use super::events::EVENTS;
use super::handoffs::{HANDOFFS, OTLP_HANDOFFS};
use super::interactions::{INTERACTIONS, OTLP_INTERACTIONS};
use super::knowledge::KNOWLEDGE;
use super::messages::MESSAGES;
use super::metrics::METRICS;
use super::outcomes::{OUTCOME_SUPERSESSIONS, OUTCOMES};
use super::parked::PARKED_EVENTS;
use super::policies::{KPI_DEFINITIONS, SLA_DEFINITIONS, VERDICT_POLICIES, WORKSPACE_SETTINGS};
use super::prices::{FX_RATES, PRICES};
use super::tasks::TASKS;

/// Every table that a fold of the log fills.
pub static BASE_TABLES: &[&TableSpec] = &[
    &EVENTS,
    &TASKS,
    &ATTEMPTS,
    &INTERACTIONS,
    &OTLP_INTERACTIONS,
    &METRICS,
    &OUTCOMES,
    &OUTCOME_SUPERSESSIONS,
    &APPROVALS,
    &ARTIFACTS,
    &AGENTS,
    &AGENT_ALIASES,
    &KNOWLEDGE,
    &MESSAGES,
    &HANDOFFS,
    &OTLP_HANDOFFS,
    &DECISIONS,
    &PRICES,
    &FX_RATES,
    &CHARGES,
    &BUDGETS,
    &VERDICT_POLICIES,
    &SLA_DEFINITIONS,
    &KPI_DEFINITIONS,
    &WORKSPACE_SETTINGS,
    &DOCUMENTS,
    &PARKED_EVENTS,
];

/// Returns the base table of this name.
pub fn base_table(name: &str) -> Option<&'static TableSpec> {
    BASE_TABLES.iter().copied().find(|spec| spec.name == name)
}
