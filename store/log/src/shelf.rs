//! The segments of a log, and the files of those that were read lately.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::disk::{Disk, File};
use crate::error::LogError;
use crate::segment::Segment;

/// Files that are kept open for reading.
const OPEN_MAX: usize = 64;

/// All segments, in order; only the last one may be unsealed.
pub(crate) struct Shelf {
    pub(crate) disk: Arc<dyn Disk>,
    /// The log's id.
    pub(crate) log: u128,
    segments: RwLock<Vec<Arc<Segment>>>,
    open: Mutex<VecDeque<(u64, Arc<dyn File>)>>,
}

impl Shelf {
    pub(crate) fn new(disk: Arc<dyn Disk>, log: u128, segments: Vec<Arc<Segment>>) -> Self {
        Self { disk, log, segments: RwLock::new(segments), open: Mutex::default() }
    }

    /// Returns the low half of the log's id, as frames have it.
    pub(crate) const fn log_low(&self) -> u64 {
        self.log as u64
    }

    /// Adds a segment behind all others.
    pub(crate) fn push(&self, segment: Arc<Segment>) {
        self.segments.write().push(segment);
    }

    /// Returns all segments.
    pub(crate) fn all(&self) -> Vec<Arc<Segment>> {
        self.segments.read().clone()
    }

    /// Returns the segment with this number.
    pub(crate) fn numbered(&self, number: u64) -> Option<Arc<Segment>> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.segments.read().get(index).cloned()
    }

    /// Returns the last segment that `before` holds for; `before` must hold for the first ones.
    pub(crate) fn last_where(&self, before: impl Fn(&Segment) -> bool) -> Option<Arc<Segment>> {
        let segments = self.segments.read();
        let count = segments.partition_point(|segment| before(segment));
        count.checked_sub(1).map(|index| Arc::clone(&segments[index]))
    }

    /// Returns the segment's file, opened for reading.
    pub(crate) fn file(&self, segment: &Segment) -> Result<Arc<dyn File>, LogError> {
        let mut open = self.open.lock();
        if let Some((_, file)) = open.iter().find(|(number, _)| *number == segment.number) {
            return Ok(Arc::clone(file));
        }
        let name = segment.name();
        let file = self.disk.open(&name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => segment.corrupt(0, "the segment is missing"),
            _ => LogError::Io { what: format!("opening {name}"), detail: error.to_string() },
        })?;
        if open.len() >= OPEN_MAX {
            open.pop_front();
        }
        open.push_back((segment.number, Arc::clone(&file)));
        Ok(file)
    }
}
