//! The disk as the log sees it: one flat folder of files, so that a simulated one can lose power.

mod os;
#[cfg(feature = "test-util")]
mod sim;

use std::io;
use std::sync::Arc;

pub use os::OsDisk;
#[cfg(feature = "test-util")]
pub use sim::{Fault, SimDisk};

/// One folder of files.
///
/// **What a power cut may leave.** Of each file, what was there at its last successful sync, plus any
/// subset of the bytes written and the lengths set since then. Of the folder, what was there at the
/// last [`sync_folder`](Self::sync_folder), plus any of the creations, renames and removals since then.
pub trait Disk: Send + Sync + 'static {
    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;
    /// Creates an empty file, in place of one that may exist.
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;
    /// Renames a file, in place of one that may exist.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Returns the names of all files, sorted.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes creations, renames and removals durable.
    fn sync_folder(&self) -> io::Result<()>;
    /// Returns a number that no other log has.
    fn unique(&self) -> u128;
}

/// One file. Reads and writes name their place, so that a file may be shared.
pub trait File: Send + Sync {
    /// Returns the length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Reads up to `buffer.len()` bytes and returns how many; fewer only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all bytes, or fails with any part of them written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes sure that bytes below `length` can be written without asking for space; new ones are 0.
    fn preallocate(&self, length: u64) -> io::Result<()>;
    /// Cuts or extends the file.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Makes what was written durable, and the length.
    fn sync(&self) -> io::Result<()>;
}

/// Reads exactly `length` bytes, or as many as there are before the end of the file.
pub(crate) fn read_up_to(file: &dyn File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; length];
    let read = file.read_at(offset, &mut buffer)?;
    buffer.truncate(read);
    Ok(buffer)
}

/// Returns whether an error says that there is no space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
