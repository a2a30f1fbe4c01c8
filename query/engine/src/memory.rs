//! Memory of queries: each has its own limit, all together have one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// What all queries hold together.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    limit: usize,
    used: AtomicUsize,
}

impl SharedMemory {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    fn try_take(&self, bytes: usize) -> bool {
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }
}

/// One query's memory: shared out fairly among operators that can spill, within the engine's whole.
#[derive(Debug)]
pub(crate) struct QueryMemory {
    own: FairSpillPool,
    limit: usize,
    peak: AtomicUsize,
    shared: Arc<SharedMemory>,
}

impl QueryMemory {
    pub fn new(limit: usize, shared: Arc<SharedMemory>) -> Arc<Self> {
        let limit = limit.min(shared.limit);
        Arc::new(Self { own: FairSpillPool::new(limit), limit, peak: AtomicUsize::new(0), shared })
    }

    /// Returns the most bytes that were held at once.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    fn note_peak(&self) {
        self.peak.fetch_max(self.own.reserved(), Ordering::Relaxed);
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query(limit: {})", self.limit)
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.shared.used.fetch_add(additional, Ordering::Relaxed);
        self.own.grow(reservation, additional);
        self.note_peak();
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.shared.used.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if !self.shared.try_take(additional) {
            let detail = format!("all queries together hold their limit of {} bytes", self.shared.limit);
            return Err(DataFusionError::ResourcesExhausted(detail));
        }
        if let Err(error) = self.own.try_grow(reservation, additional) {
            self.shared.used.fetch_sub(additional, Ordering::Relaxed);
            return Err(error);
        }
        self.note_peak();
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}
