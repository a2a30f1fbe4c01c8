//! One query, from text to batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::parser::Statement;
use futures::StreamExt;
use partitura_event::{ErrorClass, Position, Problem};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::columns::{self, Parameter, Want};
use crate::engine::Core;
use crate::failure;
use crate::guard;
use crate::memory::QueryMemory;
use crate::output::{self, Output};
use crate::pace;
use crate::pg;
use crate::pg::view::PgView;
use crate::reads::Reads;
use crate::request::SqlRequest;
use crate::rules::Rules;
use crate::scope::Scope;
use crate::session::Dialect;
use crate::source::Pinned;
use crate::stop::Stop;
use crate::stream::StatsHandle;

/// What is known before the first row.
pub(crate) struct Head {
    pub schema: SchemaRef,
    /// Parameters that are still open; none when rows are wanted.
    pub parameters: Vec<Parameter>,
    pub position: Option<Position>,
    pub stats: StatsHandle,
}

/// A query that was accepted.
pub(crate) struct Query {
    pub core: Arc<Core>,
    pub request: SqlRequest,
    pub want: Want,
    pub pinned: Arc<dyn Pinned>,
    pub stats: StatsHandle,
    pub reads: Reads,
    pub started: Instant,
    pub stop: Arc<Stop>,
}

type Batches = mpsc::Sender<Result<RecordBatch, Problem>>;

impl Query {
    /// Plans, tells the columns through `head`, and sends the rows.
    pub async fn run(
        self,
        head: &mut Option<oneshot::Sender<Result<Head, Problem>>>,
        batches: &Batches,
    ) -> Result<(), Problem> {
        let memory = QueryMemory::new(self.request.limits.memory, self.core.memory.clone());
        let dialect = if self.request.pg.is_some() { Dialect::Postgres } else { Dialect::Plain };
        let state = self.core.sessions.bare(self.request.zone, dialect, self.request.now, memory.clone());
        let mut state = state.map_err(failure::problem)?;
        state.config_mut().set_extension(self.stop.clone());
        let position = self.request.as_of.or(self.pinned.position());
        if self.want == Want::Columns {
            let (schema, parameters) = self.columns(&state).await?;
            let told = Head { schema, parameters, position, stats: self.stats.clone() };
            drop(head.take().map(|head| head.send(Ok(told))));
            return Ok(());
        }
        let mut statement = self.read()?;
        guard::bind(&mut statement, &self.request.params)?;
        let (state, plan) = self.plan(&state, statement).await?;
        let schema = output::plain_schema(plan.schema().as_arrow());
        let limited = limit(plan, self.request.limits.rows).map_err(failure::problem)?;
        let physical = state.create_physical_plan(&limited).await.map_err(failure::problem)?;
        let physical = pace::paced(physical, &self.stop).map_err(failure::problem)?;
        let mut rows = execute_stream(physical.clone(), state.task_ctx()).map_err(failure::problem)?;
        self.stats.update(|stats| stats.planning_us = self.started.elapsed().as_micros() as u64);

        let told = Head { schema: schema.clone(), parameters: Vec::new(), position, stats: self.stats.clone() };
        if head.take().is_none_or(|head| head.send(Ok(told)).is_err()) {
            return Ok(());
        }
        let mut output = Output::new(schema, &self.request.limits);
        while let Some(batch) = rows.next().await {
            output.push(&batch.map_err(failure::problem)?).map_err(arrow_problem)?;
            if !self.send(&mut output, batches).await? || output.truncated() {
                break;
            }
        }
        output.finish().map_err(arrow_problem)?;
        self.stats.update(|stats| {
            stats.truncated = output.truncated();
            stats.memory_peak = memory.peak() as u64;
            read_metrics(physical.as_ref(), stats);
        });
        self.send(&mut output, batches).await?;
        self.stats.update(|stats| stats.elapsed_us = self.started.elapsed().as_micros() as u64);
        Ok(())
    }

    fn read(&self) -> Result<Statement, Problem> {
        match self.request.pg {
            None => guard::read(&self.request.sql),
            Some(_) => pg::dialect::read(&self.request.sql),
        }
    }

    /// Plans the text to learn its columns and the parameters that are open.
    async fn columns(&self, bare: &SessionState) -> Result<(SchemaRef, Vec<Parameter>), Problem> {
        let mut statement = self.read()?;
        guard::bind_given(&mut statement, &self.request.params)?;
        let open = guard::open_parameters(&statement);
        match self.plan(bare, statement).await {
            Ok((_, plan)) => Ok((output::plain_schema(plan.schema().as_arrow()), columns::typed(open, &plan))),
            // Table functions read their arguments while they are planned: what they make is known with the values.
            Err(problem) if !open.is_empty() && problem.class == ErrorClass::Invalid => {
                Ok((Arc::new(Schema::empty()), columns::untyped(open)))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Checks and plans a statement.
    async fn plan(&self, bare: &SessionState, statement: Statement) -> Result<(SessionState, LogicalPlan), Problem> {
        let catalog = &self.core.catalog;
        guard::weigh(&statement, &|name| catalog.weight(name))?;
        let scope = self.scope(bare, self.request.as_of).await?;
        let mut past = BTreeMap::new();
        for position in guard::as_of_positions(&statement)? {
            past.insert(position, self.scope(bare, Some(position)).await?);
        }
        let pg = match &self.request.pg {
            None => None,
            Some(session) => Some(PgView { catalog: self.core.pg_catalog().await?, session: session.clone() }),
        };
        let state = self.core.sessions.user(bare, &scope, past, self.request.now, pg).map_err(failure::problem)?;
        let in_catalog = |error: DataFusionError| failure::problem_among(error, &catalog.all_names());
        let plan = state.statement_to_plan(statement).await.map_err(in_catalog)?;
        let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        read_only.verify_plan(&plan).map_err(failure::problem)?;
        guard::check_windows(&plan).map_err(failure::problem)?;
        Ok((state, plan))
    }

    async fn scope(&self, bare: &SessionState, as_of: Option<Position>) -> Result<Arc<Scope>, Problem> {
        if let Some(as_of) = as_of
            && self.pinned.position().is_none_or(|newest| as_of > newest)
        {
            let newest = self.pinned.position().map_or(0, Position::get);
            let detail = format!("position {as_of} is not reached yet; the newest answer is at {newest}");
            return Err(Problem::new(ErrorClass::Invalid, detail)
                .code("as_of_ahead")
                .hint("send it as `min_position` to wait for it"));
        }
        let (catalog, pinned) = (self.core.catalog.clone(), self.pinned.clone());
        let workspace = self.request.workspace.clone();
        let scope = Scope::new(catalog, pinned, workspace, as_of, bare.clone(), self.reads.clone());
        let scope = scope.map_err(failure::problem)?;
        if !self.core.catalog.needs_rules(&self.request.sql) {
            return Ok(scope);
        }
        let rules = Rules::load(&scope, self.request.now).await.map_err(failure::problem)?;
        scope.with_rules(rules).map_err(failure::problem)
    }

    /// Sends what is ready; `false` when nobody reads any more.
    async fn send(&self, output: &mut Output, batches: &Batches) -> Result<bool, Problem> {
        while let Some(batch) = output.next() {
            let (rows, bytes) = (batch.num_rows() as u64, output::size_of(&batch).map_err(arrow_problem)? as u64);
            self.stats.update(|stats| {
                stats.rows += rows;
                stats.bytes += bytes;
            });
            if batches.send(Ok(batch)).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Asks for one row more than is answered, so that the engine stops early and knows that it did.
fn limit(plan: LogicalPlan, rows: usize) -> Result<LogicalPlan, DataFusionError> {
    match plan {
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_) => Ok(plan),
        plan => LogicalPlanBuilder::from(plan).limit(0, Some(rows.min(i64::MAX as usize - 1) + 1))?.build(),
    }
}

/// Adds up what the operators counted: rows and bytes of leaves, bytes that were spilled.
fn read_metrics(plan: &dyn ExecutionPlan, stats: &mut crate::stream::SqlStats) {
    let children = plan.children();
    if let Some(metrics) = plan.metrics() {
        if children.is_empty() {
            stats.rows_scanned += metrics.output_rows().unwrap_or(0) as u64;
            stats.bytes_scanned += metrics.sum_by_name("bytes_scanned").map_or(0, |value| value.as_usize()) as u64;
        }
        stats.spilled_bytes += metrics.spilled_bytes().unwrap_or(0) as u64;
    }
    for child in children {
        read_metrics(child.as_ref(), stats);
    }
}

fn arrow_problem(error: ArrowError) -> Problem {
    failure::problem(error.into())
}
