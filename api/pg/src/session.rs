//! One session: its principal, its settings, what it prepared, and its messages one after another.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use partitura_event::{ErrorClass, Problem};
use partitura_service::{PgSession, Principal, Service, SqlCall, SqlPlanned, Written};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::ReadyForQuery;
use pgwire::messages::startup::{Authentication, BackendKeyData, ParameterStatus, SecretKey};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use crate::backends;
use crate::door::Door;
use crate::frontend::Frontend;
use crate::params::Params;
use crate::portal::Portal;
use crate::problem::{self, Place, Severity, protocol, sqlstate};
use crate::settings::{KNOWN, Known};
use crate::startup::Guest;
use crate::statement::Statements;
use crate::transaction::Transaction;
use crate::variables::Variables;
use crate::wire::{Unread, Wire};

/// Questions are as small as over HTTP; a statement's values come once more.
const MESSAGE_FACTOR: u64 = 4;

/// Why a message was not answered as it asks.
pub enum Fault {
    /// The client is told, and the session goes on. `from` is the byte of the message where the SQL begins.
    Problem { problem: Problem, from: usize },
    /// There is nobody to tell.
    Gone(io::Error),
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem { problem, from: 0 }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// Everything that one connection has.
pub struct Session {
    pub door: Arc<Door>,
    pub place: backends::Place,
    pub variables: Variables,
    pub transaction: Transaction,
    pub statements: Statements,
    pub portals: BTreeMap<String, Portal>,
    user: String,
    principal: Principal,
    written: Written,
    /// Messages are passed over until the end of their group.
    skips: bool,
}

impl Session {
    /// Opens the session of a client that was let in.
    pub fn new(door: &Arc<Door>, principal: Principal, guest: &Guest) -> Result<Self, Problem> {
        let variables = Variables::new(&guest.settings, &guest.user, door.service.settings())?;
        Ok(Self {
            door: Arc::clone(door),
            place: door.backends.enter()?,
            variables,
            transaction: Transaction::default(),
            statements: Statements::default(),
            portals: BTreeMap::new(),
            user: guest.user.clone(),
            principal,
            written: Written::default(),
            skips: false,
        })
    }

    /// Returns the service.
    pub fn service(&self) -> &Service {
        &self.door.service
    }

    /// Tells the client that it was let in, and how the session is set.
    pub async fn greet(&mut self, wire: &mut Wire) -> io::Result<()> {
        wire.send(PgWireBackendMessage::Authentication(Authentication::Ok)).await?;
        for known in KNOWN.iter().filter(|known| known.told) {
            self.tell(wire, known).await?;
        }
        let owner = ParameterStatus::new("session_authorization".into(), self.user.clone());
        wire.send(PgWireBackendMessage::ParameterStatus(owner)).await?;
        let key = BackendKeyData::new(self.place.pid, SecretKey::I32(self.place.secret));
        wire.send(PgWireBackendMessage::BackendKeyData(key)).await?;
        self.ready(wire).await
    }

    /// Tells the client the value of a setting.
    pub async fn tell(&mut self, wire: &mut Wire, known: &Known) -> io::Result<()> {
        let value = self.variables.get(known.name).unwrap_or_default().to_owned();
        wire.send(PgWireBackendMessage::ParameterStatus(ParameterStatus::new(known.name.to_owned(), value))).await
    }

    /// Says that the next group of messages may come.
    pub async fn ready(&mut self, wire: &mut Wire) -> io::Result<()> {
        wire.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(self.transaction.status()))).await?;
        wire.flush().await
    }

    /// Answers messages until the client ends, is idle for too long, or the server stops.
    pub async fn run(mut self, mut wire: Wire, stop: CancellationToken) {
        let most = usize::try_from(self.service().settings().event_bytes_max * MESSAGE_FACTOR).unwrap_or(usize::MAX);
        let idle = self.service().settings().pg_idle_timeout;
        let door = Arc::clone(&self.door);
        let farewell = loop {
            let frame = tokio::select! {
                biased;
                () = stop.cancelled() => break Some(stopping()),
                frame = timeout(idle, wire.frame(&door.service, most)) => frame,
            };
            let frame = match frame {
                Err(_) => break Some(silent(idle)),
                Ok(Ok(None)) | Ok(Err(Unread::Gone(_))) => break None,
                Ok(Err(Unread::Broken(problem))) => break Some(problem),
                Ok(Err(Unread::Refused { tag, problem })) => Err((tag, problem)),
                Ok(Ok(Some(frame))) => match Frontend::read(frame.tag, frame.body.clone()) {
                    Ok(message) => Ok((frame, message)),
                    Err(problem) => Err((frame.tag, problem)),
                },
            };
            let answered = match frame {
                Ok((_, Frontend::Terminate)) => break None,
                // The frame is held as long as its message is worked on: its bytes are counted.
                Ok((_frame, message)) => self.answer(&mut wire, message).await,
                Err((tag, problem)) => self.refuse(&mut wire, tag == b'Q', problem).await,
            };
            match answered {
                Ok(()) => {}
                Err(Ended::Gone(error)) => {
                    tracing::debug!(%error, "a client went");
                    break None;
                }
                Err(Ended::Told(problem)) => break Some(problem),
            }
        };
        if let Some(problem) = farewell
            && wire.send(problem::error(&problem, Severity::Fatal, Place::default())).await.is_ok()
        {
            wire.close().await;
        }
    }

    async fn answer(&mut self, wire: &mut Wire, message: Frontend) -> Result<(), Ended> {
        let kind = match &message {
            Frontend::Query(_) => "Query",
            Frontend::Parse { .. } => "Parse",
            Frontend::DescribeStatement(_) | Frontend::DescribePortal(_) => "Describe",
            Frontend::Execute { .. } => "Execute",
            Frontend::Sync => return self.sync(wire).await,
            Frontend::Flush if !self.skips => return Ok(wire.flush().await?),
            _ => "",
        };
        if self.skips && !matches!(message, Frontend::Query(_)) {
            return Ok(());
        }
        self.skips = false;
        // A key that was revoked ends its sessions too.
        self.service().still(&self.principal).map_err(Ended::Told)?;
        let (started, simple) = (Instant::now(), matches!(message, Frontend::Query(_)));
        let cancel = self.place.backend.begin();
        let (text, done) = match message {
            Frontend::Query(text) => {
                let done = self.simple(wire, &text, &cancel).await;
                (text, done)
            }
            other => self.extended(wire, other, &cancel).await,
        };
        self.place.backend.end();
        self.apply_written(wire).await?;
        let state = match &done {
            Ok(()) => 200,
            Err(Fault::Problem { problem, .. }) => problem.class.http(),
            Err(Fault::Gone(_)) => 499,
        };
        if !kind.is_empty() {
            self.service().metrics().answered("PG", kind, state, started.elapsed());
        }
        match done {
            Ok(()) => {}
            Err(Fault::Gone(error)) => return Err(error.into()),
            Err(Fault::Problem { problem, from }) => {
                self.fail(wire, &problem, Place { text: &text, from }).await?;
                self.skips = !simple;
            }
        }
        if simple {
            self.close_portals();
            self.ready(wire).await?;
        }
        Ok(())
    }

    /// Answers a message that could not be read.
    async fn refuse(&mut self, wire: &mut Wire, simple: bool, problem: Problem) -> Result<(), Ended> {
        if self.skips && !simple {
            return Ok(());
        }
        self.fail(wire, &problem, Place::default()).await?;
        if simple {
            return Ok(self.ready(wire).await?);
        }
        self.skips = true;
        Ok(wire.flush().await?)
    }

    async fn sync(&mut self, wire: &mut Wire) -> Result<(), Ended> {
        self.skips = false;
        self.close_portals();
        Ok(self.ready(wire).await?)
    }

    /// Portals live as long as their transaction; each message outside of one is its own.
    pub fn close_portals(&mut self) {
        if !self.transaction.is_open() {
            self.portals.retain(|_, portal| portal.is_held());
        }
    }

    async fn fail(&mut self, wire: &mut Wire, problem: &Problem, place: Place<'_>) -> io::Result<()> {
        self.transaction.fail();
        tracing::debug!(code = problem.code, state = sqlstate(problem), "a statement failed");
        wire.send(problem::error(problem, Severity::Error, place)).await
    }

    /// Takes over what `set_config` was told.
    async fn apply_written(&mut self, wire: &mut Wire) -> io::Result<()> {
        for (name, value) in self.written.take() {
            if let Ok(Some(known)) = self.variables.set(&name, Some(&value)) {
                self.tell(wire, known).await?;
            }
        }
        Ok(())
    }

    fn call(&self, sql: &str, params: Params, written: Option<Written>) -> Result<SqlCall, Problem> {
        let pg = PgSession {
            user: self.user.clone(),
            pid: self.place.pid,
            settings: Arc::clone(&self.variables.now),
            written,
        };
        let mut at = self.variables.read_at()?;
        if let Some(position) = self.transaction.position() {
            at.as_of = Some(partitura_service::AsOf::Position(position));
        }
        Ok(SqlCall {
            sql: sql.to_owned(),
            params: serde_json::Value::Array(params.values),
            types: params.types,
            limit: self.variables.limit(),
            timeout_ms: self.variables.timeout_ms(),
            time_zone: self.variables.time_zone(),
            at,
            pg: Some(Arc::new(pg)),
            ..SqlCall::default()
        })
    }

    /// Asks the service; returns when the columns are known.
    pub async fn ask(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        sql: &str,
        params: Params,
    ) -> Result<Answer, Fault> {
        let call = self.call(sql, params, Some(self.written.clone()))?;
        let asked = call.limit;
        let found = watched(wire, cancel, self.service().sql(&self.principal, call)).await?;
        let answer = Answer::streamed(found, asked, self.door.stall());
        self.transaction.read_at(answer.position());
        Ok(answer)
    }

    /// Plans a question without running it; values may be open.
    pub async fn plan(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        sql: &str,
        params: Params,
    ) -> Result<SqlPlanned, Fault> {
        let call = self.call(sql, params, None)?;
        watched(wire, cancel, self.service().sql_columns(&self.principal, call)).await
    }
}

/// How a session ends by one message.
enum Ended {
    Gone(io::Error),
    Told(Problem),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// Waits for `work`, but not longer than the client waits for it.
pub async fn watched<T>(
    wire: &mut Wire,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Fault> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(cancelled().into()),
        done = work => done.map_err(Fault::from),
        error = wire.gone() => Err(error.into()),
    }
}

fn cancelled() -> Problem {
    Problem::new(ErrorClass::Gone, "canceling statement due to user request").code("sql_cancelled")
}

fn stopping() -> Problem {
    Problem::new(ErrorClass::Unavailable, "the server is stopping")
        .code("shutting_down")
        .hint("connect again in a moment")
}

fn silent(idle: Duration) -> Problem {
    let detail = format!("the session was idle for {} s", idle.as_secs());
    Problem::new(ErrorClass::Timeout, detail).code("session_idle").hint("connect again, or raise `pg_idle_timeout`")
}

/// Reports a message that has no use here.
pub fn unused(what: &str) -> Problem {
    protocol(format!("{what} is not answered here"))
}
