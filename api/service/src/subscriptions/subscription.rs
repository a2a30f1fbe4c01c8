//! One subscription at work: reads the log for its consumers, and keeps on disk how far they are.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use partitura_event::{Clock, ErrorClass, Position, Problem, Recorded, Workspace};
use partitura_log::{EventLog, ReadLimit};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::definition::Definition;
use super::file::File;
use super::state::{Counts, Failed, Handed, Kept, Parked, State};
use crate::live::scan::scan;

/// Bytes of event data that one pull hands out, roughly.
const PULL_BYTES: usize = 4 << 20;
/// Positions that the cursor may be ahead of the file when nothing is acknowledged: so much is read again after a
/// crash by a filter that finds nothing.
const UNSAVED_MAX: u64 = 20_000;

/// What subscriptions stand on.
#[derive(Clone)]
pub struct Ground {
    /// Where events are read.
    pub log: Arc<dyn EventLog>,
    /// Tells when something was parked.
    pub clock: Arc<dyn Clock>,
    /// Draws a number that differs with each start.
    pub random: fn() -> u32,
}

/// One subscription.
pub struct Subscription {
    /// The tenant.
    pub workspace: Workspace,
    /// What it is.
    pub definition: Definition,
    path: PathBuf,
    ground: Ground,
    state: Mutex<Versioned>,
    /// Held while events are read and handed out, so that they go out in order.
    reading: tokio::sync::Mutex<()>,
    saving: tokio::sync::Mutex<Saved>,
    changed: Notify,
}

/// The bookkeeping, and how often it was changed.
struct Versioned {
    state: State,
    version: u64,
    /// The checkpoint when it was last found far ahead of the file.
    saved_checkpoint: u64,
}

/// What the file holds.
struct Saved {
    version: u64,
    is_deleted: bool,
}

/// One event, handed to a consumer.
#[derive(Debug)]
pub struct Delivery {
    /// By which the consumer answers.
    pub delivery_id: String,
    /// Which time it is handed out.
    pub attempt: u32,
    /// The event.
    pub event: Recorded,
}

/// How a subscription stands.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// What it is.
    #[serde(flatten)]
    pub definition: Definition,
    /// Everything up to here is done with.
    pub checkpoint: Option<Position>,
    /// Positions of the log that its consumers have not come to, other events counted too.
    pub lag_events: u64,
    /// With consumers.
    pub in_flight: usize,
    /// To be handed out again.
    pub waiting: usize,
    /// Given up.
    pub parked: usize,
}

impl Subscription {
    /// Makes one; it exists when its file is written.
    pub async fn create(
        workspace: Workspace,
        definition: Definition,
        path: PathBuf,
        ground: Ground,
    ) -> Result<Self, Problem> {
        let made = Self::unsaved(workspace, definition, path, ground);
        made.save().await?;
        Ok(made)
    }

    /// Makes one whose file is written with its first change.
    pub fn unsaved(workspace: Workspace, definition: Definition, path: PathBuf, ground: Ground) -> Self {
        let kept = Kept { checkpoint: definition.from, ..Kept::default() };
        let made = Self::with(workspace, definition, kept, path, ground);
        made.state.lock().version = 1;
        made
    }

    /// Goes on with what a file holds.
    pub fn open(workspace: Workspace, path: PathBuf, ground: Ground) -> Result<Self, Problem> {
        let File { definition, state: mut kept, .. } = File::read(&path)?;
        let head = ground.log.head();
        if kept.checkpoint > head {
            // The log is an older one. What is appended to it now must not be taken for what was done then.
            tracing::warn!(path = %path.display(), "a subscription was ahead of the log and goes on at its end");
            kept.checkpoint = head;
        }
        kept.settled.retain(|at| Some(*at) <= head);
        kept.outstanding.retain(|(at, _)| Some(*at) <= head);
        kept.parked.retain(|parked| Some(parked.position) <= head);
        Ok(Self::with(workspace, definition, kept, path, ground))
    }

    fn with(workspace: Workspace, definition: Definition, kept: Kept, path: PathBuf, ground: Ground) -> Self {
        let saved_checkpoint = kept.checkpoint.map_or(0, Position::get);
        let state = State::new(kept, (ground.random)(), Instant::now());
        Self {
            workspace,
            definition,
            path,
            ground,
            state: Mutex::new(Versioned { state, version: 0, saved_checkpoint }),
            reading: tokio::sync::Mutex::default(),
            saving: tokio::sync::Mutex::new(Saved { version: 0, is_deleted: false }),
            changed: Notify::new(),
        }
    }

    /// Hands out events, at most `limit`; waits up to `wait` for the first one.
    pub async fn pull(&self, limit: usize, wait: Duration) -> Result<Vec<Delivery>, Problem> {
        let deadline = Instant::now() + wait;
        let mut head = self.ground.log.watch();
        loop {
            // Asked for before looking, so that what changes meanwhile is not missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let (deliveries, looked_to) = self.hand_out(limit).await?;
            if !deliveries.is_empty() || Instant::now() >= deadline {
                self.save_far_cursor().await?;
                return Ok(deliveries);
            }
            let (room, due) = {
                let held = self.state.lock();
                (held.state.room(self.definition.window) > 0, held.state.next_due())
            };
            let reached = async {
                let moved = head.wait_for(|head| room && *head > looked_to).await.is_ok();
                if !moved {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = reached => {}
                () = changed => {}
                () = tokio::time::sleep_until(due.map_or(deadline, |due| due.min(deadline))) => {}
            }
        }
    }

    /// Hands out what is due again, then new events. Returns up to where the log was looked at, too.
    async fn hand_out(&self, limit: usize) -> Result<(Vec<Delivery>, Option<Position>), Problem> {
        let _turn = self.reading.lock().await;
        let (ack, window) = (self.definition.ack_timeout(), self.definition.window);
        let (again, room, cursor) = {
            let (now, wall) = (Instant::now(), self.ground.clock.now());
            let mut held = self.state.lock();
            if held.state.expire(now, self.definition.max_attempts, wall) {
                held.version += 1;
            }
            let again = held.state.hand_out_due(limit, now, ack);
            (again, held.state.room(window), held.state.cursor())
        };
        let mut deliveries = self.read_again(again).await?;
        let new = limit.saturating_sub(deliveries.len()).min(room);
        if new == 0 {
            return Ok((deliveries, cursor));
        }
        let (events, to) = self.read_new(cursor, new).await?;
        let positions: Vec<_> = events.iter().map(|event| event.position).collect();
        let mut held = self.state.lock();
        let handed = held.state.hand_out_new(&positions, Instant::now(), ack);
        held.state.read_to(to);
        deliveries.extend(handed.into_iter().zip(events).map(|(handed, event)| delivery(handed, event)));
        Ok((deliveries, to))
    }

    async fn read_again(&self, handed: Vec<Handed>) -> Result<Vec<Delivery>, Problem> {
        if handed.is_empty() {
            return Ok(Vec::new());
        }
        let log = Arc::clone(&self.ground.log);
        blocking(move || {
            let mut deliveries = Vec::with_capacity(handed.len());
            for handed in handed {
                let event = event_at(&*log, handed.position)?;
                deliveries.push(delivery(handed, event));
            }
            Ok(deliveries)
        })
        .await
    }

    async fn read_new(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<Recorded>, Option<Position>), Problem> {
        let (log, workspace, filter) =
            (Arc::clone(&self.ground.log), self.workspace.clone(), self.definition.filter.clone());
        // Nothing gets a place meanwhile but what has one: only one pull reads at a time.
        let placed = self.state.lock().state.placed();
        let wanted = move |event: &Recorded| filter.takes(&workspace, event) && !placed.contains(&event.position);
        let found = blocking(move || scan(&*log, after, limit, PULL_BYTES, wanted)).await?;
        Ok((found.events, found.to))
    }

    /// Settles what consumers have done; durable when it returns. Returns which of them were still theirs.
    pub async fn acknowledge(&self, deliveries: &[String]) -> Result<Vec<bool>, Problem> {
        let was_out = self.change(|state| deliveries.iter().map(|id| state.acknowledge(id)).collect());
        self.save().await?;
        Ok(was_out)
    }

    /// Takes back what consumers could not do. Returns which of them were still theirs.
    pub async fn refuse(&self, deliveries: &[String], failed: &Failed<'_>) -> Result<Vec<bool>, Problem> {
        let (max, wall) = (self.definition.max_attempts, self.ground.clock.now());
        let parked = self.counts().parked;
        let was_out = self.change(|state| deliveries.iter().map(|id| state.refuse(id, failed, max, wall)).collect());
        if self.counts().parked != parked {
            self.save().await?;
        }
        Ok(was_out)
    }

    /// Returns the parked events with their contents, by position, at most `limit`.
    pub async fn parked(&self, limit: usize) -> Result<Vec<(Parked, Recorded)>, Problem> {
        let parked: Vec<Parked> = self.state.lock().state.parked().take(limit).cloned().collect();
        let log = Arc::clone(&self.ground.log);
        let read = move || parked.into_iter().map(|one| Ok((one.clone(), event_at(&*log, one.position)?))).collect();
        blocking(read).await
    }

    /// Hands parked events out again; all, if none is named. Returns how many.
    pub async fn replay(&self, positions: Option<&[Position]>) -> Result<usize, Problem> {
        let replayed = self.change(|state| state.replay(positions, Instant::now()));
        self.save().await?;
        Ok(replayed)
    }

    /// Forgets parked events; all, if none is named. Returns how many.
    pub async fn discard(&self, positions: Option<&[Position]>) -> Result<usize, Problem> {
        let discarded = self.change(|state| state.discard(positions));
        self.save().await?;
        Ok(discarded)
    }

    /// Begins again after a position.
    pub async fn reset(&self, to: Option<Position>) -> Result<(), Problem> {
        {
            let _turn = self.reading.lock().await;
            self.change(|state| state.reset(to, (self.ground.random)()));
        }
        self.save().await
    }

    /// Removes its file. What is out can be acknowledged no more.
    pub async fn delete(&self) -> Result<(), Problem> {
        let mut saved = self.saving.lock().await;
        saved.is_deleted = true;
        let path = self.path.clone();
        blocking(move || std::fs::remove_file(&path).map_err(|error| crate::folder::unwritable(&path, &error))).await
    }

    /// Returns how it stands.
    pub fn standing(&self) -> Standing {
        let held = self.state.lock();
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        let Counts { in_flight, waiting, parked } = held.state.counts();
        let checkpoint = held.state.checkpoint();
        let lag_events = number(self.ground.log.head()).saturating_sub(number(checkpoint));
        Standing { definition: self.definition.clone(), checkpoint, lag_events, in_flight, waiting, parked }
    }

    /// Returns the numbers.
    pub fn counts(&self) -> Counts {
        self.state.lock().state.counts()
    }

    /// Writes down what changed; durable when it returns. Changes of several callers share one write.
    pub async fn save(&self) -> Result<(), Problem> {
        let wanted = self.state.lock().version;
        let mut saved = self.saving.lock().await;
        if saved.version >= wanted || saved.is_deleted {
            return Ok(());
        }
        let (file, version) = {
            let held = self.state.lock();
            (File::new(self.definition.clone(), held.state.kept()), held.version)
        };
        let path = self.path.clone();
        blocking(move || file.write(&path)).await?;
        saved.version = version;
        Ok(())
    }

    async fn save_far_cursor(&self) -> Result<(), Problem> {
        {
            let mut held = self.state.lock();
            let number = |position: Option<Position>| position.map_or(0, Position::get);
            let checkpoint = number(held.state.checkpoint());
            if checkpoint < held.saved_checkpoint + UNSAVED_MAX {
                return Ok(());
            }
            held.saved_checkpoint = checkpoint;
            held.version += 1;
        }
        self.save().await
    }

    fn change<T>(&self, edit: impl FnOnce(&mut State) -> T) -> T {
        let mut held = self.state.lock();
        held.version += 1;
        let result = edit(&mut held.state);
        drop(held);
        self.changed.notify_waiters();
        result
    }
}

fn delivery(handed: Handed, event: Recorded) -> Delivery {
    Delivery { delivery_id: handed.delivery_id, attempt: handed.attempt, event }
}

fn event_at(log: &dyn EventLog, position: Position) -> Result<Recorded, Problem> {
    let before = Position::new(position.get() - 1);
    let found = log.read(before, ReadLimit { events: 1, bytes: 1 }).map_err(Problem::from)?;
    found.into_iter().next().ok_or_else(|| Problem::new(ErrorClass::Internal, format!("position {position} is gone")))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::new(ErrorClass::Internal, format!("the work on a subscription stopped: {error}")))?
}
