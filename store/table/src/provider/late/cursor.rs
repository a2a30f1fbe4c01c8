//! [`Cursor`]: one partition of a late read, fragment by fragment.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch, prep_null_mask_filter};
use arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;
use futures::TryStreamExt;
use lance::dataset::ProjectionRequest;
use lance::dataset::scanner::{MaterializationStyle, Scanner};
use lance::table::format::Fragment;

use super::Source;
use crate::provider::names;
use crate::provider::reshape::{Keep, conform};
use crate::schema::{ORD, POS};

/// Name of Lance's column with the row's address.
const ROW_ADDRESS: &str = "_rowaddr";

/// Rows that are passed on before it is known what is wanted; twice as many each time it still is not.
const FIRST: usize = 1_024;

/// If more than one in so many rows of a fragment is wanted, the fragment is read as a whole.
const DENSE: usize = 4;

/// The state of one partition.
pub(super) struct Cursor {
    source: Arc<Source>,
    schema: SchemaRef,
    keep: Keep,
    wanted: Arc<dyn PhysicalExpr>,
    /// Columns that `wanted` and `keep` look at.
    keys: Vec<String>,
    /// Fragments that are not looked at yet, newest first.
    left: VecDeque<Fragment>,
    /// Rows that were left over in a fragment that was begun.
    begun: Option<Keys>,
    /// Rows that turned out to be at the wrong end; they come last.
    postponed: Option<Keys>,
    turned: bool,
    first: usize,
    scanning: Option<SendableRecordBatchStream>,
    ready: VecDeque<RecordBatch>,
    context: Arc<TaskContext>,
}

/// The keys of some rows of one fragment, in their order, with the rows' addresses.
struct Keys {
    fragment: Fragment,
    rows: RecordBatch,
    /// Whether they are all rows of the fragment.
    whole: bool,
}

impl Cursor {
    pub fn new(
        source: Arc<Source>,
        schema: SchemaRef,
        keep: Keep,
        wanted: Arc<dyn PhysicalExpr>,
        left: VecDeque<Fragment>,
        context: Arc<TaskContext>,
    ) -> Self {
        let mut keys: Vec<String> = collect_columns(&wanted).iter().map(|column| column.name().to_owned()).collect();
        if keep.needs_ids() {
            keys.extend([POS, ORD].map(str::to_owned));
        }
        keys.sort_unstable();
        keys.dedup();
        let (begun, postponed, scanning, ready) = (None, None, None, VecDeque::new());
        let (turned, first) = (false, FIRST);
        Self { source, schema, keep, wanted, keys, left, begun, postponed, turned, first, scanning, ready, context }
    }

    /// Returns the next rows.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            if let Some(stream) = &mut self.scanning {
                match stream.try_next().await? {
                    Some(batch) => return self.kept(batch).map(Some),
                    None => self.scanning = None,
                }
                continue;
            }
            let Some(keys) = self.next_keys().await? else { return Ok(None) };
            self.read(keys).await?;
        }
    }

    /// Returns what is wanted now; nothing while that is everything.
    fn bound(&self) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let wanted = snapshot_physical_expr(self.wanted.clone())?;
        Ok((!wanted.is::<Literal>()).then_some(wanted))
    }

    async fn next_keys(&mut self) -> Result<Option<Keys>> {
        if let Some(keys) = self.begun.take() {
            return Ok(Some(keys));
        }
        loop {
            let fragment = if self.turned { self.left.pop_back() } else { self.left.pop_front() };
            let Some(fragment) = fragment else { return Ok(self.postponed.take()) };
            if self.may_match(&fragment).await? {
                return self.read_keys(fragment).await.map(Some);
            }
        }
    }

    async fn may_match(&mut self, fragment: &Fragment) -> Result<bool> {
        let Some(bound) = self.bound()? else { return Ok(true) };
        let table = &self.source.table;
        let schema: SchemaRef = Arc::new(table.dataset().schema().into());
        let bound = reassign_expr_columns(bound, &schema)?;
        let fragments = std::slice::from_ref(fragment);
        let may_match = table.zones().may_match(table.dataset(), fragments, &bound, &schema).await?;
        Ok(may_match == [true])
    }

    async fn read_keys(&mut self, fragment: Fragment) -> Result<Keys> {
        let mut scanner = self.scanner(&fragment, &self.keys)?;
        scanner.with_row_address();
        let stream = scanner.try_into_stream().await?;
        let schema = lance::io::RecordBatchStream::schema(&stream);
        let batches: Vec<RecordBatch> = stream.try_collect().await?;
        let (rows, _) = self.keep.apply(concat_batches(&schema, &batches)?)?;
        Ok(Keys { fragment, rows, whole: true })
    }

    fn scanner(&self, fragment: &Fragment, columns: &[impl AsRef<str>]) -> Result<Scanner> {
        let mut scanner = self.source.table.dataset().scan();
        scanner.with_fragments(vec![fragment.clone()]).scan_in_order(true).project(columns)?;
        if let Some(filter) = &self.source.filter {
            scanner.filter_expr(filter.clone()).materialization_style(MaterializationStyle::AllEarly);
        }
        Ok(scanner)
    }

    /// Passes on those of the rows that are wanted, or some of them if it is not known which.
    async fn read(&mut self, keys: Keys) -> Result<()> {
        let rows = keys.rows.num_rows();
        let Some(bound) = self.bound()? else { return self.read_some(keys).await };
        let wanted = reassign_expr_columns(bound, keys.rows.schema_ref())?.evaluate(&keys.rows)?.into_array(rows)?;
        let wanted = wanted.as_boolean_opt().ok_or_else(|| internal("what is wanted is true or false"))?;
        let wanted: BooleanArray = if wanted.null_count() > 0 { prep_null_mask_filter(wanted) } else { wanted.clone() };
        let count = wanted.true_count();
        if count > rows / 2 && !self.turned && !self.left.is_empty() {
            // Most of the newest rows are wanted, so the oldest ones are wanted more.
            self.turned = true;
            self.postponed = Some(keys);
            return Ok(());
        }
        if keys.whole && count > rows / DENSE {
            return self.scan(&keys.fragment).await;
        }
        self.pass_on(&filter_record_batch(&keys.rows, &wanted)?).await
    }

    /// Passes on the last rows of a fragment, so that the operator above can find its bound.
    async fn read_some(&mut self, keys: Keys) -> Result<()> {
        let rows = keys.rows.num_rows();
        if rows == 0 {
            return Ok(());
        }
        if keys.whole && self.first >= rows {
            self.first *= 2;
            return self.scan(&keys.fragment).await;
        }
        let left = rows.saturating_sub(self.first);
        self.first *= 2;
        let some = keys.rows.slice(left, rows - left);
        if left > 0 {
            self.begun = Some(Keys { rows: keys.rows.slice(0, left), whole: false, ..keys });
        }
        self.pass_on(&some).await
    }

    /// Reads the whole rows that belong to some keys.
    async fn pass_on(&mut self, rows: &RecordBatch) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        if self.schema.fields().iter().all(|field| rows.column_by_name(field.name()).is_some()) {
            self.ready.push_back(conform(rows, None, &self.schema)?);
            return Ok(());
        }
        let addresses = rows.column_by_name(ROW_ADDRESS).and_then(|column| column.as_primitive_opt::<UInt64Type>());
        let addresses = addresses.ok_or_else(|| internal("keys have addresses"))?;
        let dataset = self.source.table.dataset();
        for some in addresses.values().chunks(self.context.session_config().batch_size()) {
            let columns = ProjectionRequest::from_columns(names(&self.schema), dataset.schema());
            let taken = dataset.take_rows(some, columns).await?;
            self.ready.push_back(conform(&taken, None, &self.schema)?);
        }
        Ok(())
    }

    /// Reads all rows of a fragment.
    async fn scan(&mut self, fragment: &Fragment) -> Result<()> {
        let mut columns = names(&self.schema);
        if self.keep.needs_ids() {
            columns.extend([POS, ORD].into_iter().filter(|id| self.schema.index_of(id).is_err()));
        }
        let mut scanner = self.scanner(fragment, &columns)?;
        scanner.batch_size(self.context.session_config().batch_size());
        self.scanning = Some(scanner.create_plan().await?.execute(0, self.context.clone())?);
        Ok(())
    }

    fn kept(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let (batch, _) = self.keep.apply(batch)?;
        conform(&batch, None, &self.schema)
    }
}

fn internal(what: &str) -> DataFusionError {
    DataFusionError::Internal(what.to_owned())
}
