//! Refuses window functions that would give each row a list of all the rows of its window.
//!
//! The lists of n rows hold n² values, which no memory limit counts while they are made.

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits};
use partitura_event::{ErrorClass, Problem};

use crate::failure::external;

/// Functions that keep every value of their window.
const LISTS: &[&str] = &["array_agg", "string_agg"];

/// Most rows of a window of which a list is made.
const ROWS_MAX: u64 = 1_000;

/// Errors when `plan` makes a list of a large window.
pub(crate) fn check_windows(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Window(window) = node {
            for expr in &window.window_expr {
                expr.apply(|part| check(part).map(|()| TreeNodeRecursion::Continue))?;
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(|_| ())
}

fn check(expr: &Expr) -> Result<(), DataFusionError> {
    let Expr::WindowFunction(call) = expr else { return Ok(()) };
    let name = call.fun.name();
    if !LISTS.contains(&name) || is_small(&call.params.window_frame) {
        return Ok(());
    }
    let detail = format!("{name} OVER (…) would keep a list of the whole window for each row");
    let hint = format!("group in a subquery and join it, or write ROWS BETWEEN {ROWS_MAX} PRECEDING AND CURRENT ROW");
    Err(external(Problem::new(ErrorClass::Invalid, detail).code("sql_not_supported").hint(hint)))
}

fn is_small(frame: &WindowFrame) -> bool {
    let near = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::CurrentRow => true,
        WindowFrameBound::Preceding(ScalarValue::UInt64(Some(rows)))
        | WindowFrameBound::Following(ScalarValue::UInt64(Some(rows))) => *rows <= ROWS_MAX,
        _ => false,
    };
    frame.units == WindowFrameUnits::Rows && near(&frame.start_bound) && near(&frame.end_bound)
}
