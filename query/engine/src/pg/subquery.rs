//! Subqueries among columns are answered as they are asked.
//!
//! The library makes them null where they look at the row around them, and else takes their first row: a help for
//! questions to `pg_catalog` whose answer nobody needs. Of tables with data that would be a wrong answer without a
//! word, so subqueries that read one are hidden from it, in a pair of parentheses.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, SelectItem, SetExpr, Statement, VisitMut, VisitorMut, visit_relations,
};

/// Hides subqueries among columns that read more than the catalog. Returns whether there are any.
pub(super) fn keep(ast: &mut Statement) -> bool {
    let mut keeper = Keeper { kept: false };
    let _ = ast.visit(&mut keeper);
    keeper.kept
}

struct Keeper {
    kept: bool,
}

impl VisitorMut for Keeper {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.keep_in(query.body.as_mut());
        ControlFlow::Continue(())
    }
}

impl Keeper {
    fn keep_in(&mut self, body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => {
                for item in &mut select.projection {
                    let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
                        continue;
                    };
                    if matches!(expr, Expr::Subquery(query) if reads_data(query)) {
                        let hidden = std::mem::replace(expr, Expr::value(sqlparser::ast::Value::Null));
                        *expr = Expr::Nested(Box::new(hidden));
                        self.kept = true;
                    }
                }
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.keep_in(left);
                self.keep_in(right);
            }
            _ => {}
        }
    }
}

/// Returns whether a question reads a table that is neither of the catalog nor named by itself.
pub(super) fn reads_data(query: &Query) -> bool {
    let named: Vec<&Ident> =
        query.with.iter().flat_map(|with| &with.cte_tables).map(|table| &table.alias.name).collect();
    let is_named = |name: &ObjectName| match name.0.as_slice() {
        [one] => one.as_ident().is_some_and(|one| named.iter().any(|named| named.value == one.value)),
        _ => false,
    };
    let look = |name: &ObjectName| match is_of_catalog(name) || is_named(name) {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    visit_relations(query, look).is_break()
}

fn is_of_catalog(name: &ObjectName) -> bool {
    let parts: Vec<_> =
        name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.to_ascii_lowercase()).collect();
    let is_schema = |part: &String| matches!(part.as_str(), "pg_catalog" | "information_schema");
    parts.iter().any(is_schema) || parts.last().is_some_and(|table| table.starts_with("pg_"))
}
