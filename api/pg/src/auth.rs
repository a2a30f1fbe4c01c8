//! Who comes: a key by SCRAM or in clear text, the folder's owner, or anybody on loopback while no key exists.

use bytes::Bytes;
use partitura_event::{ErrorClass, Problem, Workspace};
use partitura_service::{Credential, Principal, Scope};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::startup::Authentication;

use crate::door::Door;
use crate::frontend::utf8;
use crate::problem::protocol;
use crate::scram::{self, Exchange};
use crate::settings;
use crate::startup::Guest;
use crate::wire::{Unread, Wire};

/// Most bytes of a password or a proof.
const PASSWORD_BYTES_MAX: usize = 8 << 10;
/// The one database.
pub const DATABASE: &str = "partitura";

/// Finds the key of a client that wants a session.
pub async fn admit(door: &Door, wire: &mut Wire, guest: &Guest) -> Result<Principal, Unread> {
    let principal = identify(door, wire, guest).await?;
    principal.require(Scope::Read).map_err(Unread::Broken)?;
    // Libraries that are told of no database ask for one of the user's name.
    let database = guest.database.as_ref().filter(|name| **name != guest.user && *name != DATABASE);
    if let Some(name) = database {
        let problem = Problem::new(ErrorClass::NotFound, format!("database \"{name:.60}\" does not exist"));
        let hint =
            "there is one, `partitura`; a workspace is chosen by the key, or with options=-cpartitura.workspace=NAME";
        return Err(Unread::Broken(problem.code("unknown_database").hint(hint)));
    }
    Ok(principal)
}

async fn identify(door: &Door, wire: &mut Wire, guest: &Guest) -> Result<Principal, Unread> {
    let service = &door.service;
    if door.asks_for_encryption() && !guest.encrypted {
        let problem = Problem::new(ErrorClass::Unauthenticated, "this server takes encrypted connections only");
        return Err(Unread::Broken(problem.code("encryption_needed").hint("connect with sslmode=require or stricter")));
    }
    let wanted = guest.settings.get(settings::WORKSPACE).map(Workspace::new).transpose().map_err(Unread::Broken)?;
    if door.loopback && !service.keys().is_used() {
        return service.authenticate(Credential::Loopback, wanted.as_ref()).map_err(Unread::Broken);
    }
    let id = key_id(&guest.user);
    let private = guest.encrypted || door.loopback;
    if service.keys().takes_proofs(id) || !private {
        return by_proof(door, wire, id, wanted.as_ref()).await;
    }
    ask(wire, Authentication::CleartextPassword).await?;
    let text = password(door, wire).await?;
    let key = text.strip_suffix(b"\0").ok_or_else(|| Unread::Broken(protocol("the password has no end")))?;
    let key = utf8(key).map_err(Unread::Broken)?.to_owned();
    let credential = if door.operator.is(&key) { Credential::Operator } else { Credential::Key(key) };
    service.authenticate(credential, wanted.as_ref()).map_err(|problem| Unread::Broken(as_password(problem, guest)))
}

/// Without encryption a password is never asked for, so a key without a verifier is not found out here.
async fn by_proof(door: &Door, wire: &mut Wire, id: &str, wanted: Option<&Workspace>) -> Result<Principal, Unread> {
    ask(wire, Authentication::SASL(vec![scram::MECHANISM.to_owned()])).await?;
    let initial = password(door, wire).await?;
    let first = initial_response(&initial).map_err(Unread::Broken)?;
    let exchange = Exchange::begin(first, id).map_err(Unread::Broken)?;
    ask(wire, Authentication::SASLContinue(exchange.challenge.clone().into())).await?;
    let last = password(door, wire).await?;
    let shown = utf8(&last).and_then(|last| exchange.shown(last)).map_err(Unread::Broken)?;
    let proven = door.service.keys().prove(id, &shown.messages, &shown.proof, wanted).map_err(|problem| {
        Unread::Broken(problem.hint("the user is the key's id, the password its whole text, pt_…"))
    })?;
    ask(wire, Authentication::SASLFinal(scram::signed(&proven.signature).into())).await?;
    Ok(proven.principal)
}

/// Reads the mechanism and the first message.
fn initial_response(body: &Bytes) -> Result<&str, Problem> {
    let (mechanism, rest) = utf8(body.split(|byte| *byte == 0).next().unwrap_or_default())
        .map(|mechanism| (mechanism, body.get(mechanism.len() + 5..)))?;
    if mechanism != scram::MECHANISM {
        return Err(protocol(format!("there is no mechanism {mechanism:.40}; {} was offered", scram::MECHANISM)));
    }
    utf8(rest.ok_or_else(|| protocol("the first message of the exchange is missing"))?)
}

/// Returns the public half of a key that is the name of a user.
fn key_id(user: &str) -> &str {
    let user = user.strip_prefix("key/").or_else(|| user.strip_prefix("pt_")).unwrap_or(user);
    user.split('_').next().unwrap_or(user)
}

fn as_password(problem: Problem, guest: &Guest) -> Problem {
    if problem.code != "invalid_key" {
        return problem;
    }
    let detail = format!("password authentication failed for user \"{:.60}\": {}", guest.user, problem.detail);
    Problem { detail, ..problem }.hint("the password is the key's whole text, pt_…; the user may be anything")
}

async fn ask(wire: &mut Wire, what: Authentication) -> Result<(), Unread> {
    wire.send(PgWireBackendMessage::Authentication(what)).await?;
    Ok(wire.flush().await?)
}

async fn password(door: &Door, wire: &mut Wire) -> Result<Bytes, Unread> {
    match wire.frame(&door.service, PASSWORD_BYTES_MAX).await {
        Ok(Some(frame)) if frame.tag == b'p' => Ok(frame.body),
        Ok(Some(_)) => Err(Unread::Broken(protocol("a password is expected"))),
        Ok(None) => Err(Unread::Gone(std::io::ErrorKind::UnexpectedEof.into())),
        Err(Unread::Refused { problem, .. }) => Err(Unread::Broken(problem)),
        Err(other) => Err(other),
    }
}
