//! [`Searcher`]: answers searches of all workspaces.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use partitura_embed::{Embedder, Purpose, Serving};
use partitura_event::{Clock, ErrorClass, Position, Problem, Timestamp, Workspace};
use partitura_table::search::{SearchSpace, SearchStore};
use partitura_table::text::query::cut;
use partitura_table::text::{Candidate, Document, TextQuery, TextView, Visible};
use partitura_table::vector::{VectorHit, VectorIndex};

use super::cursor::{self, Cursors, List};
use super::filter::Filters;
use super::fusion::{Ranked, fuse};
use super::reply::{Hit, SearchReply, fields};
use super::request::{Fusion, Mode, SearchPoint, SearchRequest};
use crate::source::Tables;

/// Bytes of a query that are looked at.
const QUERY_BYTES: usize = 4 << 10;
/// Characters of a highlight.
const HIGHLIGHT_CHARS: usize = 240;
/// Words of a document that stand for it where it has no vector.
const SIMILAR_BYTES: usize = 1_000;

/// What a user may tweak about searches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearcherSettings {
    /// Hits of each leg that are put together.
    pub pool: usize,
}

impl Default for SearcherSettings {
    fn default() -> Self {
        Self { pool: 500 }
    }
}

/// Answers searches. Cheap to call from many tasks at once.
pub struct Searcher {
    tables: Arc<dyn Tables>,
    store: Arc<SearchStore>,
    serving: Serving,
    clock: Arc<dyn Clock>,
    settings: SearcherSettings,
    cursors: Cursors,
    filters: Filters,
}

/// Titles, and the position at which they were looked up.
pub type Suggested = (Vec<String>, Option<Position>);

/// What both legs look at.
pub(super) struct Scope {
    pub space: Arc<SearchSpace>,
    pub view: Arc<TextView>,
    pub visible: Visible,
}

impl Searcher {
    /// Searches the indexes of `store`, which follow `tables`. Without a model, by words alone.
    pub fn new(
        tables: Arc<dyn Tables>,
        store: Arc<SearchStore>,
        serving: Serving,
        clock: Arc<dyn Clock>,
        settings: SearcherSettings,
    ) -> Self {
        Self { tables, store, serving, clock, settings, cursors: Cursors::default(), filters: Filters::default() }
    }

    /// Returns the model that answers now, if there is one.
    pub fn embedder(&self) -> Option<Arc<dyn Embedder>> {
        self.serving.embedder()
    }

    /// Answers one search.
    pub async fn search(&self, workspace: &Workspace, request: &SearchRequest) -> Result<SearchReply, Problem> {
        let started = Instant::now();
        if let Some(cursor) = &request.cursor {
            let (list, number, offset) = self.cursors.find(workspace, cursor, started)?;
            return page(&list, Some(number), offset, request.limit, started);
        }
        request.check()?;
        let scope = self.scope(workspace, request).await?;
        let Some(scope) = scope else { return Ok(nothing(self.position(request.as_of), started)) };
        let list = Arc::new(self.rank(workspace, request, scope, started).await?);
        let number = (list.ranked.len() > request.limit).then(|| self.cursors.keep(list.clone(), started));
        page(&list, number, 0, request.limit, started)
    }

    /// Completes what somebody begins to type: titles that hold at that point, shortest first.
    pub async fn suggest(
        &self,
        workspace: &Workspace,
        prefix: &str,
        limit: usize,
        point: &SearchPoint,
    ) -> Result<Suggested, Problem> {
        let Some(scope) = self.at(workspace, point, false).await? else {
            return Ok((Vec::new(), self.position(point.as_of)));
        };
        let (prefix, limit, position) = (prefix.to_owned(), limit.min(100), scope.visible.at());
        let titles = blocking(move || scope.view.suggest(&prefix, &scope.visible, limit)).await?;
        Ok((titles, Some(position)))
    }

    /// Finds the documents that are most like one: by its vectors, or by its words while it has none.
    pub async fn similar(
        &self,
        workspace: &Workspace,
        doc_id: &str,
        limit: usize,
        point: &SearchPoint,
    ) -> Result<SearchReply, Problem> {
        let started = Instant::now();
        let missing = || {
            Problem::new(ErrorClass::NotFound, format!("there is no document `{doc_id:.120}`"))
                .code("unknown_id")
                .hint("a document's id is its kind and id, such as knowledge/42, as hits give it")
        };
        let any = self.at(workspace, point, true).await?.ok_or_else(missing)?;
        let document = any.view.find(doc_id, &any.visible)?.ok_or_else(missing)?;
        let scope = self.holding(any, point.now);
        let own = document.version.get();
        let vectors = match self.vectors(&scope.space).await? {
            Some((_, vectors)) => {
                let mean = mean(&vectors.of_version(own));
                vectors.search(&mean, &scope.visible, limit + 1, false).await?
            }
            None => Vec::new(),
        };
        let query =
            TextQuery::parse(cut(&format!("{} {}", document.title.unwrap_or_default(), document.text), SIMILAR_BYTES));
        let words = if vectors.is_empty() { scope.view.search(&query, &scope.visible, limit + 1)? } else { Vec::new() };
        let mut ranked = fuse(Fusion::Weighted { alpha: None }, false, &words, &vectors);
        ranked.retain(|one| one.version != own);
        let list = Arc::new(self.list(workspace, &scope, query, ranked, &SearchRequest::new(doc_id), Vec::new())?);
        page(&list, None, 0, limit, started)
    }

    /// Ranks everything that a request finds.
    async fn rank(
        &self,
        workspace: &Workspace,
        request: &SearchRequest,
        scope: Scope,
        started: Instant,
    ) -> Result<List, Problem> {
        let text = cut(&request.query, QUERY_BYTES);
        let query = TextQuery::parse(text);
        let mode = match request.mode {
            Mode::Auto if query.is_only_literal() => Mode::Text,
            Mode::Auto => Mode::Hybrid,
            mode => mode,
        };
        let mut warnings = Vec::new();
        if text.len() < request.query.len() {
            warnings.push(format!("only the first {} bytes of the query were looked at", text.len()));
        }
        let words = self.by_words(&scope, &query, mode);
        let vectors = self.by_vectors(&scope, text, mode, request.exact);
        let (words, vectors) = tokio::join!(words, vectors);
        let (words, vectors) = match (words, vectors) {
            (words, Ok(vectors)) => (words?, vectors),
            // Words still answer when the model does not.
            (Ok(words), Err(problem)) if mode == Mode::Hybrid => {
                warnings.push(format!("answered by words alone: {}", problem.detail));
                (words, Vec::new())
            }
            (_, Err(problem)) => return Err(problem),
        };
        let mut ranked = fuse(request.fusion, query.is_literal(), &words, &vectors);
        // A phrase is asked for as it stands, so that what only means the same does not answer.
        if query.has_phrases() && mode == Mode::Hybrid {
            ranked.retain(|one| one.scores.rank_text.is_some());
        }
        if let Some(recency) = request.recency {
            let now = self.now(request.now);
            age(&scope, &mut ranked, recency.half_life.as_secs_f64(), now);
        }
        let mut list = self.list(workspace, &scope, query, ranked, request, warnings)?;
        list.head.took_ms = started.elapsed().as_millis() as u64;
        Ok(list)
    }

    async fn by_words(&self, scope: &Scope, query: &TextQuery, mode: Mode) -> Result<Vec<Candidate>, Problem> {
        if mode == Mode::Semantic {
            return Ok(Vec::new());
        }
        let (view, visible, query, pool) =
            (scope.view.clone(), scope.visible.clone(), query.clone(), self.settings.pool);
        blocking(move || view.search(&query, &visible, pool)).await
    }

    async fn by_vectors(&self, scope: &Scope, text: &str, mode: Mode, exact: bool) -> Result<Vec<VectorHit>, Problem> {
        if mode == Mode::Text {
            return Ok(Vec::new());
        }
        let Some((embedder, vectors)) = self.vectors(&scope.space).await? else {
            return Err(no_model());
        };
        let text = text.to_owned();
        let query = blocking(move || embedder.embed(&[&text], Purpose::Query)).await?.pop().unwrap_or_default();
        vectors.search(&query, &scope.visible, self.settings.pool, exact).await
    }

    async fn vectors(&self, space: &SearchSpace) -> Result<Option<(Arc<dyn Embedder>, Arc<VectorIndex>)>, Problem> {
        let Some(embedder) = self.embedder() else { return Ok(None) };
        let model = embedder.model();
        let vectors = space.vectors(&model.to_string(), model.hash(), embedder.dims()).await?;
        Ok(Some((embedder, vectors)))
    }

    /// Sorts, and prepares what pages share.
    fn list(
        &self,
        workspace: &Workspace,
        scope: &Scope,
        query: TextQuery,
        mut ranked: Vec<Ranked>,
        request: &SearchRequest,
        warnings: Vec<String>,
    ) -> Result<List, Problem> {
        // Rounded, so that the last bits of a sum do not decide between equals.
        ranked.iter_mut().for_each(|one| one.score = (one.score * 1e5).round() / 1e5);
        // Among equals the newest comes first: what was said last holds.
        ranked.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(b.version.cmp(&a.version)));
        let mut facets = BTreeMap::new();
        if !request.facets.is_empty() {
            let versions: Vec<u64> = ranked.iter().map(|one| one.version).collect();
            for facet in &request.facets {
                facets.insert(facet.clone(), scope.view.count(&versions, facet)?.unwrap_or_default());
            }
        }
        let head = SearchReply {
            took_ms: 0,
            position: Some(scope.visible.at()),
            hits: Vec::new(),
            facets,
            next_cursor: None,
            warnings,
        };
        Ok(List {
            workspace: workspace.clone(),
            view: scope.view.clone(),
            query,
            ranked,
            head,
            highlight: request.highlight,
            explain: request.explain,
        })
    }

    /// Pins what a request looks at; `None` when the workspace has nothing to search.
    pub(super) async fn scope(&self, workspace: &Workspace, request: &SearchRequest) -> Result<Option<Scope>, Problem> {
        let (point, filter) = (request.point(), request.filter.as_deref());
        let Some(mut scope) = self.at(workspace, &point, request.include_ended).await? else {
            if let Some(filter) = filter {
                self.filters.positions(self.tables.pin().as_ref(), workspace, Position::FIRST, filter).await?;
            }
            return Ok(None);
        };
        if let Some(filter) = filter {
            // Tables are ahead of the index, so that what is pinned now knows all that it holds.
            let allowed =
                self.filters.positions(self.tables.pin().as_ref(), workspace, scope.visible.at(), filter).await?;
            scope.visible = scope.visible.within(allowed);
        }
        Ok(Some(scope))
    }

    /// Waits until a point can be searched. Costs nothing, so that a caller with few places waits before it takes one.
    pub async fn wait(&self, workspace: &Workspace, point: &SearchPoint) -> Result<(), Problem> {
        self.store.wait_for_start(workspace, point.wait).await?;
        match point.min_position.max(point.as_of) {
            Some(position) => self.store.wait_for(position, point.wait).await,
            None => Ok(()),
        }
    }

    /// Waits for a point and looks at the workspace there, at what has ended too if so asked; `None` when it has
    /// nothing to search.
    async fn at(
        &self,
        workspace: &Workspace,
        point: &SearchPoint,
        include_ended: bool,
    ) -> Result<Option<Scope>, Problem> {
        self.wait(workspace, point).await?;
        let Some(space) = self.store.space(workspace) else { return Ok(None) };
        let view = space.text.view();
        let Some(now) = view.position() else { return Ok(None) };
        let at = point.as_of.map_or(now, |as_of| as_of.min(now));
        let visible = Visible::new(at, view.closings().clone(), None);
        let scope = Scope { space, view, visible };
        Ok(Some(if include_ended { scope } else { self.holding(scope, point.now) }))
    }

    /// Leaves out what has ended: superseded and retracted knowledge, and what is past its time.
    fn holding(&self, scope: Scope, now: Option<Timestamp>) -> Scope {
        let visible = scope.visible.holding(scope.view.ends().clone(), self.now(now));
        Scope { visible, ..scope }
    }

    fn now(&self, now: Option<Timestamp>) -> i64 {
        now.unwrap_or_else(|| self.clock.now()).micros()
    }

    fn position(&self, as_of: Option<Position>) -> Option<Position> {
        let now = self.store.position();
        as_of.map_or(now, |as_of| now.map(|now| now.min(as_of)))
    }
}

/// Halves each score with every half-life of the document's age at `now`, in µs since 1970.
fn age(scope: &Scope, ranked: &mut [Ranked], half_life: f64, now: i64) {
    for one in ranked {
        let Some(time) = scope.view.time(one.version) else { continue };
        let age = now.saturating_sub(time).max(0) as f64 / 1e6;
        let left = 0.5_f64.powf(age / half_life) as f32;
        one.score *= left;
        one.scores.recency = Some(left);
    }
}

/// Reads one page of a list.
fn page(
    list: &Arc<List>,
    number: Option<u64>,
    offset: usize,
    limit: usize,
    started: Instant,
) -> Result<SearchReply, Problem> {
    let end = (offset + limit).min(list.ranked.len());
    let ranked = &list.ranked[offset..end];
    let versions: Vec<u64> = ranked.iter().map(|one| one.version).collect();
    let mut documents = list.view.documents(&versions)?.into_iter().peekable();
    let mut hits = Vec::with_capacity(ranked.len());
    for one in ranked {
        // A vector may be older than an index that is built again: its document is not there yet.
        if let Some(document) = documents.next_if(|document| document.version.get() == one.version) {
            hits.push(hit(list, one, document)?);
        }
    }
    let next_cursor = number.filter(|_| end < list.ranked.len()).map(|number| cursor::write(number, end));
    let took_ms = started.elapsed().as_millis() as u64;
    Ok(SearchReply { took_ms, hits, next_cursor, ..list.head.clone() })
}

fn hit(list: &List, ranked: &Ranked, document: Document) -> Result<Hit, Problem> {
    let highlight = match list.highlight {
        true => list.view.highlight(&list.query, &document.text, HIGHLIGHT_CHARS)?,
        false => None,
    };
    Ok(Hit {
        fields: fields(&document),
        id: document.doc_id,
        kind: document.kind,
        title: document.title,
        text: document.text,
        highlight,
        score: ranked.score,
        scores: list.explain.then_some(ranked.scores),
        version: document.version,
        near: ranked.near,
    })
}

fn nothing(position: Option<Position>, started: Instant) -> SearchReply {
    SearchReply {
        took_ms: started.elapsed().as_millis() as u64,
        position,
        hits: Vec::new(),
        facets: BTreeMap::new(),
        next_cursor: None,
        warnings: Vec::new(),
    }
}

fn mean(vectors: &[Vec<f32>]) -> Vec<f32> {
    let Some(first) = vectors.first() else { return Vec::new() };
    let mut sum = vec![0.0_f32; first.len()];
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.into_iter().map(|x| x / norm).collect()
}

pub(super) fn no_model() -> Problem {
    Problem::new(ErrorClass::Unavailable, "there is no embedding model, so search by meaning cannot answer")
        .code("model_missing")
        .hint("`/readyz` says why; `make setup` installs the default model; or search with \"mode\": \"text\"")
}

/// Runs what computes or reads files where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let stopped = |error| Problem::new(ErrorClass::Internal, format!("a search stopped: {error}"));
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}
