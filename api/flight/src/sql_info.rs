//! What the server can do: every item that Flight SQL asks for, with the limits of this server.

use std::collections::HashMap;

use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    SqlInfo, SqlNullOrdering, SqlOuterJoinsSupportLevel, SqlSupportedCaseSensitivity, SqlSupportedGroupBy,
    SqlSupportedSubqueries, SqlSupportedTransaction, SqlSupportedUnions, SqlSupportsConvert,
    SqlTransactionIsolationLevel, SupportedSqlGrammar,
};
use partitura_service::Settings;

/// Longest SQL text, in bytes.
const SQL_BYTES_MAX: i64 = partitura_service::SQL_BYTES_MAX as i64;

/// Words that are not of SQL-92 and that a name must be quoted for.
const KEYWORDS: &[&str] = &["ANTI", "EXPLAIN", "ILIKE", "LATERAL", "LIMIT", "OFFSET", "QUALIFY", "SEMI", "UNNEST"];

/// Functions that drivers may use for their escapes.
const NUMERIC_FUNCTIONS: &[&str] = &[
    "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "degrees", "exp", "floor", "ln", "log", "log10", "pi",
    "power", "radians", "round", "signum", "sin", "sqrt", "tan", "trunc",
];
const STRING_FUNCTIONS: &[&str] = &[
    "ascii",
    "btrim",
    "char_length",
    "chr",
    "concat",
    "concat_ws",
    "initcap",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "octet_length",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "translate",
    "upper",
];
const SYSTEM_FUNCTIONS: &[&str] = &["coalesce", "nullif"];
const DATETIME_FUNCTIONS: &[&str] = &["current_date", "date_part", "date_trunc", "now", "to_timestamp"];

/// Makes all items.
pub fn data(settings: &Settings) -> SqlInfoData {
    let mut builder = SqlInfoDataBuilder::new();
    server(&mut builder);
    language(&mut builder);
    support(&mut builder);
    limits(&mut builder, settings);
    builder.build().unwrap_or_else(|error| {
        tracing::error!(%error, "the description of the server cannot be made");
        SqlInfoDataBuilder::new().build().unwrap_or_else(|_| unreachable!("an empty description has no fault"))
    })
}

fn server(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::FlightSqlServerName, "Partitura");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, arrow::ARROW_VERSION);
    // SQL reads only; rows come in by bulk ingest.
    builder.append(SqlInfo::FlightSqlServerReadOnly, true);
    builder.append(SqlInfo::FlightSqlServerSql, true);
    builder.append(SqlInfo::FlightSqlServerSubstrait, false);
    builder.append(SqlInfo::FlightSqlServerSubstraitMinVersion, "");
    builder.append(SqlInfo::FlightSqlServerSubstraitMaxVersion, "");
    builder.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    builder.append(SqlInfo::FlightSqlServerCancel, true);
    builder.append(SqlInfo::FlightSqlServerBulkIngestion, true);
    builder.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    // A prepared statement's handle holds all that it needs, so it does not end.
    builder.append(SqlInfo::FlightSqlServerStatementTimeout, 0);
    builder.append(SqlInfo::FlightSqlServerTransactionTimeout, 0);
}

fn language(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::SqlDdlCatalog, false);
    builder.append(SqlInfo::SqlDdlSchema, false);
    builder.append(SqlInfo::SqlDdlTable, false);
    let folded = SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i32;
    builder.append(SqlInfo::SqlIdentifierCase, folded);
    builder.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    let exact = SqlSupportedCaseSensitivity::SqlCaseSensitivityCaseInsensitive as i32;
    builder.append(SqlInfo::SqlQuotedIdentifierCase, exact);
    builder.append(SqlInfo::SqlAllTablesAreSelectable, true);
    builder.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedHigh as i32);
    builder.append(SqlInfo::SqlKeywords, KEYWORDS);
    builder.append(SqlInfo::SqlNumericFunctions, NUMERIC_FUNCTIONS);
    builder.append(SqlInfo::SqlStringFunctions, STRING_FUNCTIONS);
    builder.append(SqlInfo::SqlSystemFunctions, SYSTEM_FUNCTIONS);
    builder.append(SqlInfo::SqlDatetimeFunctions, DATETIME_FUNCTIONS);
    builder.append(SqlInfo::SqlSearchStringEscape, "\\");
    builder.append(SqlInfo::SqlExtraNameCharacters, "");
    builder.append(SqlInfo::SqlSchemaTerm, "schema");
    builder.append(SqlInfo::SqlProcedureTerm, "");
    builder.append(SqlInfo::SqlCatalogTerm, "catalog");
    builder.append(SqlInfo::SqlCatalogAtStart, true);
}

fn support(builder: &mut SqlInfoDataBuilder) {
    for (info, yes) in [
        (SqlInfo::SqlSupportsColumnAliasing, true),
        (SqlInfo::SqlNullPlusNullIsNull, true),
        (SqlInfo::SqlSupportsTableCorrelationNames, true),
        (SqlInfo::SqlSupportsDifferentTableCorrelationNames, false),
        (SqlInfo::SqlSupportsExpressionsInOrderBy, true),
        (SqlInfo::SqlSupportsOrderByUnrelated, true),
        (SqlInfo::SqlSupportsLikeEscapeClause, true),
        (SqlInfo::SqlSupportsNonNullableColumns, true),
        (SqlInfo::SqlSupportsIntegrityEnhancementFacility, false),
        (SqlInfo::SqlSelectForUpdateSupported, false),
        (SqlInfo::SqlStoredProceduresSupported, false),
        (SqlInfo::SqlCorrelatedSubqueriesSupported, true),
        (SqlInfo::SqlMaxRowSizeIncludesBlobs, true),
        (SqlInfo::SqlTransactionsSupported, false),
        (SqlInfo::SqlDataDefinitionCausesTransactionCommit, false),
        (SqlInfo::SqlDataDefinitionsInTransactionsIgnored, false),
        (SqlInfo::SqlBatchUpdatesSupported, false),
        (SqlInfo::SqlSavepointsSupported, false),
        (SqlInfo::SqlNamedParametersSupported, true),
        (SqlInfo::SqlLocatorsUpdateCopy, false),
        (SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported, false),
    ] {
        builder.append(info, yes);
    }
    let bits = |values: &[i32]| values.iter().fold(0, |mask, value| mask | 1 << value);
    let groups = [SqlSupportedGroupBy::SqlGroupByUnrelated as i32, SqlSupportedGroupBy::SqlGroupByBeyondSelect as i32];
    let grammar = [SupportedSqlGrammar::SqlMinimumGrammar as i32, SupportedSqlGrammar::SqlCoreGrammar as i32];
    let subqueries = [
        SqlSupportedSubqueries::SqlSubqueriesInComparisons as i32,
        SqlSupportedSubqueries::SqlSubqueriesInExists as i32,
        SqlSupportedSubqueries::SqlSubqueriesInIns as i32,
    ];
    let unions = [SqlSupportedUnions::SqlUnion as i32, SqlSupportedUnions::SqlUnionAll as i32];
    let joins =
        [SqlOuterJoinsSupportLevel::SqlFullOuterJoins as i32, SqlOuterJoinsSupportLevel::SqlLimitedOuterJoins as i32];
    builder.append(SqlInfo::SqlSupportedGroupBy, bits(&groups));
    builder.append(SqlInfo::SqlSupportedGrammar, bits(&grammar));
    builder.append(SqlInfo::SqlAnsi92SupportedLevel, 0);
    builder.append(SqlInfo::SqlOuterJoinsSupportLevel, bits(&joins));
    builder.append(SqlInfo::SqlSchemasSupportedActions, 0);
    builder.append(SqlInfo::SqlCatalogsSupportedActions, 0);
    builder.append(SqlInfo::SqlSupportedPositionedCommands, 0);
    builder.append(SqlInfo::SqlSupportedSubqueries, bits(&subqueries));
    builder.append(SqlInfo::SqlSupportedUnions, bits(&unions));
    builder.append(SqlInfo::SqlDefaultTransactionIsolation, SqlTransactionIsolationLevel::SqlTransactionNone as i32);
    builder.append(SqlInfo::SqlSupportedTransactionsIsolationLevels, 0);
    builder.append(SqlInfo::SqlSupportedResultSetTypes, 1 << 1);
    for info in [
        SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified,
        SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive,
    ] {
        builder.append(info, 0);
    }
    builder.append(SqlInfo::SqlSupportsConvert, conversions());
}

/// Which types CAST turns into which.
fn conversions() -> HashMap<i32, Vec<i32>> {
    use SqlSupportsConvert as Type;
    let numbers = [
        Type::SqlConvertTinyint as i32,
        Type::SqlConvertSmallint as i32,
        Type::SqlConvertInteger as i32,
        Type::SqlConvertBigint as i32,
        Type::SqlConvertReal as i32,
        Type::SqlConvertFloat as i32,
        Type::SqlConvertDecimal as i32,
    ];
    let times = [Type::SqlConvertDate as i32, Type::SqlConvertTimestamp as i32];
    let text = Type::SqlConvertVarchar as i32;
    let with_text = |types: &[i32]| types.iter().copied().chain([text]).collect::<Vec<_>>();
    let mut all: HashMap<i32, Vec<i32>> = numbers.iter().map(|number| (*number, with_text(&numbers))).collect();
    all.extend(times.iter().map(|time| (*time, with_text(&times))));
    all.insert(text, with_text(&[numbers.as_slice(), times.as_slice()].concat()));
    all
}

/// Zero means that there is no limit, or none that is known.
fn limits(builder: &mut SqlInfoDataBuilder, settings: &Settings) {
    for info in [
        SqlInfo::SqlMaxColumnNameLength,
        SqlInfo::SqlMaxColumnsInGroupBy,
        SqlInfo::SqlMaxColumnsInIndex,
        SqlInfo::SqlMaxColumnsInOrderBy,
        SqlInfo::SqlMaxColumnsInSelect,
        SqlInfo::SqlMaxColumnsInTable,
        SqlInfo::SqlMaxCursorNameLength,
        SqlInfo::SqlMaxIndexLength,
        SqlInfo::SqlDbSchemaNameLength,
        SqlInfo::SqlMaxProcedureNameLength,
        SqlInfo::SqlMaxCatalogNameLength,
        SqlInfo::SqlMaxRowSize,
        SqlInfo::SqlMaxTableNameLength,
        SqlInfo::SqlMaxTablesInSelect,
        SqlInfo::SqlMaxUsernameLength,
    ] {
        builder.append(info, 0_i64);
    }
    builder.append(SqlInfo::SqlMaxBinaryLiteralLength, SQL_BYTES_MAX);
    builder.append(SqlInfo::SqlMaxCharLiteralLength, SQL_BYTES_MAX);
    builder.append(SqlInfo::SqlMaxStatementLength, SQL_BYTES_MAX);
    builder.append(SqlInfo::SqlMaxConnections, i64::try_from(settings.connections_max).unwrap_or(i64::MAX));
    builder.append(SqlInfo::SqlMaxStatements, i64::try_from(settings.queries_max).unwrap_or(i64::MAX));
}
