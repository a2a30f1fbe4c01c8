//! Casts between instants and dates, read in the workspace's time zone.
//!
//! `time::date`, `time >= current_date` and `time >= '2026-03-29'` are casts, not functions, so they are
//! rewritten once types are known: the instant is first moved to the zone, the date or text is read in it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::functions::datetime;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::calendar::is_instant;
use crate::request::Zone;

/// The rewrite, for a zone that is not UTC.
#[derive(Debug)]
pub(crate) struct LocalCasts(pub Zone);

impl AnalyzerRule for LocalCasts {
    fn name(&self) -> &str {
        "local_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| self.rewrite_node(node)).map(|transformed| transformed.data)
    }
}

impl LocalCasts {
    fn rewrite_node(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let mut schema = merge_schema(&node.inputs());
        schema.merge(node.schema());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            expr.transform_up(|part| self.rewrite_cast(part, &schema))
                .map(|transformed| transformed.update_data(|expr| name.restore(expr)))
        })
    }

    fn rewrite_cast(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let Expr::Cast(cast) = &expr else { return Ok(Transformed::no(expr)) };
        let target = cast.field.data_type().clone();
        let Ok(source) = cast.expr.get_type(schema) else { return Ok(Transformed::no(expr)) };
        if let (DataType::Timestamp(unit, _), DataType::Timestamp(_, None)) = (&source, &target)
            && is_instant(&source)
        {
            // What the clock shows there; this is also how an instant is compared with a date.
            let zoned = DataType::Timestamp(*unit, Some(Arc::from(self.0.tz.name())));
            let moved = Expr::Cast(Cast::new(cast.expr.clone(), zoned));
            let shown = ScalarFunction::new_udf(datetime::to_local_time(), vec![moved]);
            return Ok(Transformed::yes(Expr::Cast(Cast::new(Box::new(Expr::ScalarFunction(shown)), target))));
        }
        let middle = match (&source, &target) {
            (DataType::Timestamp(unit, Some(_)), DataType::Date32 | DataType::Date64) if is_instant(&source) => *unit,
            (
                DataType::Date32
                | DataType::Date64
                | DataType::Utf8
                | DataType::Utf8View
                | DataType::LargeUtf8
                | DataType::Timestamp(_, None),
                DataType::Timestamp(unit, Some(_)),
            ) if is_instant(&target) => *unit,
            _ => return Ok(Transformed::no(expr)),
        };
        let mut inner = cast.expr.clone();
        if matches!(source, DataType::Date32 | DataType::Date64) {
            // A date becomes midnight without a zone first: cast at once, it would be midnight in UTC.
            inner = Box::new(Expr::Cast(Cast::new(inner, DataType::Timestamp(middle, None))));
        }
        let zoned = DataType::Timestamp(middle, Some(Arc::from(self.0.tz.name())));
        let inner = Expr::Cast(Cast::new(inner, zoned));
        Ok(Transformed::yes(Expr::Cast(Cast::new(Box::new(inner), target))))
    }
}
