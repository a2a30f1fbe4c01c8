//! `/v1/subscriptions`: durable subscriptions, pulled by consumers who share the work.

mod parked;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{delete, get, post};
use partitura_event::{Position, Problem};
use partitura_service::subscriptions::calls::Refusal;
use partitura_service::subscriptions::definition::NewSubscription;
use partitura_service::{After, FilterText, Scope, ShownEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

/// Looking, pulling and answering are reading; what changes a subscription for all of its consumers is an act.
pub fn routes() -> Vec<Route> {
    let own = vec![
        Route::new::<__path_create>(Needs(Scope::Act), post(create)),
        Route::new::<__path_list>(Needs(Scope::Read), get(list)),
        Route::new::<__path_show>(Needs(Scope::Read), get(show)),
        Route::new::<__path_remove>(Needs(Scope::Act), delete(remove)),
        Route::new::<__path_pull>(Needs(Scope::Read), post(pull)),
        Route::new::<__path_ack>(Needs(Scope::Read), post(ack)),
        Route::new::<__path_nack>(Needs(Scope::Read), post(nack)),
        Route::new::<__path_reset>(Needs(Scope::Act), post(reset)),
    ];
    own.into_iter().chain(parked::routes()).collect()
}

/// Which events; all that is named must hold.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// `task/42`, or `task/*`.
    stream: Option<String>,
    /// `task.completed` or `task.*`; none means all.
    #[serde(default)]
    types: Vec<String>,
    /// The actor of the envelope.
    actor: Option<String>,
    /// `data.agent_id`.
    agent_id: Option<String>,
}

impl From<Filter> for FilterText {
    fn from(Filter { stream, types, actor, agent_id }: Filter) -> Self {
        Self { stream, types, actor, agent_id }
    }
}

/// A subscription to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedSubscription {
    /// Lower-case letters, digits, `-`, `_` and `.`.
    name: String,
    /// Which events; all by default.
    #[serde(default)]
    filter: Filter,
    /// `beginning` (the default), `now`, or a position to begin after.
    from: Option<Value>,
    /// Deliveries of one event before it is parked, 1 to 1,000; 10 by default.
    max_attempts: Option<u32>,
    /// How long a consumer has for an event; 30,000 by default.
    ack_timeout_ms: Option<u64>,
    /// Events that may be out at once, 1 to 1,000; 200 by default. With 1, events are handled strictly in order.
    window: Option<usize>,
}

/// Reads a place in the log from a body.
pub(super) fn place(field: &str, value: Option<&Value>) -> Result<Option<After>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => After::parse(field, text).map(Some),
        Some(other) => After::parse(field, &other.to_string()).map(Some),
    }
}

/// Make a subscription. The same one again is found; another one of that name is a conflict.
#[utoipa::path(
    post,
    path = "/v1/subscriptions",
    request_body = WantedSubscription,
    responses(
        (status = 201, description = "It is made", body = Value),
        (status = 200, description = "It was there", body = Value),
    ),
    tag = "live"
)]
async fn create(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let wanted: WantedSubscription = request::json(&app, request).await?;
    let new = NewSubscription {
        name: wanted.name,
        filter: wanted.filter.into(),
        from: place("from", wanted.from.as_ref())?.unwrap_or_default(),
        max_attempts: wanted.max_attempts,
        ack_timeout_ms: wanted.ack_timeout_ms,
        window: wanted.window,
    };
    let (is_new, standing) = app.service.create_subscription(&principal, new).await?;
    Ok(reply::json_with(if is_new { StatusCode::CREATED } else { StatusCode::OK }, &standing))
}

/// List subscriptions, and how far each is.
#[utoipa::path(
    get,
    path = "/v1/subscriptions",
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "live"
)]
async fn list(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&json!({"data": app.service.subscriptions(&principal), "next_cursor": null})))
}

/// Show a subscription, and how far it is.
#[utoipa::path(
    get,
    path = "/v1/subscriptions/{name}",
    params(("name" = String, Path, description = "The subscription")),
    responses((status = 200, description = "The subscription", body = Value)),
    tag = "live"
)]
async fn show(State(app): State<App>, Caller(principal): Caller, Path(name): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.subscription(&principal, &name)?))
}

/// End a subscription.
#[utoipa::path(
    delete,
    path = "/v1/subscriptions/{name}",
    params(("name" = String, Path, description = "The subscription")),
    responses((status = 200, description = "The subscription as it was", body = Value)),
    tag = "live"
)]
async fn remove(State(app): State<App>, Caller(principal): Caller, Path(name): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.delete_subscription(&principal, &name).await?))
}

/// How much is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pull {
    /// At most this many events, 1 to 1,000; 100 by default.
    limit: Option<usize>,
    /// How long to wait for the first one; 0 by default.
    wait_ms: Option<u64>,
}

#[derive(Serialize)]
struct Pulled<'a> {
    deliveries: Vec<ShownDelivery<'a>>,
    checkpoint: Option<Position>,
    lag_events: u64,
}

#[derive(Serialize)]
struct ShownDelivery<'a> {
    delivery_id: &'a str,
    attempt: u32,
    event: ShownEvent<'a>,
}

/// Get the next events. Each is the caller's until its acknowledgement, or until `ack_timeout_ms` are over.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{name}/pull",
    params(("name" = String, Path, description = "The subscription")),
    request_body = Pull,
    responses((status = 200, description = "`{deliveries:[{delivery_id, attempt, event}], checkpoint, lag_events}`", body = Value)),
    tag = "live"
)]
async fn pull(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let Pull { limit, wait_ms } = request::json_or_default(&app, request).await?;
    let (deliveries, standing) = app.service.pull(&principal, &name, limit, wait_ms, app.stop.clone()).await?;
    let shown = deliveries.iter().map(|delivery| ShownDelivery {
        delivery_id: &delivery.delivery_id,
        attempt: delivery.attempt,
        event: ShownEvent::from(&delivery.event),
    });
    let (checkpoint, lag_events) = (standing.checkpoint, standing.lag_events);
    Ok(reply::json(&Pulled { deliveries: shown.collect(), checkpoint, lag_events }))
}

/// What is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ack {
    /// Ids of a pull.
    deliveries: Vec<String>,
}

/// Acknowledge events: they are done with, durably. Those that took too long are `stale`: another has them by now.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{name}/ack",
    params(("name" = String, Path, description = "The subscription")),
    request_body = Ack,
    responses((status = 200, description = "`{results:[{delivery_id, result}], checkpoint, lag_events}`", body = Value)),
    tag = "live"
)]
async fn ack(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let Ack { deliveries } = request::json(&app, request).await?;
    let (was_out, standing) = app.service.acknowledge(&principal, &name, &deliveries).await?;
    let results = results(&deliveries, &was_out, "acknowledged");
    Ok(reply::json(&json!({
        "results": results, "checkpoint": standing.checkpoint, "lag_events": standing.lag_events,
    })))
}

fn results(deliveries: &[String], was_out: &[bool], done: &str) -> Vec<Value> {
    let result =
        |(id, was_out): (&String, &bool)| json!({"delivery_id": id, "result": if *was_out { done } else { "stale" }});
    deliveries.iter().zip(was_out).map(result).collect()
}

/// What could not be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nack {
    /// Ids of a pull.
    deliveries: Vec<String>,
    /// `retry` (the default), or `park`.
    #[serde(default)]
    action: NackAction,
    /// Milliseconds until they are handed out again.
    #[serde(default)]
    delay_ms: u64,
    /// Why, for people.
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NackAction {
    #[default]
    Retry,
    Park,
}

/// Give events back: to be tried again, later if `delay_ms` says so, or to be parked.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{name}/nack",
    params(("name" = String, Path, description = "The subscription")),
    request_body = Nack,
    responses((status = 200, description = "`{results:[{delivery_id, result}], checkpoint, lag_events}`", body = Value)),
    tag = "live"
)]
async fn nack(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let Nack { deliveries, action, delay_ms, reason } = request::json(&app, request).await?;
    let park = matches!(action, NackAction::Park);
    let refusal = Refusal { deliveries: deliveries.clone(), park, delay_ms, reason };
    let (was_out, standing) = app.service.refuse(&principal, &name, refusal).await?;
    let results = results(&deliveries, &was_out, "given_back");
    Ok(reply::json(&json!({
        "results": results, "checkpoint": standing.checkpoint, "lag_events": standing.lag_events,
    })))
}

/// Where to begin again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// `beginning`, `now`, or a position to begin after.
    to: Value,
}

/// Begin again at another place. What is out now can be acknowledged no more; what is parked stays parked.
#[utoipa::path(
    post,
    path = "/v1/subscriptions/{name}/reset",
    params(("name" = String, Path, description = "The subscription")),
    request_body = Reset,
    responses((status = 200, description = "The subscription", body = Value)),
    tag = "live"
)]
async fn reset(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let Reset { to } = request::json(&app, request).await?;
    let Some(to) = place("to", Some(&to))? else {
        let detail = "`to` is beginning, now, or a position";
        return Err(Problem::invalid_field("to", "missing", detail).into());
    };
    Ok(reply::json(&app.service.reset_subscription(&principal, &name, to).await?))
}
