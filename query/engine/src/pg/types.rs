//! Arrow types as Postgres numbers, names and measures them, for its catalogs.

use datafusion::arrow::datatypes::{DataType, Field};

/// A type as `pg_type` knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PgType {
    pub oid: i32,
    /// Name in `pg_type`.
    pub name: &'static str,
    /// Name in `information_schema.columns`.
    pub sql: &'static str,
    /// Bytes of a value; -1 where they vary.
    pub bytes: i16,
}

const fn ty(oid: i32, name: &'static str, sql: &'static str, bytes: i16) -> PgType {
    PgType { oid, name, sql, bytes }
}

const TEXT: PgType = ty(25, "text", "text", -1);

/// Returns the type of a column, as the wire sends it.
pub(super) fn of(field: &Field) -> PgType {
    match field.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            list_of(item.data_type())
        }
        other => plain(other),
    }
}

const fn plain(data_type: &DataType) -> PgType {
    match data_type {
        DataType::Boolean => ty(16, "bool", "boolean", 1),
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => ty(21, "int2", "smallint", 2),
        DataType::UInt16 | DataType::Int32 => ty(23, "int4", "integer", 4),
        DataType::UInt32 | DataType::Int64 => ty(20, "int8", "bigint", 8),
        DataType::UInt64 | DataType::Decimal128(..) => ty(1700, "numeric", "numeric", -1),
        DataType::Float16 | DataType::Float32 => ty(700, "float4", "real", 4),
        DataType::Float64 => ty(701, "float8", "double precision", 8),
        DataType::Timestamp(_, Some(_)) => ty(1184, "timestamptz", "timestamp with time zone", 8),
        DataType::Timestamp(_, None) => ty(1114, "timestamp", "timestamp without time zone", 8),
        DataType::Date32 | DataType::Date64 => ty(1082, "date", "date", 4),
        DataType::Time32(_) | DataType::Time64(_) => ty(1083, "time", "time without time zone", 8),
        DataType::Interval(_) | DataType::Duration(_) => ty(1186, "interval", "interval", 16),
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => ty(17, "bytea", "bytea", -1),
        _ => TEXT,
    }
}

const fn list_of(item: &DataType) -> PgType {
    match plain(item).oid {
        16 => ty(1000, "_bool", "ARRAY", -1),
        21 => ty(1005, "_int2", "ARRAY", -1),
        23 => ty(1007, "_int4", "ARRAY", -1),
        20 => ty(1016, "_int8", "ARRAY", -1),
        1700 => ty(1231, "_numeric", "ARRAY", -1),
        700 => ty(1021, "_float4", "ARRAY", -1),
        701 => ty(1022, "_float8", "ARRAY", -1),
        1184 => ty(1185, "_timestamptz", "ARRAY", -1),
        1114 => ty(1115, "_timestamp", "ARRAY", -1),
        _ => ty(1009, "_text", "ARRAY", -1),
    }
}

/// Returns the modifier of a column's type: precision and scale of a decimal.
pub(super) fn modifier(field: &Field) -> i32 {
    match field.data_type() {
        DataType::Decimal128(precision, scale) => ((i32::from(*precision) << 16) | i32::from(*scale)) + 4,
        _ => -1,
    }
}
