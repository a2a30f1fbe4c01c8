//! Who sent the request: a key in one of four headers, the folder's owner, or anybody on loopback.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Principal, Scope};

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
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let offered = of_subprotocol(headers).map(|key| format!("Bearer {key}"));
    let shown = |name: &str| text(name).or_else(|| offered.as_deref().filter(|_| name == "authorization"));
    let principal = app.listener.lobby.admit(&app.service, shown)?;
    if let Some(scope) = scope {
        principal.require(scope)?;
    }
    Ok(principal)
}

/// Returns the key among the subprotocols that a WebSocket client offers.
fn of_subprotocol(headers: &HeaderMap) -> Option<&str> {
    let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    let mut offered = lists.flat_map(|list| list.split(',')).map(str::trim);
    offered.find_map(|name| name.strip_prefix(KEY_PROTOCOL))
}

fn missing() -> Problem {
    Problem::new(ErrorClass::Unauthenticated, "this route needs a key")
}
