//! Counts the tables that a statement scans once its `WITH` queries are copied to where they are named.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use partitura_event::{ErrorClass, Position, Problem};
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, ObjectName, Query, Statement as Ast, TableFactor, Value, ValueWithSpan, Visit,
    Visitor,
};

/// Most table scans of one query, views and `WITH` queries opened.
pub const SCANS_MAX: u64 = 300;

/// Most different positions of `as_of(…)` in one query.
const AS_OF_MAX: usize = 8;

/// Errors when `statement` scans more than [`SCANS_MAX`] tables; `of_table` tells how many a name stands for.
pub(crate) fn weigh(statement: &Statement, of_table: &dyn Fn(&str) -> u64) -> Result<(), Problem> {
    let total = ast(statement).map_or(0, |ast| scans(ast, of_table));
    if total > SCANS_MAX {
        let detail = format!(
            "the query scans {total} tables once its views and WITH parts are opened; at most {SCANS_MAX} are planned"
        );
        return Err(Problem::new(ErrorClass::TooLarge, detail)
            .code("sql_too_complex")
            .hint("name fewer views, or ask in several queries"));
    }
    Ok(())
}

/// Returns how many tables `statement` scans.
pub(crate) fn scans(statement: &Ast, of_table: &dyn Fn(&str) -> u64) -> u64 {
    let mut weigher = Weigher { of_table, named: HashMap::new(), bodies: HashMap::new(), open: vec![0] };
    let _ = statement.visit(&mut weigher);
    weigher.open.pop().unwrap_or(0)
}

fn ast(statement: &Statement) -> Option<&Ast> {
    match statement {
        Statement::Statement(ast) => Some(ast),
        Statement::Explain(explain) => ast(&explain.statement),
        _ => None,
    }
}

/// Walks a statement once: the bodies of a `WITH` come before what names them.
struct Weigher<'a> {
    of_table: &'a dyn Fn(&str) -> u64,
    /// What each `WITH` name stands for, the innermost meaning last.
    named: HashMap<String, Vec<u64>>,
    /// Names of the bodies that are still to come, by where they lie in the tree.
    bodies: HashMap<*const Query, String>,
    /// Sums of the queries that are being visited.
    open: Vec<u64>,
}

impl Weigher<'_> {
    fn add(&mut self, weight: u64) {
        if let Some(sum) = self.open.last_mut() {
            *sum = sum.saturating_add(weight);
        }
    }
}

fn named_parts(query: &Query) -> impl Iterator<Item = (String, &Query)> {
    let parts = query.with.iter().flat_map(|with| &with.cte_tables);
    parts.map(|part| (part.alias.name.value.to_lowercase(), part.query.as_ref()))
}

impl Visitor for Weigher<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.bodies.extend(named_parts(query).map(|(name, body)| (std::ptr::from_ref(body), name)));
        self.open.push(0);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for (name, _) in named_parts(query) {
            self.named.get_mut(&name).and_then(Vec::pop);
        }
        let weight = self.open.pop().unwrap_or(0);
        match self.bodies.remove(&std::ptr::from_ref(query)) {
            // It is scanned where it is named.
            Some(name) => self.named.entry(name).or_default().push(weight),
            None => self.add(weight),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let name = relation.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase());
        let name = name.unwrap_or_default();
        let weight = match self.named.get(&name).and_then(|meanings| meanings.last()) {
            Some(weight) => *weight,
            None => (self.of_table)(&name),
        };
        self.add(weight);
        ControlFlow::Continue(())
    }
}

/// Returns the positions that `as_of(table, position)` names in `statement`.
pub(crate) fn as_of_positions(statement: &Statement) -> Result<BTreeSet<Position>, Problem> {
    let mut finder = AsOfFinder(BTreeSet::new());
    if let Some(ast) = ast(statement) {
        let _ = ast.visit(&mut finder);
    }
    if finder.0.len() > AS_OF_MAX {
        let detail = format!("as_of names {} positions; at most {AS_OF_MAX} are read by one query", finder.0.len());
        return Err(Problem::new(ErrorClass::TooLarge, detail).code("sql_too_complex"));
    }
    Ok(finder.0)
}

struct AsOfFinder(BTreeSet<Position>);

impl Visitor for AsOfFinder {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(args), .. } = factor
            && name.to_string().eq_ignore_ascii_case("as_of")
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(ValueWithSpan { value, .. })))) =
                args.args.get(1)
            && let Value::Number(digits, _) = value
            && let Some(position) = digits.parse().ok().and_then(Position::new)
        {
            self.0.insert(position);
        }
        ControlFlow::Continue(())
    }
}
