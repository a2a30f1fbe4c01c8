//! The extended protocol: statements are prepared, values bound, rows fetched as many as are wanted.

use std::cmp::max;
use std::sync::Arc;

use partitura_event::Problem;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{BindComplete, CloseComplete, ParseComplete, PortalSuspended};
use pgwire::messages::response::EmptyQueryResponse;
use postgres_types::Type;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::columns;
use crate::command::Command;
use crate::frontend::{Bind, Frontend};
use crate::params::{Params, sql_name};
use crate::portal::{Portal, State};
use crate::session::{Fault, Session, unused};
use crate::simple::counted;
use crate::statement::{Planned, Statement};
use crate::utility::{Reply, complete};
use crate::wire::Wire;

/// What table functions are planned with while their arguments are open: a text, then a number.
const SAMPLES: [&str; 2] = ["\"text\"", "1"];

impl Session {
    /// Answers one message; returns with it the text in which a place of an error stands.
    pub async fn extended(
        &mut self,
        wire: &mut Wire,
        message: Frontend,
        cancel: &CancellationToken,
    ) -> (String, Result<(), Fault>) {
        let text = self.text_of(&message);
        let done = match message {
            Frontend::Parse { name, sql, types } => self.parse(wire, name, sql, types).await,
            Frontend::Bind(bind) => self.bind(wire, cancel, bind).await,
            Frontend::DescribeStatement(name) => self.describe_statement(wire, cancel, &name).await,
            Frontend::DescribePortal(name) => self.describe_portal(wire, cancel, &name).await,
            Frontend::Execute { portal, rows } => self.fetch(wire, cancel, &portal, rows).await,
            Frontend::CloseStatement(name) => {
                self.statements.remove(&name);
                said(wire, PgWireBackendMessage::CloseComplete(CloseComplete::new())).await
            }
            Frontend::ClosePortal(name) => {
                self.portals.remove(&name);
                said(wire, PgWireBackendMessage::CloseComplete(CloseComplete::new())).await
            }
            Frontend::Unused(what) => Err(unused(what).into()),
            Frontend::Query(_) | Frontend::Sync | Frontend::Flush | Frontend::Terminate | Frontend::CopyRest => Ok(()),
        };
        (text, done)
    }

    fn text_of(&mut self, message: &Frontend) -> String {
        match message {
            Frontend::Parse { sql, .. } => sql.clone(),
            Frontend::Bind(Bind { statement, .. }) | Frontend::DescribeStatement(statement) => {
                self.statements.get(statement).map(|statement| statement.text.to_string()).unwrap_or_default()
            }
            Frontend::DescribePortal(portal) | Frontend::Execute { portal, .. } => {
                self.portals.get(portal).map(|portal| portal.text.to_string()).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    async fn parse(&mut self, wire: &mut Wire, name: String, sql: String, types: Vec<u32>) -> Result<(), Fault> {
        self.statements.put(name, Statement::new(sql, types)?)?;
        said(wire, PgWireBackendMessage::ParseComplete(ParseComplete::new())).await
    }

    async fn bind(&mut self, wire: &mut Wire, cancel: &CancellationToken, bind: Bind) -> Result<(), Fault> {
        let statement = self.statements.get(&bind.statement)?.clone();
        let known = (0..bind.values.len()).map(|at| statement.given(at)).collect::<Option<Vec<_>>>();
        let types = match known {
            Some(types) => types,
            // Types that the client leaves open are those of what the values are compared with.
            None => self.planned(wire, cancel, &bind.statement).await?.parameters,
        };
        let params = Params::read(&types, &bind.formats, &bind.values)?;
        if bind.portal.is_empty() {
            self.portals.remove("");
        }
        let portal = Portal {
            text: Arc::clone(&statement.text),
            command: statement.command,
            params,
            formats: bind.results,
            state: State::Bound,
            held: false,
        };
        self.put_portal(bind.portal, portal)?;
        said(wire, PgWireBackendMessage::BindComplete(BindComplete::new())).await
    }

    /// Returns what a statement takes and gives; it is planned once.
    async fn planned(&mut self, wire: &mut Wire, cancel: &CancellationToken, name: &str) -> Result<Planned, Fault> {
        let statement = self.statements.get(name)?.clone();
        if let Some(planned) = statement.planned {
            return Ok(planned);
        }
        let (sql, from) = match &statement.command {
            Some(Command::Ask { sql, from } | Command::Declare { sql, from, .. } | Command::Copy { sql, from, .. }) => {
                (sql.as_str(), *from)
            }
            _ => {
                let schema = Arc::new(arrow::datatypes::Schema::empty());
                return Ok(Planned { parameters: Vec::new(), schema });
            }
        };
        let given: Vec<_> = (0..statement.known()).map(|at| statement.given(at)).collect();
        let types: Vec<_> = given.iter().map(|ty| ty.as_ref().and_then(sql_name)).collect();
        let open = Params { values: Vec::new(), types };
        let mut found = self.plan(wire, cancel, sql, open).await.map_err(|fault| moved(fault, from))?;
        let count = found.columns.parameters.iter().filter_map(|open| open.place()).fold(given.len(), max);
        if found.columns.schema.fields().is_empty() && count > 0 {
            for sample in SAMPLES.into_iter().filter_map(|sample| serde_json::from_str::<Value>(sample).ok()) {
                let params = Params { values: vec![sample; count], types: Vec::new() };
                if let Ok(planned) = self.plan(wire, cancel, sql, params).await {
                    found.columns.schema = planned.columns.schema;
                    break;
                }
            }
        }
        let mut parameters: Vec<_> =
            (0..count).map(|at| given.get(at).cloned().flatten().unwrap_or(Type::TEXT)).collect();
        for open in &found.columns.parameters {
            let place = open.place().and_then(|place| place.checked_sub(1)).ok_or_else(|| named(&open.name))?;
            if given.get(place).cloned().flatten().is_none()
                && let Some(ty) = &open.ty
            {
                parameters[place] = columns::type_of(ty);
            }
        }
        let planned = Planned { parameters, schema: columns::plain(&found.columns.schema) };
        self.statements.get(name)?.planned = Some(planned.clone());
        Ok(planned)
    }

    async fn describe_statement(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        name: &str,
    ) -> Result<(), Fault> {
        let command = self.statements.get(name)?.command.clone();
        if matches!(command, Some(Command::Ask { .. })) {
            self.transaction.check()?;
        }
        let planned = self.planned(wire, cancel, name).await?;
        let types = planned.parameters.iter().map(Type::oid).collect();
        wire.send(PgWireBackendMessage::ParameterDescription(ParameterDescription::new(types))).await?;
        let fields = match &command {
            Some(Command::Ask { .. }) => Some(columns::fields(&planned.schema, &[])?),
            Some(command) => self.fields_of(command, &[])?,
            None => None,
        };
        said(wire, rows_or_none(fields.as_deref().map(Vec::as_slice))).await
    }

    /// Returns the columns of a command that is no question.
    fn fields_of(
        &mut self,
        command: &Command,
        formats: &[i16],
    ) -> Result<Option<Arc<Vec<pgwire::api::results::FieldInfo>>>, Problem> {
        match command {
            Command::Fetch { name, moves: false, .. } => match &self.portal(name)?.state {
                State::Open(answer) => columns::fields(answer.schema(), formats).map(Some),
                State::Bound | State::Spent => Ok(None),
            },
            Command::Show(_) | Command::ShowAll => {
                let answer = self.show(command)?;
                columns::fields(answer.schema(), formats).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A question is asked now: its columns are known with its values, and its rows wait for their fetch.
    async fn describe_portal(&mut self, wire: &mut Wire, cancel: &CancellationToken, name: &str) -> Result<(), Fault> {
        self.portal(name)?;
        let mut portal = self.portals.remove(name).ok_or_else(|| self.unknown_portal(name))?;
        if let (State::Bound, Some(command @ Command::Ask { .. })) = (&portal.state, &portal.command)
            && let Reply::Rows(answer, _) = self.execute(wire, cancel, command, portal.params.clone()).await?
        {
            portal.state = State::Open(answer);
        }
        let fields = match (&portal.state, &portal.command) {
            (State::Open(answer), _) => Some(columns::fields(answer.schema(), &portal.formats)?),
            (_, Some(command)) => self.fields_of(command, &portal.formats)?,
            _ => None,
        };
        self.portals.insert(name.to_owned(), portal);
        said(wire, rows_or_none(fields.as_deref().map(Vec::as_slice))).await
    }

    async fn fetch(
        &mut self,
        wire: &mut Wire,
        cancel: &CancellationToken,
        name: &str,
        most: usize,
    ) -> Result<(), Fault> {
        self.portal(name)?;
        let mut portal = self.portals.remove(name).ok_or_else(|| self.unknown_portal(name))?;
        let most = (most > 0).then_some(most as u64);
        let mut tag = "SELECT";
        if matches!(portal.state, State::Bound) {
            let Some(command) = portal.command.clone() else {
                return said(wire, PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await;
            };
            match self.execute(wire, cancel, &command, portal.params.clone()).await? {
                Reply::Done(tag) => return Ok(complete(wire, &tag).await?),
                Reply::Rows(answer, word) => {
                    portal.state = State::Open(answer);
                    tag = word;
                }
                Reply::Fetch { name, count, moves } => {
                    return self.send_fetched(wire, cancel, (&name, count, moves), &portal.formats).await;
                }
                Reply::Copy(mut answer, copy) => return self.send_copy(wire, cancel, &mut answer, &copy).await,
            }
        }
        let sent = match &mut portal.state {
            State::Open(answer) => {
                let formats = portal.formats.clone();
                self.send_rows(wire, cancel, answer, &formats, most).await?
            }
            State::Bound | State::Spent => 0,
        };
        if most == Some(sent) {
            wire.send(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await?;
        } else {
            portal.state = State::Spent;
            complete(wire, &counted(tag, sent)).await?;
        }
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }
}

async fn said(wire: &mut Wire, message: PgWireBackendMessage) -> Result<(), Fault> {
    Ok(wire.send(message).await?)
}

fn rows_or_none(fields: Option<&[pgwire::api::results::FieldInfo]>) -> PgWireBackendMessage {
    match fields {
        Some(fields) => PgWireBackendMessage::RowDescription(columns::description(fields)),
        None => PgWireBackendMessage::NoData(NoData::new()),
    }
}

fn moved(fault: Fault, from: usize) -> Fault {
    match fault {
        Fault::Problem { problem, from: inner } => Fault::Problem { problem, from: from + inner },
        gone @ Fault::Gone(_) => gone,
    }
}

fn named(name: &str) -> Problem {
    Problem::new(partitura_event::ErrorClass::Invalid, format!("the parameter `${name:.40}` has no number"))
        .code("sql_parameter_missing")
        .hint("the Postgres protocol binds $1, $2, …")
}
