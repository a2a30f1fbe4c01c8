//! Bulk ingest: rows of the table `events` become appends, each as large as one over HTTP may be.

use std::time::Duration;

use arrow_flight::FlightData;
use arrow_flight::sql::{CommandStatementIngest, TableExistsOption};
use futures::Stream;
use partitura_event::{ErrorClass, Position, Problem};
use partitura_service::{ARROW_STREAM, AppendCall, Principal, ReadAt, Service};
use tonic::Status;

use crate::catalog::{CATALOG, PUBLIC};
use crate::frames::{self, Kind};
use crate::refused::{malformed, unsupported};
use crate::status::{OrStatus, status, status_of_members};

/// The only table that takes rows.
const EVENTS: &str = "events";

/// Refuses what is not "append to `events`".
pub async fn check(service: &Service, command: &CommandStatementIngest) -> Result<(), Problem> {
    if command.transaction_id.is_some() {
        return Err(crate::refused::transaction());
    }
    if command.temporary {
        return Err(unsupported("a temporary table", "ingest into the table `events`"));
    }
    let is = |given: &Option<String>, own: &str| given.as_deref().is_none_or(|given| given.is_empty() || given == own);
    if !is(&command.catalog, CATALOG) || !is(&command.schema, PUBLIC) || !command.table.eq_ignore_ascii_case(EVENTS) {
        return Err(other_table(service, &command.table).await?);
    }
    let options = command.table_definition_options.as_ref();
    match options.map_or(TableExistsOption::Append, |options| options.if_exists()) {
        TableExistsOption::Append | TableExistsOption::Unspecified => Ok(()),
        TableExistsOption::Fail => Err(Problem::new(ErrorClass::Conflict, "the table `events` exists already")
            .code("table_exists")
            .hint("ingest in the mode `append`")),
        TableExistsOption::Replace => {
            Err(unsupported("replacing a table", "events are never removed: ingest in the mode `append`"))
        }
    }
}

async fn other_table(service: &Service, table: &str) -> Result<Problem, Problem> {
    let hint = "ingest into `events`; every other table is folded from it";
    match service.table(table).await {
        Ok(known) => {
            let detail = format!("rows cannot be ingested into `{}`", known.name);
            Ok(Problem::new(ErrorClass::Invalid, detail).code("table_is_folded").hint(hint))
        }
        Err(problem) if problem.class == ErrorClass::NotFound => Ok(problem.hint(hint)),
        Err(problem) => Err(problem),
    }
}

/// Rows of one call on their way into the log.
pub struct Ingest<'s> {
    service: &'s Service,
    principal: &'s Principal,
    pause: Duration,
    message_max: u64,
    /// Schema and dictionaries, which each append needs again.
    prefix: Vec<u8>,
    /// Rows that are safe.
    rows: usize,
    /// Of these, how many are new.
    appended: usize,
    position: Option<Position>,
}

impl<'s> Ingest<'s> {
    /// Starts one.
    pub fn new(service: &'s Service, principal: &'s Principal) -> Self {
        let settings = service.settings();
        let (pause, message_max) = (settings.stall_timeout, settings.flight_message_max);
        Self { service, principal, pause, message_max, prefix: Vec::new(), rows: 0, appended: 0, position: None }
    }

    /// Appends all rows of a stream, batch by batch; returns how many are new.
    ///
    /// What was acknowledged is visible to the next query, unless tables lag so far behind that waiting for them
    /// would be worse.
    pub async fn run<S>(mut self, mut stream: S) -> Result<i64, Status>
    where
        S: Stream<Item = Result<FlightData, Status>> + Unpin,
    {
        while let Some(data) = frames::next(&mut stream, self.pause).await? {
            match frames::kind(&data).or_status()? {
                Kind::Nothing => {}
                Kind::Schema if !self.prefix.is_empty() => return Err(status(&malformed("a second schema came"))),
                Kind::Schema | Kind::Dictionary => self.keep(&data).or_status()?,
                Kind::Rows => self.batch(data).await?,
            }
        }
        let at = ReadAt { min_position: self.position, ..ReadAt::default() };
        if let Err(problem) = self.service.read_point(&at).await {
            tracing::debug!(code = problem.code, "ingested rows are safe, but not visible yet");
        }
        Ok(i64::try_from(self.appended).unwrap_or(i64::MAX))
    }

    fn keep(&mut self, data: &FlightData) -> Result<(), Problem> {
        frames::append(&mut self.prefix, data)?;
        if self.prefix.len() as u64 > self.message_max {
            let detail = format!("the dictionaries have more than {} bytes", self.message_max);
            return Err(Problem::new(ErrorClass::TooLarge, detail).hint("send the columns as plain text"));
        }
        Ok(())
    }

    async fn batch(&mut self, data: FlightData) -> Result<(), Status> {
        let mut stream = self.prefix.clone();
        frames::append(&mut stream, &data).or_status()?;
        drop(data);
        let bytes_max = self.message_max.saturating_mul(2);
        let mut bodies = self.service.append_bodies(&stream, usize::MAX, bytes_max).map_err(|p| self.failed(p))?;
        drop(stream);
        bodies.reverse();
        while let Some(body) = bodies.pop() {
            match self.append(&body.stream).await? {
                Some(problem) if problem.class == ErrorClass::TooLarge && body.rows > 1 => {
                    let halves = self.service.append_bodies(&body.stream, body.rows.div_ceil(2), bytes_max);
                    bodies.extend(halves.map_err(|problem| self.failed(problem))?.into_iter().rev());
                }
                Some(problem) => return Err(self.failed(problem)),
                None => self.rows += body.rows,
            }
        }
        Ok(())
    }

    /// Appends one body: all of its rows or none. Returns the problem of a body that cannot be taken as a whole.
    async fn append(&mut self, body: &[u8]) -> Result<Option<Problem>, Status> {
        let call = AppendCall { content_type: Some(ARROW_STREAM), body, atomic: true, ..AppendCall::default() };
        let answer = match self.service.append(self.principal, call).await {
            Ok(answer) => answer,
            Err(problem) => return Ok(Some(problem)),
        };
        if let Some((row, members)) = answer.body.refused() {
            let what = format!("row {}: ", self.rows + row + 1);
            return Err(status_of_members(members, &format!("{}{what}", self.before())));
        }
        self.appended += answer.body.appended();
        self.position = self.position.max(answer.position);
        Ok(None)
    }

    /// Says what is safe already, so that nobody thinks that nothing is.
    fn before(&self) -> String {
        if self.rows == 0 { String::new() } else { format!("{} rows were appended; then ", self.rows) }
    }

    fn failed(&self, problem: Problem) -> Status {
        status(&Problem { detail: format!("{}{}", self.before(), problem.detail), ..problem })
    }
}
