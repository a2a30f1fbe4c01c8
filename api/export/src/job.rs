//! What is exported, where to, and how it is laid out: data, as settings are.

use partitura_event::{ErrorClass, Problem};
use partitura_service::Format;

use crate::partition::Partition;

/// One export.
#[derive(Clone, Debug)]
pub struct Job {
    /// The rows.
    pub what: What,
    /// Kind of the files.
    pub format: Format,
    /// How the files lie in the target.
    pub layout: Layout,
    /// Most rows between two marks of a Parquet file; none: 131,072.
    pub row_group_rows: Option<usize>,
}

/// The rows of an export.
#[derive(Clone, Debug)]
pub enum What {
    /// These tables or views; every stored table when none is named.
    Tables(Vec<String>),
    /// A query, and what its files are called.
    Query {
        /// Name of its folder or file.
        name: String,
        /// One read-only statement.
        sql: String,
    },
}

/// How files lie in a target.
#[derive(Clone, Debug)]
pub enum Layout {
    /// One file for each table, `tasks.parquet`, written anew each time.
    Files,
    /// A folder for each table, with a manifest beside them.
    DataSet {
        /// Folders below it.
        partition_by: Vec<Partition>,
        /// A file ends when it has this many rows.
        file_rows: Option<u64>,
        /// A file ends when it has this many bytes.
        file_bytes: u64,
        /// Tables whose rows stay as they are get files for what is new; without it everything is written anew.
        incremental: bool,
    },
}

/// Bytes of a file, when nothing else is said: readers in parallel want several, and none wants thousands.
pub const FILE_BYTES: u64 = 256 << 20;

/// Reads the kind of files.
pub fn format(name: &str) -> Result<Format, Problem> {
    const KINDS: [&str; 4] = ["parquet", "arrow", "csv", "ndjson"];
    if KINDS.contains(&name) {
        return Format::parse(name);
    }
    Err(Problem::new(ErrorClass::NotAcceptable, format!("files are not written as `{name:.40}`"))
        .suggest(name, KINDS)
        .hint(format!("there are {}", KINDS.join(", "))))
}

/// Checks what a query's files are to be called: it becomes a folder.
pub fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let fits = !name.is_empty() && name.len() <= 80 && name.chars().all(plain) && !name.starts_with(['.', '_']);
    if fits {
        return Ok(());
    }
    let detail = format!("`{name:.80}` cannot name files: use letters, digits, `_`, `-` and `.`, at most 80");
    Err(Problem::invalid_field("name", "file_name", detail))
}
