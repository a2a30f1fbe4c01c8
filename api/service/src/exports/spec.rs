//! What is to be exported, as `[[exports]]` in `partitura.toml` says it.

use std::time::Duration;

use partitura_event::{Problem, Workspace};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::quantity;

/// Shortest time from one run to the next.
const EVERY_MIN: Duration = Duration::from_secs(1);

/// One scheduled export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportSpec {
    /// Names it; unique in the server.
    pub name: String,
    /// Whose rows.
    #[serde(default = "Workspace::local")]
    pub workspace: Workspace,
    /// Tables or views; every stored table when neither these nor a query are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// A query instead of tables; its files are called as the export is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// A folder, or `s3://bucket/prefix`.
    pub target: String,
    /// parquet, arrow, csv or ndjson.
    #[serde(default = "parquet")]
    pub format: String,
    /// Columns, or date(…), month(…), year(…) of one, comma-separated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub partition_by: String,
    /// From one start to the next.
    #[serde(deserialize_with = "read_span", serialize_with = "write_span")]
    pub every: Duration,
    /// Rows that stay as they are get files for what is new.
    #[serde(default = "yes")]
    pub incremental: bool,
    /// Most rows of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_rows: Option<u64>,
    /// Bytes at which a file ends, such as `256MiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<String>,
    /// Most rows of a row group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_group_rows: Option<usize>,
    /// Whether the store may be reached without TLS.
    #[serde(default)]
    pub allow_http: bool,
}

fn parquet() -> String {
    "parquet".to_owned()
}

const fn yes() -> bool {
    true
}

fn read_span<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    quantity::duration(&text).filter(|every| *every >= EVERY_MIN).ok_or_else(|| {
        serde::de::Error::custom(format!("`every` = {text:?} is not a duration from 1s on, such as 15m or 1d"))
    })
}

fn write_span<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format!("{}s", span.as_secs_f64()))
}

/// Refuses exports that cannot be told apart.
pub(super) fn check(specs: &[ExportSpec]) -> Result<(), Problem> {
    for (at, spec) in specs.iter().enumerate() {
        partitura_event::id::check_id("exports.name", &spec.name)?;
        if specs[..at].iter().any(|other| other.name == spec.name) {
            let detail = format!("two exports are called `{}`", spec.name);
            return Err(Problem::invalid_field("exports.name", "repeated", detail));
        }
        if spec.sql.is_some() && !spec.tables.is_empty() {
            let detail = format!("the export `{}` has both `tables` and `sql`: name one of them", spec.name);
            return Err(Problem::invalid_field("exports.sql", "contradiction", detail));
        }
    }
    Ok(())
}
