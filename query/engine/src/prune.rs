//! Drops a left join whose right columns nobody reads, when it cannot multiply rows.
//!
//! Views join everything an analyst may want: `tasks` joins verdicts, `task_facts` joins costs, attempts
//! and hand-offs. With this rule `SELECT status, count(*) FROM tasks GROUP BY status` scans one table.
//! A left join keeps each left row once if the right side has at most one row per join key: because it
//! is grouped by that key, or is a stored table joined by its unique id.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, Join, LogicalPlan, SubqueryAlias};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::catalog::Catalog;
use crate::scope::BASE;

/// The rule.
#[derive(Debug)]
pub(crate) struct PruneJoins {
    pub catalog: Arc<Catalog>,
}

impl OptimizerRule for PruneJoins {
    fn name(&self) -> &str {
        "prune_joins"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let input = match &plan {
            LogicalPlan::Projection(projection) => &projection.input,
            LogicalPlan::Aggregate(aggregate) => &aggregate.input,
            _ => return Ok(Transformed::no(plan)),
        };
        let mut needed = HashSet::new();
        for expr in plan.expressions() {
            expr.add_column_refs_owned(&mut needed);
        }
        match self.without_unread(input, needed)? {
            Some(input) => Ok(Transformed::yes(plan.with_new_exprs(plan.expressions(), vec![input])?)),
            None => Ok(Transformed::no(plan)),
        }
    }
}

trait ColumnRefs {
    fn add_column_refs_owned(&self, columns: &mut HashSet<Column>);
}

impl ColumnRefs for Expr {
    fn add_column_refs_owned(&self, columns: &mut HashSet<Column>) {
        columns.extend(self.column_refs().into_iter().cloned());
    }
}

impl PruneJoins {
    /// Returns `plan` without the joins that give none of `needed`, or `None` if there are none such.
    fn without_unread(&self, plan: &LogicalPlan, mut needed: HashSet<Column>) -> Result<Option<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(join) if join.join_type == JoinType::Left => {
                let unread = !needed.iter().any(|column| join.right.schema().has_column(column));
                if unread && self.at_most_one(join) {
                    let left = join.left.as_ref();
                    return Ok(Some(self.without_unread(left, needed)?.unwrap_or_else(|| left.clone())));
                }
                for expr in plan.expressions() {
                    expr.add_column_refs_owned(&mut needed);
                }
                self.rebuild(plan, &join.left, Some(&join.right), needed)
            }
            LogicalPlan::Filter(filter) => {
                filter.predicate.add_column_refs_owned(&mut needed);
                self.rebuild(plan, &filter.input, None, needed)
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let needed = needed.iter().filter_map(|column| inside(alias, column)).collect();
                self.rebuild(plan, &alias.input, None, needed)
            }
            _ => Ok(None),
        }
    }

    fn rebuild(
        &self,
        plan: &LogicalPlan,
        first: &LogicalPlan,
        second: Option<&LogicalPlan>,
        needed: HashSet<Column>,
    ) -> Result<Option<LogicalPlan>> {
        let Some(first) = self.without_unread(first, needed)? else { return Ok(None) };
        let inputs = std::iter::once(first).chain(second.cloned()).collect();
        Ok(Some(plan.with_new_exprs(plan.expressions(), inputs)?))
    }

    /// Returns whether each left row meets at most one right row.
    fn at_most_one(&self, join: &Join) -> bool {
        let keys: Vec<Expr> = join.on.iter().map(|(_, right)| right.clone()).collect();
        !keys.is_empty() && self.unique(&join.right, keys)
    }

    /// Returns whether no two rows of `plan` agree in all `keys`.
    fn unique(&self, plan: &LogicalPlan, keys: Vec<Expr>) -> bool {
        match plan {
            LogicalPlan::Aggregate(aggregate) => grouped_by(aggregate, &keys),
            LogicalPlan::SubqueryAlias(alias) => {
                let keys =
                    keys.into_iter().map(|key| substitute(key, &|column| inside(alias, column).map(Expr::Column)));
                keys.collect::<Option<Vec<_>>>().is_some_and(|keys| self.unique(&alias.input, keys))
            }
            LogicalPlan::Projection(projection) => {
                let of = |column: &Column| {
                    let index = projection.schema.maybe_index_of_column(column)?;
                    Some(projection.expr[index].clone().unalias_nested().data)
                };
                let keys = keys.into_iter().map(|key| substitute(key, &of));
                keys.collect::<Option<Vec<_>>>().is_some_and(|keys| self.unique(&projection.input, keys))
            }
            LogicalPlan::Filter(filter) => self.unique(&filter.input, keys),
            LogicalPlan::TableScan(scan) if scan.table_name.schema() == Some(BASE) => {
                self.catalog.unique_column(scan.table_name.table()).is_some_and(|unique| {
                    keys.iter().any(|key| folded_column(key).is_some_and(|column| column.name == unique))
                })
            }
            _ => false,
        }
    }
}

/// Returns whether each group of `aggregate` has keys of its own.
fn grouped_by(aggregate: &Aggregate, keys: &[Expr]) -> bool {
    let simple = !aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_)));
    let groups = aggregate.schema.columns().into_iter().take(aggregate.group_expr.len());
    simple && groups.into_iter().all(|column| keys.contains(&Expr::Column(column)))
}

/// Returns the column of `c` or `lower(c)`: ids are unique without regard to case.
fn folded_column(key: &Expr) -> Option<&Column> {
    match key {
        Expr::Column(column) => Some(column),
        Expr::ScalarFunction(call) if call.func.name() == "lower" && call.args.len() == 1 => {
            folded_column(&call.args[0])
        }
        Expr::Cast(cast) => folded_column(&cast.expr),
        _ => None,
    }
}

/// Returns what the alias calls `column`, as its input calls it.
fn inside(alias: &SubqueryAlias, column: &Column) -> Option<Column> {
    let index = alias.schema.maybe_index_of_column(column)?;
    Some(Column::from(alias.input.schema().qualified_field(index)))
}

/// Replaces every column of `expr`; `None` when one has no replacement.
fn substitute(expr: Expr, of: &dyn Fn(&Column) -> Option<Expr>) -> Option<Expr> {
    let mut complete = true;
    let replaced = expr.transform(|part| match &part {
        Expr::Column(column) => match of(column) {
            Some(replacement) => {
                Ok(Transformed::new(replacement, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
            }
            None => {
                complete = false;
                Ok(Transformed::no(part))
            }
        },
        _ => Ok(Transformed::no(part)),
    });
    replaced.ok().filter(|_| complete).map(|transformed| transformed.data)
}
