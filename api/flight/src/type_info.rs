//! The types of SQL, as ODBC and JDBC describe them.

use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

/// Makes the rows.
pub fn data() -> XdbcTypeInfoData {
    let mut builder = XdbcTypeInfoDataBuilder::new();
    numbers().into_iter().chain(texts()).chain(times()).for_each(|row| builder.append(row));
    builder.build().unwrap_or_else(|error| {
        tracing::error!(%error, "the description of the types cannot be made");
        XdbcTypeInfoDataBuilder::new().build().unwrap_or_else(|_| unreachable!("an empty description has no fault"))
    })
}

fn row(name: &str, ty: XdbcDataType, size: i32) -> XdbcTypeInfo {
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type: ty,
        column_size: Some(size),
        nullable: Nullable::NullabilityNullable,
        searchable: Searchable::Full,
        local_type_name: Some(name.to_owned()),
        sql_data_type: ty,
        ..XdbcTypeInfo::default()
    }
}

fn numbers() -> Vec<XdbcTypeInfo> {
    let whole = |name, ty, size| XdbcTypeInfo {
        unsigned_attribute: Some(false),
        auto_increment: Some(false),
        num_prec_radix: Some(10),
        minimum_scale: Some(0),
        maximum_scale: Some(0),
        ..row(name, ty, size)
    };
    let float = |name, ty, size| XdbcTypeInfo {
        unsigned_attribute: Some(false),
        auto_increment: Some(false),
        num_prec_radix: Some(2),
        ..row(name, ty, size)
    };
    let unsigned =
        XdbcTypeInfo { unsigned_attribute: Some(true), ..whole("BIGINT UNSIGNED", XdbcDataType::XdbcBigint, 20) };
    vec![
        row("BOOLEAN", XdbcDataType::XdbcBit, 1),
        whole("TINYINT", XdbcDataType::XdbcTinyint, 3),
        whole("SMALLINT", XdbcDataType::XdbcSmallint, 5),
        whole("INTEGER", XdbcDataType::XdbcInteger, 10),
        whole("BIGINT", XdbcDataType::XdbcBigint, 19),
        unsigned,
        float("REAL", XdbcDataType::XdbcReal, 24),
        float("DOUBLE", XdbcDataType::XdbcDouble, 53),
        XdbcTypeInfo {
            create_params: Some(vec!["precision".into(), "scale".into()]),
            maximum_scale: Some(38),
            ..whole("DECIMAL", XdbcDataType::XdbcDecimal, 38)
        },
    ]
}

fn texts() -> Vec<XdbcTypeInfo> {
    vec![
        XdbcTypeInfo {
            literal_prefix: Some("'".into()),
            literal_suffix: Some("'".into()),
            case_sensitive: true,
            ..row("VARCHAR", XdbcDataType::XdbcVarchar, i32::MAX)
        },
        XdbcTypeInfo {
            literal_prefix: Some("X'".into()),
            literal_suffix: Some("'".into()),
            searchable: Searchable::Basic,
            ..row("VARBINARY", XdbcDataType::XdbcVarbinary, i32::MAX)
        },
    ]
}

fn times() -> Vec<XdbcTypeInfo> {
    let of = |name: &str, ty, size, subcode| XdbcTypeInfo {
        literal_prefix: Some(format!("{name} '")),
        literal_suffix: Some("'".into()),
        sql_data_type: XdbcDataType::XdbcDatetime,
        datetime_subcode: Some(subcode),
        ..row(name, ty, size)
    };
    vec![
        // The code of dates is that of years, whose name alone the binding kept.
        of("DATE", XdbcDataType::XdbcDate, 10, XdbcDatetimeSubcode::XdbcSubcodeYear),
        of("TIME", XdbcDataType::XdbcTime, 15, XdbcDatetimeSubcode::XdbcSubcodeTime),
        of("TIMESTAMP", XdbcDataType::XdbcTimestamp, 26, XdbcDatetimeSubcode::XdbcSubcodeTimestamp),
    ]
}
