//! What a query would answer, without running it: its columns, and the parameters that it waits for.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, LogicalPlan};
use partitura_event::Position;

/// What a caller wants of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Rows,
    Columns,
}

/// The plan of a query, as a caller sees it.
#[derive(Clone, Debug)]
pub struct Columns {
    /// The columns; none when a table function must see a parameter's value first.
    pub schema: SchemaRef,
    /// Parameters that have no value yet.
    pub parameters: Vec<Parameter>,
    /// Position at which it was planned.
    pub position: Option<Position>,
}

/// A parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Name without `$`: digits for a positional one.
    pub name: String,
    /// The type that the query compares it with, where that can be told.
    pub ty: Option<DataType>,
}

impl Parameter {
    /// Returns the place of a positional one, from 1 on.
    pub fn place(&self) -> Option<usize> {
        self.name.parse().ok()
    }
}

/// Gives open parameters the types that the plan found; positional ones come in their order.
pub(crate) fn typed(open: Vec<String>, plan: &LogicalPlan) -> Vec<Parameter> {
    let mut types = plan.get_parameter_types().unwrap_or_default();
    types.extend(told(plan).into_iter().map(|(name, ty)| (name, Some(ty))));
    let mut parameters: Vec<Parameter> = open
        .into_iter()
        .map(|name| {
            let ty = types.get(&format!("${name}")).cloned().flatten();
            Parameter { name, ty: ty.filter(|ty| *ty != DataType::Null) }
        })
        .collect();
    parameters.sort_by_key(Parameter::place);
    parameters
}

/// Returns the types of parameters that are cast to one, or count rows: DataFusion leaves them open.
fn told(plan: &LogicalPlan) -> BTreeMap<String, DataType> {
    let mut types = BTreeMap::new();
    // Nothing in it fails, and what were found is all that is wanted.
    let _ = plan.apply_with_subqueries(|node| {
        let counts = matches!(node, LogicalPlan::Limit(_));
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                match expr {
                    Expr::Cast(Cast { expr, field }) => {
                        if let Expr::Placeholder(open) = expr.as_ref() {
                            types.insert(open.id.clone(), field.data_type().clone());
                        }
                    }
                    Expr::Placeholder(open) if counts => {
                        types.insert(open.id.clone(), DataType::Int64);
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    types
}

/// Returns open parameters whose types are not known.
pub(crate) fn untyped(open: Vec<String>) -> Vec<Parameter> {
    let mut parameters: Vec<_> = open.into_iter().map(|name| Parameter { name, ty: None }).collect();
    parameters.sort_by_key(Parameter::place);
    parameters
}
