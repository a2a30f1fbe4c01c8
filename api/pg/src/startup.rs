//! The first words of a connection: encrypted or not, who comes and what they want, or a cancel request.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use partitura_event::{ErrorClass, Problem};
use partitura_net::Tls;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{GssEncResponse, SslResponse};
use pgwire::messages::startup::NegotiateProtocolVersion;
use tokio::net::TcpStream;

use crate::door::Door;
use crate::frontend::Fields;
use crate::problem::protocol;
use crate::wire::{Unread, Wire};

const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;
const VERSION: u32 = 3;
/// The first byte of TLS, when a client does not ask before it speaks it.
const TLS_HANDSHAKE: u8 = 0x16;
/// Most bytes of a first message.
const LENGTH_MAX: usize = 10_000;

/// What a client came for.
pub enum Came {
    /// A session.
    Session(Guest),
    /// To cancel what another session runs.
    Cancel { pid: i32, secret: i32 },
}

/// A client that wants a session.
pub struct Guest {
    pub user: String,
    pub database: Option<String>,
    /// Settings that it asks for; names are in small letters.
    pub settings: BTreeMap<String, String>,
    pub encrypted: bool,
}

/// Reads the first messages; encrypts the stream when the client asks for that. `None` when it went.
pub async fn meet(door: &Door, stream: TcpStream) -> Option<(Wire, Result<Came, Problem>)> {
    let stall = door.stall();
    let mut first = [0];
    let direct = matches!(stream.peek(&mut first).await, Ok(1)) && first[0] == TLS_HANDSHAKE;
    if direct {
        let stream = door.tls()?.accept(stream, door.idle()).await?;
        let mut wire = Wire::new(Box::new(stream), stall);
        let came = came(&mut wire, None).await;
        return settled(wire, came.map(|came| came.with_encryption(true)));
    }
    let mut wire = Wire::new(Box::new(stream), stall);
    match came(&mut wire, door.tls()).await {
        Ok(Met::Encrypt) => {
            // Bytes that were sent before the encryption was agreed on are somebody else's.
            let stream = door.tls()?.accept(wire.into_stream()?, door.idle()).await?;
            let mut wire = Wire::new(Box::new(stream), stall);
            let came = came(&mut wire, None).await;
            settled(wire, came.map(|came| came.with_encryption(true)))
        }
        other => settled(wire, other),
    }
}

fn settled(wire: Wire, met: Result<Met, Unread>) -> Option<(Wire, Result<Came, Problem>)> {
    match met {
        Ok(Met::Came(came)) => Some((wire, Ok(came))),
        Ok(Met::Encrypt) => Some((wire, Err(protocol("the connection is encrypted already")))),
        Err(Unread::Refused { problem, .. } | Unread::Broken(problem)) => Some((wire, Err(problem))),
        Err(Unread::Gone(error)) => {
            tracing::debug!(%error, "a client went before it said what it wanted");
            None
        }
    }
}

enum Met {
    Encrypt,
    Came(Came),
}

impl Met {
    fn with_encryption(mut self, is: bool) -> Self {
        if let Self::Came(Came::Session(guest)) = &mut self {
            guest.encrypted = is;
        }
        self
    }
}

async fn came(wire: &mut Wire, tls: Option<&Tls>) -> Result<Met, Unread> {
    // Each may be asked for once.
    for _ in 0..3 {
        let length = wire.exactly(4).await?.get_u32() as usize;
        if !(8..=LENGTH_MAX).contains(&length) {
            return Err(Unread::Broken(protocol(format!("the first message says that it is {length} bytes long"))));
        }
        let mut body = wire.exactly(length - 4).await?;
        let code = body.get_u32();
        match code {
            SSL if tls.is_some() => {
                wire.send(PgWireBackendMessage::SslResponse(SslResponse::Accept)).await?;
                wire.flush().await?;
                return Ok(Met::Encrypt);
            }
            SSL => wire.send(PgWireBackendMessage::SslResponse(SslResponse::Refuse)).await?,
            GSS => wire.send(PgWireBackendMessage::GssEncResponse(GssEncResponse::Refuse)).await?,
            CANCEL if body.len() == 8 => {
                let (pid, secret) = (body.get_i32(), body.get_i32());
                return Ok(Met::Came(Came::Cancel { pid, secret }));
            }
            _ if code >> 16 == VERSION => {
                let guest = guest(wire, code & 0xFFFF, body).await?;
                return Ok(Met::Came(Came::Session(guest)));
            }
            _ => {
                let said = format!("version {}.{} of the protocol is not spoken here", code >> 16, code & 0xFFFF);
                return Err(Unread::Broken(protocol(said)));
            }
        }
        wire.flush().await?;
    }
    Err(Unread::Broken(protocol("encryption was asked for again and again")))
}

async fn guest(wire: &mut Wire, minor: u32, body: Bytes) -> Result<Guest, Unread> {
    let mut fields = Fields(body);
    let mut settings = BTreeMap::new();
    let mut unknown = Vec::new();
    loop {
        let name = fields.text().map_err(Unread::Broken)?;
        if name.is_empty() {
            break;
        }
        let value = fields.text().map_err(Unread::Broken)?;
        match name.strip_prefix("_pq_.") {
            Some(_) => unknown.push(name),
            None => drop(settings.insert(name.to_lowercase(), value)),
        }
    }
    if minor > 0 || !unknown.is_empty() {
        let negotiate = NegotiateProtocolVersion::new(0, unknown);
        wire.send(PgWireBackendMessage::NegotiateProtocolVersion(negotiate)).await?;
    }
    if settings.remove("replication").is_some_and(|value| !matches!(value.as_str(), "false" | "off" | "no" | "0")) {
        let detail = "replication is not spoken here";
        let problem = Problem::new(ErrorClass::Invalid, detail).code("sql_not_supported");
        return Err(Unread::Broken(problem.hint("follow the log with GET /v1/events/stream")));
    }
    let user = settings.remove("user").filter(|user| !user.is_empty());
    let user = user.ok_or_else(|| Unread::Broken(protocol("the client names no user")))?;
    let database = settings.remove("database").filter(|name| !name.is_empty());
    if let Some(options) = settings.remove("options") {
        settings.extend(command_line(&options).map_err(Unread::Broken)?);
    }
    Ok(Guest { user, database, settings, encrypted: false })
}

/// Reads `-c name=value` and `--name=value`; a backslash keeps a blank.
fn command_line(options: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut words = vec![String::new()];
    let mut letters = options.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => words.last_mut().into_iter().for_each(|word| word.extend(letters.next())),
            ' ' => words.push(String::new()),
            other => words.last_mut().into_iter().for_each(|word| word.push(other)),
        }
    }
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let pair = match word.as_str() {
            "-c" => words.next(),
            _ => word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).map(str::to_owned),
        };
        let setting = pair.as_deref().and_then(|pair| pair.split_once('='));
        let (name, value) = setting.ok_or_else(|| protocol(format!("`options` has no setting in {word:.60}")))?;
        settings.push((name.replace('-', "_").to_lowercase(), value.to_owned()));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_postgres_reads_them() {
        let read = |text: &str| command_line(text).expect("options");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let given = read(r"-c statement_timeout=5s  --search-path=a\ b -cjit=off");
        assert_eq!(given, [pair("statement_timeout", "5s"), pair("search_path", "a b"), pair("jit", "off")]);
        for wrong in ["-c", "-x y", "-c name", "free"] {
            assert_eq!(command_line(wrong).expect_err("it is refused").code, "pg_message", "{wrong}");
        }
    }
}
