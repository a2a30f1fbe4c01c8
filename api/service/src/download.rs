//! Rows as files: written once, then read by ranges, so that a tool can take a URL for a file.
//!
//! A reader of Parquet asks for the end of a file, then for the middle, in many requests, and puts the pieces
//! together. So the rows of one question at one position are written to disk once and kept for some minutes.
//! Whoever begins to read gets rows as fresh as any query; whoever goes on gets the bytes that they began with.

mod file;
mod shelf;

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use partitura_event::{ErrorClass, Position, Problem};
use partitura_query::{Format, SqlLimits, encode};
use tokio::time::Instant;

pub use file::KeptFile;
pub(crate) use shelf::Shelf;

use crate::principal::Principal;
use crate::service::Service;
use crate::sql::SqlCall;
use file::Unfinished;
use shelf::{Found, Making, Question, Reading};

/// A file is as fresh as a query: it is used again only while nothing was written, and no longer than this, because
/// `now()` and the tables of `system` change without events.
const FRESH_MAX: Duration = Duration::from_secs(60);

/// Whose rows are asked for as a file, and how.
#[derive(Clone, Debug)]
pub struct DownloadCall {
    /// The rows.
    pub of: FileOf,
    /// What kind of file.
    pub format: Format,
    /// The program that reads, as it names itself: with the key, it tells readers apart.
    pub reader: String,
    /// How the request takes part in a reading.
    pub turn: Turn,
    /// Tags of the file that is wanted; another is given when it is there no more.
    pub tags: Vec<String>,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub enum FileOf {
    /// All rows of a table, at a position.
    Table(String, crate::read_at::ReadAt),
    /// The rows of a query.
    Sql(SqlCall),
}

/// How a request takes part in the reading of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Takes the whole file: no other request must fit to it.
    Whole,
    /// Begins, by asking for the length or for the end.
    Begins,
    /// Asks for a part, after others.
    GoesOn,
}

impl Service {
    /// Returns the file of a question, written now or before.
    pub async fn download(
        self: &Arc<Self>,
        principal: &Principal,
        call: DownloadCall,
    ) -> Result<Arc<KeptFile>, Problem> {
        let (sql, limits) = self.file_call(call.of).await?;
        let point = self.read_point(&sql.at).await?;
        let question = Question::new(principal, &sql, call.format);
        let reading = Reading::new(&question, principal, &call.reader);
        if let Some(file) = self.shelf().tagged(&question, &call.tags) {
            return Ok(file);
        }
        let least = sql.at.min_position;
        if let Some(file) = self.shelf().open_by(&reading, call.turn).filter(|file| file.position() >= least) {
            return Ok(file);
        }
        let at = point.as_of.or_else(|| self.published());
        let file = loop {
            let file = self.kept_or_made(principal, &question, at, (&sql, &limits, call.format)).await?;
            // What was begun for somebody else may be older than what this one may expect.
            if file.position() >= at {
                break file;
            }
        };
        self.shelf().begin(reading, call.turn, &file);
        Ok(file)
    }

    /// Returns the query of a file. Its rows have no limit, and its bytes that of the disk: what is cut would look whole.
    async fn file_call(&self, of: FileOf) -> Result<(SqlCall, SqlLimits), Problem> {
        match of {
            FileOf::Table(name, at) => self.table_call(&name, at).await,
            FileOf::Sql(call) => {
                let checked = self.sql_limits(&call)?;
                let time = if call.timeout_ms.is_some() { checked.time } else { self.settings().query_timeout_max };
                Ok((call, SqlLimits { rows: SqlLimits::WHOLE, bytes: SqlLimits::WHOLE, time, ..checked }))
            }
        }
    }

    /// Returns the fresh file of a question, or waits for it. However many ask for it, it is written once, and to its
    /// end when they have gone: one who was too impatient finds it when they come again.
    async fn kept_or_made(
        self: &Arc<Self>,
        principal: &Principal,
        question: &Question,
        at: Option<Position>,
        (sql, limits, format): (&SqlCall, &SqlLimits, Format),
    ) -> Result<Arc<KeptFile>, Problem> {
        let is_fresh = |file: &KeptFile| file.position() >= at && file.age() < FRESH_MAX;
        let found = self.shelf().fresh_or_making(question, is_fresh, || {
            let (service, principal, question) = (Arc::clone(self), principal.clone(), question.clone());
            let rows = (sql.clone(), limits.clone(), format);
            let task = tokio::spawn(async move { service.make(&principal, question, rows).await });
            let made = async move {
                task.await
                    .unwrap_or_else(|_| Err(Problem::new(ErrorClass::Internal, "writing a file ended by a defect")))
            };
            made.boxed().shared()
        });
        match found {
            Found::Fresh(file) => Ok(file),
            Found::Making(made) => made.await,
        }
    }

    async fn make(
        self: Arc<Self>,
        principal: &Principal,
        question: Question,
        (sql, limits, format): (SqlCall, SqlLimits, Format),
    ) -> Result<Arc<KeptFile>, Problem> {
        let _making = Making::new(self.shelf(), &question);
        let answer = self.sql_within(principal, sql, limits).await?;
        let position: Option<Position> = answer.stream.position();
        let query_id = answer.query_id.clone();
        let _hold = answer.hold;
        let mut chunks = Box::pin(encode(answer.stream, format));
        let mut file = Unfinished::create(self.shelf()).await?;
        while let Some(chunk) = chunks.next().await {
            file.write(&chunk?).await?;
        }
        let file = Arc::new(file.finish(position, self.clock().now()).await?);
        tracing::debug!(query_id, bytes = file.len(), "rows are kept as a file");
        self.shelf().put(question, &file, Instant::now());
        self.sweep_later();
        Ok(file)
    }

    /// Looks after the files once more when the newest has been there for its time.
    fn sweep_later(self: &Arc<Self>) {
        let (service, keep) = (Arc::downgrade(self), self.settings().downloads_keep);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(keep).await;
                let Some(service) = service.upgrade() else { return };
                if service.shelf().sweep() {
                    return;
                }
            }
        });
    }
}
