//! SQL functions of our own, and those of DataFusion that are replaced.

mod bounded;
mod by_rules;
mod calendar;
mod cost;
mod embed;
mod exact;
mod forbidden;
mod interval;
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
    let mut planners: Vec<Arc<dyn ExprPlanner>> =
        vec![Arc::new(json::JsonOperators), Arc::new(interval::IntervalProduct)];
    if zone != Zone::default() {
        planners.push(Arc::new(calendar::Extract(zone)));
    }
    planners
}

/// Registers them in a template for queries in `zone`.
pub(crate) fn register(state: &mut SessionState, zone: Zone, embed: Option<&Arc<dyn SqlEmbed>>) -> Result<()> {
    let own = [now::now(), period::period_start(zone), interval::interval_times()];
    for function in forbidden::all().into_iter().chain(json::all()).chain(own) {
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

#[cfg(test)]
mod tests {
    use datafusion::execution::SessionStateBuilder;
    use datafusion::logical_expr::Volatility;

    use super::*;

    fn registered() -> SessionState {
        let mut state = SessionStateBuilder::new().with_default_features().build();
        register(&mut state, Zone::default(), None).expect("they are registered");
        state
    }

    /// A session registers its functions anew in no order: what is left under an alias comes back under its name.
    #[test]
    fn what_is_replaced_is_replaced_under_all_its_names() {
        let state = registered();
        for (name, function) in state.scalar_functions() {
            let owner = &state.scalar_functions()[function.name()];
            assert!(Arc::ptr_eq(owner, function), "`{name}` is left of the `{}` that was replaced", function.name());
        }
        for (name, function) in state.aggregate_functions() {
            let owner = &state.aggregate_functions()[function.name()];
            assert!(Arc::ptr_eq(owner, function), "`{name}` is left of the `{}` that was replaced", function.name());
        }
    }

    #[test]
    fn no_function_has_another_answer_each_time() {
        let state = registered();
        let of = |volatility: Volatility| volatility == Volatility::Volatile;
        let scalar =
            state.scalar_functions().iter().filter(|(_, f)| of(f.signature().volatility)).map(|(name, _)| name);
        let random: Vec<&String> = scalar.collect();
        assert!(random.is_empty(), "{random:?}");
    }
}
