//! From a SQL predicate to the set of documents that it lets through.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::catalog::TableProvider;
use datafusion::common::SchemaError;
use datafusion::common::tree_node::TreeNode;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{Expr, Volatility, col, lit};
use parking_lot::Mutex;
use partitura_event::{ErrorClass, Position, Problem, Workspace};
use partitura_table::schema::documents::DOCUMENTS;
use partitura_table::text::PositionSet;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::request::{FILTER_BYTES_MAX, invalid};
use crate::source::Pinned;

const TABLE: &str = "documents";
const POS: &str = "_pos";
/// Longest time that a filter may take.
const TIME: Duration = Duration::from_secs(10);
/// Filters whose rows are kept.
const KEPT: usize = 32;
/// Deepest nesting of brackets.
const NESTING: usize = 48;

/// Answers filters, and keeps the answers to those that are asked again and again, such as an agent's own memory.
pub(super) struct Filters {
    context: SessionContext,
    kept: Mutex<Vec<Kept>>,
}

/// The rows that a filter let through at one position.
struct Kept {
    workspace: Workspace,
    filter: String,
    at: Position,
    set: Arc<PositionSet>,
}

impl Default for Filters {
    fn default() -> Self {
        Self { context: SessionContext::new(), kept: Mutex::default() }
    }
}

impl Filters {
    /// Returns the positions of the rows of `documents` that `filter` lets through, as of `at`.
    ///
    /// A row never changes, so that what was found at an earlier position is still right: only the rows made
    /// since are looked at. The set then also holds rows that were replaced in between, which no search sees.
    pub async fn positions(
        &self,
        pinned: &dyn Pinned,
        workspace: &Workspace,
        at: Position,
        filter: &str,
    ) -> Result<Arc<PositionSet>, Problem> {
        let known = self.known(workspace, at, filter);
        if let Some((_, set)) = known.as_ref().filter(|(known, _)| *known == at) {
            return Ok(set.clone());
        }
        check(filter)?;
        let Some(provider) = pinned.table(workspace, TABLE, Some(at)) else { return Ok(Arc::default()) };
        let explain = |error: DataFusionError| explain(&error, &[]);
        let (mut frame, is_lasting) = self.narrowed(provider, filter)?;
        let mut set = PositionSet::default();
        if let Some((since, known)) = known {
            frame = frame.filter(col(POS).gt(lit(since.get()))).map_err(explain)?;
            set = PositionSet::clone(&known);
        }
        let frame = frame.select(vec![col(POS)]).map_err(explain)?;
        let collected = tokio::time::timeout(TIME, frame.collect()).await;
        for batch in collected.map_err(|_| too_slow())?.map_err(explain)? {
            let numbers = cast(batch.column(0), &DataType::UInt64);
            let numbers = numbers.map_err(|error| explain(error.into()))?;
            numbers.as_primitive::<UInt64Type>().values().iter().for_each(|position| set.insert(*position));
        }
        let set = Arc::new(set);
        if is_lasting {
            self.keep(workspace, at, filter, &set);
        }
        Ok(set)
    }

    /// Returns the rows of `documents` that `filter` lets through, and whether that will be so for ever.
    fn narrowed(&self, documents: Arc<dyn TableProvider>, filter: &str) -> Result<(DataFrame, bool), Problem> {
        let names: Vec<String> = documents.schema().fields().iter().map(|field| field.name().clone()).collect();
        let explain = |error: DataFusionError| explain(&error, &names);
        let frame = self.context.read_table(documents).map_err(explain)?;
        let predicate = frame.parse_sql_expr(filter).map_err(explain)?;
        refuse(&predicate)?;
        let is_lasting = is_lasting(&predicate);
        Ok((frame.filter(predicate).map_err(explain)?, is_lasting))
    }

    /// Returns what is known of a filter at a position that is not after `at`.
    fn known(&self, workspace: &Workspace, at: Position, filter: &str) -> Option<(Position, Arc<PositionSet>)> {
        let kept = self.kept.lock();
        let same = |one: &&Kept| one.workspace == *workspace && one.filter == filter && one.at <= at;
        kept.iter().find(same).map(|one| (one.at, one.set.clone()))
    }

    /// Keeps a set, unless a newer one of the same filter is there. The one kept longest goes.
    fn keep(&self, workspace: &Workspace, at: Position, filter: &str, set: &Arc<PositionSet>) {
        let mut kept = self.kept.lock();
        let same = |one: &Kept| one.workspace == *workspace && one.filter == filter;
        if kept.iter().any(|one| same(one) && one.at > at) {
            return;
        }
        kept.retain(|one| !same(one));
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        let (workspace, filter, set) = (workspace.clone(), filter.to_owned(), set.clone());
        kept.push(Kept { workspace, filter, at, set });
    }
}

/// Says what is wrong with a filter, without a document to try it on.
pub async fn rehearse(filter: &str) -> Result<(), Problem> {
    check(filter)?;
    let explain = |error: DataFusionError| explain(&error, &[]);
    let none = MemTable::try_new(DOCUMENTS.public_schema(), vec![Vec::new()]).map_err(explain)?;
    let (frame, _) = Filters::default().narrowed(Arc::new(none), filter)?;
    frame.collect().await.map(|_| ()).map_err(explain)
}

/// Returns whether a predicate says of a row the same tomorrow: it does not ask for the time.
fn is_lasting(predicate: &Expr) -> bool {
    let changes = predicate.exists(|expr| {
        Ok(matches!(expr, Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable))
    });
    matches!(changes, Ok(false))
}

/// Accepts one expression and nothing behind it.
fn check(filter: &str) -> Result<(), Problem> {
    if filter.len() > FILTER_BYTES_MAX {
        let detail = format!("`filter` has {} bytes; at most {FILTER_BYTES_MAX} are accepted", filter.len());
        return Err(invalid("filter", "too_long", detail));
    }
    let mut depth = 0_usize;
    for c in filter.chars() {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        if depth > NESTING {
            return Err(bad(format!("it nests brackets deeper than {NESTING}")));
        }
    }
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(filter).map_err(|error| bad(error.to_string()))?;
    parser.parse_expr().map_err(|error| bad(error.to_string()))?;
    match parser.peek_token().token {
        Token::EOF => Ok(()),
        more => Err(bad(format!("`{more}` follows the predicate"))),
    }
}

/// Refuses what is no function of a row.
fn refuse(predicate: &Expr) -> Result<(), Problem> {
    let odd = predicate.exists(|expr| {
        Ok(match expr {
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) => true,
            Expr::AggregateFunction(_) | Expr::WindowFunction(_) => true,
            Expr::ScalarFunction(call) => matches!(call.name(), "random" | "uuid"),
            _ => false,
        })
    });
    match odd {
        Ok(false) => Ok(()),
        _ => Err(bad("a filter compares columns of one document: no subquery, aggregate or randomness".to_owned())),
    }
}

fn explain(error: &DataFusionError, names: &[String]) -> Problem {
    if let DataFusionError::SchemaError(schema, _) = error.find_root()
        && let SchemaError::FieldNotFound { field, .. } = schema.as_ref()
    {
        let detail = format!("`documents` has no column `{}`", field.name);
        let hint = format!("columns are {}", names.join(", "));
        return invalid("filter", "unknown_column", detail)
            .suggest(&field.name, names.iter().map(String::as_str))
            .hint(hint);
    }
    let text = error.find_root().to_string();
    bad(text.lines().next().unwrap_or_default().to_owned())
}

fn bad(why: String) -> Problem {
    invalid("filter", "filter", format!("`filter` is not understood: {why}"))
        .hint("write a SQL predicate over columns of documents, such as kind = 'knowledge' AND agent_id = 'claude'")
}

fn too_slow() -> Problem {
    Problem::new(ErrorClass::Timeout, format!("the filter took longer than {} s", TIME.as_secs()))
        .hint("compare columns with constants")
}
