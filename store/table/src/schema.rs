//! What a table is: its grain, shape, key, joins and columns, written down once and used everywhere.
//!
//! A [`TableSpec`] is a constant. From it come the Arrow schemas (of deltas, of files, of SQL), the
//! documentation of `GET /v1/tables/{name}` and `docs/reference/tables.md`.

pub mod agents;
pub mod approvals;
pub mod artifacts;
pub mod attempts;
pub mod base;
pub mod decisions;
pub mod documents;
pub mod economics;
pub mod events;
pub mod handoffs;
pub mod interactions;
pub mod knowledge;
pub mod messages;
pub mod metrics;
pub mod outcomes;
pub mod parked;
pub mod policies;
pub mod prices;
pub mod tasks;

pub use base::{BASE_TABLES, base_table};

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Position of the event that produced the row. Shown to users.
pub const POS: &str = "_pos";
/// Number of the row among those that one event produced in one table. Hidden.
pub const ORD: &str = "_ord";
/// Case-folded key of a keyed row. Hidden.
pub const KEY: &str = "_key";
/// Serialised state of the fold, so that a late event can still be folded in. Hidden.
pub const STATE: &str = "_state";
/// First position at which a closed version is no longer the current one. Only in `…_history`.
pub const POS_TO: &str = "_pos_to";
/// What is appended to a keyed table's name to name its closed versions.
pub const HISTORY_SUFFIX: &str = "_history";

/// How rows come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Rows are only added. A row is for ever.
    Append,
    /// A row is a version of its key; a newer version closes it. The closed ones are in `{name}_history`.
    Keyed,
}

/// Type of a column: as analysts meet it, independent of how it lies on disk.
#[derive(Clone, Copy, Debug)]
pub enum ColumnType {
    /// Text of any length and cardinality.
    Text,
    /// Text of low cardinality (at most some ten thousand values): a status, a type, an agent's id.
    /// Deltas carry it as Utf8; files and SQL as Dictionary(Int32, Utf8).
    Word,
    /// Signed 64-bit integer.
    Int,
    /// Unsigned 64-bit integer.
    UInt,
    /// 64-bit floating point number.
    Float,
    /// True or false.
    Bool,
    /// Microseconds since 1970 in UTC.
    Time,
    /// Calendar day.
    Date,
    /// Decimal128(38, 12).
    Money,
    /// JSON text.
    Json,
    /// Bytes.
    Bytes,
    /// List of text.
    TextList,
    /// Anything else: the function returns the Arrow type (nested lists of structs…).
    Arrow(fn() -> DataType),
}

impl ColumnType {
    /// Returns the Arrow type of the column in a delta and in the hot tail.
    pub fn delta_type(self) -> DataType {
        match self {
            Self::Text | Self::Word | Self::Json => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::UInt => DataType::UInt64,
            Self::Float => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
            Self::Money => DataType::Decimal128(38, 12),
            Self::Bytes => DataType::Binary,
            Self::TextList => DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
            Self::Arrow(ty) => ty(),
        }
    }

    /// Returns the Arrow type of the column in files and in SQL.
    pub fn stored_type(self) -> DataType {
        match self {
            Self::Word => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            other => other.delta_type(),
        }
    }

    /// Returns the name used in documentation.
    pub fn name(self) -> String {
        match self {
            Self::Text | Self::Word => "text".into(),
            Self::Int => "bigint".into(),
            Self::UInt => "bigint unsigned".into(),
            Self::Float => "double".into(),
            Self::Bool => "boolean".into(),
            Self::Time => "timestamp (UTC, µs)".into(),
            Self::Date => "date".into(),
            Self::Money => "decimal(38, 12)".into(),
            Self::Json => "json".into(),
            Self::Bytes => "bytes".into(),
            Self::TextList => "list of text".into(),
            Self::Arrow(ty) => ty().to_string().to_lowercase(),
        }
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// Name. One that starts with `_` is hidden from SQL.
    pub name: &'static str,
    /// Type.
    pub ty: ColumnType,
    /// Whether a row may lack it.
    pub nullable: bool,
    /// A sentence: what it says, its unit, where it comes from.
    pub doc: &'static str,
}

impl ColumnSpec {
    /// Describes a column that every row has.
    pub const fn required(name: &'static str, ty: ColumnType, doc: &'static str) -> Self {
        Self { name, ty, nullable: false, doc }
    }

    /// Describes a column that a row may lack.
    pub const fn optional(name: &'static str, ty: ColumnType, doc: &'static str) -> Self {
        Self { name, ty, nullable: true, doc }
    }

    /// Returns whether SQL does not see the column.
    pub fn hidden(&self) -> bool {
        self.name.starts_with('_')
    }
}

/// A join that multiplies no rows.
#[derive(Clone, Copy, Debug)]
pub struct Join {
    /// Columns here.
    pub columns: &'static [&'static str],
    /// Table there.
    pub table: &'static str,
    /// Columns there, in the same order.
    pub to: &'static [&'static str],
}

/// One table, as a constant.
#[derive(Debug)]
pub struct TableSpec {
    /// Name in SQL.
    pub name: &'static str,
    /// How rows come and go.
    pub shape: Shape,
    /// "One row per …".
    pub grain: &'static str,
    /// What the table is for, in a sentence or two.
    pub about: &'static str,
    /// Columns that name a row.
    pub key: &'static [&'static str],
    /// Joins that keep the grain.
    pub joins: &'static [Join],
    /// Columns in the order of `SELECT *`, without `_pos` and the hidden ones that every table has.
    pub columns: &'static [ColumnSpec],
}

impl TableSpec {
    /// Returns the column of this name.
    pub fn column(&self, name: &str) -> Option<&'static ColumnSpec> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the name of the table of closed versions, for a keyed table.
    pub fn history_name(&self) -> Option<String> {
        (self.shape == Shape::Keyed).then(|| format!("{}{HISTORY_SUFFIX}", self.name))
    }

    /// Returns the schema of a delta: every column of the spec, then `_pos`, `_ord` and, in a keyed
    /// table, `_key` and `_state`.
    pub fn delta_schema(&self) -> SchemaRef {
        let mut fields = self.own_fields(ColumnType::delta_type, |_| true);
        fields.push(Field::new(POS, DataType::UInt64, false));
        fields.push(Field::new(ORD, DataType::UInt8, false));
        if self.shape == Shape::Keyed {
            fields.push(Field::new(KEY, DataType::Utf8, false));
            fields.push(Field::new(STATE, DataType::Binary, true));
        }
        Arc::new(Schema::new(fields))
    }

    /// Returns the schema that SQL sees: no hidden column, `_pos` last.
    pub fn public_schema(&self) -> SchemaRef {
        let mut fields = self.own_fields(ColumnType::stored_type, |column| !column.hidden());
        fields.push(Field::new(POS, DataType::UInt64, false));
        Arc::new(Schema::new(fields))
    }

    /// Returns the schema of the closed versions as SQL sees it: that of the table, then `_pos_to`.
    pub fn public_history_schema(&self) -> SchemaRef {
        with_pos_to(&self.public_schema())
    }

    /// Returns the schema of the table's files: that of a delta, with words as dictionaries.
    pub fn stored_schema(&self) -> SchemaRef {
        let mut fields = self.own_fields(ColumnType::stored_type, |_| true);
        let delta = self.delta_schema();
        fields.extend(delta.fields()[self.columns.len()..].iter().map(|field| field.as_ref().clone()));
        Arc::new(Schema::new(fields))
    }

    /// Returns the schema of the files of closed versions: without `_state`, with `_pos_to`.
    pub fn stored_history_schema(&self) -> SchemaRef {
        let stored = self.stored_schema();
        let kept: Vec<_> = stored.fields().iter().filter(|field| field.name() != STATE).cloned().collect();
        with_pos_to(&Arc::new(Schema::new(kept)))
    }

    fn own_fields(&self, ty: fn(ColumnType) -> DataType, keep: fn(&ColumnSpec) -> bool) -> Vec<Field> {
        let kept = self.columns.iter().filter(|column| keep(column));
        kept.map(|column| Field::new(column.name, ty(column.ty), column.nullable)).collect()
    }
}

fn with_pos_to(schema: &SchemaRef) -> SchemaRef {
    let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(POS_TO, DataType::UInt64, false)));
    Arc::new(Schema::new(fields))
}
