//! Places where a test makes the store fail, as a full disk or a crash would.

use std::sync::Arc;

use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem};

/// A step of a flush or of maintenance, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultPoint {
    /// Before the first table is written.
    BeforeWrite,
    /// After a table of closed versions was written.
    AfterHistory,
    /// After a table of current rows was written.
    AfterTable,
    /// Before files are synced.
    BeforeSync,
    /// Before the commit file is written.
    BeforeCommit,
    /// After a table was compacted.
    AfterCompaction,
    /// Before old versions are removed.
    BeforeCleanup,
}

type Hook = Box<dyn FnOnce() + Send>;

/// Which point fails, and after how many visits. Clones share the switch.
#[derive(Clone, Default)]
pub struct FaultPoints {
    armed: Arc<Mutex<Option<(FaultPoint, u32)>>>,
    hook: Arc<Mutex<Option<Hook>>>,
}

impl std::fmt::Debug for FaultPoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FaultPoints").field(&*self.armed.lock()).finish()
    }
}

impl FaultPoints {
    /// Makes the visit number `after` (from 0) of a point fail, once.
    pub fn arm(&self, point: FaultPoint, after: u32) {
        *self.armed.lock() = Some((point, after));
    }

    /// Lets everything succeed again.
    pub fn disarm(&self) {
        *self.armed.lock() = None;
    }

    /// Runs `hook` when the next fault happens, before the store reacts to it.
    pub fn on_fault(&self, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock() = Some(Box::new(hook));
    }

    pub(crate) fn visit(&self, point: FaultPoint) -> Result<(), Problem> {
        let mut armed = self.armed.lock();
        match armed.as_mut() {
            Some((at, 0)) if *at == point => {
                *armed = None;
                if let Some(hook) = self.hook.lock().take() {
                    hook();
                }
                Err(Problem::new(ErrorClass::StorageFull, format!("fault injected at {point:?}")))
            }
            Some((at, left)) if *at == point => {
                *left -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
