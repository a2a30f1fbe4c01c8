//! Partitions: columns, or days, months and years of a time, as Hive lays them out (`date=2026-11-26/agent_id=claude`).

use std::fmt::Write;
use std::ops::Range;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::partition;
use partitura_event::Problem;

/// What Hive, Spark and DuckDB read as null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
/// What the columns are called while rows are on their way.
const ALIAS: &str = "__partition_";
/// Most levels of folders.
const LEVELS_MAX: usize = 4;

/// One level of folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    column: String,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The column's value; the files do not have the column, the folder does.
    Value,
    Date,
    Month,
    Year,
}

const PARTS: &[(&str, Part)] = &[("date", Part::Date), ("month", Part::Month), ("year", Part::Year)];

impl Partition {
    /// Reads a list such as `date(time),agent_id`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, Problem> {
        let list: Vec<Self> = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(Self::parse)
            .collect::<Result<_, _>>()?;
        if list.len() > LEVELS_MAX {
            let detail = format!("{} levels of partitions are asked for; at most {LEVELS_MAX} are made", list.len());
            return Err(Problem::invalid_field("partition_by", "too_many", detail));
        }
        let twice =
            list.iter().enumerate().find(|(at, one)| list[..*at].iter().any(|other| other.name() == one.name()));
        if let Some((_, one)) = twice {
            let detail = format!("the partition `{}` stands twice", one.name());
            return Err(Problem::invalid_field("partition_by", "repeated", detail));
        }
        Ok(list)
    }

    /// Reads a column's name, or `date(column)`, `month(column)`, `year(column)`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let (part, column) = match text.split_once('(') {
            None => (Part::Value, text),
            Some((function, rest)) => {
                let known = PARTS.iter().find(|(name, _)| function.trim().eq_ignore_ascii_case(name));
                let (Some((_, part)), Some(column)) = (known, rest.strip_suffix(')')) else {
                    return Err(unreadable(text));
                };
                (*part, column.trim())
            }
        };
        let plain = !column.is_empty() && column.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || column.starts_with(ALIAS) {
            return Err(unreadable(text));
        }
        Ok(Self { column: column.to_ascii_lowercase(), part })
    }

    /// Returns the name of its folders: `date` of `date(time)`, a column's own.
    pub fn name(&self) -> &str {
        PARTS.iter().find(|(_, part)| *part == self.part).map_or(&self.column, |(name, _)| name)
    }

    /// Returns the SQL of its values, as text. Days are those of the workspace's calendar.
    fn sql(&self) -> String {
        let column = format!("\"{}\"", self.column);
        match self.part {
            Part::Value => format!("CAST({column} AS VARCHAR)"),
            Part::Date => format!("CAST(CAST({column} AS DATE) AS VARCHAR)"),
            Part::Month => format!("substr(CAST(CAST({column} AS DATE) AS VARCHAR), 1, 7)"),
            Part::Year => format!("substr(CAST(CAST({column} AS DATE) AS VARCHAR), 1, 4)"),
        }
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.part {
            Part::Value => f.write_str(&self.column),
            _ => write!(f, "{}({})", self.name(), self.column),
        }
    }
}

fn unreadable(text: &str) -> Problem {
    let detail = format!("`{text:.60}` is neither a column nor date(…), month(…) or year(…) of one");
    Problem::invalid_field("partition_by", "partition", detail)
        .hint("write it like --partition-by 'date(time),agent_id'")
}

/// Returns the columns that [`cut`] takes away again, to be put behind the others: `, x AS __partition_0`.
pub fn select(partitions: &[Partition]) -> String {
    let mut sql = String::new();
    for (n, partition) in partitions.iter().enumerate() {
        let _ = write!(sql, ", {} AS {ALIAS}{n}", partition.sql());
    }
    sql
}

/// Returns what rows are ordered by, so that each partition comes once.
pub fn order(partitions: &[Partition]) -> Vec<String> {
    (0..partitions.len()).map(|n| format!("{ALIAS}{n}")).collect()
}

/// Rows of one partition: its folder (`date=2026-11-26/agent_id=claude`, empty without partitions) and the rows
/// without the columns that the folder tells.
#[derive(Debug)]
pub struct Piece {
    /// The folder.
    pub folder: String,
    /// The rows.
    pub rows: RecordBatch,
}

/// Cuts a batch, ordered by its partitions, where one ends.
pub fn cut(batch: &RecordBatch, partitions: &[Partition]) -> Result<Vec<Piece>, Problem> {
    if batch.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let rows = without(batch, partitions)?;
    if partitions.is_empty() {
        return Ok(vec![Piece { folder: String::new(), rows }]);
    }
    let values = &batch.columns()[batch.num_columns() - partitions.len()..];
    let runs: Vec<Range<usize>> = partition(values).map_err(|error| defect(&error))?.ranges();
    let piece = |run: Range<usize>| {
        let level = |(partition, column): (&Partition, &arrow::array::ArrayRef)| {
            let text = column.as_string_opt::<i32>().filter(|column| column.is_valid(run.start));
            format!(
                "{}={}",
                partition.name(),
                text.map_or_else(|| NULL.to_owned(), |text| escaped(text.value(run.start)))
            )
        };
        let folder = partitions.iter().zip(values).map(level).collect::<Vec<_>>().join("/");
        Piece { folder, rows: rows.slice(run.start, run.len()) }
    };
    Ok(runs.into_iter().map(piece).collect())
}

/// Returns the columns of the files.
pub fn without(batch: &RecordBatch, partitions: &[Partition]) -> Result<RecordBatch, Problem> {
    let schema = batch.schema();
    let own = batch.num_columns() - partitions.len();
    let told = |name: &str| partitions.iter().any(|one| one.part == Part::Value && one.column == name);
    let kept: Vec<usize> = (0..own).filter(|at| !told(schema.field(*at).name())).collect();
    batch.project(&kept).map_err(|error| defect(&error))
}

fn defect(error: &arrow::error::ArrowError) -> Problem {
    Problem::new(partitura_event::ErrorClass::Internal, format!("rows cannot be cut into partitions: {error}"))
}

/// Writes a value as a folder's name: everything but letters, digits, `_`, `-` and `.` as `%` and two hex digits,
/// which every reader of Hive's layout reads back.
fn escaped(value: &str) -> String {
    if value.is_empty() {
        return NULL.to_owned();
    }
    let mut name = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            // A folder must not be `.` or `..`.
            b'.' if !name.is_empty() => name.push('.'),
            other => {
                let _ = write!(name, "%{other:02X}");
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn lists_are_read_and_wrong_ones_named() {
        let list = Partition::parse_list("date(time), agent_id ,year( due )").expect("a list");
        let names: Vec<_> = list.iter().map(Partition::name).collect();
        assert_eq!(names, ["date", "agent_id", "year"]);
        assert_eq!(list[0].to_string(), "date(time)");
        for wrong in ["dat(time)", "date(time", "a b", "\"x\"; DROP", "__partition_0", "a,a", "a,b,c,d,e"] {
            assert!(Partition::parse_list(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_become_folders_that_readers_read_back() {
        for (value, folder) in
            [("claude", "claude"), ("a/b", "a%2Fb"), ("..", "%2E."), ("x=y%", "x%3Dy%25"), ("é", "%C3%A9"), ("", NULL)]
        {
            assert_eq!(escaped(value), folder, "{value}");
        }
    }

    #[test]
    fn a_batch_is_cut_where_a_partition_ends() {
        let schema = Schema::new(vec![
            Field::new("n", DataType::Int64, false),
            Field::new("agent_id", DataType::Utf8, true),
            Field::new("__partition_0", DataType::Utf8, true),
        ]);
        let agents = StringArray::from(vec![Some("a"), Some("a"), Some("b"), None]);
        let columns: Vec<arrow::array::ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![1, 2, 3, 4])), Arc::new(agents.clone()), Arc::new(agents)];
        let batch = RecordBatch::try_new(Arc::new(schema), columns).expect("a batch");
        let by = [Partition::parse("agent_id").expect("a partition")];
        let pieces = cut(&batch, &by).expect("pieces");
        let found: Vec<_> = pieces.iter().map(|piece| (piece.folder.as_str(), piece.rows.num_rows())).collect();
        let null = format!("agent_id={NULL}");
        assert_eq!(found, [("agent_id=a", 2), ("agent_id=b", 1), (null.as_str(), 1)]);
        assert_eq!(pieces[0].rows.num_columns(), 1, "the folder tells the agent");
    }
}
