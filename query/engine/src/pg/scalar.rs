//! Questions within a question to `pg_catalog`, in the form that is planned.
//!
//! A number of the catalog names one row, so a question for one value may take the greatest of what it finds: DataFusion
//! plans one that depends on the row around it only when it is an aggregate.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArguments, GroupByExpr, Query, Select, SelectItem, SetExpr, Statement, Value, ValueWithSpan,
    visit_expressions_mut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::empty;
use super::listing::PG_CATALOG;

/// Rewrites them wherever they stand.
pub(super) fn plannable(ast: &mut Statement) {
    let _ = visit_expressions_mut(ast, |expr| {
        match expr {
            Expr::Subquery(query) if empty::is_empty(&query.body) => *expr = Expr::value(Value::Null),
            Expr::Subquery(query) => aggregate(query),
            // Options of tables are lists of lists to psql; here no table has any.
            Expr::Function(function) if is_list_of_rows(&function.args) => *expr = Expr::value(Value::Null),
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

/// Writes the schema of the catalog before its tables in `'pg_class'::regclass`: Postgres looks there first, the library
/// only in `public`. Returns whether there was one.
pub(super) fn name_the_catalog(ast: &mut Statement) -> bool {
    let mut found = false;
    let _ = visit_expressions_mut(ast, |expr| {
        if let Expr::Cast { expr: inner, data_type, .. } = expr
            && data_type.to_string().to_lowercase().ends_with("regclass")
            && let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(name), .. }) = inner.as_mut()
            && name.starts_with("pg_")
            && !name.starts_with(PG_CATALOG)
        {
            *name = format!("{PG_CATALOG}.{name}");
            found = true;
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

fn aggregate(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    if empty::makes_a_row(select) || is_grouped(select) {
        return;
    }
    let [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] = select.projection.as_mut_slice()
    else {
        return;
    };
    let greatest = format!("max({expr})");
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(&greatest).and_then(|mut parser| parser.parse_expr());
    if let Ok(greatest) = parsed {
        *expr = greatest;
        query.limit_clause = None;
        query.order_by = None;
    }
}

const fn is_grouped(select: &Select) -> bool {
    match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(list, _) => !list.is_empty(),
    }
}

/// Returns whether an argument has an `array(SELECT …)` in it.
fn is_list_of_rows(arguments: &FunctionArguments) -> bool {
    match arguments {
        FunctionArguments::List(list) => {
            list.args.iter().any(|argument| argument.to_string().to_lowercase().contains("array(select"))
        }
        _ => false,
    }
}
