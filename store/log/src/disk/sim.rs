//! A disk in memory that loses power: what was not synced survives in any part, or not at all.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Disk, File};

/// What happens at an operation that was chosen to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails; a write may have written any part. Once.
    Io,
    /// There is no space: the operation fails if it may need any, else the next one that may. From
    /// then on all that make something longer fail, until [`SimDisk::heal`].
    Full,
    /// The power goes out in the middle of the operation; all that follows fails until
    /// [`SimDisk::power_cycle`].
    PowerCut,
}

/// A simulated folder. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

struct State {
    rng: ChaCha8Rng,
    /// File contents by inode.
    inodes: Vec<Inode>,
    /// The folder now, and as it was synced.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending_names: Vec<NameChange>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    full: bool,
    off: bool,
    boot: u64,
}

/// One operation on the folder that was not synced: names to set, with `None` for a removal.
type NameChange = Vec<(String, Option<usize>)>;

#[derive(Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

/// What an operation may need of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Space {
    /// Nothing.
    None,
    /// It writes where there is something already; some file systems copy.
    Same,
    /// It makes something longer.
    More,
}

impl Change {
    fn space(&self, length: u64) -> Space {
        match self {
            Self::Write(offset, bytes) if offset + bytes.len() as u64 > length => Space::More,
            Self::Length(new) if *new > length => Space::More,
            Self::Write(..) => Space::Same,
            Self::Length(_) => Space::None,
        }
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, written) => {
                let start = *offset as usize;
                let end = start + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[start..end].copy_from_slice(written);
            }
            Self::Length(length) => bytes.resize(*length as usize, 0),
        }
    }
}

impl SimDisk {
    /// Makes an empty disk. All chance comes from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            rng: ChaCha8Rng::seed_from_u64(seed),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            operations: 0,
            fault: None,
            full: false,
            off: false,
            boot: 0,
        })))
    }

    /// Lets the `after`-th changing operation from now fail (0 = the next).
    pub fn inject(&self, after: u64, fault: Fault) {
        let mut state = self.0.lock();
        state.fault = Some((state.operations + after, fault));
    }

    /// Returns how many changing operations were asked for.
    pub fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// Returns whether the injected fault has not happened yet.
    pub fn is_armed(&self) -> bool {
        self.0.lock().fault.is_some()
    }

    /// Takes back what was injected and frees space.
    pub fn heal(&self) {
        let mut state = self.0.lock();
        state.fault = None;
        state.full = false;
    }

    /// Cuts the power, decides what survived, and starts again. Open files are gone.
    pub fn power_cycle(&self) {
        let mut state = self.0.lock();
        state.lose_unsynced();
        state.boot += 1;
        state.off = false;
        state.fault = None;
        state.full = false;
    }

    /// Restarts the process, not the machine: everything written stays, nothing more is synced.
    pub fn restart(&self) {
        let mut state = self.0.lock();
        state.boot += 1;
        state.off = false;
        state.fault = None;
        state.full = false;
    }

    /// Returns a file's bytes.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.0.lock();
        state.names.get(name).map(|inode| state.inodes[*inode].now.clone())
    }

    /// Replaces or makes a file, durably, behind the log's back.
    pub fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.0.lock();
        let changed = Inode { now: bytes.clone(), durable: bytes, pending: Vec::new() };
        if let Some(inode) = state.names.get(name).copied() {
            state.inodes[inode] = changed;
            return;
        }
        let inode = state.inodes.len();
        state.inodes.push(changed);
        state.names.insert(name.to_owned(), inode);
        state.durable_names.insert(name.to_owned(), inode);
    }

    /// Removes a file, durably, behind the log's back.
    pub fn delete(&self, name: &str) {
        let mut state = self.0.lock();
        state.names.remove(name);
        state.durable_names.remove(name);
    }
}

impl State {
    fn lose_unsynced(&mut self) {
        for change in std::mem::take(&mut self.pending_names) {
            if self.rng.random() {
                set_names(&mut self.durable_names, &change);
            }
        }
        self.names = self.durable_names.clone();
        for inode in &mut self.inodes {
            for change in std::mem::take(&mut inode.pending) {
                survive(&mut self.rng, &change, &mut inode.durable);
            }
            inode.now = inode.durable.clone();
        }
    }

    /// Counts a changing operation, and fails it if it was chosen.
    fn change(&mut self, space: Space) -> Result<(), Fault> {
        if self.off {
            return Err(Fault::PowerCut);
        }
        let operation = self.operations;
        self.operations += 1;
        match self.fault {
            Some((at, fault)) if operation >= at && (fault != Fault::Full || space != Space::None) => {
                self.fault = None;
                self.off = fault == Fault::PowerCut;
                self.full = fault == Fault::Full;
                Err(fault)
            }
            _ if self.full && space == Space::More => Err(Fault::Full),
            _ => Ok(()),
        }
    }

    fn change_names(&mut self, space: Space, change: NameChange) -> io::Result<()> {
        let failed = self.change(space).err();
        if failed.is_none() || failed == Some(Fault::PowerCut) {
            set_names(&mut self.names, &change);
            self.pending_names.push(change);
        }
        failed.map_or(Ok(()), |fault| Err(error_of(fault)))
    }

    fn inode(&mut self, boot: u64, inode: usize) -> io::Result<&mut Inode> {
        if boot != self.boot {
            return Err(io::Error::other("the machine was restarted"));
        }
        Ok(&mut self.inodes[inode])
    }
}

fn set_names(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    for (name, inode) in change {
        match inode {
            Some(inode) => names.insert(name.clone(), *inode),
            None => names.remove(name),
        };
    }
}

/// Applies any part of an unsynced change.
fn survive(rng: &mut ChaCha8Rng, change: &Change, bytes: &mut Vec<u8>) {
    match (rng.random_range(0..4), change) {
        (0, _) => {}
        (1, _) | (_, Change::Length(_)) => change.apply(bytes),
        (_, Change::Write(offset, written)) => {
            for _ in 0..rng.random_range(1..4) {
                let start = rng.random_range(0..=written.len());
                let end = rng.random_range(start..=written.len());
                let part = written[start..end].to_vec();
                Change::Write(offset + start as u64, part).apply(bytes);
            }
        }
    }
}

fn error_of(fault: Fault) -> io::Error {
    match fault {
        Fault::Io => io::Error::from_raw_os_error(libc::EIO),
        Fault::Full => io::Error::from_raw_os_error(libc::ENOSPC),
        Fault::PowerCut => io::Error::other("the power is off"),
    }
}

impl Disk for SimDisk {
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let state = self.0.lock();
        let inode = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { disk: self.clone(), inode, boot: state.boot }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock();
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.change_names(Space::More, vec![(name.to_owned(), Some(inode))])?;
        Ok(Arc::new(SimFile { disk: self.clone(), inode, boot: state.boot }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        let inode = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.change_names(Space::Same, vec![(from.to_owned(), None), (to.to_owned(), Some(inode))])
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        state.change_names(Space::None, vec![(name.to_owned(), None)])
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        state.change(Space::None).map_err(error_of)?;
        state.durable_names = state.names.clone();
        state.pending_names.clear();
        Ok(())
    }

    fn unique(&self) -> u128 {
        self.0.lock().rng.random()
    }
}

struct SimFile {
    disk: SimDisk,
    inode: usize,
    boot: u64,
}

impl SimFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        let length = state.inode(self.boot, self.inode)?.now.len() as u64;
        let failed = state.change(change.space(length)).err();
        let done = match (failed, change) {
            (None, change) => Some(change),
            (Some(_), Change::Write(offset, bytes)) if self.boot == state.boot => {
                let kept = state.rng.random_range(0..=bytes.len());
                Some(Change::Write(offset, bytes[..kept].to_vec()))
            }
            (Some(_), _) => None,
        };
        if let Some(change) = done {
            let inode = state.inode(self.boot, self.inode)?;
            change.apply(&mut inode.now);
            inode.pending.push(change);
        }
        failed.map_or(Ok(()), |fault| Err(error_of(fault)))
    }
}

impl File for SimFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().inode(self.boot, self.inode)?.now.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.0.lock();
        let bytes = &state.inode(self.boot, self.inode)?.now;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Change::Write(offset, bytes.to_vec()))
    }

    fn preallocate(&self, length: u64) -> io::Result<()> {
        let now = self.length()?;
        self.change(Change::Length(length.max(now)))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(length))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.change(Space::None).map_err(error_of)?;
        let inode = state.inode(self.boot, self.inode)?;
        inode.durable = inode.now.clone();
        inode.pending.clear();
        Ok(())
    }
}
