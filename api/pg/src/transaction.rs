//! Transactions that read: what was set in them, and whether they see one position.

use std::collections::BTreeMap;
use std::sync::Arc;

use partitura_event::{ErrorClass, Position, Problem};
use pgwire::messages::response::TransactionStatus;

/// How far a transaction's statements see the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement reads the newest snapshot.
    ReadUncommitted,
    /// The same here: what is acknowledged is committed.
    ReadCommitted,
    /// All statements read the position of the first.
    RepeatableRead,
    /// The same here: nothing is written.
    Serializable,
}

impl Isolation {
    const ALL: [Self; 4] = [Self::ReadUncommitted, Self::ReadCommitted, Self::RepeatableRead, Self::Serializable];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "read uncommitted",
            Self::ReadCommitted => "read committed",
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }

    /// Reads the name with which `text` begins.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::ALL.into_iter().find(|isolation| text.starts_with(isolation.name()))
    }

    const fn keeps_its_position(self) -> bool {
        matches!(self, Self::RepeatableRead | Self::Serializable)
    }
}

type Settings = Arc<BTreeMap<String, String>>;

/// Where a session stands.
#[derive(Debug, Default)]
pub struct Transaction {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// Settings as they were before.
    before: Settings,
    /// Settings that hold only inside, and what they were.
    local: Vec<(String, Option<String>)>,
    savepoints: Vec<(String, Settings)>,
    isolation: Isolation,
    /// The position that its statements read.
    position: Option<Position>,
    failed: bool,
}

impl Transaction {
    /// Opens one; in one it goes on.
    pub fn begin(&mut self, settings: &Settings, isolation: Isolation) {
        let before = Arc::clone(settings);
        let fresh =
            Open { before, local: Vec::new(), savepoints: Vec::new(), isolation, position: None, failed: false };
        self.open.get_or_insert(fresh);
    }

    /// Ends it; `settings` become what is kept. Returns whether it had failed or was rolled back.
    pub fn end(&mut self, settings: &mut Settings, keep: bool) -> bool {
        let Some(open) = self.open.take() else { return false };
        let undone = open.failed || !keep;
        if undone {
            *settings = open.before;
        } else if !open.local.is_empty() {
            let all = Arc::make_mut(settings);
            for (name, value) in open.local.into_iter().rev() {
                match value {
                    Some(value) => all.insert(name, value),
                    None => all.remove(&name),
                };
            }
        }
        undone
    }

    /// Returns whether one is open.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Hears that a statement failed.
    pub fn fail(&mut self) {
        if let Some(open) = &mut self.open {
            open.failed = true;
        }
    }

    /// Errors when a statement failed before, as clients rely on.
    pub fn check(&self) -> Result<(), Problem> {
        if self.open.as_ref().is_some_and(|open| open.failed) {
            let detail = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Problem::new(ErrorClass::Invalid, detail)
                .code("transaction_failed")
                .hint("end it with ROLLBACK"));
        }
        Ok(())
    }

    /// Remembers what a setting was that holds only inside.
    pub fn local(&mut self, name: &str, before: Option<String>) {
        if let Some(open) = &mut self.open {
            open.local.push((name.to_owned(), before));
        }
    }

    /// Changes how it reads.
    pub fn isolate(&mut self, isolation: Isolation) {
        if let Some(open) = &mut self.open {
            open.isolation = isolation;
        }
    }

    /// Returns how it reads.
    pub fn isolation(&self) -> Option<Isolation> {
        self.open.as_ref().map(|open| open.isolation)
    }

    /// Returns the position at which its statements read, once there was one.
    pub fn position(&self) -> Option<Position> {
        self.open.as_ref().filter(|open| open.isolation.keeps_its_position()).and_then(|open| open.position)
    }

    /// Hears at which position a statement was answered.
    pub fn read_at(&mut self, position: Option<Position>) {
        if let Some(open) = &mut self.open {
            open.position = open.position.or(position);
        }
    }

    /// Sets a savepoint.
    pub fn save(&mut self, name: String, settings: &Settings) -> Result<(), Problem> {
        self.inside("SAVEPOINT")?.savepoints.push((name, Arc::clone(settings)));
        Ok(())
    }

    /// Forgets a savepoint and those after it.
    pub fn release(&mut self, name: &str) -> Result<(), Problem> {
        let open = self.inside("RELEASE SAVEPOINT")?;
        let at = place(open, name)?;
        open.savepoints.truncate(at);
        Ok(())
    }

    /// Goes back to a savepoint, which stays.
    pub fn back_to(&mut self, name: &str, settings: &mut Settings) -> Result<(), Problem> {
        let open = self.inside("ROLLBACK TO SAVEPOINT")?;
        let at = place(open, name)?;
        open.savepoints.truncate(at + 1);
        *settings = Arc::clone(&open.savepoints[at].1);
        open.failed = false;
        Ok(())
    }

    fn inside(&mut self, what: &str) -> Result<&mut Open, Problem> {
        self.open.as_mut().ok_or_else(|| outside(what))
    }

    /// Returns what clients are told after each answer.
    pub fn status(&self) -> TransactionStatus {
        match &self.open {
            None => TransactionStatus::Idle,
            Some(open) if open.failed => TransactionStatus::Error,
            Some(_) => TransactionStatus::Transaction,
        }
    }
}

/// Reports what makes sense only in a transaction.
pub fn outside(what: &str) -> Problem {
    let detail = format!("{what} can only be used in transaction blocks");
    Problem::new(ErrorClass::Invalid, detail).code("transaction_missing").hint("say BEGIN first")
}

fn place(open: &Open, name: &str) -> Result<usize, Problem> {
    open.savepoints.iter().rposition(|(known, _)| known == name).ok_or_else(|| {
        let detail = format!("savepoint \"{name:.60}\" does not exist");
        let problem = Problem::new(ErrorClass::NotFound, detail).code("unknown_savepoint");
        problem.suggest(name, open.savepoints.iter().map(|(known, _)| known.as_str()))
    })
}
