//! [`TextIndex`]: documents in, ranked versions out.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use parking_lot::{Mutex, RwLock};
use partitura_event::{ErrorClass, Position, Problem};
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::{Executor, Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy};

use super::document::Document;
use super::schema::{FORMAT, Fields, tokenizers};
use super::view::TextView;

/// Memory of the writer, in bytes; it is there only while documents come in.
const WRITER_BYTES: usize = 32 << 20;

/// What is written with each commit of tantivy.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Payload {
    format: u32,
    position: Option<Position>,
    /// Names what the rows were made by; another one means other rows.
    generation: String,
}

/// One ranked version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The version.
    pub version: u64,
    /// BM25, rounded so that it does not depend on how the index is split.
    pub score: f32,
}

/// The text index of one workspace. One writer; readers hold a [`TextView`].
pub struct TextIndex {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    writer: Mutex<Option<IndexWriter>>,
    payload: Mutex<Payload>,
    view: RwLock<Arc<TextView>>,
}

impl TextIndex {
    /// Opens or creates the index in `dir`. One of another format or generation is removed and begun anew.
    ///
    /// What replaced versions up to [`position`](TextView::position) is not kept here: the caller says it
    /// again with [`commit`](Self::commit) before anybody searches.
    pub fn open(dir: &Path, generation: &str) -> Result<Self, Problem> {
        std::fs::create_dir_all(dir).map_err(failed)?;
        let (fields, schema) = Fields::new();
        let open = || {
            let directory = MmapDirectory::open(dir).map_err(failed)?;
            let builder = Index::builder().schema(schema.clone()).settings(IndexSettings::default());
            let mut index = builder.tokenizers(tokenizers()).open_or_create(directory).map_err(failed)?;
            index.set_tokenizers(tokenizers());
            index.set_executor(executor());
            let metas = index.load_metas().map_err(failed)?;
            let payload = metas.payload.map(|payload| serde_json::from_str::<Payload>(&payload)).transpose();
            Ok::<_, Problem>((index, payload.map_err(failed)?.unwrap_or_default()))
        };
        let wanted = Payload { format: FORMAT, position: None, generation: generation.to_owned() };
        let (index, payload) = match open() {
            Ok((index, payload)) if payload == Payload::default() => (index, wanted),
            Ok((index, payload)) if payload == (Payload { position: payload.position, ..wanted.clone() }) => {
                (index, payload)
            }
            opened => {
                let why = opened.err().map_or_else(|| "it has another format".to_owned(), |problem| problem.detail);
                tracing::warn!(dir = %dir.display(), why, "text index is built again");
                std::fs::remove_dir_all(dir).map_err(failed)?;
                std::fs::create_dir_all(dir).map_err(failed)?;
                (open()?.0, wanted)
            }
        };
        let reader: IndexReader =
            index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(failed)?;
        let view = TextView::new(&reader, fields, payload.position, None)?;
        let view = RwLock::new(Arc::new(view));
        Ok(Self { index, reader, fields, writer: Mutex::new(None), payload: Mutex::new(payload), view })
    }

    /// Returns the index as it is now.
    pub fn view(&self) -> Arc<TextView> {
        self.view.read().clone()
    }

    /// Adds versions and closings, and commits: durable, searchable and at `position` when it returns.
    ///
    /// Versions at or before the committed position are skipped, so that a replay adds nothing twice.
    /// `closings` are (version, position from which it no longer holds).
    pub fn commit(
        &self,
        position: Position,
        documents: &[Document],
        closings: &[(Position, Position)],
    ) -> Result<(), Problem> {
        let mut payload = self.payload.lock();
        let view = self.view();
        closings.iter().for_each(|(made, closed)| view.closings().close(*made, *closed));
        if view.position().is_some_and(|done| done >= position) {
            return Ok(());
        }
        let written = payload.position;
        let is_fresh = |document: &&Document| written.is_none_or(|written| document.version > written);
        if documents.iter().any(|document| is_fresh(&document)) {
            let next = Payload { position: Some(position), ..payload.clone() };
            self.write(documents.iter().filter(is_fresh), &next)?;
            *payload = next;
            self.reader.reload().map_err(failed)?;
        }
        // Without documents only the view moves on: a restart looks at these positions again, and finds nothing.
        let view = TextView::new(&self.reader, self.fields, Some(position), Some(&view))?;
        *self.view.write() = Arc::new(view);
        Ok(())
    }

    fn write<'a>(&self, documents: impl Iterator<Item = &'a Document>, payload: &Payload) -> Result<(), Problem> {
        let mut slot = self.writer.lock();
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => self.index.writer_with_num_threads(1, WRITER_BYTES).map_err(failed)?,
        };
        // A writer that failed is dropped: what it had not committed is gone with it.
        for document in documents {
            writer.add_document(self.fields.fill(document).map_err(failed)?).map_err(failed)?;
        }
        let mut commit = writer.prepare_commit().map_err(failed)?;
        commit.set_payload(&serde_json::to_string(payload).map_err(failed)?);
        commit.commit().map_err(failed)?;
        *slot = Some(writer);
        Ok(())
    }

    /// Lets go of the writer and its memory, after its merges. The next commit makes another.
    pub fn rest(&self) {
        // Held to the end: a second writer would find the first one's lock file.
        let mut writer = self.writer.lock();
        if let Some(Err(error)) = writer.take().map(|writer| writer.wait_merging_threads()) {
            tracing::warn!(%error, "merging the text index failed; it goes on with more segments");
        }
    }
}

/// Returns the threads that look at the segments of an index beside each other; all indexes share them.
fn executor() -> Executor {
    static SHARED: OnceLock<Executor> = OnceLock::new();
    let threads = available_parallelism().map_or(1, usize::from);
    let make = || Executor::multi_thread(threads, "search").unwrap_or_else(|_| Executor::single_thread());
    SHARED.get_or_init(make).clone()
}

/// Wraps what tantivy, a file or a damaged document says.
pub(super) fn failed(error: impl std::fmt::Display) -> Problem {
    let text = error.to_string();
    if text.contains("No space left on device") || text.contains("StorageFull") {
        return Problem::new(ErrorClass::StorageFull, "the text index cannot be written: no space is left on the disk")
            .hint("free space; it goes on by itself, and nothing that was acknowledged is lost");
    }
    Problem::new(ErrorClass::Internal, format!("the text index failed: {text}"))
        .hint("remove the folder `search` of the data folder and start again: it is rebuilt from the tables")
}
