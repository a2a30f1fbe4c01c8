//! Which versions count in a query: made by then, not replaced by then, still holding, let through by the filter.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use partitura_event::Position;

/// Positions at which versions were replaced or removed. Only these are kept in memory: most documents
/// are never replaced.
#[derive(Debug, Default)]
pub struct Closings(RwLock<HashMap<Position, Position>>);

impl Closings {
    /// Notes that the version `made` no longer holds from position `closed` on. Says the same again without effect.
    pub fn close(&self, made: Position, closed: Position) {
        self.0.write().insert(made, closed);
    }

    /// Returns from which position on the version `made` no longer holds.
    pub fn closed(&self, made: Position) -> Option<Position> {
        self.0.read().get(&made).copied()
    }

    /// Returns how many versions have been replaced.
    pub fn len(&self) -> usize {
        self.0.read().len()
    }

    /// Returns whether no version has been replaced.
    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }
}

/// Versions that say until when they hold, and that time in µs since 1970. Knowledge that was superseded or
/// retracted is among them; most documents never are.
pub type Ends = HashMap<u64, i64>;

/// A set of positions: 8 KiB for each 65,536 positions that hold one.
#[derive(Clone, Debug, Default)]
pub struct PositionSet {
    blocks: Vec<Option<Box<[u64; 1024]>>>,
    len: usize,
}

impl PositionSet {
    /// Adds a position.
    pub fn insert(&mut self, position: u64) {
        let (block, word, bit) = place(position);
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, None);
        }
        let words = self.blocks[block].get_or_insert_with(|| Box::new([0; 1024]));
        self.len += usize::from(words[word] & bit == 0);
        words[word] |= bit;
    }

    /// Returns whether a position is in it.
    pub fn contains(&self, position: u64) -> bool {
        let (block, word, bit) = place(position);
        self.blocks.get(block).and_then(Option::as_ref).is_some_and(|words| words[word] & bit != 0)
    }

    /// Returns how many positions are in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether no position is in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl FromIterator<u64> for PositionSet {
    fn from_iter<I: IntoIterator<Item = u64>>(positions: I) -> Self {
        let mut set = Self::default();
        positions.into_iter().for_each(|position| set.insert(position));
        set
    }
}

fn place(position: u64) -> (usize, usize, u64) {
    ((position >> 16) as usize, (position >> 6) as usize & 1023, 1 << (position & 63))
}

/// Decides which versions a query sees.
#[derive(Clone, Debug)]
pub struct Visible {
    at: Position,
    closings: Arc<Closings>,
    allowed: Option<Arc<PositionSet>>,
    /// Ends by segment, and the time that they are compared with.
    ended: Option<(Arc<[Arc<Ends>]>, i64)>,
}

impl Visible {
    /// Sees the versions that were not replaced at `at` and are in `allowed`, when that is given.
    pub fn new(at: Position, closings: Arc<Closings>, allowed: Option<Arc<PositionSet>>) -> Self {
        Self { at, closings, allowed, ended: None }
    }

    /// Sees every version.
    pub fn everything() -> Self {
        Self::new(Position::new(u64::MAX).unwrap_or(Position::FIRST), Arc::default(), None)
    }

    /// Sees of these only what is in `allowed`.
    #[must_use]
    pub fn within(mut self, allowed: Arc<PositionSet>) -> Self {
        self.allowed = Some(allowed);
        self
    }

    /// Sees of these only what still holds at `now`, in µs since 1970.
    #[must_use]
    pub fn holding(mut self, ends: Arc<[Arc<Ends>]>, now: i64) -> Self {
        self.ended = (!ends.is_empty()).then_some((ends, now));
        self
    }

    /// Returns the position of the query.
    pub fn at(&self) -> Position {
        self.at
    }

    /// Returns whether a filter narrows it.
    pub fn is_filtered(&self) -> bool {
        self.allowed.is_some()
    }

    /// Returns whether the filter lets a version through. Says nothing about its time; costs next to nothing.
    pub fn allows(&self, version: u64) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(version))
    }

    /// Returns whether the version that position `version` made is seen.
    pub fn sees(&self, version: u64) -> bool {
        let Some(made) = Position::new(version) else { return false };
        made <= self.at
            && self.allows(version)
            && self.closings.closed(made).is_none_or(|closed| closed > self.at)
            && !self.has_ended(version)
    }

    fn has_ended(&self, version: u64) -> bool {
        let Some((ends, now)) = &self.ended else { return false };
        ends.iter().find_map(|ends| ends.get(&version)).is_some_and(|end| end <= now)
    }
}
