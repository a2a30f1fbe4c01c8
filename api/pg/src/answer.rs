//! Rows on their way: batches of the service, cut to what a client fetches.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use futures::stream::{self, BoxStream, StreamExt};
use partitura_event::{ErrorClass, Position, Problem};
use partitura_service::{SqlAnswer, SqlStats, pumped};

use crate::columns;

/// The rows of one statement that were not sent yet.
pub struct Answer {
    schema: SchemaRef,
    position: Option<Position>,
    batches: BoxStream<'static, Result<RecordBatch, Problem>>,
    rest: Option<RecordBatch>,
}

impl Answer {
    /// Streams the rows of a query. `asked` is the most rows that the session wants; a client that fetches nothing for
    /// `pause` loses the query, so that open cursors cannot keep every place of the running ones.
    pub fn streamed(answer: SqlAnswer, asked: Option<usize>, pause: Duration) -> Self {
        let SqlAnswer { stream: batches, hold, .. } = answer;
        let (schema, position, stats) = (columns::plain(batches.schema()), batches.position(), batches.stats());
        let whole = stream::once(async move { cut(&stats.get(), asked) }).filter_map(|cut| async { cut.map(Err) });
        let batches = pumped(batches.chain(whole), hold, pause).fuse().boxed();
        Self { schema, position, batches, rest: None }
    }

    /// Makes an answer of texts that are there already.
    pub fn of_texts(names: &[&str], rows: &[Vec<String>]) -> Result<Self, Problem> {
        let fields: Vec<_> = names.iter().map(|name| Field::new(*name, DataType::Utf8, false)).collect();
        let column = |at: usize| Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row[at]))) as ArrayRef;
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), (0..names.len()).map(column).collect());
        let batch = batch.map_err(|error| Problem::new(ErrorClass::Internal, error.to_string()))?;
        Ok(Self { schema, position: None, batches: stream::empty().boxed(), rest: Some(batch) })
    }

    /// Returns the columns, in types that the wire has.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns the position at which it is answered.
    pub const fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns the next rows, at most `most` and at least one; none at the end.
    pub async fn next(&mut self, most: usize) -> Result<Option<RecordBatch>, Problem> {
        loop {
            let batch = match self.rest.take() {
                Some(batch) => batch,
                None => match self.batches.next().await {
                    Some(batch) => columns::plain_batch(&batch?, &self.schema)?,
                    None => return Ok(None),
                },
            };
            let rows = batch.num_rows();
            if rows > most {
                self.rest = Some(batch.slice(most, rows - most));
                return Ok(Some(batch.slice(0, most)));
            }
            if rows > 0 {
                return Ok(Some(batch));
            }
        }
    }
}

/// The wire has no place where a client would look for "there is more": an answer that a limit cut fails instead,
/// except where the session asked for so many rows.
fn cut(stats: &SqlStats, asked: Option<usize>) -> Option<Problem> {
    if !stats.truncated || asked.is_some_and(|asked| asked as u64 == stats.rows) {
        return None;
    }
    let detail = format!("the answer is larger than a query may give: it was cut after {} rows", stats.rows);
    let problem = Problem::new(ErrorClass::ResourcesExhausted, detail).code("answer_cut");
    Some(problem.hint(
        "narrow or aggregate it, ask for the first rows with LIMIT, or raise `query_rows_max` and `query_bytes_max`",
    ))
}
