//! [`Fields`]: which field of an event fills which column of a table, and how it is read.

use std::borrow::Cow;

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use serde_json::value::RawValue;

use crate::data::{self, Data};
use crate::entity::{Cell, Change, Keep};
use crate::value::Value;

/// Cells that a fold adds to those of fields.
const ROOM: usize = 6;

/// Most characters of a preview.
pub const PREVIEW_CHARS: usize = 512;

/// How a field is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Text.
    Text,
    /// Text in upper case: a currency.
    Upper,
    /// Whole number.
    Int,
    /// Number.
    Float,
    /// True or false.
    Bool,
    /// Time.
    Time,
    /// Decimal amount.
    Money,
    /// List of texts.
    Texts,
    /// Any JSON, as it was sent.
    Json,
    /// 0 to 4, or one of the names of a priority.
    Priority,
}

/// One field of an event and the column it fills.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name in the event.
    pub name: &'static str,
    /// Name in the table.
    pub column: &'static str,
    /// How it is decoded.
    pub read: Read,
}

impl Field {
    /// A field that fills the column of the same name.
    pub const fn new(name: &'static str, read: Read) -> Self {
        Self { name, column: name, read }
    }

    /// A field that fills a column of another name.
    pub const fn renamed(name: &'static str, column: &'static str, read: Read) -> Self {
        Self { name, column, read }
    }

    /// Decodes the field.
    pub fn read<'a>(&self, raw: &'a RawValue) -> Result<Value<'a>, Problem> {
        let name = self.name;
        Ok(match self.read {
            Read::Text => Value::Text(data::text(name, raw)?),
            Read::Upper => Value::text(data::text(name, raw)?.to_ascii_uppercase()),
            Read::Int => Value::Int(data::int(name, raw)?),
            Read::Float => Value::Float(data::float(name, raw)?),
            Read::Bool => Value::Bool(data::boolean(name, raw)?),
            Read::Time => Value::Time(data::time(name, raw)?),
            Read::Money => Value::money(data::money(name, raw)?),
            Read::Texts => Value::Texts(data::texts(name, raw)?),
            Read::Json => Value::text(raw.get()),
            Read::Priority => Value::Int(priority(name, raw)?),
        })
    }
}

/// The fields of a family of events, with the columns of their table.
///
/// What an event says is looked up here, not the other way round: there are far more fields than an event has.
#[derive(Debug)]
pub struct Fields {
    /// All names that are no attributes, by length and then by name; those that fill a column with it.
    known: Vec<(&'static str, Option<(u16, Field)>)>,
    /// Whether two names fill one column.
    aliases: bool,
}

impl Fields {
    /// Resolves columns. `others` are fields that the fold reads by itself, so they are no attributes.
    ///
    /// # Panics
    /// If a column does not exist: a defect that every test finds.
    pub fn new(spec: &'static TableSpec, fields: &[Field], others: &[&'static str]) -> Self {
        let filling = fields.iter().map(|field| (field.name, Some((column(spec, field.column), *field))));
        let mut known: Vec<_> = filling.chain(others.iter().map(|name| (*name, None))).collect();
        known.sort_by_key(|(name, _)| (name.len(), *name));
        let mut columns: Vec<&str> = fields.iter().map(|field| field.column).collect();
        columns.sort_unstable();
        let aliases = columns.windows(2).any(|pair| pair[0] == pair[1]);
        Self { known, aliases }
    }

    /// Finds a name; `None` if it is that of an attribute.
    fn find(&self, name: &str) -> Option<Option<(u16, &Field)>> {
        let order = |known: &str| known.len().cmp(&name.len()).then_with(|| known.cmp(name));
        let index = self.known.binary_search_by(|(known, _)| order(known)).ok()?;
        Some(self.known[index].1.as_ref().map(|(column, field)| (*column, field)))
    }

    /// Reads the fields that are there into cells of a row.
    pub fn row<'a>(&self, data: &Data<'a>) -> Result<Vec<(u16, Value<'a>)>, Problem> {
        let mut cells = Vec::with_capacity(data.count() + ROOM);
        for (name, raw) in data.members() {
            let Some(Some((column, field))) = self.find(name) else { continue };
            let cell = (column, field.read(raw)?);
            // Of two names for one column, that of the column counts.
            match cells.iter_mut().find(|(given, _)| self.aliases && *given == column) {
                None => cells.push(cell),
                Some(given) if field.name == field.column => *given = cell,
                Some(_) => {}
            }
        }
        Ok(cells)
    }

    /// Reads the fields that are there into registers that keep the last value, and the rest into attributes.
    pub fn change<'a>(&'static self, data: &'a Data<'a>) -> Result<Change<'a>, Problem> {
        let cells = self.row(data)?.into_iter();
        let cells = cells.map(|(slot, value)| Cell { slot, keep: Keep::Last, value }).collect();
        let others = self.others(data).map(|(name, json)| (Cow::Borrowed(name), Cow::Borrowed(json)));
        Ok(Change { cells, attributes: others.collect(), step: None })
    }

    /// Returns the fields that no column holds, as one JSON object.
    pub fn attributes(&self, data: &Data<'_>) -> Option<String> {
        json_object(self.others(data))
    }

    fn others<'d, 'a>(&'d self, data: &'d Data<'a>) -> impl Iterator<Item = (&'d str, &'a str)> {
        let unknown = data.members().filter(|(name, _)| self.find(name).is_none());
        unknown.map(|(name, raw)| (name, raw.get())).chain(data.attributes())
    }
}

/// Returns the number of a column.
///
/// # Panics
/// If the table has no such column; in a constant, that is an error of the compiler.
pub const fn column(spec: &TableSpec, name: &str) -> u16 {
    let mut index = 0;
    while index < spec.columns.len() {
        if same(spec.columns[index].name.as_bytes(), name.as_bytes()) {
            return index as u16;
        }
        index += 1;
    }
    panic!("the table has no such column")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Writes members, whose values are JSON already, as one object; `None` without members.
pub fn json_object<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut json = String::new();
    for (name, value) in members {
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push_str(&serde_json::Value::from(name).to_string());
        json.push(':');
        json.push_str(value);
    }
    if json.is_empty() {
        return None;
    }
    json.push('}');
    Some(json)
}

/// Returns the first [`PREVIEW_CHARS`] characters.
pub fn preview(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= PREVIEW_CHARS {
        return text;
    }
    match text.char_indices().nth(PREVIEW_CHARS) {
        None => text,
        Some((end, _)) => match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        },
    }
}

fn priority(name: &str, raw: &RawValue) -> Result<i64, Problem> {
    const NAMES: [(&str, i64); 7] =
        [("low", 0), ("normal", 1), ("medium", 1), ("high", 2), ("urgent", 3), ("critical", 4), ("blocker", 4)];
    let text = data::text(name, raw)?;
    match NAMES.iter().find(|(known, _)| text.eq_ignore_ascii_case(known)) {
        Some((_, number)) => Ok(*number),
        None => data::int(name, raw),
    }
}
