//! Arrow rows of another protocol than HTTP: read within limits, and cut into appends.

use arrow::array::RecordBatch;
use partitura_event::Problem;
use partitura_ingest::decode::arrow as ingest;

use crate::service::Service;

/// Content type of what [`Service::append_bodies`] makes.
pub const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// The body of one append.
#[derive(Clone, Debug)]
pub struct ArrowBody {
    /// Events in it.
    pub rows: usize,
    /// An Arrow IPC stream.
    pub stream: Vec<u8>,
}

impl Service {
    /// Reads an Arrow IPC stream of parameters, which together are no larger than one event may be.
    pub fn arrow_params(&self, stream: &[u8]) -> Result<Vec<RecordBatch>, Problem> {
        ingest::batches(stream, self.ingest_limits().event_bytes)
    }

    /// Cuts an Arrow IPC stream of events into bodies of at most `rows_max` rows each, and no more than one append
    /// takes. `bytes_max` is what its buffers may have together.
    pub fn append_bodies(&self, stream: &[u8], rows_max: usize, bytes_max: u64) -> Result<Vec<ArrowBody>, Problem> {
        let rows_max = rows_max.clamp(1, self.ingest_limits().events);
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        // A large stream keeps a thread busy for long: the others must go on meanwhile.
        tokio::task::block_in_place(|| {
            let mut bodies = Vec::new();
            for batch in ingest::batches(stream, bytes_max)? {
                let rows = (0..batch.num_rows()).step_by(rows_max).map(|start| rows_max.min(batch.num_rows() - start));
                let streams = ingest::split(&batch, rows_max)?;
                bodies.extend(rows.zip(streams).map(|(rows, stream)| ArrowBody { rows, stream }));
            }
            Ok(bodies)
        })
    }
}
