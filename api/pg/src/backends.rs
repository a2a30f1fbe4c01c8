//! The sessions of a listener, by the number and the secret with which a client cancels what one of them runs.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem};
use rand::TryRngCore;
use rand::rngs::OsRng;
use tokio_util::sync::CancellationToken;

/// All sessions.
#[derive(Default)]
pub struct Backends(Mutex<HashMap<i32, Arc<Backend>>>);

/// One session as a canceller sees it.
pub struct Backend {
    secret: i32,
    running: Mutex<CancellationToken>,
}

impl Backend {
    /// Begins a statement; the token is cancelled when a client asks for that.
    pub fn begin(&self) -> CancellationToken {
        let token = CancellationToken::new();
        *self.running.lock() = token.clone();
        token
    }

    /// Ends it: who cancels now is too late, and must not hit the next one.
    pub fn end(&self) {
        *self.running.lock() = CancellationToken::new();
    }
}

/// A session's place among the others, given back on drop.
pub struct Place {
    all: Arc<Backends>,
    pub pid: i32,
    pub secret: i32,
    pub backend: Arc<Backend>,
}

impl Backends {
    /// Adds a session.
    pub fn enter(self: &Arc<Self>) -> Result<Place, Problem> {
        let mut sessions = self.0.lock();
        let secret = random()?;
        let pid = loop {
            let pid = random()? & i32::MAX;
            if pid > 0 && !sessions.contains_key(&pid) {
                break pid;
            }
        };
        let backend = Arc::new(Backend { secret, running: Mutex::default() });
        sessions.insert(pid, Arc::clone(&backend));
        Ok(Place { all: Arc::clone(self), pid, secret, backend })
    }

    /// Cancels what the session `pid` runs, if `secret` is its own. The canceller is told nothing.
    pub fn cancel(&self, pid: i32, secret: i32) {
        let found = self.0.lock().get(&pid).filter(|backend| backend.secret == secret).cloned();
        if let Some(backend) = found {
            backend.running.lock().cancel();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.pid);
    }
}

fn random() -> Result<i32, Problem> {
    let mut bytes = [0; 4];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Problem::new(ErrorClass::Unavailable, format!("the system gives no random bytes: {error}")))?;
    Ok(i32::from_be_bytes(bytes))
}
