//! Who stands in front of a listener: a key in one of three headers, the folder's owner, or anybody on loopback.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use partitura_event::{ErrorClass, Problem, Workspace};

use crate::principal::Principal;
use crate::secret::Secret;
use crate::service::{Credential, Service};

/// Go's clients leave the padding out, Java's and C++'s do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a listener knows of its own.
#[derive(Clone, Debug)]
pub struct Lobby {
    /// Only this machine can reach it.
    pub loopback: bool,
    /// The folder owner's secret, as `LOCK` holds it.
    pub operator: Secret,
}

impl Lobby {
    /// Finds the caller of a request; `header` returns the text of one of its headers.
    pub fn admit<'h>(&self, service: &Service, header: impl Fn(&str) -> Option<&'h str>) -> Result<Principal, Problem> {
        let wanted = header("x-partitura-workspace").map(Workspace::new).transpose()?;
        let credential = match shown(header)? {
            Some(key) if self.operator.is(&key) => Credential::Operator,
            Some(key) => Credential::Key(key),
            None if self.loopback => Credential::Loopback,
            None => Credential::None,
        };
        service.authenticate(credential, wanted.as_ref())
    }
}

/// Returns the key that a request shows: in `X-API-Key`, as Bearer, or as the password of Basic.
pub fn shown<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Result<Option<String>, Problem> {
    if let Some(key) = header("x-api-key") {
        return Ok(Some(key.trim().to_owned()));
    }
    let Some(text) = header("authorization") else { return Ok(None) };
    let (scheme, rest) = text.split_once(' ').ok_or_else(unreadable)?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Some(rest.trim().to_owned())),
        "basic" => {
            let pair = BASE64.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let (_public, secret) = pair.as_deref().and_then(|pair| pair.split_once(':')).ok_or_else(unreadable)?;
            Ok(Some(secret.to_owned()))
        }
        _ => Err(unreadable()),
    }
}

fn unreadable() -> Problem {
    Problem::new(ErrorClass::Unauthenticated, "the credentials cannot be read")
        .code("unreadable_credentials")
        .hint("send `Authorization: Bearer pt_…`, `X-API-Key: pt_…`, or Basic with any user name and the key")
}
