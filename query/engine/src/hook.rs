//! What search lends to SQL: ranked hits for the table functions, vectors for `embed`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use partitura_event::{Position, Problem, Timestamp, Workspace};
use serde_json::Value;

use crate::source::Pinned;

/// Which legs a search uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SearchLegs {
    /// `search(…)`: text and vectors, fused.
    Hybrid,
    /// `text_search(…)`: BM25 only.
    Text,
    /// `vector_search(…)`: embeddings only.
    Vector,
}

/// One call of a search function in SQL.
#[derive(Clone)]
pub struct SearchCall {
    /// Whose documents.
    pub workspace: Workspace,
    /// The snapshot of the query: decides which hits are valid.
    pub pinned: Arc<dyn Pinned>,
    /// The position of the query, when it is in the past.
    pub as_of: Option<Position>,
    /// The query's `now()`.
    pub now: Timestamp,
    /// Which legs.
    pub legs: SearchLegs,
    /// What is looked for.
    pub query: String,
    /// Named arguments as written: `k => 10`, `filter => 'kind = ''task'''`, `alpha => 0.6`.
    pub options: BTreeMap<String, Value>,
    /// Most hits that can be used, when the statement says so.
    pub limit: Option<usize>,
}

/// Answers the search functions of SQL.
#[async_trait]
pub trait SqlSearch: Send + Sync + 'static {
    /// Returns the columns of hits, the same for every call.
    fn schema(&self) -> SchemaRef;

    /// Returns the names of the options that a call may carry.
    fn options(&self) -> &'static [&'static str];

    /// Returns the hits, best first. The same call on the same snapshot gives the same hits.
    async fn search(&self, call: SearchCall) -> Result<RecordBatch, Problem>;
}

/// Answers `embed(text)`.
pub trait SqlEmbed: Send + Sync + 'static {
    /// Returns the length of each vector.
    fn dims(&self) -> usize;

    /// Returns one vector per text. Called on a thread that may block.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Problem>;
}
