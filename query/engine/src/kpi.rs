//! The values of a workspace's key figures: each is a query, asked when the view `kpis` is read.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use datafusion::arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_plan::collect;
use datafusion::sql::parser::Statement;
use partitura_event::{ErrorClass, Problem};

use crate::made::Rows;
use crate::scope::Scope;
use crate::stop::Stop;
use crate::{failure, guard, pace, view};

/// Name in the schema `base`.
pub(crate) const NAME: &str = "kpi_values";

/// Most key figures of a workspace that are asked.
const KPIS_MAX: usize = 200;

const SQL: &str = "SELECT lower(kpi_id) AS kpi_key, sql FROM base.kpi_definitions ORDER BY 1";

/// One row per key figure: `kpi_key`, and either `value` or `error`.
pub(crate) struct KpiValues {
    /// The scope keeps the plans of its views, and so this table.
    scope: Weak<Scope>,
    schema: SchemaRef,
}

impl KpiValues {
    pub fn new(scope: &Arc<Scope>) -> Self {
        let fields = [("kpi_key", DataType::Utf8), ("value", DataType::Float64), ("error", DataType::Utf8)];
        let fields: Vec<Field> = fields.into_iter().map(|(name, ty)| Field::new(name, ty, true)).collect();
        Self { scope: Arc::downgrade(scope), schema: Arc::new(Schema::new(fields)) }
    }

    async fn ask_all(&self) -> Result<RecordBatch> {
        let gone = || DataFusionError::Internal("a view outlived its query".to_owned());
        let scope = self.scope.upgrade().ok_or_else(gone)?;
        let inner = scope.inner_state();
        let plan = inner.create_logical_plan(SQL).await?;
        let definitions = collect(inner.create_physical_plan(&plan).await?, inner.task_ctx()).await?;
        let mut asked: Vec<(String, String)> = Vec::new();
        for batch in &definitions {
            let keys = cast(batch.column(0), &DataType::Utf8)?;
            let texts = cast(batch.column(1), &DataType::Utf8)?;
            let (keys, texts) = (keys.as_string::<i32>(), texts.as_string::<i32>());
            asked.extend((0..batch.num_rows()).map(|row| (keys.value(row).to_owned(), texts.value(row).to_owned())));
        }
        let state = scope.user_state();
        let mut values = Vec::new();
        for (index, (_, sql)) in asked.iter().enumerate() {
            values.push(if index < KPIS_MAX { ask(&scope, &state, sql).await } else { Err(too_many()) });
        }
        let errors = values.iter().map(|value| value.as_ref().err().map(ToString::to_string));
        let batch = RecordBatch::try_new(
            self.schema.clone(),
            vec![
                Arc::new(StringArray::from_iter_values(asked.iter().map(|(key, _)| key))),
                Arc::new(values.iter().map(|value| value.as_ref().ok().copied().flatten()).collect::<Float64Array>()),
                Arc::new(errors.collect::<StringArray>()),
            ],
        )?;
        Ok(batch)
    }
}

#[async_trait]
impl Rows for KpiValues {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    async fn rows(&self, _limit: Option<usize>) -> Result<RecordBatch> {
        self.ask_all().await
    }
}

/// Answers the first number of a query.
async fn ask(scope: &Arc<Scope>, state: &SessionState, sql: &str) -> Result<Option<f64>, Problem> {
    if view::mentions(sql, "kpis") {
        return Err(Problem::new(ErrorClass::Invalid, "a key figure is not made of key figures").code("sql_invalid"));
    }
    let statement = guard::read(sql)?;
    guard::weigh(&statement, &|name| scope.catalog.weight(name))?;
    first_number(state, statement).await.map_err(failure::problem)
}

async fn first_number(state: &SessionState, statement: Statement) -> Result<Option<f64>> {
    let plan = state.statement_to_plan(statement).await?;
    let first = LogicalPlanBuilder::from(plan).limit(0, Some(1))?.build()?;
    let mut plan = state.create_physical_plan(&first).await?;
    if let Some(stop) = state.config().get_extension::<Stop>() {
        plan = pace::paced(plan, &stop)?;
    }
    let batches = collect(plan, state.task_ctx()).await?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let value = cast(&batch.column(0).slice(0, 1), &DataType::Float64)?;
    let value = value.as_primitive::<Float64Type>();
    Ok((!value.is_null(0)).then(|| value.value(0)))
}

fn too_many() -> Problem {
    Problem::new(ErrorClass::TooLarge, format!("only {KPIS_MAX} key figures are asked")).code("sql_too_complex")
}
