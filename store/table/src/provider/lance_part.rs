//! The rows of a table that lie in Lance.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use lance::dataset::scanner::MaterializationStyle;
use lance::io::exec::filtered_read::{FilteredReadExec, FilteredReadThreadingMode};
use lance::table::format::Fragment;

use crate::lance_table::LanceTable;
use crate::provider::late::Source;
use crate::provider::names;
use crate::provider::reshape::{Keep, ReshapeExec};
use crate::schema::{ORD, POS, POS_TO};

/// Fewer rows than this are read by one thread.
const SPLIT_ROWS: u64 = 65_536;

/// Up to so many columns are read together with those of the filter; of more, only the rows that pass.
const NARROW: usize = 8;

/// Which rows to read.
#[derive(Default)]
struct Wanted {
    filter: Option<Expr>,
    /// Fragments that may hold such rows; all, if it is not known.
    fragments: Option<Vec<Fragment>>,
    limit: Option<usize>,
}

/// Some rows of one Lance table.
pub(crate) struct LancePart<'a> {
    table: &'a Arc<LanceTable>,
    range: Option<Expr>,
    keep: Keep,
}

impl<'a> LancePart<'a> {
    /// Takes the rows in a range of positions that are to be kept.
    pub fn new(table: &'a Arc<LanceTable>, range: Option<Expr>, keep: Keep) -> Self {
        Self { table, range, keep }
    }

    /// Returns whether no row can come of it.
    pub fn is_empty(&self) -> bool {
        self.table.rows() == 0 || matches!(&self.keep, Keep::Closed(closed) if closed.is_empty())
    }

    /// Plans reading the columns of `schema` of the rows that satisfy all filters.
    pub async fn scan(
        &self,
        session: &dyn Session,
        schema: &SchemaRef,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // `_pos_to` of a closed row that still lies among the current ones is known only after reading.
        if matches!(self.keep, Keep::Closed(_)) && !filters.is_empty() {
            return self.scan_then_filter(session, schema, filters).await;
        }
        let filter = conjunction(self.range.iter().chain(filters).cloned());
        let unfiltered = filter.is_none();
        let partitions = session.config().target_partitions();
        let fragments = match &filter {
            Some(filter) => self.matching(session, filter).await?,
            None => self.table.dataset().fragments().to_vec(),
        };
        if fragments.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema.clone())));
        }
        let some = fragments.len() < self.table.dataset().fragments().len();
        let wanted = Wanted { filter: filter.clone(), fragments: some.then(|| fragments.clone()), limit };
        let plan = self.read(schema, wanted, session.config().batch_size()).await?;
        let plan = if limit.is_none() { self.split(plan, partitions)? } else { plan };
        let unlimited = unfiltered && limit.is_none();
        let scan = ReshapeExec::new(plan, schema.clone(), self.keep.clone(), unlimited).pinning(self.table);
        Ok(Arc::new(match limit {
            None if fragments.len() > 1 => scan.reading(Source { table: self.table.clone(), filter, fragments }),
            _ => scan,
        }))
    }

    async fn scan_then_filter(
        &self,
        session: &dyn Session,
        schema: &SchemaRef,
        filters: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wide = self.with_filter_columns(schema, filters)?;
        let wanted = Wanted { filter: self.range.clone(), ..Wanted::default() };
        let read = self.read(&wide, wanted, session.config().batch_size()).await?;
        let rows = Arc::new(ReshapeExec::new(read, wide.clone(), self.keep.clone(), false).pinning(self.table));
        let filter = conjunction(filters.iter().cloned())
            .ok_or_else(|| DataFusionError::Internal("a scan that filters has a filter".into()))?;
        let predicate = session.create_physical_expr(filter, &DFSchema::try_from(wide.clone())?)?;
        let filtered = Arc::new(FilterExec::try_new(predicate, rows)?);
        Ok(Arc::new(ReshapeExec::new(filtered, schema.clone(), Keep::All, false)))
    }

    fn with_filter_columns(&self, schema: &SchemaRef, filters: &[Expr]) -> Result<SchemaRef> {
        let stored: arrow::datatypes::Schema = self.table.dataset().schema().into();
        super::tail_part::widen(schema, filters, |name| match name {
            POS_TO => Some(arrow::datatypes::Field::new(POS_TO, arrow::datatypes::DataType::UInt64, false)),
            name => stored.field_with_name(name).ok().cloned(),
        })
    }

    /// Returns the fragments that may hold rows which satisfy a filter.
    async fn matching(&self, session: &dyn Session, filter: &Expr) -> Result<Vec<Fragment>> {
        let dataset = self.table.dataset();
        let schema: SchemaRef = Arc::new(dataset.schema().into());
        let predicate = session.create_physical_expr(filter.clone(), &DFSchema::try_from(schema.clone())?)?;
        let fragments = dataset.fragments();
        let may_match = self.table.zones().may_match(dataset, fragments, &predicate, &schema).await?;
        Ok(fragments.iter().zip(may_match).filter(|(_, may)| *may).map(|(fragment, _)| fragment.clone()).collect())
    }

    async fn read(&self, schema: &SchemaRef, wanted: Wanted, batch_rows: usize) -> Result<Arc<dyn ExecutionPlan>> {
        let mut columns = names(schema);
        columns.retain(|name| self.table.dataset().schema().field(name).is_some());
        if self.keep.needs_ids() {
            columns.extend([POS, ORD].into_iter().filter(|id| schema.index_of(id).is_err()));
        }
        let mut scanner = self.table.dataset().scan();
        scanner.scan_in_order(false).batch_size(batch_rows);
        match columns.is_empty() {
            true => scanner.empty_project()?,
            false => scanner.project(&columns)?,
        };
        if let Some(fragments) = wanted.fragments {
            scanner.with_fragments(fragments);
        }
        if let Some(filter) = wanted.filter {
            scanner.filter_expr(filter);
            if columns.len() <= NARROW {
                scanner.materialization_style(MaterializationStyle::AllEarly);
            }
        }
        if let Some(limit) = wanted.limit {
            let hidden = if let Keep::Open(closed) = &self.keep { closed.len() } else { 0 };
            scanner.limit(Some((limit + hidden) as i64), None)?;
        }
        Ok(scanner.create_plan().await?)
    }

    /// Lets every core decode and pass on its own share of the rows, where the plan is a plain read.
    fn split(&self, plan: Arc<dyn ExecutionPlan>, partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
        if partitions < 2 || self.table.rows() < SPLIT_ROWS {
            return Ok(plan);
        }
        let Some(read) = plan.downcast_ref::<FilteredReadExec>() else { return Ok(plan) };
        let options = read.options().clone();
        let options = options.with_threading_mode(FilteredReadThreadingMode::MultiplePartitions(partitions));
        let split = FilteredReadExec::try_new(read.dataset().clone(), options, read.index_input().cloned())?;
        Ok(if split.schema() == plan.schema() { Arc::new(split) } else { plan })
    }
}
