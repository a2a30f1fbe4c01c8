//! The folds that ship, one file per table or family.

mod append;
mod latest;
mod scope;

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
mod otlp_interactions;
mod otlp_outcomes;
mod outcomes;
mod policies;
mod prices;
pub mod tasks;

use std::sync::LazyLock;

use crate::field::preview;
use crate::fold::Projection;

static ALL: LazyLock<Vec<Box<dyn Projection>>> = LazyLock::new(|| {
    vec![
        Box::new(events::Events),
        Box::new(tasks::Tasks::default()),
        Box::new(attempts::Attempts::default()),
        Box::new(interactions::interactions()),
        Box::new(otlp_interactions::OtlpInteractions),
        Box::new(outcomes::outcomes()),
        Box::new(otlp_outcomes::OtlpOutcomes),
        Box::new(outcomes::Supersessions),
        Box::new(approvals::Approvals::default()),
        Box::new(artifacts::Artifacts::default()),
        Box::new(agents::Agents::default()),
        Box::new(agents::agent_aliases()),
        Box::new(knowledge::Knowledge::default()),
        Box::new(messages::messages()),
        Box::new(handoffs::handoffs()),
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
});

/// Returns the folds of all base tables.
pub fn all() -> &'static [Box<dyn Projection>] {
    &ALL
}
