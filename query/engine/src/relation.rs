//! Table functions that read names and named arguments: `as_of(tasks, 120)`, `search('q', k => 10)`.
//!
//! DataFusion's own table functions take values only; a relation planner sees the syntax tree, so a
//! table's name can be an argument and `=>` works.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use partitura_event::{ErrorClass, Position, Problem, Timestamp};
use serde_json::{Number, Value as Json};
use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, TableFactor, UnaryOperator, Value, ValueWithSpan};

use crate::failure::external;
use crate::hook::{SearchCall, SearchLegs, SqlSearch};
use crate::made::{Made, Rows};
use crate::scope::Scope;

/// Names of the table functions that are planned here.
pub(crate) const FUNCTIONS: &[&str] = &["as_of", "search", "text_search", "vector_search"];

/// The table whose rows a search finds.
const DOCUMENTS: &str = "documents";

/// Plans the table functions of one query.
pub(crate) struct TableFunctions {
    pub scope: Arc<Scope>,
    /// A scope for each position that the statement names.
    pub past: BTreeMap<Position, Arc<Scope>>,
    pub search: Option<Arc<dyn SqlSearch>>,
    pub now: Timestamp,
}

impl fmt::Debug for TableFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableFunctions").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl RelationPlanner for TableFunctions {
    fn plan_relation(&self, relation: TableFactor, _: &mut dyn RelationPlannerContext) -> Result<RelationPlanning> {
        let TableFactor::Table { name, args: Some(args), alias, .. } = &relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let function = name.to_string().to_lowercase();
        let (label, table) = match function.as_str() {
            "as_of" => self.as_of(&args.args).map_err(external)?,
            "search" => (function, self.search(SearchLegs::Hybrid, &args.args).map_err(external)?),
            "text_search" => (function, self.search(SearchLegs::Text, &args.args).map_err(external)?),
            "vector_search" => (function, self.search(SearchLegs::Vector, &args.args).map_err(external)?),
            _ => return Ok(RelationPlanning::Original(Box::new(relation))),
        };
        let plan = LogicalPlanBuilder::scan(label, provider_as_source(table), None)?.build()?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias.clone()))))
    }
}

impl TableFunctions {
    fn as_of(&self, args: &[FunctionArg]) -> Result<(String, Arc<dyn TableProvider>), Problem> {
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(table)), FunctionArg::Unnamed(FunctionArgExpr::Expr(position))] =
            args
        else {
            return Err(usage("as_of takes a table and a position: as_of(tasks, 120)"));
        };
        let name = match table {
            Expr::Identifier(ident) => ident.value.to_lowercase(),
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => text.to_lowercase(),
            other => return Err(usage(format!("as_of reads a table by its name; `{other}` is none"))),
        };
        let position = match literal(position) {
            Some(Json::Number(number)) => number.as_u64().and_then(Position::new),
            _ => None,
        };
        let Some(position) = position else {
            return Err(usage("the position of as_of is a whole number from 1 on")
                .hint("to read everything as of a time, send `as_of` with the request"));
        };
        let scope = self.past.get(&position).unwrap_or(&self.scope);
        match scope.public_now(&name).map_err(crate::failure::problem)? {
            Some(provider) => Ok((name, provider)),
            None => {
                let known = scope.catalog.public_names();
                Err(Problem::new(ErrorClass::NotFound, format!("there is no table `{name}`"))
                    .code("sql_unknown_table")
                    .suggest(&name, known.iter().map(String::as_str)))
            }
        }
    }

    fn search(&self, legs: SearchLegs, args: &[FunctionArg]) -> Result<Arc<dyn TableProvider>, Problem> {
        let Some(search) = &self.search else {
            return Err(Problem::new(ErrorClass::Unavailable, "search is switched off on this server"));
        };
        let mut query = None;
        let mut options = BTreeMap::new();
        for arg in args {
            let (name, value) = named(arg)?;
            match name {
                None | Some("query") if query.is_none() => {
                    let Json::String(text) = value else {
                        return Err(usage("the first argument of a search is the text that is looked for"));
                    };
                    query = Some(text);
                }
                None => return Err(usage("a search takes one text; write the others as `name => value`")),
                Some(name) if search.options().contains(&name) => {
                    options.insert(name.to_owned(), value);
                }
                Some(name) => {
                    return Err(usage(format!("a search has no argument `{name}`"))
                        .suggest(name, search.options().iter().copied())
                        .hint(format!("it has {}", search.options().join(", "))));
                }
            }
        }
        let query = query.ok_or_else(|| usage("a search needs the text that is looked for"))?;
        let call = SearchCall {
            workspace: self.scope.workspace.clone(),
            pinned: self.scope.pinned.clone(),
            as_of: self.scope.as_of,
            now: self.now,
            legs,
            query,
            options,
            limit: None,
        };
        self.scope.reads.table(DOCUMENTS);
        Ok(Arc::new(Made(Hits { search: search.clone(), call })))
    }
}

fn named(arg: &FunctionArg) -> Result<(Option<&str>, Json), Problem> {
    let (name, value) = match arg {
        FunctionArg::Unnamed(value) => (None, value),
        FunctionArg::Named { name, arg, .. } => (Some(name.value.as_str()), arg),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, .. } => (Some(name.value.as_str()), arg),
        other @ FunctionArg::ExprNamed { .. } => return Err(usage(format!("`{other}` is not an argument"))),
    };
    let FunctionArgExpr::Expr(expr) = value else {
        return Err(usage(format!("`{value}` is not a value")));
    };
    let value = literal(expr).ok_or_else(|| {
        usage(format!("`{expr}` is not a constant; arguments of a search are constants or parameters"))
    })?;
    Ok((name, value))
}

/// Reads a constant of the syntax tree.
fn literal(expr: &Expr) -> Option<Json> {
    match expr {
        Expr::Value(ValueWithSpan { value, .. }) => match value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(Json::String(text.clone())),
            Value::Boolean(flag) => Some(Json::Bool(*flag)),
            Value::Null => Some(Json::Null),
            Value::Number(digits, _) => match digits.parse::<u64>() {
                Ok(whole) => Some(Json::from(whole)),
                Err(_) => digits.parse().ok().and_then(Number::from_f64).map(Json::Number),
            },
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            literal(expr)?.as_f64().and_then(|number| Number::from_f64(-number)).map(Json::Number)
        }
        Expr::Array(array) => array.elem.iter().map(literal).collect::<Option<Vec<_>>>().map(Json::Array),
        Expr::Nested(inner) => literal(inner),
        _ => None,
    }
}

fn usage(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorClass::Invalid, detail).code("sql_invalid")
}

/// Hits of one search, computed when the scan is planned.
struct Hits {
    search: Arc<dyn SqlSearch>,
    call: SearchCall,
}

#[async_trait]
impl Rows for Hits {
    fn schema(&self) -> SchemaRef {
        self.search.schema()
    }

    async fn rows(&self, limit: Option<usize>) -> Result<RecordBatch> {
        let mut call = self.call.clone();
        call.limit = limit;
        self.search.search(call).await.map_err(external)
    }
}
