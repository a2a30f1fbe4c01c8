//! The folds that ship, one file per table or family.

mod append;
mod latest;
mod scope;
mod telemetry;

mod agent_aliases;
mod agents;
mod approvals;
mod artifacts;
mod attempts;
mod decisions;
mod documents;
mod economics;
mod events;
mod handoffs;
mod interactions;
mod knowledge;
mod messages;
mod metrics;
mod otlp_handoffs;
mod otlp_interactions;
mod otlp_outcomes;
mod outcomes;
mod policies;
mod prices;
pub mod tasks;

use std::sync::LazyLock;

use crate::field::preview;
use crate::fold::Projection;
use crate::otlp::{CURRENT, Translator};

static ALL: LazyLock<Vec<Box<dyn Projection>>> = LazyLock::new(|| with_translator(&CURRENT));

/// Returns the folds of all base tables.
pub fn all() -> &'static [Box<dyn Projection>] {
    &ALL
}

/// Makes the folds of all base tables, which read telemetry by `translator`.
pub fn with_translator(translator: &'static Translator) -> Vec<Box<dyn Projection>> {
    vec![
        Box::new(events::Events),
        Box::new(tasks::Tasks::new(translator)),
        Box::new(attempts::Attempts::new(translator)),
        Box::new(interactions::interactions()),
        Box::new(otlp_interactions::OtlpInteractions(translator)),
        Box::new(metrics::Metrics(translator)),
        Box::new(outcomes::outcomes()),
        Box::new(otlp_outcomes::OtlpOutcomes(translator)),
        Box::new(outcomes::Supersessions),
        Box::new(approvals::Approvals::default()),
        Box::new(artifacts::Artifacts::new(translator)),
        Box::new(agents::Agents::new(translator)),
        Box::new(agent_aliases::AgentAliases(translator)),
        Box::new(knowledge::Knowledge::default()),
        Box::new(messages::messages()),
        Box::new(handoffs::handoffs()),
        Box::new(otlp_handoffs::OtlpHandoffs(translator)),
        Box::new(decisions::decisions()),
        Box::new(prices::prices()),
        Box::new(prices::fx_rates()),
        Box::new(economics::charges()),
        Box::new(economics::budgets()),
        Box::new(policies::verdict_policies()),
        Box::new(policies::sla_definitions()),
        Box::new(policies::kpi_definitions()),
        Box::new(policies::WorkspaceSettings::default()),
        Box::new(documents::Documents),
    ]
}
