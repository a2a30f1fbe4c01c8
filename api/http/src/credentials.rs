//! Who sent the request: a key in one of four headers, the folder's owner, or anybody on loopback.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use partitura_event::{ErrorClass, Problem, Workspace};
use partitura_service::{Credential, Principal, Scope};

use crate::app::App;
use crate::failure::Failure;

/// Subprotocol of our WebSocket.
pub const SUBPROTOCOL: &str = "partitura.v1";
/// A browser sets no headers on a WebSocket but its subprotocols: one of them may carry the key.
const KEY_PROTOCOL: &str = "partitura.key.";

/// The authenticated caller of this request.
#[derive(Clone, Debug)]
pub struct Caller(pub Principal);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing().into())
    }
}

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: health and the API's description.
    Open,
    /// A key, or none where none is needed; what is called asks for its own scope.
    Known,
    /// A key with this scope.
    Needs(Scope),
}

/// Lets the request through when its caller may.
pub async fn guard(State((app, access)): State<(App, Access)>, mut request: Request, next: Next) -> Response {
    let scope = match access {
        Access::Open => return next.run(request).await,
        Access::Known => None,
        Access::Needs(scope) => Some(scope),
    };
    match admit(&app, request.headers(), scope) {
        Ok(principal) => {
            request.extensions_mut().insert(Caller(principal));
            next.run(request).await
        }
        Err(problem) => Failure::from(problem).into_response(),
    }
}

fn admit(app: &App, headers: &HeaderMap, scope: Option<Scope>) -> Result<Principal, Problem> {
    let wanted = match headers.get("x-partitura-workspace") {
        None => None,
        Some(name) => Some(Workspace::new(name.to_str().unwrap_or_default())?),
    };
    let credential = match presented(headers)? {
        Some(key) if app.listener.operator.is(&key) => Credential::Operator,
        Some(key) => Credential::Key(key),
        None if app.listener.loopback => Credential::Loopback,
        None => Credential::None,
    };
    let principal = app.service.authenticate(credential, wanted.as_ref())?;
    if let Some(scope) = scope {
        principal.require(scope)?;
    }
    Ok(principal)
}

fn presented(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().map(|key| Some(key.trim().to_owned())).map_err(|_| unreadable());
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(of_subprotocol(headers)) };
    let text = value.to_str().map_err(|_| unreadable())?;
    let (scheme, rest) = text.split_once(' ').ok_or_else(unreadable)?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Some(rest.trim().to_owned())),
        "basic" => {
            let pair = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let (_public, secret) = pair.as_deref().and_then(|pair| pair.split_once(':')).ok_or_else(unreadable)?;
            Ok(Some(secret.to_owned()))
        }
        _ => Err(unreadable()),
    }
}

/// Returns the key among the subprotocols that a WebSocket client offers.
fn of_subprotocol(headers: &HeaderMap) -> Option<String> {
    let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    let mut offered = lists.flat_map(|list| list.split(',')).map(str::trim);
    offered.find_map(|name| name.strip_prefix(KEY_PROTOCOL)).map(str::to_owned)
}

fn unreadable() -> Problem {
    Problem::new(ErrorClass::Unauthenticated, "the credentials cannot be read")
        .code("unreadable_credentials")
        .hint("send `Authorization: Bearer pt_…`, `X-API-Key: pt_…`, or Basic with the key's id and the key")
}

fn missing() -> Problem {
    Problem::new(ErrorClass::Unauthenticated, "this route needs a key")
}
