//! [`VectorIndex`]: chunks with vectors in, nearest versions out.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::TryStreamExt;
use lance::Dataset;
use lance::dataset::builder::DatasetBuilder;
use lance::dataset::{InsertBuilder, WriteMode, WriteParams};
use lance::session::Session;
use parking_lot::RwLock;
use partitura_event::Problem;
use tokio::sync::Mutex;

use super::ann::Ann;
use super::chunk::{ChunkVector, TextHash, decode, encode};
use super::current::Current;
use super::rows::{Place, Rows};
use crate::durable::{Synced, list_files, sync_tree};
use crate::fault;
use crate::open::put_aside_newer;
use crate::text::Visible;

/// Candidates per document asked for: chunks of one document share its place in the answer.
const CHUNKS_PER_DOCUMENT: usize = 2;

/// What a user may tweak about vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSettings {
    /// Up to this many chunks every search compares with all of them; beyond it with an index.
    pub exact_rows: usize,
    /// Share of the true ten nearest that the index must find, or it is not used.
    pub recall: f64,
    /// Small fragments that start a compaction.
    pub compact_fragments: usize,
    /// Memory for the parts of the index that searches read.
    pub index_cache_bytes: usize,
}

impl Default for VectorSettings {
    fn default() -> Self {
        Self { exact_rows: 100_000, recall: 0.95, compact_fragments: 32, index_cache_bytes: 1 << 30 }
    }
}

/// One version near the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VectorHit {
    /// The version.
    pub version: u64,
    /// Cosine of its nearest chunk.
    pub score: f32,
    /// That chunk's place in the document's text, in bytes.
    pub start: u32,
    /// Byte after its last.
    pub end: u32,
}

/// What `system` tables show.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorStatus {
    /// `name@hash` of the model.
    pub model: String,
    /// Chunks.
    pub rows: usize,
    /// Versions of documents that have a vector.
    pub versions: usize,
    /// Files of rows.
    pub fragments: usize,
    /// Recall@10 that the index has shown, when there is one in use.
    pub recall: Option<f64>,
}

/// The vectors of one workspace and model. One writer.
pub struct VectorIndex {
    folder: PathBuf,
    model: String,
    dims: usize,
    settings: VectorSettings,
    session: Arc<Session>,
    rows: Arc<RwLock<Rows>>,
    writer: Mutex<Writer>,
    ann: RwLock<Option<Arc<Ann>>>,
    fragments: AtomicUsize,
}

struct Writer {
    dataset: Option<Dataset>,
    synced: Synced,
}

impl VectorIndex {
    /// Opens or creates the vectors of `model` (its `name@hash`) in `folder`; its rows are read into memory.
    pub async fn open(folder: &Path, model: &str, dims: usize, settings: VectorSettings) -> Result<Self, Problem> {
        fs::create_dir_all(folder).map_err(|error| fault::file("cannot create", folder, &error))?;
        let session = Arc::new(Session::new(settings.index_cache_bytes, 16 << 20, Arc::default()));
        let table = folder.join("chunks.lance");
        let mut rows = Rows::new(dims);
        let mut writer = Writer { dataset: None, synced: Synced::new() };
        let mut ann = None;
        match Current::read(folder, dims)? {
            Some(current) => {
                put_aside_newer(&table, current.version)?;
                writer.synced.extend(list_files(&table)?);
                let uri = table.display().to_string();
                let loading = DatasetBuilder::from_uri(uri).with_session(session.clone()).with_version(current.version);
                let dataset = loading.load().await.map_err(|error| failed("cannot open", &error))?;
                read_rows(&dataset, &mut rows).await?;
                if let Some(recall) = current.recall.filter(|recall| *recall >= settings.recall) {
                    ann = Ann::adopt(&dataset, recall).await?.map(Arc::new);
                }
                writer.dataset = Some(dataset);
            }
            None if table.exists() => {
                // The first append was cut off, or the format changed: nothing here is promised.
                fs::remove_dir_all(&table).map_err(|error| fault::file("cannot remove", &table, &error))?;
            }
            None => {}
        }
        let fragments = AtomicUsize::new(writer.dataset.as_ref().map_or(0, |dataset| dataset.fragments().len()));
        Ok(Self {
            folder: folder.to_owned(),
            model: model.to_owned(),
            dims,
            settings,
            session,
            rows: Arc::new(RwLock::new(rows)),
            writer: Mutex::new(writer),
            ann: RwLock::new(ann),
            fragments,
        })
    }

    /// Returns whether the version has a vector.
    pub fn contains(&self, version: u64) -> bool {
        self.rows.read().contains(version)
    }

    /// Returns the vectors of those hashes that are known.
    pub fn known(&self, hashes: &[TextHash]) -> HashMap<TextHash, Vec<f32>> {
        let rows = self.rows.read();
        let known = |hash: &TextHash| rows.known(hash).map(|vector| (*hash, vector.to_vec()));
        hashes.iter().filter_map(known).collect()
    }

    /// Returns the vectors of a version's chunks.
    pub fn of_version(&self, version: u64) -> Vec<Vec<f32>> {
        self.rows.read().of_version(version).map(<[f32]>::to_vec).collect()
    }

    /// Adds chunks: durable and searchable when it returns. Chunks of a version belong in one call.
    pub async fn append(&self, chunks: &[ChunkVector]) -> Result<(), Problem> {
        let mut writer = self.writer.lock().await;
        let fresh: Vec<_> = chunks.iter().filter(|chunk| !self.contains(chunk.version)).cloned().collect();
        if fresh.is_empty() {
            return Ok(());
        }
        if let Some(chunk) = fresh.iter().find(|chunk| chunk.vector.len() != self.dims) {
            let detail = format!("a vector has length {} instead of {}", chunk.vector.len(), self.dims);
            return Err(fault::internal("vectors", detail));
        }
        let batch = encode(&fresh, self.dims).map_err(|error| fault::internal("vectors", error))?;
        let table = self.folder.join("chunks.lance");
        let mut params = WriteParams { skip_auto_cleanup: true, auto_cleanup: None, ..WriteParams::default() };
        let dataset = match &writer.dataset {
            Some(dataset) => {
                params.mode = WriteMode::Append;
                InsertBuilder::new(Arc::new(dataset.clone())).with_params(&params).execute(vec![batch]).await
            }
            None => {
                params.mode = WriteMode::Create;
                params.session = Some(self.session.clone());
                let uri = table.display().to_string();
                InsertBuilder::new(uri.as_str()).with_params(&params).execute(vec![batch]).await
            }
        };
        let dataset = dataset.map_err(|error| failed("cannot write", &error))?;
        self.publish(&mut writer, dataset)?;
        let mut rows = self.rows.write();
        fresh.iter().for_each(|chunk| rows.push(chunk));
        Ok(())
    }

    /// Syncs what is new and names it in `CURRENT`.
    fn publish(&self, writer: &mut Writer, dataset: Dataset) -> Result<(), Problem> {
        sync_tree(&self.folder.join("chunks.lance"), &writer.synced)?;
        let moved = self.ann.read().as_ref().map(|ann| Arc::new(ann.moved(&dataset)));
        let recall = moved.as_ref().map(|ann| ann.recall());
        Current::new(&self.model, self.dims, dataset.version().version, recall).write(&self.folder)?;
        *self.ann.write() = moved;
        self.fragments.store(dataset.fragments().len(), Ordering::Relaxed);
        writer.dataset = Some(dataset);
        Ok(())
    }

    /// Returns the `limit` visible versions whose nearest chunk is nearest to `query`, best first, the newest first
    /// among equals.
    ///
    /// `exact` compares with every chunk, also where an index is in use.
    pub async fn search(
        &self,
        query: &[f32],
        visible: &Visible,
        limit: usize,
        exact: bool,
    ) -> Result<Vec<VectorHit>, Problem> {
        if query.len() != self.dims || limit == 0 {
            return Ok(Vec::new());
        }
        let mut ask = limit * CHUNKS_PER_DOCUMENT;
        let ann = self.ann.read().clone().filter(|_| !exact && !visible.is_filtered());
        if let Some(ann) = ann {
            for ask in [ask, 4 * ask] {
                let found = self.approximate(&ann, query, visible, ask).await?;
                let hits = documents(&self.rows.read().places, &found, visible);
                if hits.len() >= limit {
                    return Ok(ranked(hits, limit));
                }
            }
            // Nearly all that is near is hidden, as far in the past: an index is no help there.
        }
        loop {
            let found = self.scan(query, visible, ask, 0).await?;
            let rows = self.rows.read();
            let exhausted = found.len() < ask || ask >= rows.len();
            let hits = documents(&rows.places, &found, visible);
            if exhausted || hits.len() >= limit {
                return Ok(ranked(hits, limit));
            }
            ask *= 4;
        }
    }

    /// Compares with every row from `first` on.
    async fn scan(
        &self,
        query: &[f32],
        visible: &Visible,
        limit: usize,
        first: usize,
    ) -> Result<Vec<(f32, u32)>, Problem> {
        let (rows, query, visible) = (self.rows.clone(), query.to_vec(), visible.clone());
        let scan = move || {
            let rows = rows.read();
            rows.nearest(&query, limit, &visible, first.min(rows.len())..rows.len())
        };
        tokio::task::spawn_blocking(scan).await.map_err(|error| fault::internal("vectors", error))
    }

    /// Asks the index about the rows that it covers, and compares with the newer ones.
    async fn approximate(
        &self,
        ann: &Ann,
        query: &[f32],
        visible: &Visible,
        limit: usize,
    ) -> Result<Vec<(f32, u32)>, Problem> {
        let (near, newer) = tokio::join!(ann.nearest(query, limit), self.scan(query, visible, limit, ann.covered()));
        let (near, mut found) = (near?, newer?);
        let rows = self.rows.read();
        let seen =
            near.into_iter().filter(|row| rows.places.get(*row as usize).is_some_and(|p| visible.sees(p.version)));
        found.extend(seen.map(|row| (rows.product(query, row), row)));
        Ok(rows.best(found, limit))
    }

    /// Merges small fragments, removes old versions, and builds the index where there are enough rows.
    pub async fn maintain(&self) -> Result<(), Problem> {
        let mut writer = self.writer.lock().await;
        let Some(mut dataset) = writer.dataset.clone() else { return Ok(()) };
        let before = dataset.version().version;
        super::ann::compact(&mut dataset, self.settings.compact_fragments).await?;
        if self.rows.read().len() > self.settings.exact_rows {
            let ann = Ann::build(&mut dataset, &self.rows, &self.settings).await?;
            *self.ann.write() = ann.map(Arc::new);
            return self.publish(&mut writer, dataset);
        }
        if dataset.version().version != before {
            self.publish(&mut writer, dataset)?;
        }
        Ok(())
    }

    /// Describes it. Does not wait for what writes.
    pub fn status(&self) -> VectorStatus {
        let recall = self.ann.read().as_ref().map(|ann| ann.recall());
        let rows = self.rows.read();
        let fragments = self.fragments.load(Ordering::Relaxed);
        VectorStatus { model: self.model.clone(), rows: rows.len(), versions: rows.versions(), fragments, recall }
    }

    /// Returns how many versions have a vector.
    pub fn versions(&self) -> usize {
        self.rows.read().versions()
    }
}

/// Keeps the nearest chunk of each visible version; `found` is sorted.
fn documents(places: &[Place], found: &[(f32, u32)], visible: &Visible) -> Vec<VectorHit> {
    let mut seen = std::collections::HashSet::new();
    let mut hits = Vec::new();
    for (score, row) in found {
        let Some(place) = places.get(*row as usize) else { continue };
        if visible.sees(place.version) && seen.insert(place.version) {
            hits.push(VectorHit { version: place.version, score: *score, start: place.start, end: place.end });
        }
    }
    hits
}

fn ranked(mut hits: Vec<VectorHit>, limit: usize) -> Vec<VectorHit> {
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.version.cmp(&a.version)));
    hits.truncate(limit);
    hits
}

async fn read_rows(dataset: &Dataset, rows: &mut Rows) -> Result<(), Problem> {
    let mut scanner = dataset.scan();
    scanner.scan_in_order(true);
    let mut stream = scanner.try_into_stream().await.map_err(|error| failed("cannot read", &error))?;
    while let Some(batch) = stream.try_next().await.map_err(|error| failed("cannot read", &error))? {
        decode(&batch, |chunk| rows.push(&chunk)).map_err(|error| fault::internal("vectors", error))?;
    }
    Ok(())
}

/// Wraps an error of Lance.
pub(super) fn failed(doing: &str, error: &lance::Error) -> Problem {
    fault::lance(&format!("{doing} the vectors"), error)
        .hint("remove the folder `search` of the data folder and start again: vectors are computed again")
}
