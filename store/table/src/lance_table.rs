//! [`LanceTable`]: one version of one Lance table, and the four ways to write the next one.
//!
//! There is one writer, so a commit must get the number after the version it started from; another
//! number means that somebody else writes here, and the commit is not used.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use lance::Dataset;
use lance::dataset::builder::DatasetBuilder;
use lance::dataset::transaction::{Operation, Transaction, UpdateMode};
use lance::dataset::{CommitBuilder, InsertBuilder, ProjectionRequest, WriteMode, WriteParams};
use partitura_event::{ErrorClass, Problem};

use crate::fault;
use crate::files::Files;
use crate::fragment_rows::FragmentRows;
use crate::layout;
use crate::row_id::RowId;
use crate::status::{FileStatus, FragmentStatus};
use crate::zones::Zones;

/// One version of one Lance table. Reading it needs no lock and is not disturbed by later versions.
#[derive(Debug)]
pub(crate) struct LanceTable {
    dataset: Arc<Dataset>,
    path: String,
    rows: Arc<FragmentRows>,
    zones: Arc<Zones>,
}

impl LanceTable {
    /// Opens exactly `version`.
    pub async fn open(files: &Files, path: &str, version: u64) -> Result<Self, Problem> {
        let uri = files.full(path).display().to_string();
        let loading = DatasetBuilder::from_uri(uri).with_session(files.session.clone()).with_version(version).load();
        let dataset = loading.await.map_err(|error| {
            Problem::new(ErrorClass::Corrupt, format!("table {path} at version {version} cannot be opened: {error}"))
                .hint("stop the server, remove the folder `tables` and start it again: it is rebuilt from the log")
        })?;
        Ok(Self { dataset: Arc::new(dataset), path: path.to_owned(), rows: Arc::default(), zones: Arc::default() })
    }

    /// Writes a new table.
    pub async fn create(
        files: &Files,
        path: &str,
        schema: &SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<Self, Problem> {
        let uri = files.full(path).display().to_string();
        let params = WriteParams { session: Some(files.session.clone()), ..write_params(WriteMode::Create) };
        let batches = if batches.is_empty() { vec![RecordBatch::new_empty(schema.clone())] } else { batches };
        let batches = layout::marked(batches)?;
        let inserting = InsertBuilder::new(uri.as_str()).with_params(&params).execute(batches).await;
        let dataset = inserting.map_err(|error| fault::lance(&format!("cannot create table {path}"), &error))?;
        Ok(Self { dataset: Arc::new(dataset), path: path.to_owned(), rows: Arc::default(), zones: Arc::default() })
    }

    /// Deletes the rows with these ids and appends others, in one commit.
    pub async fn replace(&self, deleted: &[RowId], appended: Vec<RecordBatch>) -> Result<Self, Problem> {
        let doing = || format!("cannot write table {}", self.path);
        let fragments = self.write_fragments(appended).await?;
        let operation = if deleted.is_empty() {
            Operation::Append { fragments }
        } else {
            let (updated_fragments, removed_fragment_ids) = self.delete_in_fragments(deleted).await?;
            Operation::Update {
                removed_fragment_ids,
                updated_fragments,
                new_fragments: fragments,
                fields_modified: Vec::new(),
                compacted_sstables: Vec::new(),
                fields_for_preserving_frag_bitmap: Vec::new(),
                update_mode: Some(UpdateMode::RewriteRows),
                inserted_rows_filter: None,
                updated_fragment_offsets: None,
            }
        };
        let transaction = Transaction::new(self.version(), operation, None);
        let committing = CommitBuilder::new(self.dataset.clone()).with_skip_auto_cleanup(true).execute(transaction);
        let dataset = committing.await.map_err(|error| fault::lance(&doing(), &error))?;
        self.next(dataset)
    }

    /// Wraps the version that maintenance has made of this one; any number of commits after it.
    pub fn maintained(&self, dataset: Dataset) -> Self {
        self.rows.retain(&dataset);
        self.zones.retain(&dataset);
        Self { dataset: Arc::new(dataset), path: self.path.clone(), rows: self.rows.clone(), zones: self.zones.clone() }
    }

    fn next(&self, dataset: Dataset) -> Result<Self, Problem> {
        let (was, is) = (self.version(), dataset.version_id());
        if is != was + 1 {
            let detail = format!("table {} went from version {was} to {is}: somebody else writes to it", self.path);
            return Err(Problem::new(ErrorClass::Internal, detail).hint("run one server on one data folder"));
        }
        Ok(Self {
            dataset: Arc::new(dataset),
            path: self.path.clone(),
            rows: self.rows.clone(),
            zones: self.zones.clone(),
        })
    }

    async fn write_fragments(&self, batches: Vec<RecordBatch>) -> Result<Vec<lance::table::format::Fragment>, Problem> {
        if batches.is_empty() {
            return Ok(Vec::new());
        }
        let (params, batches) = (write_params(WriteMode::Append), layout::marked(batches)?);
        let writing = InsertBuilder::new(self.dataset.clone()).with_params(&params).execute_uncommitted(batches).await;
        let transaction =
            writing.map_err(|error| fault::lance(&format!("cannot write table {}", self.path), &error))?;
        match transaction.operation {
            Operation::Append { fragments } => Ok(fragments),
            other => Err(fault::internal("an append became another operation", other)),
        }
    }

    async fn delete_in_fragments(
        &self,
        deleted: &[RowId],
    ) -> Result<(Vec<lance::table::format::Fragment>, Vec<u64>), Problem> {
        let mut updated = Vec::new();
        let mut removed = Vec::new();
        for (fragment_id, offsets) in self.rows.locate(&self.dataset, deleted).await?.by_fragment(deleted.len())? {
            let fragment = self.dataset.get_fragment(fragment_id as usize);
            let fragment = fragment.ok_or_else(|| fault::internal("no such fragment", fragment_id))?;
            let extended = fragment.extend_deletions(offsets).await;
            match extended.map_err(|error| fault::lance(&format!("cannot delete in {}", self.path), &error))? {
                Some(fragment) => updated.push(fragment.metadata().clone()),
                None => removed.push(fragment_id),
            }
        }
        Ok((updated, removed))
    }

    /// Reads the rows with these ids, in the order of the ids. All must be there.
    pub async fn take(&self, ids: &[RowId], columns: &[&str]) -> Result<RecordBatch, Problem> {
        let addresses = self.rows.locate(&self.dataset, ids).await?.all(ids.len())?;
        let projection = ProjectionRequest::from_columns(columns, self.dataset.schema());
        let taking = self.dataset.take_rows(&addresses, projection).await;
        taking.map_err(|error| fault::lance(&format!("cannot read rows of {}", self.path), &error))
    }

    /// Returns the Lance dataset at this version.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.dataset
    }

    /// Returns what is known of the bounds of its fragments.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Returns the Lance version.
    pub fn version(&self) -> u64 {
        self.dataset.version_id()
    }

    /// Returns the folder, relative to that of all tables.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns how many rows there are, deleted ones not counted.
    pub fn rows(&self) -> u64 {
        self.dataset.fragments().iter().map(|fragment| fragment.num_rows().unwrap_or(0) as u64).sum()
    }

    /// Describes the files.
    pub fn status(&self) -> FileStatus {
        let fragments = self.dataset.fragments().iter().map(|fragment| FragmentStatus {
            id: fragment.id,
            rows: fragment.num_rows().unwrap_or(0) as u64,
            deleted: (fragment.physical_rows.unwrap_or(0) - fragment.num_rows().unwrap_or(0)) as u64,
            bytes: fragment.files.iter().filter_map(|file| file.file_size_bytes.get()).map(|size| size.get()).sum(),
        });
        FileStatus { path: self.path.clone(), version: self.version(), fragments: fragments.collect() }
    }
}

fn write_params(mode: WriteMode) -> WriteParams {
    WriteParams { mode, skip_auto_cleanup: true, auto_cleanup: None, ..WriteParams::default() }
}
