//! [`Entity`]: what a fold knows of one task, agent, attempt…: registers, attributes and moves.
//!
//! Each part is a function of the *set* of events offered, never of the order in which they came:
//!
//! * a **register** keeps the value with the last (or the first) [`Stamp`] that was offered for its slot;
//! * an **attribute** is a register with a name;
//! * **moves** are kept sorted by stamp; of more than [`MAX_MOVES`] the earliest and the latest half are
//!   kept, which again depends on the set only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::stamp::Stamp;
use crate::value::Value;

/// Most moves that are kept of one entity.
pub const MAX_MOVES: usize = 1_024;

/// Slots from here on are no columns: a fold numbers its own.
pub const OWN_SLOTS: u16 = 1_000;

/// Which of two values for one slot is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// That with the later stamp.
    Last,
    /// That with the earlier stamp.
    First,
}

/// A value for one slot. A slot below [`OWN_SLOTS`] is a column of the table.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// Which register.
    pub slot: u16,
    /// Which value wins.
    pub keep: Keep,
    /// The value.
    pub value: Value<'a>,
}

/// A step in the life of an entity; `what` is numbered by the fold.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// When.
    pub stamp: Arc<Stamp>,
    /// What happened.
    pub what: u8,
    /// By or to whom.
    pub who: Option<Box<str>>,
}

/// What one event says about one entity.
#[derive(Debug, Default)]
pub struct Change<'a> {
    /// Values of registers.
    pub cells: Vec<Cell<'a>>,
    /// Names and JSON of fields without a column.
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// A step, and who made it.
    pub step: Option<(u8, Option<Box<str>>)>,
}

/// The value of one slot and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// Which one.
    pub slot: u16,
    /// Of the event that wrote it.
    pub stamp: Arc<Stamp>,
    /// What it wrote.
    pub value: Value<'static>,
}

/// The state of one entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity {
    pub(crate) registers: Vec<Register>,
    pub(crate) attributes: BTreeMap<Box<str>, (Arc<Stamp>, Box<str>)>,
    pub(crate) moves: Vec<Move>,
}

impl Entity {
    /// Folds in what one event says. Returns whether anything is different now.
    pub fn apply(&mut self, stamp: &Arc<Stamp>, change: &Change<'_>) -> bool {
        let mut changed = false;
        for cell in &change.cells {
            changed |= self.offer(stamp, cell);
        }
        for (name, json) in &change.attributes {
            changed |= self.offer_attribute(stamp, name, json);
        }
        if let Some((what, who)) = &change.step {
            changed |= self.offer_move(Move { stamp: stamp.clone(), what: *what, who: who.clone() });
        }
        changed
    }

    /// Returns whether [`apply`](Self::apply) would change anything; cheap, for the many events that do not.
    pub fn would_change(&self, stamp: &Arc<Stamp>, change: &Change<'_>) -> bool {
        let cell = |cell: &Cell<'_>| match (self.register(cell.slot), cell.keep) {
            (None, _) => true,
            (Some(known), Keep::Last) => *stamp > known.stamp,
            (Some(known), Keep::First) => *stamp < known.stamp,
        };
        change.step.is_some()
            || change.cells.iter().any(cell)
            || change
                .attributes
                .iter()
                .any(|(name, _)| self.attributes.get(name.as_ref()).is_none_or(|(known, _)| stamp > known))
    }

    fn offer(&mut self, stamp: &Arc<Stamp>, cell: &Cell<'_>) -> bool {
        match self.registers.binary_search_by_key(&cell.slot, |register| register.slot) {
            Ok(index) => {
                let register = &mut self.registers[index];
                let wins = match cell.keep {
                    Keep::Last => *stamp > register.stamp,
                    Keep::First => *stamp < register.stamp,
                };
                if wins {
                    register.stamp = stamp.clone();
                    register.value = cell.value.clone().into_owned();
                }
                wins
            }
            Err(index) => {
                let value = cell.value.clone().into_owned();
                self.registers.insert(index, Register { slot: cell.slot, stamp: stamp.clone(), value });
                true
            }
        }
    }

    fn offer_attribute(&mut self, stamp: &Arc<Stamp>, name: &str, json: &str) -> bool {
        match self.attributes.get_mut(name) {
            Some((known, value)) if *stamp > *known => {
                *known = stamp.clone();
                *value = json.into();
                true
            }
            Some(_) => false,
            None => {
                self.attributes.insert(name.into(), (stamp.clone(), json.into()));
                true
            }
        }
    }

    fn offer_move(&mut self, step: Move) -> bool {
        let Err(index) = self.moves.binary_search_by(|known| known.stamp.cmp(&step.stamp)) else { return false };
        if self.moves.len() < MAX_MOVES {
            self.moves.insert(index, step);
            return true;
        }
        // Of the earliest half and the latest half only the innermost can be pushed out.
        const HALF: usize = MAX_MOVES / 2;
        match index {
            _ if index < HALF => {
                self.moves.remove(HALF - 1);
                self.moves.insert(index, step);
                true
            }
            _ if index > HALF => {
                self.moves.remove(HALF);
                self.moves.insert(index - 1, step);
                true
            }
            _ => false,
        }
    }

    /// Returns the register of a slot.
    pub fn register(&self, slot: u16) -> Option<&Register> {
        self.registers.binary_search_by_key(&slot, |register| register.slot).ok().map(|index| &self.registers[index])
    }

    /// Returns the value of a slot.
    pub fn value(&self, slot: u16) -> Option<&Value<'static>> {
        self.register(slot).map(|register| &register.value)
    }

    /// Returns the text of a slot.
    pub fn text(&self, slot: u16) -> Option<&str> {
        self.value(slot).and_then(Value::as_text)
    }

    /// Returns the time of the event that wrote a slot, in microseconds.
    pub fn written_at(&self, slot: u16) -> Option<i64> {
        self.register(slot).map(|register| register.stamp.time)
    }

    /// Returns all registers, by slot.
    pub fn registers(&self) -> &[Register] {
        &self.registers
    }

    /// Returns the registers that are columns, as cells of a row.
    pub fn cells(&self) -> Vec<(u16, Value<'_>)> {
        let columns = self.registers.iter().filter(|register| register.slot < OWN_SLOTS);
        columns.map(|register| (register.slot, register.value.by_ref())).collect()
    }

    /// Returns the moves in their order.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// Returns the attributes as one JSON object, sorted by name, or `None` without any.
    pub fn attributes_json(&self) -> Option<String> {
        let members = self.attributes.iter().map(|(name, (_, json))| (name.as_ref(), json.as_ref()));
        crate::field::json_object(members)
    }
}
