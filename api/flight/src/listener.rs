//! A bound address and the server on it: start, stop within a time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use partitura_service::{Secret, Service};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::border::Border;
use crate::connections::Connections;
use crate::credentials::Lobby;
use crate::tls::Tls;

/// How long connections that are cut off are waited for.
const CUT_MAX: Duration = Duration::from_millis(500);

/// An address that is ours, before anything is served on it.
#[derive(Debug)]
pub struct Bound {
    socket: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Returns the address, with the port that was picked.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns whether only this machine can reach it.
    pub const fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

/// Binds `address`. The error says who may hold it and what to do.
pub async fn bind(address: SocketAddr) -> Result<Bound, Problem> {
    let socket = TcpListener::bind(address).await.map_err(|error| refused(address, &error))?;
    let address = socket.local_addr().map_err(|error| refused(address, &error))?;
    Ok(Bound { socket, address })
}

fn refused(address: SocketAddr, error: &io::Error) -> Problem {
    let detail = match error.kind() {
        io::ErrorKind::AddrInUse => format!("{address} is in use by another program"),
        io::ErrorKind::PermissionDenied => format!("{address} may not be used by you"),
        _ => format!("{address} cannot be used: {error}"),
    };
    Problem::new(ErrorClass::Unavailable, detail)
        .code("address_unusable")
        .hint("choose another address with --flight (port 0 picks a free one), or --flight off")
}

/// A running listener.
#[derive(Debug)]
pub struct Flight {
    address: SocketAddr,
    encrypted: bool,
    stop: CancellationToken,
    cut: CancellationToken,
    task: JoinHandle<()>,
}

impl Flight {
    /// Serves Flight SQL on a bound address, with TLS if there is a certificate.
    pub fn serve(bound: Bound, service: Arc<Service>, operator: Secret, tls: Option<Tls>) -> Self {
        let (stop, encrypted) = (CancellationToken::new(), tls.is_some());
        let lobby = Lobby { loopback: bound.is_loopback(), operator };
        let border = Border::new(service, lobby);
        let connections = Connections::new(border, tls, stop.clone());
        let (address, cut) = (bound.address, connections.cut());
        let task = tokio::spawn(connections.serve(bound.socket));
        Self { address, encrypted, stop, cut, task }
    }

    /// Returns where it answers, as ADBC clients write it.
    pub fn uri(&self) -> String {
        format!("grpc{}://{}", if self.encrypted { "+tls" } else { "" }, self.address)
    }

    /// Takes no new connections, lets running calls end for `limit`, then cuts them off.
    pub async fn stop(mut self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, &mut self.task).await.is_err() {
            tracing::warn!(limit_ms = limit.as_millis() as u64, "flight calls were cut off");
            self.cut.cancel();
            let _ = tokio::time::timeout(CUT_MAX, &mut self.task).await;
        }
    }
}
