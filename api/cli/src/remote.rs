//! Rows of a server, for exports: the same question over HTTP that any reader of files asks.

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use partitura_event::{ErrorClass, Problem};
use partitura_export::{Catalog, Rows, Source, Table};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::client::Client;

/// A server as the source of an export.
pub struct Remote<'a>(pub &'a Client);

#[async_trait]
impl Source for Remote<'_> {
    async fn catalog(&self) -> Result<Catalog, Problem> {
        let answer = self.0.ask(self.0.request(Method::GET, "/v1/tables?limit=1000")).await?;
        let position = answer.headers().get("x-partitura-position").and_then(|value| value.to_str().ok()?.parse().ok());
        let position = position.ok_or_else(|| broken("it says no position: is it a Partitura server?"))?;
        let list: Value = answer.json().await.map_err(broken)?;
        let tables = list["data"].as_array().into_iter().flatten().filter_map(table).collect();
        Ok(Catalog { position, tables })
    }

    async fn rows(&self, sql: &str, as_of: Option<u64>) -> Result<Rows, Problem> {
        let mut query = vec![("query", sql.to_owned())];
        query.extend(as_of.map(|position| ("as_of", position.to_string())));
        let answer = self.0.ask(self.0.request(Method::GET, "/v1/sql.arrow").query(&query)).await?;
        let mut decoding = Decoding::of(answer);
        // The columns come before the first rows.
        let first = decoding.next().await?;
        let schema = decoding.decoder.schema().ok_or_else(|| broken("it ended before its columns"))?;
        let first = futures::stream::iter(first.map(Ok));
        Ok(Rows { schema, batches: first.chain(decoding.rest()).boxed() })
    }
}

fn table(told: &Value) -> Option<Table> {
    let changes = told["changes"].as_str().unwrap_or_default();
    let key = told["key"].as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned));
    let stored = matches!(changes, "appended" | "replaced");
    Some(Table::new(told["name"].as_str()?, stored, changes == "appended", key.collect()))
}

/// An Arrow stream on its way.
struct Decoding {
    decoder: StreamDecoder,
    pending: Buffer,
    chunks: BoxStream<'static, reqwest::Result<Bytes>>,
}

impl Decoding {
    fn of(answer: Response) -> Self {
        Self { decoder: StreamDecoder::new(), pending: Buffer::default(), chunks: answer.bytes_stream().boxed() }
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>, Problem> {
        loop {
            if !self.pending.is_empty()
                && let Some(batch) = self.decoder.decode(&mut self.pending).map_err(of_arrow)?
            {
                return Ok(Some(batch));
            }
            if !self.pending.is_empty() {
                continue;
            }
            match self.chunks.next().await {
                Some(chunk) => self.pending = Buffer::from(chunk.map_err(broken)?),
                // One that breaks off is no end: the stream says itself that it is whole.
                None => return self.decoder.finish().map(|()| None).map_err(of_arrow),
            }
        }
    }

    fn rest(self) -> impl futures::Stream<Item = Result<RecordBatch, Problem>> + Send + 'static {
        futures::stream::unfold(Some(self), |decoding| async move {
            let mut decoding = decoding?;
            match decoding.next().await {
                Ok(Some(batch)) => Some((Ok(batch), Some(decoding))),
                Ok(None) => None,
                Err(problem) => Some((Err(problem), None)),
            }
        })
    }
}

fn of_arrow(error: ArrowError) -> Problem {
    broken(error)
}

fn broken(what: impl std::fmt::Display) -> Problem {
    Problem::new(ErrorClass::Unavailable, format!("the server's answer cannot be used: {what}"))
}
