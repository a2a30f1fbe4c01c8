//! An address that is ours, before anything is served on it.

use std::io;
use std::net::SocketAddr;

use partitura_event::{ErrorClass, Problem};
use tokio::net::TcpListener;

/// A bound address, with the name of its setting: `http`, `flight`.
#[derive(Debug)]
pub struct Bound {
    pub(crate) name: &'static str,
    pub(crate) socket: TcpListener,
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

/// Binds the address of the setting `name`. The error says who may hold it and what to do.
pub async fn bind(name: &'static str, address: SocketAddr) -> Result<Bound, Problem> {
    take(name, address).await.map_err(|error| refused(name, address, &error, ""))
}

/// Binds the address of a setting that may be `off`.
pub async fn bind_optional(name: &'static str, address: Option<SocketAddr>) -> Result<Option<Bound>, Problem> {
    let Some(address) = address else { return Ok(None) };
    let off = format!(", or --{} off", flag(name));
    take(name, address).await.map(Some).map_err(|error| refused(name, address, &error, &off))
}

async fn take(name: &'static str, address: SocketAddr) -> io::Result<Bound> {
    let socket = TcpListener::bind(address).await?;
    let address = socket.local_addr()?;
    Ok(Bound { name, socket, address })
}

fn flag(name: &str) -> String {
    name.replace('_', "-")
}

fn refused(name: &str, address: SocketAddr, error: &io::Error, off: &str) -> Problem {
    let flag = flag(name);
    let (detail, hint) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            format!("{address} is in use by another program"),
            format!("stop that program, choose another address with --{flag} (port 0 picks a free one){off}"),
        ),
        io::ErrorKind::PermissionDenied => {
            (format!("{address} may not be used by you"), format!("choose a port above 1023 with --{flag}{off}"))
        }
        _ => (format!("{address} cannot be used: {error}"), format!("choose another address with --{flag}{off}")),
    };
    Problem::new(ErrorClass::Unavailable, detail).code("address_unusable").hint(hint)
}
