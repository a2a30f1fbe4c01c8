//! Rows of `documents` and its history, as the follower reads them.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{Expr, col};
use partitura_event::{Position, Problem, Workspace};

use crate::fault;
use crate::schema::{POS, POS_TO};
use crate::snapshot::Snapshot;
use crate::text::Document;

const TABLE: &str = "documents";
const HISTORY: &str = "documents_history";
const COLUMNS: &[&str] = &[
    POS,
    "doc_id",
    "kind",
    "title",
    "text",
    "agent_id",
    "task_id",
    "attempt_id",
    "conversation_id",
    "project_id",
    "model",
    "tags",
    "time",
    "valid_from",
    "valid_to",
    "seq",
];

/// Reads the current rows and those of the history that `filter` lets through, oldest first.
pub(super) async fn versions(
    snapshot: &Snapshot,
    workspace: &Workspace,
    filter: &Expr,
) -> Result<Vec<Document>, Problem> {
    let mut documents = Vec::new();
    for table in [TABLE, HISTORY] {
        for batch in read(snapshot, workspace, table, filter.clone(), COLUMNS).await? {
            decode(&batch, &mut documents)?;
        }
    }
    documents.sort_by_key(|document| document.version);
    documents.dedup_by_key(|document| document.version);
    Ok(documents)
}

/// Reads which versions no longer hold, and from which position on.
pub(super) async fn closings(
    snapshot: &Snapshot,
    workspace: &Workspace,
    filter: Expr,
) -> Result<Vec<(Position, Position)>, Problem> {
    let mut closings = Vec::new();
    for batch in read(snapshot, workspace, HISTORY, filter, &[POS, POS_TO]).await? {
        let (made, closed) = (numbers(&batch, POS)?, numbers(&batch, POS_TO)?);
        let (made, closed) = (made.as_primitive::<UInt64Type>(), closed.as_primitive::<UInt64Type>());
        for row in 0..batch.num_rows() {
            closings.extend(Position::new(made.value(row)).zip(Position::new(closed.value(row))));
        }
    }
    Ok(closings)
}

async fn read(
    snapshot: &Snapshot,
    workspace: &Workspace,
    table: &str,
    filter: Expr,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, Problem> {
    let failed = |error| fault::internal("search cannot read the documents", error);
    let Some(provider) = snapshot.table_internal(workspace, table, None) else { return Ok(Vec::new()) };
    let frame = SessionContext::new().read_table(provider).map_err(failed)?;
    let frame = frame.filter(filter).map_err(failed)?;
    let frame = frame.select(columns.iter().map(|column| col(*column)).collect::<Vec<_>>()).map_err(failed)?;
    frame.collect().await.map_err(failed)
}

fn decode(batch: &RecordBatch, documents: &mut Vec<Document>) -> Result<(), Problem> {
    let positions = numbers(batch, POS)?;
    let positions = positions.as_primitive::<UInt64Type>();
    let texts = |name: &str| cast_column(batch, name, &DataType::Utf8);
    let (ids, kinds, bodies) = (texts("doc_id")?, texts("kind")?, texts("text")?);
    let optional = ["title", "agent_id", "task_id", "attempt_id", "conversation_id", "project_id", "model"];
    let optional = optional.map(texts);
    let [title, agent, task, attempt, conversation, project, model] = optional;
    let (title, agent, task, attempt) = (title?, agent?, task?, attempt?);
    let (conversation, project, model) = (conversation?, project?, model?);
    let times = |name: &str| cast_column(batch, name, &DataType::Int64);
    let (time, from, to, seq) = (times("time")?, times("valid_from")?, times("valid_to")?, times("seq")?);
    let tags = batch.column_by_name("tags").cloned();
    let text = |array: &ArrayRef, row: usize| {
        let array = array.as_string::<i32>();
        array.is_valid(row).then(|| array.value(row).to_owned())
    };
    let number = |array: &ArrayRef, row: usize| {
        let array = array.as_primitive::<Int64Type>();
        array.is_valid(row).then(|| array.value(row))
    };
    for row in 0..batch.num_rows() {
        let Some(version) = Position::new(positions.value(row)) else { continue };
        documents.push(Document {
            version,
            doc_id: text(&ids, row).unwrap_or_default(),
            kind: text(&kinds, row).unwrap_or_default(),
            title: text(&title, row),
            text: text(&bodies, row).unwrap_or_default(),
            context: None,
            agent_id: text(&agent, row),
            task_id: text(&task, row),
            attempt_id: text(&attempt, row),
            conversation_id: text(&conversation, row),
            project_id: text(&project, row),
            model: text(&model, row),
            tags: list(tags.as_ref(), row)?,
            time: number(&time, row).unwrap_or(0),
            valid_from: number(&from, row),
            valid_to: number(&to, row),
            seq: number(&seq, row),
        });
    }
    Ok(())
}

fn list(column: Option<&ArrayRef>, row: usize) -> Result<Vec<String>, Problem> {
    let Some(lists) = column.and_then(|column| column.as_list_opt::<i32>()).filter(|lists| lists.is_valid(row)) else {
        return Ok(Vec::new());
    };
    let items = cast(&lists.value(row), &DataType::Utf8).map_err(|error| fault::internal("documents", error))?;
    Ok(items.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
}

fn numbers(batch: &RecordBatch, name: &str) -> Result<ArrayRef, Problem> {
    cast_column(batch, name, &DataType::UInt64)
}

fn cast_column(batch: &RecordBatch, name: &str, ty: &DataType) -> Result<ArrayRef, Problem> {
    let column = batch.column_by_name(name).ok_or_else(|| fault::internal("documents", format!("no column {name}")))?;
    cast(column, ty).map_err(|error| fault::internal("documents", error))
}
