//! Groups by numbers instead of words.
//!
//! Words of low cardinality (an agent, a model, a status) come out of tables as dictionaries. DataFusion
//! groups by a dictionary row by row as text; by numbers it is several times faster. So `GROUP BY model`
//! becomes `GROUP BY _code(model)` with `_word(_code)` on top, where both functions share one list of
//! words that lives as long as the plan.

mod words;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use self::words::{Words, code, word};

/// The rule.
#[derive(Debug)]
pub(crate) struct GroupByCodes;

impl OptimizerRule for GroupByCodes {
    fn name(&self) -> &str {
        "group_by_codes"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        match by_codes(aggregate, config)? {
            Some(plan) => Ok(Transformed::yes(plan)),
            None => Ok(Transformed::no(plan)),
        }
    }
}

/// Returns the plan that groups by codes, or `None` if no group is a plain column of words.
fn by_codes(aggregate: &Aggregate, config: &dyn OptimizerConfig) -> Result<Option<LogicalPlan>> {
    let mut groups = Vec::new();
    let mut shown = Vec::new();
    let mut any = false;
    for (expr, output) in aggregate.group_expr.iter().zip(aggregate.schema.columns()) {
        match words_of(expr, aggregate)? {
            Some(words_column) => {
                let words = Arc::new(Words::default());
                let name = config.alias_generator().next("_code");
                let codes = Expr::Column(Column::new_unqualified(name.clone()));
                groups.push(code(&words).call(vec![words_column]).alias(name));
                shown.push(word(&words).call(vec![codes]).alias_qualified(output.relation, output.name));
                any = true;
            }
            None => {
                groups.push(expr.clone());
                shown.push(Expr::Column(output));
            }
        }
    }
    if !any {
        return Ok(None);
    }
    shown.extend(aggregate.schema.columns().into_iter().skip(aggregate.group_expr.len()).map(Expr::Column));
    let coded = Aggregate::try_new(Arc::clone(&aggregate.input), groups, aggregate.aggr_expr.clone())?;
    let plan = Projection::try_new(shown, Arc::new(LogicalPlan::Aggregate(coded)))?;
    Ok(Some(LogicalPlan::Projection(plan)))
}

/// Returns the column, if `expr` is one of words.
fn words_of(expr: &Expr, aggregate: &Aggregate) -> Result<Option<Expr>> {
    let column = expr.clone().unalias();
    if !matches!(column, Expr::Column(_)) {
        return Ok(None);
    }
    let ty = column.get_type(aggregate.input.schema())?;
    Ok((ty == words_type()).then_some(column))
}

/// The type of a column of words.
fn words_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}
