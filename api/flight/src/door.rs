//! The protocol's methods: find the caller, read the command, one call, encode.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::metadata::{SqlInfoData, XdbcTypeInfoData};
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, Any, Command, DoPutPreparedStatementResult, DoPutUpdateResult,
    ProstMessageExt,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, Criteria, Empty, FlightData,
    FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
};
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Principal, Scope, Service};
use prost::Message;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

use crate::asked::Asked;
use crate::credentials::Caller;
use crate::refused::{self, malformed, unsupported};
use crate::remembered::Remembered;
use crate::rows::{self, Rows};
use crate::status::{OrStatus, status};
use crate::{answer, cancel, catalog, frames, ingest, keys, prepared, sealed, sql_info, statement, type_info};

type Reply<T> = Result<Response<BoxStream<'static, Result<T, Status>>>, Status>;

/// Flight SQL over the service.
pub struct Door {
    service: Arc<Service>,
    remembered: Remembered,
    sql_info: SqlInfoData,
    type_info: XdbcTypeInfoData,
}

impl Door {
    /// Makes it.
    pub fn new(service: Arc<Service>) -> Self {
        let sql_info = sql_info::data(service.settings());
        Self { service, remembered: Remembered::default(), sql_info, type_info: type_info::data() }
    }

    /// Returns the rows of a metadata command; `None` for every other command.
    async fn metadata(&self, command: Command) -> Result<Option<RecordBatch>, Problem> {
        let service = &self.service;
        Ok(Some(match command {
            Command::CommandGetCatalogs(command) => catalog::catalogs(command)?,
            Command::CommandGetDbSchemas(command) => catalog::schemas(command)?,
            Command::CommandGetTables(command) => catalog::tables(service, command).await?,
            Command::CommandGetTableTypes(command) => catalog::table_types(command)?,
            Command::CommandGetPrimaryKeys(command) => keys::primary(service, &command).await?,
            Command::CommandGetExportedKeys(command) => keys::exported(service, &command).await?,
            Command::CommandGetImportedKeys(command) => keys::imported(service, &command).await?,
            Command::CommandGetCrossReference(command) => keys::cross(service, &command).await?,
            Command::CommandGetSqlInfo(command) => {
                command.into_builder(&self.sql_info).build().map_err(|error| answer::unwritable(&error))?
            }
            Command::CommandGetXdbcTypeInfo(command) => {
                command.into_builder(&self.type_info).build().map_err(|error| answer::unwritable(&error))?
            }
            _ => return Ok(None),
        }))
    }

    async fn info(&self, request: Request<FlightDescriptor>) -> Result<FlightInfo, Status> {
        let principal = Caller::find(&request)?.may(Scope::Read).or_status()?;
        let asked = Asked::of(request.metadata()).or_status()?;
        let descriptor = request.into_inner();
        let (any, command) = command(&descriptor.cmd).or_status()?;
        let service = &self.service;
        let call = match command {
            Command::CommandStatementQuery(command) => {
                if command.transaction_id.is_some() {
                    return Err(status(&refused::transaction()));
                }
                asked.call(command.query, serde_json::Value::Null)
            }
            Command::CommandPreparedStatementQuery(command) => {
                let handle = &command.prepared_statement_handle;
                prepared::call(service, &principal, &self.remembered, asked, handle).or_status()?
            }
            other => {
                let url = other.type_url().to_owned();
                let batch = self.metadata(other).await.or_status()?.ok_or_else(|| status(&no_rows(&url)))?;
                return answer::flight_info(&any, &batch, descriptor).or_status();
            }
        };
        statement::flight_info(service, &principal, call, descriptor).await.or_status()
    }

    async fn cancelled(&self, principal: &Principal, info: &FlightInfo) -> Result<bool, Status> {
        cancel::cancel(&self.service, principal, info).or_status()
    }
}

#[tonic::async_trait]
impl FlightService for Door {
    type HandshakeStream = BoxStream<'static, Result<HandshakeResponse, Status>>;
    type ListFlightsStream = BoxStream<'static, Result<FlightInfo, Status>>;
    type DoGetStream = Rows;
    type DoPutStream = BoxStream<'static, Result<PutResult, Status>>;
    type DoActionStream = BoxStream<'static, Result<arrow_flight::Result, Status>>;
    type ListActionsStream = BoxStream<'static, Result<ActionType, Status>>;
    type DoExchangeStream = BoxStream<'static, Result<FlightData, Status>>;

    /// Hands the key back as the token of the calls that follow.
    async fn handshake(&self, request: Request<Streaming<HandshakeRequest>>) -> Reply<HandshakeResponse> {
        let shown = Caller::find(&request)?.shown;
        let payload = Bytes::from(shown.clone().unwrap_or_default());
        let mut response = Response::new(one(HandshakeResponse { protocol_version: 0, payload }));
        if let Some(key) = shown
            && let Ok(token) = MetadataValue::try_from(format!("Bearer {key}"))
        {
            response.metadata_mut().insert("authorization", token);
        }
        Ok(response)
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Reply<FlightInfo> {
        Err(status(&unsupported("listing flights", "ask for the tables with CommandGetTables")))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        self.info(request).await.map(Response::new)
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        Err(status(&unsupported("polling", "GetFlightInfo answers at once")))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let schema = self.info(request).await?.schema;
        Ok(Response::new(SchemaResult { schema }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Rows>, Status> {
        let principal = Caller::find(&request)?.may(Scope::Read).or_status()?;
        let (_, command) = command(&request.get_ref().ticket).or_status()?;
        let Command::TicketStatementQuery(ticket) = command else {
            let url = command.type_url().to_owned();
            let batch = self.metadata(command).await.or_status()?.ok_or_else(|| status(&no_rows(&url)))?;
            return Ok(Response::new(rows::of_batch(batch)));
        };
        let service = &self.service;
        let question = sealed::question(service, &principal, &ticket.statement_handle).or_status()?;
        let found = cancel::start(service, &principal, &question, service.now()).await.or_status()?;
        let (position, pause) = (found.stream.position(), service.settings().stall_timeout);
        let mut response = Response::new(rows::streamed(found, question.limit(), pause));
        if let Ok(position) = MetadataValue::try_from(position.map_or(0, |at| at.get()).to_string()) {
            response.metadata_mut().insert("x-partitura-position", position);
        }
        Ok(response)
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Reply<PutResult> {
        let caller = Caller::find(&request)?;
        let (service, pause) = (&self.service, self.service.settings().stall_timeout);
        let mut stream = request.into_inner();
        // A driver that has no rows to ingest sends not even the command.
        let Some(first) = frames::next(&mut stream, pause).await? else {
            let none = DoPutUpdateResult { record_count: 0 }.encode_to_vec();
            return Ok(Response::new(one(PutResult { app_metadata: none.into() })));
        };
        let descriptor = first.flight_descriptor.clone();
        let descriptor = descriptor.ok_or_else(|| status(&malformed("the first message names no command")))?;
        let (_, command) = command(&descriptor.cmd).or_status()?;
        let mut data = stream::iter([Ok(first)]).chain(stream);
        let result = match command {
            Command::CommandStatementIngest(command) => {
                let principal = caller.may(Scope::Ingest).or_status()?;
                ingest::check(service, &command).await.or_status()?;
                let record_count = ingest::Ingest::new(service, &principal).run(data).await?;
                DoPutUpdateResult { record_count }.encode_to_vec()
            }
            Command::CommandPreparedStatementQuery(command) => {
                let principal = caller.may(Scope::Read).or_status()?;
                let values = frames::collect(&mut data, service.settings().event_bytes_max, pause).await?;
                let handle = &command.prepared_statement_handle;
                let bound = prepared::bind(service, &principal, &self.remembered, handle, &values).or_status()?;
                DoPutPreparedStatementResult { prepared_statement_handle: Some(bound) }.encode_to_vec()
            }
            Command::CommandStatementUpdate(_) | Command::CommandPreparedStatementUpdate(_) => {
                return Err(status(&refused::update()));
            }
            Command::CommandStatementSubstraitPlan(_) => return Err(status(&refused::substrait())),
            other => return Err(status(&unsupported(&shown(other.type_url()), "ingest into the table `events`"))),
        };
        Ok(Response::new(one(PutResult { app_metadata: result.into() })))
    }

    async fn do_exchange(&self, _: Request<Streaming<FlightData>>) -> Reply<FlightData> {
        Err(status(&unsupported("an exchange of rows", "ask with DoGet, ingest with DoPut")))
    }

    async fn do_action(&self, request: Request<Action>) -> Reply<arrow_flight::Result> {
        let caller = Caller::find(&request)?;
        let asked = Asked::of(request.metadata()).or_status()?;
        let Action { r#type: name, body } = request.into_inner();
        let principal = caller.may(Scope::Read).or_status()?;
        let service = &self.service;
        let body = match name.as_str() {
            "CreatePreparedStatement" => {
                let action: ActionCreatePreparedStatementRequest = packed(&body).or_status()?;
                if action.transaction_id.is_some() {
                    return Err(status(&refused::transaction()));
                }
                let made = prepared::create(service, &principal, asked, action.query).await.or_status()?;
                made.as_any().encode_to_vec()
            }
            "ClosePreparedStatement" => {
                let action: ActionClosePreparedStatementRequest = packed(&body).or_status()?;
                let handle = &action.prepared_statement_handle;
                prepared::close(service, &principal, &self.remembered, handle).or_status()?;
                return Ok(Response::new(stream::empty().boxed()));
            }
            "CancelQuery" => {
                let action: ActionCancelQueryRequest = packed(&body).or_status()?;
                let info = FlightInfo::decode(action.info).map_err(|error| status(&malformed(&error.to_string())))?;
                let result = cancel_status(self.cancelled(&principal, &info).await?);
                ActionCancelQueryResult { result }.as_any().encode_to_vec()
            }
            "CancelFlightInfo" => {
                let action = CancelFlightInfoRequest::decode(body);
                let action = action.map_err(|error| status(&malformed(&error.to_string())))?;
                let info = action.info.ok_or_else(|| status(&malformed("the action has no flight info")))?;
                CancelFlightInfoResult { status: cancel_status(self.cancelled(&principal, &info).await?) }
                    .encode_to_vec()
            }
            "BeginTransaction" | "EndTransaction" | "BeginSavepoint" | "EndSavepoint" => {
                return Err(status(&refused::transaction()));
            }
            "CreatePreparedSubstraitPlan" => return Err(status(&refused::substrait())),
            other => return Err(status(&unknown_action(other))),
        };
        Ok(Response::new(one(arrow_flight::Result { body: body.into() })))
    }

    async fn list_actions(&self, _: Request<Empty>) -> Reply<ActionType> {
        let of = |(name, what): &(&str, &str)| Ok(ActionType { r#type: (*name).into(), description: (*what).into() });
        Ok(Response::new(stream::iter(ACTIONS.iter().map(of).collect::<Vec<_>>()).boxed()))
    }
}

/// What `DoAction` does.
const ACTIONS: &[(&str, &str)] = &[
    ("CreatePreparedStatement", "Plans a statement whose values come later."),
    ("ClosePreparedStatement", "Forgets a prepared statement."),
    ("CancelQuery", "Cancels what runs of a FlightInfo."),
    ("CancelFlightInfo", "Cancels what runs of a FlightInfo."),
];

/// Both actions that cancel number their results alike.
const fn cancel_status(cancelled: bool) -> i32 {
    if cancelled { CancelStatus::Cancelled as i32 } else { CancelStatus::NotCancellable as i32 }
}

fn unknown_action(name: &str) -> Problem {
    let problem = unsupported(&format!("the action `{name:.60}`"), "ListActions tells what there is");
    problem.suggest(name, ACTIONS.iter().map(|(known, _)| *known))
}

fn no_rows(url: &str) -> Problem {
    if url.ends_with("Substrait") || url.ends_with("SubstraitPlan") {
        return refused::substrait();
    }
    unsupported(&shown(url), "send SQL as CommandStatementQuery, or one of the metadata commands")
}

fn shown(url: &str) -> String {
    format!("`{:.80}`", url.rsplit(['/', '.']).next().unwrap_or_default())
}

fn command(bytes: &[u8]) -> Result<(Any, Command), Problem> {
    let wrong = |error: &dyn std::fmt::Display| {
        let problem = Problem::new(ErrorClass::Malformed, format!("this is no Flight SQL command: {error:.200}"));
        problem.code("flight_message").hint("speak Flight SQL: plain Flight has no tables here")
    };
    let any = Any::decode(bytes).map_err(|error| wrong(&error))?;
    let command = Command::try_from(any.clone()).map_err(|error| wrong(&error))?;
    Ok((any, command))
}

fn packed<T: ProstMessageExt>(body: &[u8]) -> Result<T, Problem> {
    let any = Any::decode(body).map_err(|error| malformed(&error.to_string()))?;
    let unpacked: Option<T> = any.unpack().map_err(|error| malformed(&error.to_string()))?;
    unpacked.ok_or_else(|| malformed("it is of another type than its action"))
}

fn one<T: Send + 'static>(item: T) -> BoxStream<'static, Result<T, Status>> {
    stream::once(async { Ok(item) }).boxed()
}
