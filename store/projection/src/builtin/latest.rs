//! [`Latest`]: a fold in which the last event about a key is the whole row.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;

use super::append::Append;
use crate::fold::{Effect, Event, Projection};

/// Names the key of an event's row; `None` if the event makes no row.
pub type KeyOf = for<'a> fn(&Event<'a>) -> Result<Option<String>, Problem>;

/// Keeps the last event of each key.
pub struct Latest {
    rows: Append,
    key: KeyOf,
}

impl Latest {
    /// Describes the fold by how one event makes a row, and which key it has.
    pub const fn new(rows: Append, key: KeyOf) -> Self {
        Self { rows, key }
    }
}

impl Projection for Latest {
    fn table(&self) -> &'static TableSpec {
        self.rows.spec()
    }

    fn wants(&self, kind: &str) -> bool {
        self.rows.wants(kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        if let Some(key) = (self.key)(event)? {
            out.push(Effect::Replace(key.to_lowercase(), self.rows.cells(event)?));
        }
        Ok(())
    }
}
