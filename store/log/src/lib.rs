//! The truth: one append-only event log, and everything else in Partitura is a fold of it.
//!
//! [`EventLog`] is the contract. [`MemoryLog`] keeps it in memory for tests, [`SegmentLog`] on disk.
//! Both are run by one contract suite (`contract.rs`), and both ask one judge (`judge.rs`) what
//! becomes of a request, so the rules of idempotency and revisions live once, without I/O.
//!
//! The life of an append:
//!
//! 1. [`SegmentLog::append`](EventLog::append): the caller's thread hashes the names and encodes the
//!    records (`writer/submission.rs`, `record.rs`), and puts both in a bounded queue.
//! 2. `writer/stage.rs`: one thread judges requests in order and gathers what was accepted into frames
//!    (`frame.rs`), as many as come while the disk is busy.
//! 3. `writer/tail.rs`: one thread writes a commit to the last segment with one write and one sync,
//!    adds its entries to the index (`index/layers.rs`), shows it to readers, and answers.
//! 4. `index/fjall.rs`: a third thread stores entries by the ten thousand. What it has not stored is
//!    in memory, and is put again from the log at the next start.
//!
//! The bytes are in `docs/format/log.md`. What this crate does not do: it knows no kinds of events, no
//! tables and no network, never deletes, and never runs user code between a write and its sync.
//!
//! Suggested reading order follows the module list.

mod event_log;

mod error;
mod reply;
mod request;
mod settings;

mod judge;
mod key;
mod memory;

mod segment_log;
mod state;
mod writer;

mod catch_up;
mod reader;
mod recovery;
mod shelf;

mod answer;
mod cursor;
mod frame;
mod head;
mod record;
mod segment;

mod disk;
mod index;

pub use disk::{Disk, File, OsDisk};
pub use error::LogError;
pub use event_log::{BoxFuture, EventLog, ReadLimit, Verified};
pub use index::{Checkpoint, FjallIndex, Index, Layer};
pub use judge::Known;
pub use key::Key;
pub use memory::MemoryLog;
pub use record::MAX_DATA_BYTES;
pub use reply::{AppendReply, FailedCheck, ItemResult, Refusal};
pub use request::{AppendRequest, RequestKey, StreamCheck};
pub use segment_log::SegmentLog;
pub use settings::LogSettings;

#[cfg(feature = "test-util")]
pub mod contract;
#[cfg(feature = "test-util")]
pub mod crash;
#[cfg(feature = "test-util")]
pub mod fuzz;
#[cfg(feature = "test-util")]
pub mod sample;

#[cfg(feature = "test-util")]
pub use disk::{Fault, SimDisk};
#[cfg(feature = "test-util")]
pub use index::MemoryIndex;
