//! Asking in words: search, suggestions, similar documents, the context of a prompt.

use std::time::Instant;

use partitura_event::{Position, Problem};
use partitura_query::search::{ContextReply, ContextRequest, SearchPoint, SearchReply, SearchRequest, Suggested};
use serde_json::{Value, json};

use crate::gate::Pass;
use crate::principal::Principal;
use crate::read_at::{AsOf, ReadAt};
use crate::service::Service;

impl Service {
    /// Answers the body of `POST /v1/search`.
    #[tracing::instrument(level = "debug", skip_all, fields(workspace = %principal.workspace))]
    pub async fn search(&self, principal: &Principal, body: Value) -> Result<SearchReply, Problem> {
        let mut request = SearchRequest::from_json(&self.positions_only(body)?)?;
        request.now = Some(self.now_at(request.as_of)?);
        let _pass = self.enter(principal, &request.point()).await?;
        let started = Instant::now();
        let reply = self.engines().ranking().searcher().search(&principal.workspace, &request).await?;
        self.metrics().search.observe(started.elapsed());
        Ok(reply)
    }

    /// Answers the body of `POST /v1/context`.
    #[tracing::instrument(level = "debug", skip_all, fields(workspace = %principal.workspace))]
    pub async fn context(&self, principal: &Principal, body: Value) -> Result<ContextReply, Problem> {
        let mut request = ContextRequest::from_json(&self.positions_only(body)?)?;
        request.now = Some(self.now_at(request.as_of)?);
        let _pass = self.enter(principal, &request.point()).await?;
        self.engines().ranking().searcher().context(&principal.workspace, &request).await
    }

    /// Completes what somebody begins to type.
    pub async fn suggest(
        &self,
        principal: &Principal,
        prefix: &str,
        limit: usize,
        at: ReadAt,
    ) -> Result<Suggested, Problem> {
        let point = self.search_point(&at)?;
        let _pass = self.enter(principal, &point).await?;
        self.engines().ranking().searcher().suggest(&principal.workspace, prefix, limit, &point).await
    }

    /// Finds documents that resemble one.
    pub async fn similar(
        &self,
        principal: &Principal,
        id: &str,
        limit: usize,
        at: ReadAt,
    ) -> Result<SearchReply, Problem> {
        let point = self.search_point(&at)?;
        let _pass = self.enter(principal, &point).await?;
        self.engines().ranking().searcher().similar(&principal.workspace, id, limit, &point).await
    }

    /// Resolves a read point for search, which follows the tables with a position of its own.
    fn search_point(&self, at: &ReadAt) -> Result<SearchPoint, Problem> {
        let (as_of, wait) = (self.resolve_as_of(at)?, self.wait_of(at)?);
        Ok(SearchPoint { min_position: at.min_position, wait, as_of, now: Some(self.now_at(as_of)?) })
    }

    /// Waits for a point, then for a place among the reads: who waits for a position must not take one.
    async fn enter(&self, principal: &Principal, point: &SearchPoint) -> Result<Pass, Problem> {
        let wait_ms = Some(u64::try_from(point.wait.as_millis()).unwrap_or(u64::MAX));
        self.wait_of(&ReadAt { wait_ms, ..ReadAt::default() })?;
        self.engines().ranking().searcher().wait(&principal.workspace, point).await?;
        self.read_gate().enter().await
    }

    /// Turns an `as_of` that is a time into its position, which must be searchable first.
    fn positions_only(&self, mut body: Value) -> Result<Value, Problem> {
        let Some(fields) = body.as_object_mut() else { return Ok(body) };
        let Some(as_of) = fields.get("as_of").map(AsOf::from_json).transpose()?.flatten() else { return Ok(body) };
        let position = self.resolve_as_of(&ReadAt { as_of: Some(as_of), ..ReadAt::default() })?;
        let needed = fields.get("min_position").and_then(Value::as_u64).and_then(Position::new).max(position);
        fields.insert("as_of".into(), json!(position));
        fields.insert("min_position".into(), json!(needed));
        Ok(body)
    }
}
