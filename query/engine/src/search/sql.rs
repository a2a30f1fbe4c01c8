//! Search as SQL calls it: `search(…)`, `text_search(…)`, `vector_search(…)`, `embed(…)`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use partitura_embed::{Purpose, Serving};
use partitura_event::{ErrorClass, Problem};
use serde_json::{Map, Value};

use super::reply::Hit;
use super::request::{LIMIT_MAX, Mode, SearchRequest};
use super::searcher::{Searcher, no_model};
use crate::hook::{SearchCall, SearchLegs, SqlEmbed, SqlSearch};

/// Names that a call may carry beside the query.
const OPTIONS: &[&str] = &["k", "filter", "alpha", "rrf_k", "half_life", "exact", "include_ended"];
/// Hits of a call that says nothing about them.
const HITS: usize = 10;

#[async_trait]
impl SqlSearch for Searcher {
    fn schema(&self) -> SchemaRef {
        let field = |name: &str, ty: DataType, nullable: bool| Field::new(name, ty, nullable);
        Arc::new(Schema::new(vec![
            field("rank", DataType::Int64, false),
            field("doc_id", DataType::Utf8, false),
            field("kind", DataType::Utf8, false),
            field("title", DataType::Utf8, true),
            field("text", DataType::Utf8, false),
            field("score", DataType::Float32, false),
            field("text_score", DataType::Float32, true),
            field("vector_score", DataType::Float32, true),
            field("agent_id", DataType::Utf8, true),
            field("task_id", DataType::Utf8, true),
            field("attempt_id", DataType::Utf8, true),
            field("conversation_id", DataType::Utf8, true),
            field("project_id", DataType::Utf8, true),
            field("_pos", DataType::UInt64, false),
        ]))
    }

    fn options(&self) -> &'static [&'static str] {
        OPTIONS
    }

    async fn search(&self, call: SearchCall) -> Result<RecordBatch, Problem> {
        let mut request = SearchRequest::from_json(&body(&call)?)?;
        request.mode = match call.legs {
            SearchLegs::Hybrid => Mode::Hybrid,
            SearchLegs::Text => Mode::Text,
            SearchLegs::Vector => Mode::Semantic,
        };
        request.explain = true;
        // The hits belong to the query's own position: rows that it joins with are of that position.
        request.as_of = call.as_of.or(call.pinned.position());
        request.now = Some(call.now);
        let reply = Searcher::search(self, &call.workspace, &request).await?;
        batch(self.schema(), &reply.hits)
    }
}

/// Writes the call as the HTTP body that says the same, so that one reader checks both.
fn body(call: &SearchCall) -> Result<Value, Problem> {
    let mut body = Map::new();
    body.insert("query".into(), Value::String(call.query.clone()));
    let k = call.options.get("k").and_then(Value::as_u64).map(|k| k as usize);
    let limit = k.unwrap_or(HITS).min(call.limit.unwrap_or(LIMIT_MAX)).clamp(1, LIMIT_MAX);
    if k.is_some_and(|k| k == 0 || k > LIMIT_MAX) {
        let detail = format!("`k` must be 1 to {LIMIT_MAX}");
        return Err(Problem::invalid_field("k", "range", detail));
    }
    body.insert("limit".into(), limit.into());
    let mut fusion = Map::new();
    for (name, value) in &call.options {
        match name.as_str() {
            "filter" | "exact" | "include_ended" => drop(body.insert(name.clone(), value.clone())),
            "alpha" => drop(fusion.insert("alpha".into(), value.clone())),
            "rrf_k" => {
                fusion.insert("method".into(), "rrf".into());
                fusion.insert("k".into(), value.clone());
            }
            "half_life" => {
                let recency = Map::from_iter([("half_life".to_owned(), value.clone())]);
                body.insert("recency".into(), Value::Object(recency));
            }
            _ => {}
        }
    }
    if !fusion.is_empty() {
        body.insert("fusion".into(), Value::Object(fusion));
    }
    Ok(Value::Object(body))
}

fn batch(schema: SchemaRef, hits: &[Hit]) -> Result<RecordBatch, Problem> {
    let text = |value: &dyn Fn(&Hit) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(hits.iter().map(value)))
    };
    let column =
        |name: &'static str| text(&move |hit: &Hit| hit.fields.get(name).and_then(Value::as_str).map(str::to_owned));
    let score =
        |value: &dyn Fn(&Hit) -> Option<f32>| -> ArrayRef { Arc::new(Float32Array::from_iter(hits.iter().map(value))) };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(1..=hits.len() as i64)),
        text(&|hit| Some(hit.id.clone())),
        text(&|hit| Some(hit.kind.clone())),
        text(&|hit| hit.title.clone()),
        text(&|hit| Some(hit.text.clone())),
        score(&|hit| Some(hit.score)),
        score(&|hit| hit.scores.and_then(|scores| scores.text)),
        score(&|hit| hit.scores.and_then(|scores| scores.vector)),
        column("agent_id"),
        column("task_id"),
        column("attempt_id"),
        column("conversation_id"),
        column("project_id"),
        Arc::new(UInt64Array::from_iter_values(hits.iter().map(|hit| hit.version.get()))),
    ];
    RecordBatch::try_new(schema, columns)
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("hits could not be made rows: {error}")))
}

/// Lends the model that answers to SQL's `embed(text)`.
pub struct SqlModel(pub Serving);

impl SqlEmbed for SqlModel {
    fn dims(&self) -> usize {
        self.0.embedder().map_or(0, |embedder| embedder.dims())
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Problem> {
        match self.0.embedder() {
            Some(embedder) => embedder.embed(texts, Purpose::Passage),
            None => Err(no_model()),
        }
    }
}
