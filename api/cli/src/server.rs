//! The server as one object: open the folder, bind, announce, run, stop within the time that is set.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use partitura_event::{Clock, ErrorClass, Position, Problem, SystemClock};
use partitura_flight::Flight;
use partitura_http::{Http, Mount};
use partitura_mcp::Mcp;
use partitura_service::{Folder, Holder, Secret, Service, Settings};

/// A running server.
pub struct Server {
    service: Arc<Service>,
    http: Http,
    flight: Option<Flight>,
    address: SocketAddr,
    operator: String,
    settings: Settings,
}

impl Server {
    /// Takes the folder, then the addresses, so that either is said before anything is opened.
    pub async fn start(settings: Settings) -> Result<Self, Problem> {
        let started = Instant::now();
        partitura_service::raise_file_limit();
        let tls = partitura_flight::load_tls(&settings, SystemClock.now())?;
        let folder = Folder::open(&settings.data)?;
        let listener = partitura_http::bind(settings.http).await?;
        let flight = match settings.flight {
            Some(address) => Some(partitura_flight::bind(address).await?),
            None => None,
        };
        let service = Service::open(folder, settings.clone(), Arc::new(SystemClock)).await?;
        let open_flight = flight.as_ref().filter(|flight| !flight.is_loopback()).map(partitura_flight::Bound::address);
        let reachable = (!listener.is_loopback()).then(|| listener.address()).or(open_flight);
        if let Some(address) = reachable
            && !service.keys().has_live_key()
        {
            service.close().await?;
            return Err(keyless(address));
        }
        let secret = Secret::generate()?;
        let operator = secret.reveal();
        let address = listener.address();
        let flight = flight.map(|bound| Flight::serve(bound, Arc::clone(&service), secret.clone(), tls));
        let http = Http::serve(listener, Arc::clone(&service), secret, mounts(&service));
        service.announce(address, operator.clone())?;
        let (opened_ms, head) = (started.elapsed().as_millis() as u64, service.head().map_or(0, Position::get));
        tracing::info!(%address, data = %settings.data.display(), head, opened_ms, "serving");
        Ok(Self { service, http, flight, address, operator, settings })
    }

    /// Returns every listener, by name.
    pub fn listeners(&self) -> Vec<(&'static str, String)> {
        let flight = self.flight.as_ref().map(|flight| ("flight", flight.uri()));
        [("http", format!("http://{}", self.address))].into_iter().chain(flight).collect()
    }

    /// Returns what `LOCK` says of it.
    pub fn holder(&self) -> Holder {
        Holder { pid: std::process::id(), http: Some(self.address), operator: Some(self.operator.clone()) }
    }

    /// Refuses new requests, lets running ones end, then closes log and tables.
    pub async fn stop(self) -> Result<(), Problem> {
        let limit = self.settings.shutdown_max;
        let deadline = tokio::time::Instant::now() + limit;
        self.service.stop_accepting();
        let flight = async {
            if let Some(flight) = self.flight {
                flight.stop(limit / 2).await;
            }
        };
        tokio::join!(self.http.stop(limit / 2), flight);
        match tokio::time::timeout_at(deadline, self.service.close()).await {
            Ok(closed) => closed,
            // Everything acknowledged is in the log; the tables catch up at the next start.
            Err(_) => {
                tracing::warn!("tables were not written in time; the next start reads them from the log");
                // Dropping its parts would wait for what did not end in time; the process ends with them.
                std::mem::forget(self.service);
                Ok(())
            }
        }
    }
}

/// The protocols that share the listener with the API.
fn mounts(service: &Arc<Service>) -> Vec<Mount> {
    let mcp = Mcp::new(Arc::clone(service));
    vec![Mount::new(Mcp::PATH, move |request| mcp.clone().answer(request).boxed())]
}

fn keyless(address: SocketAddr) -> Problem {
    Problem::new(
        ErrorClass::Unauthenticated,
        format!("{address} can be reached from other machines, and no key exists yet"),
    )
    .code("key_needed")
    .hint("make one with `partitura keys create --scopes ingest,read`, or serve on 127.0.0.1")
}
