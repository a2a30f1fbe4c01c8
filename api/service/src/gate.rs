//! Limits on what runs and waits at the same time: who comes too many is told when to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::quantity::show_bytes;

/// Lets a number of callers in, a number wait, and turns the others away.
#[derive(Debug)]
pub struct Gate {
    what: &'static str,
    inside: Arc<Semaphore>,
    places: usize,
    waiting: AtomicUsize,
    waiting_max: usize,
    refused: AtomicU64,
}

/// How full a [`Gate`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Inside.
    pub running: usize,
    /// Most that may be inside.
    pub places: usize,
    /// In front of it.
    pub waiting: usize,
    /// Turned away since the start.
    pub refused: u64,
}

/// A place inside a [`Gate`], given back on drop.
#[derive(Debug)]
#[must_use]
pub struct Pass(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Gate {
    /// Makes a gate for `places` of `what` inside and `waiting_max` in front of it.
    pub fn new(what: &'static str, places: usize, waiting_max: usize) -> Self {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        let (waiting, refused) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { what, inside: Arc::new(Semaphore::new(places)), places, waiting, waiting_max, refused }
    }

    /// Waits for a place, or refuses with `Busy` when too many wait already.
    pub async fn enter(&self) -> Result<Pass, Problem> {
        if let Ok(permit) = Arc::clone(&self.inside).try_acquire_owned() {
            return Ok(Pass(permit));
        }
        let _place = self.line_up()?;
        let permit = Arc::clone(&self.inside).acquire_owned().await;
        permit.map(Pass).map_err(|_| Problem::new(ErrorClass::Unavailable, "the server is stopping"))
    }

    /// Returns how full it is.
    pub fn load(&self) -> Load {
        Load {
            running: self.places - self.inside.available_permits(),
            places: self.places,
            waiting: self.waiting.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn line_up(&self) -> Result<Place<'_>, Problem> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place(&self.waiting);
        if before < self.waiting_max {
            return Ok(place);
        }
        drop(place);
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Problem::new(
            ErrorClass::Busy,
            format!("{} {} run and {} wait: that is the limit", self.places, self.what, self.waiting_max),
        )
        .hint("wait for Retry-After and send it again; nothing was done")
        .retry_after(Duration::from_secs(1)))
    }
}

struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The memory that all request bodies may take together.
#[derive(Debug)]
pub struct BodyMemory {
    free: Arc<Semaphore>,
    units: usize,
}

/// Part of the [`BodyMemory`], given back on drop. Grows as the body comes in.
#[derive(Debug)]
pub struct BodyShare {
    memory: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    bytes: u64,
}

/// Memory is counted in pieces of this size.
const UNIT: u64 = 4096;

impl BodyMemory {
    /// Makes a budget of `bytes`.
    pub fn new(bytes: u64) -> Self {
        let units = usize::try_from(bytes / UNIT).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(units)), units }
    }

    /// Starts an empty share.
    pub fn share(&self) -> BodyShare {
        BodyShare { memory: Arc::clone(&self.free), held: None, bytes: 0 }
    }

    /// Returns the bytes taken now.
    pub fn taken(&self) -> u64 {
        (self.units - self.free.available_permits()) as u64 * UNIT
    }
}

impl BodyShare {
    /// Takes `more` bytes, or refuses with `Unavailable`: never waits, so that bodies cannot block each other.
    pub fn grow(&mut self, more: u64) -> Result<(), Problem> {
        let wanted = (self.bytes + more).div_ceil(UNIT) - self.bytes.div_ceil(UNIT);
        let units = u32::try_from(wanted).unwrap_or(u32::MAX);
        if units > 0 {
            let permit = Arc::clone(&self.memory).try_acquire_many_owned(units).map_err(|_| {
                Problem::new(
                    ErrorClass::Unavailable,
                    format!("no memory for {} more of request bodies now", show_bytes(more)),
                )
                .code("body_memory")
                .hint("wait for Retry-After and send it again, or raise `body_memory_max`")
                .retry_after(Duration::from_secs(1))
            })?;
            match &mut self.held {
                Some(held) => held.merge(permit),
                None => self.held = Some(permit),
            }
        }
        self.bytes += more;
        Ok(())
    }
}
