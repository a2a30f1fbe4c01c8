//! `system.search`: how far search is behind the tables, and which model answers.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use partitura_embed::{Serving, VectorFollower};
use partitura_event::{Position, Problem, Workspace};
use partitura_query::system::describe;
use partitura_query::{SystemTable, TableDescription};
use partitura_table::TableStore;
use partitura_table::search::SearchStore;

use crate::system::batch;

/// One row for each model that has vectors of the workspace.
pub(super) struct SearchTable {
    pub tables: Arc<TableStore>,
    pub store: Arc<SearchStore>,
    pub serving: Serving,
    /// Of the model that is set.
    pub vectors: Option<Arc<VectorFollower>>,
}

#[async_trait]
impl SystemTable for SearchTable {
    fn description(&self) -> TableDescription {
        describe(
            "search",
            "One row: the text index and the vectors of the workspace; none before its first document.",
            &["position"],
            &[
                ("position", DataType::UInt64, true, "Last position that is found by its words."),
                ("lag_events", DataType::UInt64, false, "Events that tables show and search by words does not."),
                ("documents", DataType::UInt64, false, "Versions of documents in the text index."),
                ("segments", DataType::UInt64, false, "Files of the text index."),
                ("model", DataType::Utf8, true, "Embedding model that answers; NULL: search by words alone."),
                ("next_model", DataType::Utf8, true, "Model that takes over when it has embedded everything."),
                ("chunks", DataType::UInt64, true, "Vectors of the model that is set."),
                ("embedded", DataType::UInt64, true, "Versions that have a vector."),
                (
                    "pending",
                    DataType::UInt64,
                    true,
                    "Versions that wait for one; their words are found. 0: all that `position` shows have theirs.",
                ),
                ("indexed", DataType::Boolean, true, "Whether an approximate index answers; else all are compared."),
                (
                    "recall",
                    DataType::Float64,
                    true,
                    "Share of the ten nearest that this index has found when measured.",
                ),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let table = self.description();
        let Some(space) = self.store.space(workspace) else { return Ok(RecordBatch::new_empty(table.schema)) };
        let view = space.text.view();
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        let lag = number(self.tables.snapshot().position()).saturating_sub(number(view.position()));
        let answering = self.serving.embedder().map(|embedder| embedder.model().to_string());
        let vectors = match &self.vectors {
            Some(follower) => {
                let (model, dims) = (follower.embedder().model(), follower.embedder().dims());
                let vectors = space.vectors(&model.to_string(), model.hash(), dims).await?;
                Some((vectors.status(), follower.pending(workspace)?))
            }
            None => None,
        };
        let next = vectors.as_ref().map(|(status, _)| status.model.clone()).filter(|_| answering.is_some());
        let next = next.filter(|next| Some(next) != answering.as_ref());
        let count = |value: Option<usize>| Arc::new(UInt64Array::from(vec![value.map(|n| n as u64)])) as ArrayRef;
        let status = vectors.as_ref().map(|(status, _)| status);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from(vec![view.position().map(Position::get)])),
            Arc::new(UInt64Array::from(vec![lag])),
            Arc::new(UInt64Array::from(vec![view.len()])),
            count(Some(view.files())),
            Arc::new(StringArray::from(vec![answering])),
            Arc::new(StringArray::from(vec![next])),
            count(status.map(|status| status.rows)),
            count(status.map(|status| status.versions)),
            count(vectors.as_ref().map(|(_, pending)| *pending)),
            Arc::new(BooleanArray::from(vec![status.map(|status| status.recall.is_some())])),
            Arc::new(Float64Array::from(vec![status.and_then(|status| status.recall)])),
        ];
        batch(&table, columns)
    }
}
