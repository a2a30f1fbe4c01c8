//! Rows on their way: batches as Flight data, so long as the client reads them.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{SqlAnswer, SqlStats, pumped};
use tonic::Status;

use crate::status::status;

/// What a call answers rows with.
pub type Rows = BoxStream<'static, Result<FlightData, Status>>;

/// Streams the rows of a query. `asked` is the most rows that the caller wanted; a client that does not read for
/// `pause` loses the query.
pub fn streamed(answer: SqlAnswer, asked: Option<usize>, pause: Duration) -> Rows {
    let SqlAnswer { stream: batches, hold, .. } = answer;
    let (schema, stats) = (Arc::clone(batches.schema()), batches.stats());
    let whole = stream::once(async move { cut(&stats.get(), asked) }).filter_map(|cut| async { cut.map(Err) });
    let batches = batches.chain(whole).map_err(|problem| FlightError::ExternalError(Box::new(problem)));
    let encoded = FlightDataEncoderBuilder::new().with_schema(schema).build(batches).map_err(problem);
    pumped(encoded, hold, pause).map_err(|problem| status(&problem)).boxed()
}

/// Streams one batch that is there already.
pub fn of_batch(batch: RecordBatch) -> Rows {
    let schema = batch.schema();
    encode(schema, stream::once(async { Ok(batch) })).map_err(|error| status(&problem(error))).boxed()
}

fn encode(
    schema: arrow::datatypes::SchemaRef,
    batches: impl Stream<Item = Result<RecordBatch, FlightError>> + Send + 'static,
) -> impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static {
    FlightDataEncoderBuilder::new().with_schema(schema).build(batches)
}

/// Flight has no place where a client would look for "there is more": an answer that a limit cut fails instead, except
/// where the caller asked for so many rows.
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

fn problem(error: FlightError) -> Problem {
    match error {
        FlightError::ExternalError(inner) => match inner.downcast::<Problem>() {
            Ok(problem) => *problem,
            Err(other) => Problem::new(ErrorClass::Internal, other.to_string()),
        },
        other => Problem::new(ErrorClass::Internal, format!("rows cannot be written: {other}")),
    }
}
