//! SQL functions of our own, and those of DataFusion that are replaced.

mod bounded;
mod by_rules;
mod calendar;
mod cost;
mod embed;
mod exact;
mod forbidden;
mod json;
mod local;
mod now;
mod period;
mod quantile;
mod truncation;
mod verdict;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::planner::ExprPlanner;

use crate::hook::SqlEmbed;
use crate::request::Zone;
use crate::rules::Rules;

/// Returns the planners of operators and of `extract`, to be asked before DataFusion's.
pub(crate) fn planners(zone: Zone) -> Vec<Arc<dyn ExprPlanner>> {
    let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(json::JsonOperators)];
    if zone != Zone::default() {
        planners.push(Arc::new(calendar::Extract(zone)));
    }
    planners
}

/// Registers them in a template for queries in `zone`.
pub(crate) fn register(state: &mut SessionState, zone: Zone, embed: Option<&Arc<dyn SqlEmbed>>) -> Result<()> {
    for function in forbidden::all().into_iter().chain(json::all()).chain([now::now(), period::period_start(zone)]) {
        state.register_udf(Arc::new(function))?;
    }
    bounded::register(state)?;
    for function in exact::all().into_iter().chain(quantile::all()) {
        state.register_udaf(Arc::new(function))?;
    }
    if let Some(model) = embed {
        state.register_udf(Arc::new(embed::embed(model.clone())))?;
    }
    for function in calendar::all(zone) {
        state.register_udf(Arc::new(function))?;
    }
    if zone != Zone::default() {
        state.add_analyzer_rule(Arc::new(local::LocalCasts(zone)));
    }
    Ok(())
}

/// Registers the functions by which views apply a workspace's prices and verdict policies.
pub(crate) fn register_rules(state: &mut SessionState, rules: &Arc<Rules>) -> Result<()> {
    state.register_udf(Arc::new(cost::cost(rules.clone())))?;
    state.register_udf(Arc::new(verdict::verdict(rules.clone())))?;
    Ok(())
}
