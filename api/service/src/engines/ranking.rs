//! Search as a part of the server: text indexes and vectors that follow the tables, and who answers from them.

mod record;
mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use partitura_embed::follow::VectorFollower;
use partitura_embed::{EmbedProgress, Embedder, FastEmbedder, ModelSettings, Serving};
use partitura_event::{Clock, ErrorClass, Position, Problem, Workspace};
use partitura_query::SystemTable;
use partitura_query::search::{Searcher, SearcherSettings};
use partitura_table::TableStore;
use partitura_table::search::{SearchSettings, SearchStore, TextFollower};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::record::Record;
use self::status::SearchTable;
use super::followers::Follower;
use crate::folder::Folder;
use crate::health::Part;
use crate::model;
use crate::settings::Settings;

/// Stands for what makes the rows of `documents`: text indexes of another generation are built again.
const GENERATION: &str = "1";
/// Pause between two looks at whether another model can take over.
const LOOK: Duration = Duration::from_millis(500);
/// Searches that have begun with a model may end with it.
const GRACE: Duration = Duration::from_secs(60);

/// The parts of search.
pub struct Ranking {
    tables: Arc<TableStore>,
    store: Arc<SearchStore>,
    searcher: Arc<Searcher>,
    serving: Serving,
    text: Arc<TextFollower>,
    /// Of the model that is set.
    vectors: Option<Arc<VectorFollower>>,
    /// Of the model before it, which answers until the other is complete.
    former: Option<Arc<VectorFollower>>,
    record: PathBuf,
    settings: ModelSettings,
    missing: Option<Problem>,
}

impl Ranking {
    /// Opens the indexes. A model that is not there is not an error: search goes by words, and says why.
    pub async fn open(
        folder: &Folder,
        settings: &Settings,
        tables: &Arc<TableStore>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Problem> {
        let search = folder.root().join("search");
        let store = SearchStore::new(&search, GENERATION, SearchSettings::default());
        let record = search.join("model.json");
        let (wanted, before) = (settings.clone(), record.clone());
        let opened = tokio::task::spawn_blocking(move || Models::open(&wanted, &before))
            .await
            .map_err(|error| Problem::new(ErrorClass::Internal, format!("loading the model stopped: {error}")))?;
        let (models, missing) = match opened {
            Ok(models) => (models, None),
            Err(problem) => {
                tracing::warn!(code = problem.code, why = %problem, "semantic search is off");
                (Models::default(), Some(problem))
            }
        };
        let serving = Serving::new(models.former.clone().or_else(|| models.wanted.clone()));
        let searcher = Searcher::new(
            Arc::clone(tables) as _,
            Arc::clone(&store),
            serving.clone(),
            Arc::clone(clock),
            SearcherSettings::default(),
        );
        let follow = |embedder: Arc<dyn Embedder>| Arc::new(VectorFollower::new(Arc::clone(&store), embedder));
        Ok(Self {
            tables: Arc::clone(tables),
            searcher: Arc::new(searcher),
            serving,
            text: Arc::new(TextFollower::new(Arc::clone(tables), Arc::clone(&store))),
            vectors: models.wanted.map(follow),
            former: models.former.map(follow),
            store,
            record,
            settings: models.settings,
            missing,
        })
    }

    /// Starts what follows the tables.
    pub fn start(self: &Arc<Self>, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
        let (text, stopped) = (Arc::clone(&self.text), stop.clone());
        let mut tasks = vec![tokio::spawn(async move { text.run(stopped.cancelled_owned()).await })];
        if let Some(vectors) = self.vectors.clone() {
            let stopped = stop.clone();
            tasks.push(tokio::spawn(async move { vectors.run(stopped.cancelled_owned()).await }));
            let (ranking, stopped) = (Arc::clone(self), stop.clone());
            tasks.push(tokio::spawn(async move { ranking.succeed(stopped).await }));
        }
        tasks
    }

    /// Lets the model before answer and follow until the one that is set has embedded everything; then it takes
    /// over, and what the other left is removed.
    async fn succeed(&self, stop: CancellationToken) {
        let Some(vectors) = &self.vectors else { return };
        if let Some(former) = self.former.clone() {
            let ended = stop.child_token();
            let until = ended.clone().cancelled_owned();
            let following = tokio::spawn(async move { former.run(until).await });
            let known = self.tables.snapshot().position();
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(LOOK) => {}
                }
                if self.store.position() < known {
                    continue;
                }
                match self.serving.hand_over(vectors) {
                    Ok(true) => {
                        tracing::info!(model = %vectors.embedder().model(), "another embedding model answers now");
                        break;
                    }
                    Ok(false) => {}
                    Err(problem) => tracing::warn!(error = %problem, "cannot tell whether another model is ready"),
                }
            }
            ended.cancel();
            if following.await.is_err() {
                tracing::warn!("what followed with the embedding model before ended by a panic");
            }
        }
        if stop.is_cancelled() {
            return;
        }
        let record = Record::new(vectors.embedder().model(), &self.settings);
        if let Err(problem) = record.write(&self.record) {
            tracing::warn!(error = %problem, "which model answers could not be written down; it is found out again");
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(GRACE) => {}
        }
        self.forget_others(vectors.embedder().model().hash()).await;
    }

    /// Removes the vectors of models that neither answer nor are built.
    async fn forget_others(&self, kept: &str) {
        for workspace in self.store.workspaces() {
            let Some(space) = self.store.space(&workspace) else { continue };
            for hash in space.models().into_iter().filter(|hash| hash != kept) {
                match space.forget(&hash).await {
                    Ok(()) => tracing::info!(%workspace, model = hash, "removed the vectors of another model"),
                    Err(problem) => tracing::warn!(error = %problem, "vectors of another model stay"),
                }
            }
        }
    }

    /// Lets the vectors of the model that is set be computed again; returns how many versions wait for theirs.
    pub async fn start_over(&self) -> Result<usize, Problem> {
        match (&self.vectors, &self.missing) {
            (Some(vectors), _) => vectors.start_over().await,
            (None, Some(missing)) => Err(missing.clone()),
            (None, None) => {
                Err(Problem::new(ErrorClass::Unavailable, "there is no embedding model").code("model_missing"))
            }
        }
    }

    /// Returns who answers searches.
    pub const fn searcher(&self) -> &Arc<Searcher> {
        &self.searcher
    }

    /// Returns which model answers.
    pub const fn serving(&self) -> &Serving {
        &self.serving
    }

    /// Returns `system.search`.
    pub fn table(&self) -> Arc<dyn SystemTable> {
        let (tables, store) = (Arc::clone(&self.tables), Arc::clone(&self.store));
        Arc::new(SearchTable { tables, store, serving: self.serving.clone(), vectors: self.vectors.clone() })
    }

    /// Says whether semantic search works, and how much it lacks.
    pub fn part(&self) -> Part {
        if let Some(problem) = &self.missing {
            return Part { name: "semantic_search", state: "missing", detail: Some(problem.to_string()) };
        }
        let progress = self.progress();
        let answering = self.serving.embedder().map(|embedder| embedder.model().to_string()).unwrap_or_default();
        let (state, detail) = match (progress.last_error, progress.pending) {
            (Some(error), _) => ("failed", Some(error)),
            (None, n) if answering != progress.model => {
                let detail = format!("{answering} answers until {} has embedded {n} more documents", progress.model);
                ("behind", Some(detail))
            }
            (None, 0) => ("ok", None),
            (None, n) => ("behind", Some(format!("{n} documents wait for their vectors; their words are found"))),
        };
        Part { name: "semantic_search", state, detail }
    }

    /// Returns how far the indexes of one workspace follow.
    pub(super) fn followers(&self, workspace: &Workspace) -> Result<Vec<Follower>, Problem> {
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        let tables = number(self.tables.snapshot().position());
        let position = self.store.space(workspace).and_then(|space| space.text.view().position());
        // A workspace without documents has no index that could be behind.
        let shown = position.or(self.store.position());
        let failing = self.text.last_error().map(|_| "the text index is being retried; see the log");
        let text = Follower {
            name: "text_index",
            position: shown,
            durable: position,
            lag_events: tables.saturating_sub(number(shown)),
            lag: None,
            parked: None,
            pending: None,
            last_error: failing,
        };
        let Some(vectors) = &self.vectors else { return Ok(vec![text]) };
        let pending = vectors.pending(workspace)?;
        let failing = vectors.progress().last_error.map(|_| "embedding is being retried; see the log");
        let vectors = Follower {
            name: "vectors",
            position: shown.filter(|_| pending == 0),
            durable: None,
            lag_events: text.lag_events,
            lag: None,
            parked: None,
            pending: Some(pending as u64),
            last_error: failing,
        };
        Ok(vec![text, vectors])
    }

    fn progress(&self) -> EmbedProgress {
        self.vectors.as_ref().map(|vectors| vectors.progress()).unwrap_or_default()
    }

    /// Returns gauges of search.
    pub fn gauges(&self) -> Vec<(&'static str, &'static str, f64)> {
        let progress = self.progress();
        let number = |position: Option<Position>| position.map_or(0, Position::get);
        let (position, tables) = (number(self.store.position()), number(self.tables.snapshot().position()));
        let lag = tables.saturating_sub(position);
        vec![
            ("partitura_search_position", "Position that search by words shows.", position as f64),
            ("partitura_search_lag_events", "Events that tables show and search by words does not.", lag as f64),
            ("partitura_vectors_pending", "Documents that wait for their vectors.", progress.pending as f64),
            ("partitura_vectors_embedded", "Documents embedded since the start.", progress.embedded as f64),
        ]
    }
}

/// The model that is set, and the one that answered before when that was another.
#[derive(Default)]
struct Models {
    wanted: Option<Arc<dyn Embedder>>,
    settings: ModelSettings,
    former: Option<Arc<dyn Embedder>>,
}

impl Models {
    fn open(settings: &Settings, record: &std::path::Path) -> Result<Self, Problem> {
        let asked = model::model_settings(settings)?;
        model::model_folder(settings)?;
        model::onnx_runtime(settings)?;
        let wanted: Arc<dyn Embedder> = Arc::new(FastEmbedder::open(&asked)?);
        let former = Record::read(record).filter(|record| !record.is_of(wanted.model())).and_then(|record| {
            let opened = record.open(asked.runtime.clone());
            if opened.is_none() {
                let gone = record.model();
                tracing::warn!(model = gone, "the embedding model before is gone: words alone answer for a while");
            }
            opened
        });
        Ok(Self { wanted: Some(wanted), settings: asked, former })
    }
}
