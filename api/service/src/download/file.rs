//! One file of rows: while it is written, and while it is read. It is removed when nobody holds it.

use std::io::SeekFrom;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use partitura_event::{ErrorClass, Position, Problem, Timestamp};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter};
use tokio::time::Instant;
use tokio_util::bytes::Bytes;
use tokio_util::io::ReaderStream;

use super::Shelf;
use super::shelf::Room;
use crate::folder::unwritable;

/// Bytes that are read from a file at once.
const PIECE: usize = 256 << 10;

/// A whole file of rows.
#[derive(Debug)]
pub struct KeptFile {
    place: Place,
    tag: String,
    position: Option<Position>,
    written_at: Timestamp,
    since: Instant,
}

/// A file's path and the share of the disk that it takes; given back on drop.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    room: Room,
}

impl Drop for Place {
    fn drop(&mut self) {
        // One that cannot be removed is removed at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl KeptFile {
    /// Returns its bytes.
    pub fn len(&self) -> u64 {
        self.place.room.bytes()
    }

    /// Returns whether it has no bytes, as a table without rows in NDJSON.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the strong tag, made of its bytes: equal tags mean equal files.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Returns the position at which its rows were read.
    pub const fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns when it was written, as HTTP writes dates.
    pub fn last_modified(&self) -> String {
        let time = DateTime::<Utc>::from_timestamp_micros(self.written_at.micros()).unwrap_or_default();
        time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Reads a part. The file stays while it is read.
    pub async fn read(
        self: &Arc<Self>,
        part: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, Problem>> + Send + 'static, Problem> {
        let mut file = File::open(&self.place.path).await.map_err(|error| self.unreadable(&error))?;
        file.seek(SeekFrom::Start(part.start)).await.map_err(|error| self.unreadable(&error))?;
        let held = Arc::clone(self);
        let part = file.take(part.end - part.start);
        Ok(ReaderStream::with_capacity(part, PIECE).map(move |piece| piece.map_err(|error| held.unreadable(&error))))
    }

    fn unreadable(&self, error: &std::io::Error) -> Problem {
        Problem::new(ErrorClass::Unavailable, format!("a file of rows cannot be read back: {error}"))
            .hint("ask for it again: it is written anew")
    }
}

/// A file that is being written.
pub(super) struct Unfinished {
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    place: Place,
    shelf: Arc<Shelf>,
}

impl Unfinished {
    /// Creates an empty one.
    pub async fn create(shelf: &Arc<Shelf>) -> Result<Self, Problem> {
        let path = shelf.folder().join(uuid::Uuid::now_v7().simple().to_string());
        let file = File::create_new(&path).await.map_err(|error| unwritable(&path, &error))?;
        let place = Place { path, room: shelf.room() };
        Ok(Self {
            out: BufWriter::with_capacity(PIECE, file),
            hasher: blake3::Hasher::new(),
            place,
            shelf: Arc::clone(shelf),
        })
    }

    /// Appends bytes. Errors when all files together would be over their limit, or the disk is full.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.shelf.grow(&mut self.place.room, bytes.len() as u64)?;
        self.hasher.update(bytes);
        self.out.write_all(bytes).await.map_err(|error| unwritable(&self.place.path, &error))
    }

    /// Ends it.
    pub async fn finish(mut self, position: Option<Position>, written_at: Timestamp) -> Result<KeptFile, Problem> {
        self.out.flush().await.map_err(|error| unwritable(&self.place.path, &error))?;
        let tag = format!("\"{}\"", &self.hasher.finalize().to_hex()[..32]);
        Ok(KeptFile { place: self.place, tag, position, written_at, since: Instant::now() })
    }
}
