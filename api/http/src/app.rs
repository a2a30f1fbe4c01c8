//! What every handler is given.

use std::sync::Arc;

use partitura_service::{Secret, Service};
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
    /// Only this machine can reach it.
    pub loopback: bool,
    /// Host names that browsers may use besides the loopback's own.
    pub allowed_hosts: Vec<String>,
    /// The folder owner's secret, as `LOCK` holds it.
    pub operator: Secret,
}
