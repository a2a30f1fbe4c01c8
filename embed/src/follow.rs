//! [`VectorFollower`]: embeds what the text indexes hold and the vectors lack, newest and knowledge first.
//!
//! It runs behind the log: no event, and no search by words, waits for it. What is missing is found by
//! comparing the versions of the text index with those that have vectors, so that a crash, another model
//! or a removed folder need no repair: the follower goes on with what is not there.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem, Workspace};
use partitura_table::search::{SearchSpace, SearchStore};
use partitura_table::text::{Document, TextView};
use partitura_table::vector::{ChunkVector, TextHash, VectorIndex};
use tokio::time::sleep;

use crate::embedder::{Embedder, Purpose};
use crate::passage::Passage;

/// Documents embedded between two looks at what has come in the meantime.
const DOCUMENTS: usize = 32;
/// Chunks written at once, when that many come before [`WRITE_AFTER`].
const WRITE_CHUNKS: usize = 1_024;
/// Longest time that a computed vector waits to be written.
const WRITE_AFTER: Duration = Duration::from_secs(1);
/// Pause when nothing is missing.
const IDLE: Duration = Duration::from_millis(500);
/// Pause after an error.
const RETRY: Duration = Duration::from_secs(10);
/// Writes between two maintenances of a workspace's vectors.
const MAINTAIN_EVERY: usize = 40;

/// How far the vectors are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedProgress {
    /// `name@hash` of the model.
    pub model: String,
    /// Versions of documents that search by words knows and whose vectors are not written.
    pub pending: usize,
    /// Versions that have been embedded since the start.
    pub embedded: u64,
    /// Why it does not go on, if so.
    pub last_error: Option<String>,
}

/// Fills the vectors of all workspaces for one model.
pub struct VectorFollower {
    store: Arc<SearchStore>,
    embedder: Arc<dyn Embedder>,
    progress: Mutex<EmbedProgress>,
    looked: Mutex<BTreeMap<Workspace, Look>>,
    work: tokio::sync::Mutex<BTreeMap<Workspace, Work>>,
}

/// What the last look at a workspace has left to do.
#[derive(Clone, Copy, Default)]
struct Look {
    /// Versions up to here have been looked at.
    at: u64,
    /// Those of them whose vectors are not written.
    left: usize,
}

/// What is left to do in one workspace.
struct Work {
    space: Arc<SearchSpace>,
    vectors: Arc<VectorIndex>,
    /// (knowledge last, newest last), so that the next is at the end.
    pending: Vec<(bool, u64)>,
    /// Versions up to here have been looked at.
    looked_at: u64,
    computed: Vec<ChunkVector>,
    /// Versions that these are of.
    unwritten: usize,
    since: Option<Instant>,
    writes: usize,
}

impl VectorFollower {
    /// Embeds with `embedder` what `store` holds.
    pub fn new(store: Arc<SearchStore>, embedder: Arc<dyn Embedder>) -> Self {
        let progress = EmbedProgress { model: embedder.model().to_string(), ..EmbedProgress::default() };
        let (progress, work) = (Mutex::new(progress), tokio::sync::Mutex::default());
        Self { store, embedder, progress, looked: Mutex::default(), work }
    }

    /// Returns the model.
    pub fn embedder(&self) -> &Arc<dyn Embedder> {
        &self.embedder
    }

    /// Returns how many versions of one workspace's documents wait for their vectors. Counts what has come since
    /// the last look too: 0 means that everything that search by words knows is found by its meaning as well.
    pub fn pending(&self, workspace: &Workspace) -> Result<usize, Problem> {
        let Some(space) = self.store.space(workspace) else { return Ok(0) };
        let looked = self.looked.lock().get(workspace).copied().unwrap_or_default();
        Ok(looked.left + space.text.view().versions_after(looked.at, "")?.len())
    }

    /// Returns whether nothing waits for its vectors.
    pub fn is_complete(&self) -> Result<bool, Problem> {
        for workspace in self.store.workspaces() {
            if self.pending(&workspace)? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns how far it is.
    pub fn progress(&self) -> EmbedProgress {
        let mut progress = self.progress.lock().clone();
        let pending: Result<Vec<usize>, Problem> =
            self.store.workspaces().iter().map(|name| self.pending(name)).collect();
        match pending {
            Ok(pending) => progress.pending = pending.iter().sum(),
            Err(problem) => progress.last_error = progress.last_error.or(Some(problem.to_string())),
        }
        progress
    }

    /// Embeds until `shutdown`; what is computed by then is written.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let follow = async {
            loop {
                let pause = match self.step().await {
                    Ok(true) => continue,
                    Ok(false) => IDLE,
                    Err(problem) => {
                        tracing::error!(error = %problem, "embedding stopped; trying again");
                        self.progress.lock().last_error = Some(problem.to_string());
                        RETRY
                    }
                };
                sleep(pause).await;
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = follow => {}
        }
        if let Err(problem) = self.flush().await {
            tracing::warn!(error = %problem, "the last vectors were not written; they are computed again");
        }
    }

    /// Embeds some documents of each workspace. Returns whether there was anything to do.
    pub async fn step(&self) -> Result<bool, Problem> {
        let mut all = self.work.lock().await;
        for workspace in self.store.workspaces() {
            if !all.contains_key(&workspace)
                && let Some(space) = self.store.space(&workspace)
            {
                all.insert(workspace, self.begin(space).await?);
            }
        }
        let mut busy = false;
        for work in all.values_mut() {
            let view = work.space.text.view();
            look(work, &view)?;
            busy |= self.embed_some(work, &view).await?;
        }
        let look = |work: &Work| Look { at: work.looked_at, left: work.pending.len() + work.unwritten };
        *self.looked.lock() = all.iter().map(|(name, work)| (name.clone(), look(work))).collect();
        self.progress.lock().last_error = None;
        Ok(busy)
    }

    /// Forgets all vectors of this model, so that they are computed again: searches go by words until they are
    /// there. Returns how many versions wait.
    pub async fn start_over(&self) -> Result<usize, Problem> {
        let mut all = self.work.lock().await;
        for workspace in self.store.workspaces() {
            if let Some(space) = self.store.space(&workspace) {
                space.forget(self.embedder.model().hash()).await?;
            }
        }
        all.clear();
        self.looked.lock().clear();
        Ok(self.progress().pending)
    }

    /// Embeds everything that is missing now, and writes it.
    pub async fn catch_up(&self) -> Result<(), Problem> {
        while self.step().await? {}
        self.flush().await
    }

    async fn begin(&self, space: Arc<SearchSpace>) -> Result<Work, Problem> {
        let model = self.embedder.model();
        let vectors = space.vectors(&model.to_string(), model.hash(), self.embedder.dims()).await?;
        let (pending, computed) = (Vec::new(), Vec::new());
        Ok(Work { space, vectors, pending, looked_at: 0, computed, unwritten: 0, since: None, writes: 0 })
    }

    async fn embed_some(&self, work: &mut Work, view: &Arc<TextView>) -> Result<bool, Problem> {
        let take = work.pending.len().min(DOCUMENTS);
        if take > 0 {
            let next = work.pending[work.pending.len() - take..].to_vec();
            let (view, vectors, embedder) = (view.clone(), work.vectors.clone(), self.embedder.clone());
            let embed = move || embed(&view, &vectors, embedder.as_ref(), &next);
            let computed = tokio::task::spawn_blocking(embed).await.map_err(stopped)??;
            // Taken off only now: an error leaves them to be tried again.
            work.pending.truncate(work.pending.len() - take);
            work.computed.extend(computed);
            work.unwritten += take;
            work.since.get_or_insert_with(Instant::now);
            self.progress.lock().embedded += take as u64;
        }
        let due = work.since.is_some_and(|since| since.elapsed() >= WRITE_AFTER);
        if work.computed.len() >= WRITE_CHUNKS || due || take == 0 {
            write(work).await?;
        }
        Ok(take > 0)
    }

    async fn flush(&self) -> Result<(), Problem> {
        for work in self.work.lock().await.values_mut() {
            write(work).await?;
        }
        Ok(())
    }
}

/// Adds to what is missing the versions that have come since the last look.
fn look(work: &mut Work, view: &TextView) -> Result<(), Problem> {
    let Some(position) = view.position().filter(|position| position.get() > work.looked_at) else { return Ok(()) };
    let fresh = view.versions_after(work.looked_at, "knowledge")?;
    let fresh = fresh.into_iter().filter(|(version, _)| !work.vectors.contains(*version));
    work.pending.extend(fresh.map(|(version, knowledge)| (knowledge, version)));
    work.pending.sort_unstable();
    work.looked_at = position.get();
    Ok(())
}

fn embed(
    view: &TextView,
    vectors: &VectorIndex,
    embedder: &dyn Embedder,
    versions: &[(bool, u64)],
) -> Result<Vec<ChunkVector>, Problem> {
    let versions: Vec<u64> = versions.iter().map(|(_, version)| *version).collect();
    // What was replaced meanwhile is still embedded: a search in the past asks for it.
    let documents = view.documents(&versions)?;
    let mut cut: Vec<(u64, u32, Passage, TextHash)> = Vec::new();
    for document in &documents {
        for (ordinal, passage) in passages(embedder, document)?.into_iter().enumerate() {
            let hash = TextHash::of(&passage.text);
            cut.push((document.version.get(), ordinal as u32, passage, hash));
        }
    }
    let hashes: Vec<TextHash> = cut.iter().map(|(_, _, _, hash)| *hash).collect();
    let mut known = vectors.known(&hashes);
    let mut missing: Vec<(TextHash, &str)> = cut
        .iter()
        .filter(|(_, _, _, hash)| !known.contains_key(hash))
        .map(|(_, _, p, h)| (*h, p.text.as_str()))
        .collect();
    missing.sort_unstable();
    missing.dedup_by_key(|(hash, _)| *hash);
    let texts: Vec<&str> = missing.iter().map(|(_, text)| *text).collect();
    let computed = embedder.embed(&texts, Purpose::Passage)?;
    known.extend(missing.iter().map(|(hash, _)| *hash).zip(computed));
    let chunk = |(version, ordinal, passage, hash): (u64, u32, Passage, TextHash)| {
        let vector = known.get(&hash)?.clone();
        let (start, end) = (passage.range.start as u32, passage.range.end as u32);
        Some(ChunkVector { version, ordinal, start, end, hash, vector })
    };
    Ok(cut.into_iter().filter_map(chunk).collect())
}

/// Cuts a document; the places are those in its text, without the speaker.
fn passages(embedder: &dyn Embedder, document: &Document) -> Result<Vec<Passage>, Problem> {
    let spoken = document.spoken();
    let prefix = spoken.len() - document.text.len();
    let cut = Passage::of(embedder, document.title.as_deref(), &spoken, document.context.as_deref())?;
    let shift = |at: usize| at.saturating_sub(prefix).min(document.text.len());
    let place = |passage: Passage| Passage { range: shift(passage.range.start)..shift(passage.range.end), ..passage };
    Ok(cut.into_iter().map(place).collect())
}

async fn write(work: &mut Work) -> Result<(), Problem> {
    work.since = None;
    if !work.computed.is_empty() {
        work.vectors.append(&work.computed).await?;
        work.computed.clear();
    }
    if std::mem::take(&mut work.unwritten) == 0 {
        return Ok(());
    }
    work.writes += 1;
    if work.writes.is_multiple_of(MAINTAIN_EVERY) {
        work.vectors.maintain().await?;
    }
    Ok(())
}

fn stopped(error: tokio::task::JoinError) -> Problem {
    Problem::new(ErrorClass::Internal, format!("embedding stopped: {error}"))
}
