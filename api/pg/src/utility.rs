//! What clients say to keep house: settings, transactions, cursors. Nothing of it is written anywhere.

use std::io;

use partitura_event::Problem;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone};
use pgwire::messages::response::CommandComplete;
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use crate::columns::{self, Rows};
use crate::command::Command;
use crate::copy::Copy;
use crate::params::Params;
use crate::portal::{Portal, State};
use crate::problem::notice;
use crate::session::{Fault, Session, watched};
use crate::settings::KNOWN;
use crate::transaction::{Isolation, outside};
use crate::wire::Wire;

/// What a command gives.
pub enum Reply {
    /// Its tag.
    Done(String),
    /// Rows, and the first word of the tag that counts them.
    Rows(Answer, &'static str),
    /// Rows of a cursor.
    Fetch { name: String, count: Option<u64>, moves: bool },
    /// Rows as a copy.
    Copy(Answer, Copy),
}

impl Session {
    /// Does what a command asks, but sends no rows yet.
    pub async fn execute(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        command: &Command,
        params: Params,
    ) -> Result<Reply, Fault> {
        if !matches!(command, Command::Commit | Command::Rollback | Command::RollbackTo(_)) {
            self.transaction.check()?;
        }
        let at = |from: usize| {
            move |fault: Fault| match fault {
                Fault::Problem { problem, from: inner } => Fault::Problem { problem, from: from + inner },
                gone @ Fault::Gone(_) => gone,
            }
        };
        match command {
            Command::Ask { sql, from } => {
                let answer = self.ask(wire, cancel, sql, params).await.map_err(at(*from))?;
                Ok(Reply::Rows(answer, tag(sql)))
            }
            Command::Declare { name, hold, sql, from } => {
                if !hold && !self.transaction.is_open() {
                    return Err(outside("DECLARE CURSOR").into());
                }
                let answer = self.ask(wire, cancel, sql, params).await.map_err(at(*from))?;
                self.put_portal(name.clone(), Portal::cursor(answer, *hold))?;
                done("DECLARE CURSOR")
            }
            Command::Copy { sql, from, options } => {
                let copy = Copy::new(options)?;
                let answer = self.ask(wire, cancel, sql, params).await.map_err(at(*from))?;
                Ok(Reply::Copy(answer, copy))
            }
            Command::Fetch { name, count, moves } => {
                self.portal(name)?;
                Ok(Reply::Fetch { name: name.clone(), count: *count, moves: *moves })
            }
            Command::Show(_) | Command::ShowAll => Ok(Reply::Rows(self.show(command)?, "SHOW")),
            other => self.keep_house(wire, other).await.map(|tag| Reply::Done(tag.to_owned())),
        }
    }

    async fn keep_house(&mut self, wire: &mut Wire, command: &Command) -> Result<&'static str, Fault> {
        match command {
            Command::Set { name, value, local } => {
                self.set(wire, name, value.as_deref(), *local).await?;
                Ok("SET")
            }
            Command::Isolate { isolation, session } => {
                match (isolation, session) {
                    (Some(isolation), true) => {
                        self.variables.set("default_transaction_isolation", Some(isolation.name())).map(|_| ())?
                    }
                    (Some(isolation), false) => self.transaction.isolate(*isolation),
                    // Reading only is all that there is; writing fails where it is tried.
                    (None, _) => {}
                }
                Ok("SET")
            }
            Command::Reset(name) => {
                match name {
                    Some(name) => self.set(wire, name, None, false).await?,
                    None => self.reset_all(wire).await?,
                }
                Ok("RESET")
            }
            Command::DiscardAll => {
                if self.transaction.is_open() {
                    return Err(outside_of_one("DISCARD ALL").into());
                }
                self.portals.clear();
                self.statements.clear();
                self.reset_all(wire).await?;
                Ok("DISCARD ALL")
            }
            Command::CloseCursor(name) => {
                match name {
                    Some(name) if self.portals.remove(name).is_none() => return Err(self.unknown_portal(name).into()),
                    Some(_) => {}
                    None => self.portals.retain(|name, _| name.is_empty()),
                }
                Ok(if name.is_some() { "CLOSE CURSOR" } else { "CLOSE CURSOR ALL" })
            }
            Command::Deallocate(name) => {
                match name {
                    Some(name) => {
                        self.statements.get(name)?;
                        self.statements.remove(name);
                    }
                    None => self.statements.clear(),
                }
                Ok(if name.is_some() { "DEALLOCATE" } else { "DEALLOCATE ALL" })
            }
            Command::Nothing(tag) => Ok(tag),
            transaction => self.transact(wire, transaction).await,
        }
    }

    async fn transact(&mut self, wire: &mut Wire, command: &Command) -> Result<&'static str, Fault> {
        match command {
            Command::Begin(isolation) => {
                if self.transaction.is_open() {
                    wire.send(notice("25001", "there is already a transaction in progress")).await?;
                }
                let isolation = isolation.unwrap_or_else(|| self.variables.isolation());
                self.transaction.begin(&self.variables.now, isolation);
                Ok("BEGIN")
            }
            Command::Commit | Command::Rollback => {
                if !self.transaction.is_open() {
                    wire.send(notice("25P01", "there is no transaction in progress")).await?;
                }
                let undone = self.transaction.end(&mut self.variables.now, *command == Command::Commit);
                self.close_portals();
                self.tell_all(wire).await?;
                Ok(if undone || *command == Command::Rollback { "ROLLBACK" } else { "COMMIT" })
            }
            Command::Savepoint(name) => {
                self.transaction.save(name.clone(), &self.variables.now)?;
                Ok("SAVEPOINT")
            }
            Command::Release(name) => {
                self.transaction.release(name)?;
                Ok("RELEASE")
            }
            Command::RollbackTo(name) => {
                self.transaction.back_to(name, &mut self.variables.now)?;
                self.tell_all(wire).await?;
                Ok("ROLLBACK")
            }
            _ => unreachable!("every other command was done before"),
        }
    }

    async fn set(&mut self, wire: &mut Wire, name: &str, value: Option<&str>, local: bool) -> Result<(), Fault> {
        if local && !self.transaction.is_open() {
            wire.send(notice("25P01", "SET LOCAL can only be used in transaction blocks")).await?;
            return Ok(());
        }
        if name.eq_ignore_ascii_case("transaction_isolation")
            && let Some(isolation) = value.and_then(|value| Isolation::parse(&value.to_lowercase()))
        {
            self.transaction.isolate(isolation);
        }
        let before = self.variables.now.get(&name.to_lowercase()).cloned();
        let told = self.variables.set(name, value)?;
        if local {
            self.transaction.local(&name.to_lowercase(), before);
        }
        if let Some(known) = told {
            self.tell(wire, known).await?;
        }
        Ok(())
    }

    async fn reset_all(&mut self, wire: &mut Wire) -> io::Result<()> {
        self.variables.reset();
        self.tell_all(wire).await
    }

    async fn tell_all(&mut self, wire: &mut Wire) -> io::Result<()> {
        for known in KNOWN.iter().filter(|known| known.told) {
            self.tell(wire, known).await?;
        }
        Ok(())
    }

    /// Answers `SHOW`.
    pub fn show(&self, command: &Command) -> Result<Answer, Problem> {
        let Command::Show(name) = command else {
            let row = |(name, value): (&String, &String)| vec![name.clone(), value.clone(), String::new()];
            let rows: Vec<_> = self.variables.now.iter().map(row).collect();
            return Answer::of_texts(&["name", "setting", "description"], &rows);
        };
        let value = match (name.as_str(), self.transaction.isolation()) {
            ("transaction_isolation", Some(isolation)) => isolation.name(),
            ("transaction_isolation", None) => self.variables.isolation().name(),
            _ => self.variables.get(name)?,
        };
        let shown = crate::settings::find(name).map_or(name.as_str(), |known| known.name);
        Answer::of_texts(&[shown], &[vec![value.to_owned()]])
    }

    /// Sends up to `most` rows; returns how many there were, and whether that was all that was asked for.
    pub async fn send_rows(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        answer: &mut Answer,
        formats: &[i16],
        most: Option<u64>,
    ) -> Result<u64, Fault> {
        let fields = columns::fields(answer.schema(), formats)?;
        let mut sent = 0;
        while most.is_none_or(|most| sent < most) {
            let left = most.map_or(usize::MAX, |most| usize::try_from(most - sent).unwrap_or(usize::MAX));
            let Some(batch) = watched(wire, cancel, answer.next(left)).await? else { break };
            let mut rows = Rows::new(batch, fields.clone());
            for row in 0..rows.len() {
                wire.send(PgWireBackendMessage::DataRow(rows.row(row)?)).await?;
            }
            sent += rows.len() as u64;
        }
        Ok(sent)
    }

    /// Sends rows of a cursor, and the tag that counts them.
    pub async fn send_fetched(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        (name, count, moves): (&str, Option<u64>, bool),
        formats: &[i16],
    ) -> Result<(), Fault> {
        let mut portal = self.portals.remove(name).ok_or_else(|| self.unknown_portal(name))?;
        let sent = match &mut portal.state {
            State::Open(answer) if moves => skip(wire, cancel, answer, count).await,
            State::Open(answer) => self.send_rows(wire, cancel, answer, formats, count).await,
            State::Bound | State::Spent => Ok(0),
        };
        if sent.is_ok() {
            self.portals.insert(name.to_owned(), portal);
        }
        let sent = sent?;
        complete(wire, &format!("{} {sent}", if moves { "MOVE" } else { "FETCH" })).await?;
        Ok(())
    }

    /// Sends rows as a copy.
    pub async fn send_copy(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        answer: &mut Answer,
        copy: &Copy,
    ) -> Result<(), Fault> {
        let fields = columns::fields(answer.schema(), &[copy.cells()])?;
        wire.send(PgWireBackendMessage::CopyOutResponse(copy.announcement(fields.len()))).await?;
        let piece = |data| PgWireBackendMessage::CopyData(CopyData::new(data));
        // Clients look for the head of the binary format and the first row in one piece.
        let mut head = copy.head(&fields).unwrap_or_default();
        let mut sent = 0;
        while let Some(batch) = watched(wire, cancel, answer.next(usize::MAX)).await? {
            let mut rows = Rows::new(batch, fields.clone());
            for row in 0..rows.len() {
                let row = copy.row(&rows.row(row)?);
                let whole = if head.is_empty() { row } else { [std::mem::take(&mut head), row].concat().into() };
                wire.send(piece(whole)).await?;
            }
            sent += rows.len();
        }
        let rest = [head, copy.tail().unwrap_or_default()].concat();
        if !rest.is_empty() {
            wire.send(piece(rest.into())).await?;
        }
        wire.send(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
        Ok(complete(wire, &format!("COPY {sent}")).await?)
    }
}

async fn skip(
    wire: &mut Wire,
    cancel: &CancellationToken,
    answer: &mut Answer,
    most: Option<u64>,
) -> Result<u64, Fault> {
    let mut passed = 0;
    while most.is_none_or(|most| passed < most) {
        let left = most.map_or(usize::MAX, |most| usize::try_from(most - passed).unwrap_or(usize::MAX));
        let Some(batch) = watched(wire, cancel, answer.next(left)).await? else { break };
        passed += batch.num_rows() as u64;
    }
    Ok(passed)
}

/// Says that a command is done.
pub async fn complete(wire: &mut Wire, tag: &str) -> io::Result<()> {
    wire.send(PgWireBackendMessage::CommandComplete(CommandComplete::new(tag.to_owned()))).await
}

fn done(tag: &str) -> Result<Reply, Fault> {
    Ok(Reply::Done(tag.to_owned()))
}

/// Clients read the first word of the tag.
fn tag(sql: &str) -> &'static str {
    let word = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "explain" => "EXPLAIN",
        "show" => "SHOW",
        _ => "SELECT",
    }
}

fn outside_of_one(what: &str) -> Problem {
    let detail = format!("{what} cannot run inside a transaction block");
    Problem::new(partitura_event::ErrorClass::Invalid, detail).code("transaction_open")
}
