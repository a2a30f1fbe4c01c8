//! Who sent the request: a key as Bearer or Basic, the folder's owner, or anybody on loopback.

use hyper::HeaderMap;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Lobby, Principal, Scope, Service, shown};
use tonic::{Request, Status};

use crate::status::OrStatus;

/// The authenticated caller of a request, and the key that they showed.
#[derive(Clone)]
pub struct Caller {
    principal: Principal,
    /// The key's text, to be handed back as a Bearer token.
    pub shown: Option<String>,
}

impl Caller {
    /// Finds the caller of a request by its headers.
    pub fn of(service: &Service, lobby: &Lobby, headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        Ok(Self { principal: lobby.admit(service, text)?, shown: shown(text)? })
    }

    /// Returns the caller that the border found.
    pub fn find<T>(request: &Request<T>) -> Result<Self, Status> {
        let missing = || Problem::new(ErrorClass::Unauthenticated, "this call needs a key");
        request.extensions().get::<Self>().cloned().ok_or_else(missing).or_status()
    }

    /// Returns the caller's principal when they may do `scope`.
    pub fn may(self, scope: Scope) -> Result<Principal, Problem> {
        self.principal.require(scope)?;
        Ok(self.principal)
    }
}
