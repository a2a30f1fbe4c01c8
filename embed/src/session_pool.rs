//! [`SessionPool`]: sessions of a model, made when they are needed, lent one by one.

use fastembed::TextEmbedding;
use parking_lot::{Condvar, Mutex, MutexGuard};
use partitura_event::Problem;

/// Makes one more session.
type Make = Box<dyn Fn() -> Result<TextEmbedding, Problem> + Send + Sync>;

/// Sessions that are lent one by one; a session runs one text at a time.
pub(crate) struct SessionPool {
    /// How many can be used at once.
    pub size: usize,
    make: Option<Make>,
    sessions: Mutex<Sessions>,
    returned: Condvar,
}

struct Sessions {
    free: Vec<TextEmbedding>,
    made: usize,
}

impl SessionPool {
    /// Holds one session.
    pub fn of(session: TextEmbedding) -> Self {
        let sessions = Mutex::new(Sessions { free: vec![session], made: 1 });
        Self { size: 1, make: None, sessions, returned: Condvar::new() }
    }

    /// Holds none yet, and makes as many as are needed at once, up to `size`.
    pub fn of_up_to(size: usize, make: Make) -> Self {
        let sessions = Mutex::new(Sessions { free: Vec::new(), made: 0 });
        Self { size, make: Some(make), sessions, returned: Condvar::new() }
    }

    /// Runs `work` on a session, when one is free. Errors when one had to be made and could not.
    pub fn with<T>(&self, work: impl FnOnce(&mut TextEmbedding) -> T) -> Result<T, Problem> {
        let mut sessions = self.sessions.lock();
        let session = loop {
            if let Some(session) = sessions.free.pop() {
                break session;
            }
            match &self.make {
                Some(make) if sessions.made < self.size => {
                    sessions.made += 1;
                    match MutexGuard::unlocked(&mut sessions, make) {
                        Ok(session) => break session,
                        Err(problem) => {
                            sessions.made -= 1;
                            self.returned.notify_one();
                            return Err(problem);
                        }
                    }
                }
                _ => self.returned.wait(&mut sessions),
            }
        };
        drop(sessions);
        Ok(self.lend(session, work))
    }

    /// Takes a session if one is free; [`lend`](Self::lend) gives it back.
    pub fn take(&self) -> Option<TextEmbedding> {
        self.sessions.lock().free.pop()
    }

    /// Runs `work` on a session that was taken, and gives it back.
    pub fn lend<T>(&self, mut session: TextEmbedding, work: impl FnOnce(&mut TextEmbedding) -> T) -> T {
        let result = work(&mut session);
        self.sessions.lock().free.push(session);
        self.returned.notify_one();
        result
    }
}
