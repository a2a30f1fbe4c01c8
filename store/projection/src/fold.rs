//! The contract of a fold: from events to the rows of one table.

use std::sync::Arc;

use partitura_event::{Position, Problem, Recorded};
use partitura_table::schema::TableSpec;

use crate::data::Data;
use crate::entity::{Change, Entity};
use crate::otlp::{Translation, Translator};
use crate::rows::Cells;
use crate::stamp::{Stamp, lifecycle_rank};
use crate::value::Value;

/// One event, split and stamped.
#[derive(Clone)]
pub struct Event<'a> {
    /// As it is in the log.
    pub recorded: &'a Recorded,
    /// Its fields.
    pub data: &'a Data<'a>,
    /// Its place in the order of folds.
    pub stamp: Arc<Stamp>,
}

impl<'a> Event<'a> {
    /// Returns its type.
    pub fn kind(&self) -> &str {
        self.recorded.kind.as_str()
    }

    /// Returns its position.
    pub const fn position(&self) -> Position {
        self.recorded.position
    }

    /// Returns what a raw OpenTelemetry record tells of.
    pub fn telemetry(&self, translator: &Translator) -> Result<&'a Translation, Problem> {
        self.data.translation(translator, self.recorded.time.micros())
    }

    /// Returns the stamp of something that the event tells of, and that happened at another time: in µs since 1970,
    /// as an event of type `kind` would be ordered, and named by `id`.
    pub fn stamp_at(&self, time: i64, kind: &str, id: impl Into<Box<str>>) -> Arc<Stamp> {
        Arc::new(Stamp {
            time,
            rank: lifecycle_rank(kind),
            source: self.recorded.source.as_str().into(),
            id: id.into(),
        })
    }

    /// Returns when it happened.
    pub fn time(&self) -> Value<'static> {
        Value::Time(self.recorded.time.micros())
    }
}

/// What an event does to one table.
pub enum Effect<'a> {
    /// Adds a row to an append-only table.
    Row(Cells<'a>),
    /// Says something about an entity; its row follows from all that was said.
    Touch(String, Change<'a>),
    /// The same, of something that happened at another time than the event.
    TouchAt(Arc<Stamp>, String, Change<'a>),
    /// Is the whole row of an entity, unless a later event was.
    Replace(String, Cells<'a>),
}

/// One fold: the rows of one table as a function of the log.
///
/// **Determinism.** A row depends on events only: no clock, no randomness, no network, no order of a hash
/// map. The same events in the same order give the same bytes.
///
/// **Order independence.** The state of an entity, and so its current row, is a function of the *set* of
/// its events. Two events that speak of one entity are ordered by their [`Stamp`]s, never by arrival.
///
/// **One event at a time.** [`read`](Self::read) sees one event and nothing else; whatever concerns
/// several events happens in [`Entity`]. So batches may be cut anywhere.
///
/// **Failure.** `read` fails on data that it cannot understand. Then, and if it or `row` panics, the event
/// is parked for this fold; all other folds take it.
pub trait Projection: Send + Sync {
    /// Returns the table that it fills.
    fn table(&self) -> &'static TableSpec;

    /// Returns the version of the fold. It rises when the same events give other rows, and is answered
    /// with every `as_of` query.
    fn version(&self) -> u32 {
        1
    }

    /// Returns whether events of this type have an effect on the table.
    fn wants(&self, kind: &str) -> bool;

    /// Returns whether [`read`](Self::read) looks at the event's data. If not, data that is no JSON is no obstacle.
    fn reads_data(&self) -> bool {
        true
    }

    /// Returns what one event does to the table, in a fixed order.
    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem>;

    /// Returns the row of an entity that was touched.
    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        entity.cells()
    }

    /// Returns whether it also writes `documents`.
    fn writes_documents(&self) -> bool {
        false
    }

    /// Returns the row in `documents` that follows from the entity: its key and its cells.
    fn document<'e>(&self, _entity: &'e Entity) -> Option<(String, Cells<'e>)> {
        None
    }
}
