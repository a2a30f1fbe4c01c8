//! Which predicates a table evaluates itself, exactly, in Lance and in the tail alike.

use arrow::datatypes::Schema;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Like, Operator, TryCast};

/// Returns whether the predicate is made of columns, literals and plain comparisons only.
///
/// Everything else (functions, subqueries, outer references) stays with DataFusion above the scan.
pub(crate) fn is_pushable(expr: &Expr, schema: &Schema) -> bool {
    let all = |exprs: &[&Expr]| exprs.iter().all(|expr| is_pushable(expr, schema));
    match expr {
        Expr::Column(column) => schema.index_of(&column.name).is_ok(),
        Expr::Literal(..) => true,
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => is_comparison(*op) && all(&[left, right]),
        Expr::Not(inner)
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::IsTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::Cast(Cast { expr: inner, .. })
        | Expr::TryCast(TryCast { expr: inner, .. }) => is_pushable(inner, schema),
        Expr::Between(Between { expr, low, high, .. }) => all(&[expr, low, high]),
        Expr::InList(InList { expr, list, .. }) => {
            is_pushable(expr, schema) && list.iter().all(|item| matches!(item, Expr::Literal(..)))
        }
        Expr::Like(Like { expr, pattern, .. }) => all(&[expr, pattern]),
        _ => false,
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
    matches!(op, And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq)
}
