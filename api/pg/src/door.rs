//! The listener: a session for each connection, within limits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use partitura_net::{Bound, Listening, Protocol, Tls};
use partitura_service::{Secret, Service};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::auth;
use crate::backends::Backends;
use crate::problem::{self, Place, Severity};
use crate::session::Session;
use crate::startup::{self, Came, Guest};
use crate::wire::{Unread, Wire};

/// What all sessions of a listener share.
pub struct Door {
    pub service: Arc<Service>,
    pub operator: Secret,
    /// Only this machine can reach it.
    pub loopback: bool,
    pub backends: Arc<Backends>,
    tls: Option<Tls>,
}

/// Serves the Postgres wire, with TLS for clients that ask for it if there is a certificate.
pub fn serve(bound: Bound, service: Arc<Service>, operator: Secret, tls: Option<Tls>) -> Listening {
    let uri = format!("postgres://{}/{}", bound.address(), auth::DATABASE);
    let connections_max = service.settings().connections_max;
    let loopback = bound.is_loopback();
    // Clients that speak TLS at once must name the protocol (RFC 7301).
    let tls = tls.map(|tls| tls.speaks(b"postgresql"));
    let door = Door { service, operator, loopback, backends: Arc::default(), tls };
    partitura_net::serve(bound, uri, door, connections_max, CancellationToken::new())
}

impl Door {
    /// Returns the certificate.
    pub const fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Where others could listen, a certificate that is there is used.
    pub const fn asks_for_encryption(&self) -> bool {
        self.tls.is_some() && !self.loopback
    }

    /// Returns how long a client may take until it is let in.
    pub fn idle(&self) -> Duration {
        self.service.settings().idle_timeout
    }

    /// Returns how long a client may not read.
    pub fn stall(&self) -> Duration {
        self.service.settings().stall_timeout
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) {
        let Ok(met) = timeout(self.idle(), self.meet(stream)).await else {
            tracing::debug!("a client took too long to say who it is");
            return;
        };
        let Some((mut wire, session)) = met else { return };
        match session {
            Ok(session) => session.run(wire, stop).await,
            Err(problem) => {
                let said = problem::error(&problem, Severity::Fatal, Place::default());
                if wire.send(said).await.is_ok() {
                    wire.close().await;
                }
            }
        }
    }

    /// Returns the session that a client was let into, or why not; none when nothing is to be said.
    async fn meet(self: &Arc<Self>, stream: TcpStream) -> Option<(Wire, Result<Session, Problem>)> {
        let (mut wire, came) = startup::meet(self, stream).await?;
        let guest = match came {
            Ok(Came::Session(guest)) => guest,
            Ok(Came::Cancel { pid, secret }) => {
                self.backends.cancel(pid, secret);
                return None;
            }
            Err(problem) => return Some((wire, Err(problem))),
        };
        match self.open(&mut wire, guest).await {
            Ok(session) => Some((wire, Ok(session))),
            Err(Unread::Refused { problem, .. } | Unread::Broken(problem)) => Some((wire, Err(problem))),
            Err(Unread::Gone(error)) => {
                tracing::debug!(%error, "a client went before it was let in");
                None
            }
        }
    }

    async fn open(self: &Arc<Self>, wire: &mut Wire, guest: Guest) -> Result<Session, Unread> {
        let principal = auth::admit(self, wire, &guest).await?;
        let mut session = Session::new(self, principal, &guest).map_err(Unread::Broken)?;
        session.greet(wire).await?;
        Ok(session)
    }
}

impl Protocol for Door {
    async fn serve(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) {
        self.converse(stream, stop).instrument(tracing::info_span!("pg")).await;
    }

    async fn turn_away(self: Arc<Self>, stream: TcpStream, max: usize) {
        let said = async {
            // A client that asks for encryption first would take the error for an answer to that.
            let (mut wire, _) = startup::meet(&self, stream).await.ok_or(io::ErrorKind::UnexpectedEof)?;
            let problem = Problem::new(ErrorClass::Busy, format!("{max} connections are open: that is the limit"));
            let problem = problem.code("too_many_connections").hint("close some, or raise `connections_max`");
            wire.send(problem::error(&problem, Severity::Fatal, Place::default())).await?;
            wire.close().await;
            Ok::<_, io::Error>(())
        };
        let _ = timeout(self.stall(), said).await;
    }
}
