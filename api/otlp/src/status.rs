//! Turns a `Problem` into a gRPC status: the code of OTLP, what to do in the message, when to retry in the details.

use bytes::Bytes;
use partitura_event::Problem;
use partitura_service::otlp::Encoding;
use partitura_service::otlp::reply::Refusal;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// Clients take heads of 8 KiB, each byte may become three on its way, and the details hold the message once more.
const MESSAGE_CHARS_MAX: usize = 1_000;
/// Where Python's exporter looks for the time to wait; all others look into the details.
const RETRY_INFO: &str = "google.rpc.retryinfo-bin";

/// Returns the status of a problem.
pub fn status(problem: &Problem) -> Status {
    let mut refusal = Refusal::of(problem);
    refusal.message = refusal.message.chars().take(MESSAGE_CHARS_MAX).collect();
    let mut metadata = MetadataMap::new();
    if let Ok(code) = MetadataValue::try_from(problem.code) {
        metadata.insert("x-partitura-code", code);
    }
    if let Some(info) = refusal.retry_info() {
        metadata.insert_bin(RETRY_INFO, MetadataValue::from_bytes(&info));
    }
    let details = Bytes::from(refusal.encode(Encoding::Protobuf));
    Status::with_details_and_metadata(Code::from_i32(refusal.grpc), refusal.message, details, metadata)
}
