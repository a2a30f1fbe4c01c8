//! [`Append`]: a fold that makes one row of one event.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;

use crate::field::{Field, Fields};
use crate::fold::{Effect, Event, Projection};
use crate::rows::{Cells, check_required};

/// Adds cells that are no plain fields.
pub type Extra = for<'a> fn(&Event<'a>, &mut Cells<'a>) -> Result<(), Problem>;

/// Makes one row of each event of some types.
pub struct Append {
    table: &'static TableSpec,
    kinds: &'static [&'static str],
    fields: Fields,
    attributes: Option<u16>,
    extra: Extra,
}

impl Append {
    /// Describes the fold. `others` are the fields that `extra` reads.
    pub fn new(
        table: &'static TableSpec,
        kinds: &'static [&'static str],
        fields: &[Field],
        others: &[&'static str],
        extra: Extra,
    ) -> Self {
        let attributes = table.columns.iter().position(|column| column.name == "attributes").map(|index| index as u16);
        Self { table, kinds, fields: Fields::new(table, fields, others), attributes, extra }
    }

    /// Reads the whole row of an event.
    pub fn cells<'a>(&self, event: &Event<'a>) -> Result<Cells<'a>, Problem> {
        let mut cells = self.fields.row(event.data)?;
        if let Some(column) = self.attributes
            && let Some(json) = self.fields.attributes(event.data)
        {
            cells.push((column, crate::value::Value::text(json)));
        }
        (self.extra)(event, &mut cells)?;
        check_required(self.table, &cells)?;
        Ok(cells)
    }

    /// Returns the table.
    pub const fn spec(&self) -> &'static TableSpec {
        self.table
    }
}

impl Projection for Append {
    fn table(&self) -> &'static TableSpec {
        self.table
    }

    fn wants(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        out.push(Effect::Row(self.cells(event)?));
        Ok(())
    }
}
