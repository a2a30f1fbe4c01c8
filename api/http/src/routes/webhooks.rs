//! `/v1/webhooks`: events posted to URLs. Sending them elsewhere is for who administers the workspace.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{delete, get, patch, post};
use partitura_service::Scope;
use partitura_service::webhooks::record::{NewSecret, NewWebhook, OnExhausted, WebhookChange};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::subscriptions::{Filter, place};
use crate::app::App;
use crate::credentials::Access::Needs;
use crate::credentials::Caller;
use crate::query::Params;
use crate::reply::{self, Answer};
use crate::request;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![
        Route::new::<__path_create>(Needs(Scope::Admin), post(create)),
        Route::new::<__path_list>(Needs(Scope::Admin), get(list)),
        Route::new::<__path_show>(Needs(Scope::Admin), get(show)),
        Route::new::<__path_change>(Needs(Scope::Admin), patch(change)),
        Route::new::<__path_change_secret>(Needs(Scope::Admin), post(change_secret)),
        Route::new::<__path_remove>(Needs(Scope::Admin), delete(remove)),
        Route::new::<__path_test>(Needs(Scope::Admin), post(test)),
        Route::new::<__path_deliveries>(Needs(Scope::Admin), get(deliveries)),
        Route::new::<__path_replay>(Needs(Scope::Admin), post(replay)),
    ]
}

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedWebhook {
    /// Where events are posted: https://, or http://.
    url: String,
    /// Which events; all by default.
    #[serde(default)]
    filter: Filter,
    /// `now` (the default), `beginning`, or a position to begin after.
    from: Option<Value>,
    /// For people.
    description: Option<String>,
    /// `whsec_` and the base64 of 24 to 64 bytes; one is made by default.
    secret: Option<String>,
    /// Attempts for one event, 1 to 100; 16 by default.
    max_attempts: Option<u32>,
    /// When they are used up: `disable` the webhook (the default), or `park` the event and go on.
    #[schema(value_type = Option<String>)]
    on_exhausted: Option<OnExhausted>,
}

/// Make a webhook. A secret that is made for it is in this answer only.
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    request_body = WantedWebhook,
    responses((status = 201, description = "The webhook, with its secret", body = Value)),
    tag = "live"
)]
async fn create(State(app): State<App>, Caller(principal): Caller, uri: Uri, request: Request) -> Answer {
    Params::of(&uri, &[])?;
    let wanted: WantedWebhook = request::json(&app, request).await?;
    let new = NewWebhook {
        url: wanted.url,
        filter: wanted.filter.into(),
        from: place("from", wanted.from.as_ref())?,
        description: wanted.description,
        secret: wanted.secret,
        max_attempts: wanted.max_attempts,
        on_exhausted: wanted.on_exhausted.unwrap_or_default(),
    };
    Ok(reply::json_with(StatusCode::CREATED, &app.service.create_webhook(&principal, new).await?))
}

/// List webhooks, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "live"
)]
async fn list(State(app): State<App>, Caller(principal): Caller, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&json!({"data": app.service.webhooks(&principal), "next_cursor": null})))
}

/// Show a webhook: how far it is, and why it does not send if it does not.
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "The webhook", body = Value)),
    tag = "live"
)]
async fn show(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.webhook(&principal, &id)?))
}

/// What is changed; what is not named stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedWebhook {
    /// Another URL.
    url: Option<String>,
    /// Another description.
    description: Option<String>,
    /// Off, or on again: then it goes on with the event that it stopped at.
    enabled: Option<bool>,
    /// Attempts for one event.
    max_attempts: Option<u32>,
    /// `disable` or `park`.
    #[schema(value_type = Option<String>)]
    on_exhausted: Option<OnExhausted>,
}

/// Change a webhook. Its filter stays: make another that begins at this one's checkpoint, then end this one.
#[utoipa::path(
    patch,
    path = "/v1/webhooks/{id}",
    params(("id" = String, Path, description = "The webhook's id")),
    request_body = ChangedWebhook,
    responses((status = 200, description = "The webhook", body = Value)),
    tag = "live"
)]
async fn change(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let ChangedWebhook { url, description, enabled, max_attempts, on_exhausted } = request::json(&app, request).await?;
    let change = WebhookChange { url, description, enabled, max_attempts, on_exhausted };
    Ok(reply::json(&app.service.change_webhook(&principal, &id, change).await?))
}

/// Another secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedSecret {
    /// `whsec_` and the base64 of 24 to 64 bytes; one is made by default.
    secret: Option<String>,
    /// How long the one before signs too, in milliseconds, up to 30 days; a day by default, 0 when it is known to others.
    keep_previous_ms: Option<u64>,
}

/// Change the secret. Messages carry both signatures until the time of the one before is over; a secret that is made
/// here is in this answer only.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/secret",
    params(("id" = String, Path, description = "The webhook's id")),
    request_body = WantedSecret,
    responses((status = 200, description = "The webhook, with its new secret", body = Value)),
    tag = "live"
)]
async fn change_secret(
    State(app): State<App>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    uri: Uri,
    request: Request,
) -> Answer {
    Params::of(&uri, &[])?;
    let WantedSecret { secret, keep_previous_ms } = request::json(&app, request).await?;
    let new = NewSecret { secret, keep_previous: keep_previous_ms.map(Duration::from_millis) };
    Ok(reply::json(&app.service.change_webhook_secret(&principal, &id, new).await?))
}

/// End a webhook.
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{id}",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "The webhook as it was", body = Value)),
    tag = "live"
)]
async fn remove(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.delete_webhook(&principal, &id).await?))
}

/// Post a message of the type `webhook.test` now; the answer says what came of it.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/test",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "`{message_id, delivered, status, error, answer, took_ms}`", body = Value)),
    tag = "live"
)]
async fn test(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&app.service.test_webhook(&principal, &id).await?))
}

/// List the newest attempts, newest first: the message, the answer, the next attempt.
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}/deliveries",
    params(
        ("id" = String, Path, description = "The webhook's id"),
        ("limit" = Option<usize>, Query, description = "At most this many, up to 500"),
    ),
    responses((status = 200, description = "`{data, next_cursor}`", body = Value)),
    tag = "live"
)]
async fn deliveries(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    let limit = Params::of(&uri, &[&["limit"]])?.limit(100, 500)?;
    let data = app.service.webhook_attempts(&principal, &id, limit)?;
    Ok(reply::json(&json!({"data": data, "next_cursor": null})))
}

/// Send parked events again.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/replay",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "`{replayed}`", body = Value)),
    tag = "live"
)]
async fn replay(State(app): State<App>, Caller(principal): Caller, Path(id): Path<String>, uri: Uri) -> Answer {
    Params::of(&uri, &[])?;
    Ok(reply::json(&json!({"replayed": app.service.replay_webhook(&principal, &id).await?})))
}
