//! The index on disk, in fjall. The only place that names fjall.
//!
//! Layers are ingested as sorted tables, past fjall's journal: cheap for the processor, and durable
//! with the ingestion. Only the checkpoint goes through the journal, synced, after everything else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ::fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use partitura_event::{Fingerprint, Position, Revision};

use crate::cursor::{Cursor, Put};
use crate::disk::is_full;
use crate::error::LogError;
use crate::judge::Known;
use crate::key::Key;

use super::{Checkpoint, Index, Layer};

/// Version of the entries; another one is rebuilt.
const FORMAT: u8 = 1;

const CHECKPOINT: &str = "checkpoint";
/// Every keyspace has the checkpoint of its last ingestion under this key, which sorts before all
/// others: a keyspace that fell back to an older state is found out.
const STAMP: &[u8] = &[0];
const DISTRUST_FILE: &str = "REBUILD";

/// An index in a folder of its own.
pub struct FjallIndex {
    folder: PathBuf,
    open: parking_lot::RwLock<Option<Open>>,
}

struct Open {
    database: Database,
    /// `(workspace, source, id)` → position, revision, fingerprint.
    events: Keyspace,
    /// Stream → last revision.
    heads: Keyspace,
    /// Stream, revision → position.
    streams: Keyspace,
    /// `(workspace, key)` → answer.
    answers: Keyspace,
    meta: Keyspace,
}

impl FjallIndex {
    /// Opens or makes the index in `folder`. One that cannot be opened is removed and made anew,
    /// because the log can rebuild it.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        let marked = folder.join(DISTRUST_FILE).exists();
        let opened =
            if marked { Err(damaged("it is marked for a rebuild")) } else { open(folder).and_then(check_stamps) };
        let open = match opened {
            Ok(open) => open,
            Err(error) if error == failed(::fjall::Error::Locked) => return Err(error),
            Err(error @ LogError::StorageFull { .. }) => return Err(error),
            Err(error) => {
                if folder.exists() {
                    tracing::warn!(%error, "log index is rebuilt");
                }
                remake(folder)?
            }
        };
        Ok(Self { folder: folder.to_owned(), open: parking_lot::RwLock::new(Some(open)) })
    }

    fn with<T>(&self, ask: impl FnOnce(&Open) -> ::fjall::Result<T>) -> Result<T, LogError> {
        match &*self.open.read() {
            Some(open) => ask(open).map_err(failed),
            None => Err(damaged("it could not be opened again")),
        }
    }

    /// Opens the database again. After a failed write it takes no more, and says the same for ever.
    fn open_again(&self) -> Result<(), LogError> {
        let mut place = self.open.write();
        drop(place.take());
        *place = Some(open(&self.folder).and_then(check_stamps)?);
        Ok(())
    }

    fn put(&self, layer: &Layer, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let stamp = stamp(checkpoint);
        self.with(|open| {
            let events = layer.events.iter().map(|(key, known)| (key.0.to_be_bytes(), event_value(known)));
            ingest(&open.events, &stamp, events)?;
            let places = layer.streams.iter().flat_map(|(key, run)| {
                let revisions = run.first.get()..;
                revisions.zip(&run.positions).map(|(revision, position)| (stream_key(*key, revision), place(*position)))
            });
            ingest(&open.streams, &stamp, places)?;
            let heads = layer.streams.iter().filter_map(|(key, run)| {
                run.last().map(|last| (key.0.to_be_bytes(), last.get().to_le_bytes().to_vec()))
            });
            ingest(&open.heads, &stamp, heads)?;
            let answers = layer.answers.iter().map(|(key, answer)| (key.0.to_be_bytes(), answer.to_vec()));
            ingest(&open.answers, &stamp, answers)?;
            let mut batch = open.database.batch().durability(Some(PersistMode::SyncAll));
            batch.insert(&open.meta, CHECKPOINT, stamp);
            batch.commit()
        })
    }
}

/// Makes the error of what fjall said. A full disk is told as such: it is mended without a restart.
fn failed(error: ::fjall::Error) -> LogError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(this) = cause {
        if this.downcast_ref::<io::Error>().is_some_and(is_full) {
            return LogError::StorageFull { detail: format!("log index: {this}") };
        }
        cause = this.source();
    }
    damaged(error)
}

fn damaged(detail: impl std::fmt::Display) -> LogError {
    LogError::Index { detail: detail.to_string() }
}

fn remake(folder: &Path) -> Result<Open, LogError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(damaged(error)),
        _ => {}
    }
    open(folder)
}

fn open(folder: &Path) -> Result<Open, LogError> {
    let database = Database::builder(folder)
        .cache_size(32 << 20)
        .max_journaling_size(64 << 20)
        .worker_threads(1)
        .open()
        .map_err(failed)?;
    let keyspace = |name: &str| {
        let options = || KeyspaceCreateOptions::default().max_memtable_size(8 << 20);
        database.keyspace(name, options).map_err(failed)
    };
    let (events, heads, streams) = (keyspace("events")?, keyspace("heads")?, keyspace("streams")?);
    let (answers, meta) = (keyspace("answers")?, keyspace("meta")?);
    Ok(Open { database, events, heads, streams, answers, meta })
}

/// Checks that no keyspace is behind the checkpoint.
fn check_stamps(open: Open) -> Result<Open, LogError> {
    let stored = open.meta.get(CHECKPOINT).map_err(failed)?;
    let Some(checkpoint) = stored.as_deref().and_then(stamped) else { return Ok(open) };
    for keyspace in [&open.events, &open.heads, &open.streams, &open.answers] {
        let stamp = keyspace.get(STAMP).map_err(failed)?;
        let stamp = stamp.as_deref().and_then(stamped);
        if stamp.is_none_or(|stamp| stamp.sequence < checkpoint.sequence) {
            return Err(damaged(format_args!("its part `{}` is older than its checkpoint", keyspace.name())));
        }
    }
    Ok(open)
}

fn stamp(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut stamp = vec![FORMAT];
    stamp.put(&checkpoint.encode());
    stamp
}

fn stamped(stamp: &[u8]) -> Option<Checkpoint> {
    match stamp.split_first() {
        Some((&FORMAT, fields)) => Checkpoint::decode(fields),
        _ => None,
    }
}

impl Index for FjallIndex {
    fn checkpoint(&self) -> Result<Option<Checkpoint>, LogError> {
        Ok(self.with(|open| open.meta.get(CHECKPOINT))?.as_deref().and_then(stamped))
    }

    fn event(&self, key: Key) -> Result<Option<Known>, LogError> {
        let stored = self.with(|open| open.events.get(key.0.to_be_bytes()))?;
        stored.map(|bytes| known(&bytes).ok_or_else(|| damaged("an entry of an id is damaged"))).transpose()
    }

    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError> {
        let stored = self.with(|open| open.heads.get(stream.0.to_be_bytes()))?;
        let revision = |bytes: &[u8]| Cursor(bytes).u64().and_then(Revision::new);
        stored.map(|bytes| revision(&bytes).ok_or_else(|| damaged("an entry of a stream is damaged"))).transpose()
    }

    fn positions(&self, stream: Key, from: Revision, limit: usize) -> Result<Vec<Position>, LogError> {
        let (start, end) = (stream_key(stream, from.get()), stream_key(stream, u64::MAX));
        let stored = self.with(|open| {
            let range = open.streams.range(start..=end).take(limit);
            range.map(|entry| entry.into_inner()).collect::<::fjall::Result<Vec<_>>>()
        })?;
        let mut positions = Vec::with_capacity(stored.len());
        for (expected, (key, value)) in (from.get()..).zip(&stored) {
            let position = Cursor(value).u64().and_then(Position::new);
            match position {
                Some(position) if key[..] == stream_key(stream, expected)[..] => positions.push(position),
                _ => return Err(damaged("an entry of a stream is missing")),
            }
        }
        Ok(positions)
    }

    fn answer(&self, request: Key) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.with(|open| open.answers.get(request.0.to_be_bytes()))?.map(|bytes| bytes.to_vec()))
    }

    fn store(&self, layer: &Layer, checkpoint: &Checkpoint) -> Result<(), LogError> {
        if self.open.read().is_none() {
            self.open_again()?;
        }
        let poisoned = damaged(::fjall::Error::Poisoned);
        match self.put(layer, checkpoint) {
            Err(error) if error == poisoned => {
                tracing::warn!("log index is opened again after a failed write");
                self.open_again()?;
                self.put(layer, checkpoint)
            }
            stored => stored,
        }
    }

    fn clear(&self) -> Result<(), LogError> {
        let nothing = self.with(|open| {
            let parts = [&open.events, &open.heads, &open.streams, &open.answers, &open.meta];
            parts.into_iter().try_fold(true, |empty, part| Ok(empty && part.is_empty()?))
        });
        if nothing == Ok(true) {
            return Ok(());
        }
        let mut open = self.open.write();
        drop(open.take());
        *open = Some(remake(&self.folder)?);
        Ok(())
    }

    fn distrust(&self) {
        if let Err(error) = fs::write(self.folder.join(DISTRUST_FILE), b"") {
            tracing::warn!(%error, "log index cannot be marked for a rebuild");
        }
    }
}

/// Sorts entries and adds them to a keyspace as tables.
fn ingest<const N: usize>(
    keyspace: &Keyspace,
    stamp: &[u8],
    entries: impl Iterator<Item = ([u8; N], Vec<u8>)>,
) -> ::fjall::Result<()> {
    let mut sorted: Vec<_> = entries.collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    let mut ingestion = keyspace.start_ingestion()?;
    ingestion.write(STAMP, stamp)?;
    for (key, value) in sorted {
        ingestion.write(key, value)?;
    }
    ingestion.finish()
}

fn stream_key(stream: Key, revision: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&stream.0.to_be_bytes());
    key[16..].copy_from_slice(&revision.to_be_bytes());
    key
}

fn place(position: Position) -> Vec<u8> {
    position.get().to_le_bytes().to_vec()
}

fn event_value(known: &Known) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    out.put_u64(known.position.get());
    out.put_u64(known.revision.get());
    out.put(&known.fingerprint.0);
    out
}

fn known(bytes: &[u8]) -> Option<Known> {
    let mut rest = Cursor(bytes);
    let (position, revision) = (Position::new(rest.u64()?)?, Revision::new(rest.u64()?)?);
    Some(Known { position, revision, fingerprint: Fingerprint(rest.array()?) })
}
