//! Langfuse: scores, and the batches of its SDKs before they spoke OTLP.

mod batch;
mod observation;
mod score;

pub use batch::{Told, batch};
pub use score::{Scores, scores};

/// Source of scores, and service of spans that name none.
pub const SOURCE: &str = "langfuse";
/// What emits spans of [`batch`], beside the scope `langfuse-sdk` of the newer SDKs.
pub const SCOPE: &str = "langfuse-ingestion";
