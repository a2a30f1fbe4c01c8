//! What every handler is given.

use std::sync::Arc;

use partitura_service::{Lobby, Service};
use tokio_util::sync::CancellationToken;

/// The service, and what belongs to this listener alone. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The one door.
    pub service: Arc<Service>,
    /// Cancelled when the server stops, so that open streams end.
    pub stop: CancellationToken,
    /// The listener, as its clients see it.
    pub listener: Arc<Listener>,
}

/// One bound address.
#[derive(Debug)]
pub struct Listener {
    /// How it knows its callers.
    pub lobby: Lobby,
    /// Host names that browsers may use besides the loopback's own.
    pub allowed_hosts: Vec<String>,
}
