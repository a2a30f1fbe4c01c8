//! Who sent the request: a key as Bearer or Basic, the folder's owner, or anybody on loopback.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use partitura_event::{ErrorClass, Problem, Workspace};
use partitura_service::{Credential, Principal, Scope, Secret, Service};
use tonic::{Request, Status};

use crate::status::OrStatus;

/// Go's drivers leave the padding out, Java's and C++'s do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The authenticated caller of a request, and the key that they showed.
#[derive(Clone)]
pub struct Caller {
    principal: Principal,
    /// The key's text, to be handed back as a Bearer token.
    pub shown: Option<String>,
}

/// What a listener knows of its own.
#[derive(Debug)]
pub struct Lobby {
    /// Only this machine can reach it.
    pub loopback: bool,
    /// The folder owner's secret, as `LOCK` holds it.
    pub operator: Secret,
}

impl Caller {
    /// Finds the caller of a request by its headers.
    pub fn of(service: &Service, lobby: &Lobby, headers: &HeaderMap) -> Result<Self, Problem> {
        let wanted = match headers.get("x-partitura-workspace") {
            None => None,
            Some(name) => Some(Workspace::new(name.to_str().unwrap_or_default())?),
        };
        let shown = shown(headers)?;
        let credential = match &shown {
            Some(key) if lobby.operator.is(key) => Credential::Operator,
            Some(key) => Credential::Key(key.clone()),
            None if lobby.loopback => Credential::Loopback,
            None => Credential::None,
        };
        Ok(Self { principal: service.authenticate(credential, wanted.as_ref())?, shown })
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

fn shown(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().map(|key| Some(key.trim().to_owned())).map_err(|_| unreadable());
    }
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| unreadable())?;
    let (scheme, rest) = text.split_once(' ').ok_or_else(unreadable)?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Some(rest.trim().to_owned())),
        "basic" => {
            let pair = BASE64.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let (_user, secret) = pair.as_deref().and_then(|pair| pair.split_once(':')).ok_or_else(unreadable)?;
            Ok(Some(secret.to_owned()))
        }
        _ => Err(unreadable()),
    }
}

fn unreadable() -> Problem {
    Problem::new(ErrorClass::Unauthenticated, "the credentials cannot be read")
        .code("unreadable_credentials")
        .hint("connect with the key as token, or as password with any user name")
}
