//! Questions within a question to `pg_catalog`, in the form that is planned.
//!
//! A number of the catalog names one row, so a question for one value may take the greatest of what it finds: DataFusion
//! plans one that depends on the row around it only when it is an aggregate.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Query, Select, SelectItem, SetExpr, Statement, Value,
    ValueWithSpan, visit_expressions_mut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::listing::PG_CATALOG;
use super::{empty, names, subquery};

/// Rewrites them wherever they stand.
pub(super) fn plannable(ast: &mut Statement) {
    count_what_exists(ast);
    let _ = visit_expressions_mut(ast, |expr| {
        match expr {
            Expr::Subquery(query) if empty::is_empty(&query.body) => *expr = Expr::value(Value::Null),
            // Of data the greatest may be another answer; what cannot be planned is refused.
            Expr::Subquery(query) if !subquery::reads_data(query) => aggregate(query),
            Expr::Function(function) if is_empty_list(function) => {
                if let Some(list) = parsed("ARRAY[]::text[]") {
                    *expr = list;
                }
            }
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

/// Writes what is known where the library would write null or nothing is planned: a count of no rows is 0, and no role is
/// a member of another. Returns whether there was one.
pub(super) fn know(ast: &mut Statement) -> bool {
    let mut found = false;
    let _ = visit_expressions_mut(ast, |expr| {
        let known = match expr {
            Expr::Subquery(query) if empty::counts_nothing(query) => Value::Number("0".to_owned(), false),
            Expr::AnyOp { right, .. } if walks(right) => Value::Boolean(false),
            _ => return ControlFlow::<()>::Continue(()),
        };
        *expr = Expr::value(known);
        found = true;
        ControlFlow::Continue(())
    });
    found
}

/// Returns whether a call is `ARRAY(SELECT …)` of no rows.
fn is_empty_list(function: &Function) -> bool {
    matches!(&function.args, FunctionArguments::Subquery(query) if query.with.is_none() && empty::is_empty(&query.body))
}

/// Returns whether a list is made by recursion, as clients walk from a role to those that it is a member of.
fn walks(list: &Expr) -> bool {
    matches!(list, Expr::Function(function)
        if matches!(&function.args, FunctionArguments::Subquery(query)
            if query.with.as_ref().is_some_and(|with| with.recursive) && !subquery::reads_data(query)))
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
    if let Some(greatest) = parsed(&format!("max({expr})")) {
        *expr = greatest;
        query.limit_clause = None;
        query.order_by = None;
    }
}

/// Writes `EXISTS (…)` among the columns as a count that is compared with 0: it is planned as a condition only.
fn count_what_exists(ast: &mut Statement) {
    let Statement::Query(query) = ast else { return };
    // Afterwards nobody sees that such a column is called `exists`.
    names::name_columns(query);
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    for item in &mut select.projection {
        let _ = visit_expressions_mut(item, |expr| {
            if let Expr::Exists { subquery, negated } = expr
                && let Some(counted) = counted(subquery, *negated)
            {
                *expr = counted;
            }
            ControlFlow::<()>::Continue(())
        });
    }
}

fn counted(subquery: &Query, negated: bool) -> Option<Expr> {
    if empty::is_empty(&subquery.body) {
        return Some(Expr::value(Value::Boolean(negated)));
    }
    let mut query = subquery.clone();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    if empty::makes_a_row(select) || is_grouped(select) {
        return None;
    }
    select.projection = vec![SelectItem::UnnamedExpr(parsed("count(*)")?)];
    query.limit_clause = None;
    query.order_by = None;
    parsed(&format!("({query}) {} 0", if negated { "=" } else { ">" }))
}

fn parsed(sql: &str) -> Option<Expr> {
    Parser::new(&PostgreSqlDialect {}).try_with_sql(sql).ok()?.parse_expr().ok()
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
