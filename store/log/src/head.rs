//! The head file: the last frame that is known to be durable, in two slots written in turn.
//!
//! It is synced now and then, not at every commit. A log that ends before it has lost its tail.

use std::sync::Arc;

use crate::cursor::{Cursor, Put};
use crate::disk::{Disk, File, read_up_to};
use crate::error::LogError;
use crate::frame::Tip;
use crate::segment::Preamble;

/// Name of the file.
pub(crate) const HEAD_FILE: &str = "head";
const HEAD_TMP: &str = "head.tmp";
const MAGIC: &[u8; 8] = b"PARTHEAD";
const SLOT_BYTES: usize = Preamble::BYTES + 5 * 8 + 32;
/// Slots are on pages of their own, so that a torn write of one leaves the other.
const SLOT_STRIDE: u64 = 4096;

/// What the head file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Grows with each write.
    pub(crate) turn: u64,
    /// The segment that was the last one; 0 before the first.
    pub(crate) segment: u64,
    /// The last durable frame.
    pub(crate) tip: Tip,
}

/// The open head file.
pub(crate) struct HeadFile {
    file: Arc<dyn File>,
    log: u128,
    mark: Mark,
}

impl HeadFile {
    /// Makes the head of a new log, durably.
    pub(crate) fn create(disk: &dyn Disk) -> std::io::Result<Self> {
        let log = disk.unique();
        let mark = Mark { turn: 0, segment: 0, tip: Tip::genesis(log) };
        let file = disk.create(HEAD_TMP)?;
        file.preallocate(2 * SLOT_STRIDE)?;
        file.write_at(0, &encode(log, &mark))?;
        file.sync()?;
        disk.rename(HEAD_TMP, HEAD_FILE)?;
        disk.sync_folder()?;
        Ok(Self { file, log, mark })
    }

    /// Opens the head of an existing log.
    pub(crate) fn open(disk: &dyn Disk) -> Result<Self, LogError> {
        let io =
            |error: std::io::Error| LogError::Io { what: format!("reading {HEAD_FILE}"), detail: error.to_string() };
        let file = disk.open(HEAD_FILE).map_err(io)?;
        let mut newest: Option<(u128, Mark)> = None;
        for slot in 0..2 {
            let bytes = read_up_to(&*file, slot * SLOT_STRIDE, SLOT_BYTES).map_err(io)?;
            let Some((log, rest)) = Preamble::decode(MAGIC, HEAD_FILE, &bytes)? else { continue };
            if let Some(mark) = fields(rest)
                && newest.is_none_or(|(_, newest)| mark.turn > newest.turn)
            {
                newest = Some((log, mark));
            }
        }
        let (log, mark) = newest.ok_or_else(|| LogError::Corrupt {
            segment: HEAD_FILE.to_owned(),
            offset: 0,
            detail: "neither slot of the head file is intact".to_owned(),
        })?;
        // A process that was killed may have written it without a sync.
        file.sync().map_err(io)?;
        Ok(Self { file, log, mark })
    }

    /// Returns the log's id.
    pub(crate) const fn log(&self) -> u128 {
        self.log
    }

    /// Returns what was written last.
    pub(crate) const fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Writes and syncs the slot that is not the newest. Both slots are synced before, so that a torn
    /// write costs only this one.
    pub(crate) fn write(&mut self, segment: u64, tip: Tip) -> std::io::Result<()> {
        let mark = Mark { turn: self.mark.turn + 1, segment, tip };
        self.file.write_at(mark.turn % 2 * SLOT_STRIDE, &encode(self.log, &mark))?;
        self.file.sync()?;
        self.mark = mark;
        Ok(())
    }
}

fn encode(log: u128, mark: &Mark) -> Vec<u8> {
    Preamble::encode(MAGIC, log, |out| {
        out.put_u64(mark.turn);
        out.put_u64(mark.segment);
        out.put_u64(mark.tip.sequence);
        out.put_u64(mark.tip.position);
        out.put_i64(mark.tip.recorded_at);
        out.put(&mark.tip.hash);
    })
}

fn fields(mut rest: Cursor<'_>) -> Option<Mark> {
    let (turn, segment) = (rest.u64()?, rest.u64()?);
    let (sequence, position, recorded_at) = (rest.u64()?, rest.u64()?, rest.i64()?);
    Some(Mark { turn, segment, tip: Tip { sequence, position, recorded_at, hash: rest.array()? } })
}
