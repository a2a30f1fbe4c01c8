//! The server as one object: open the folder, bind, announce, run, stop within the time that is set.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use partitura_event::{Clock, ErrorClass, Position, Problem, SystemClock};
use partitura_export::Schedule;
use partitura_http::Mount;
use partitura_mcp::Mcp;
use partitura_net::{Bound, Listening, Tls};
use partitura_service::{ExportSpec, Folder, Holder, Secret, Service, Settings};

/// A running server.
pub struct Server {
    service: Arc<Service>,
    doors: Vec<Listening>,
    address: SocketAddr,
    operator: String,
    settings: Settings,
    schedule: Option<Schedule>,
}

/// Every address of the settings, taken before anything is opened.
struct Addresses {
    http: Bound,
    flight: Option<Bound>,
    pg: Option<Bound>,
    otlp_grpc: Option<Bound>,
    otlp_http: Option<Bound>,
}

impl Addresses {
    async fn bind(settings: &Settings) -> Result<Self, Problem> {
        Ok(Self {
            http: partitura_net::bind("http", settings.http).await?,
            flight: partitura_net::bind_optional("flight", settings.flight).await?,
            pg: partitura_net::bind_optional("pg", settings.pg).await?,
            otlp_grpc: partitura_net::bind_optional("otlp_grpc", settings.otlp_grpc).await?,
            otlp_http: partitura_net::bind_optional("otlp_http", settings.otlp_http).await?,
        })
    }

    /// Returns the first that other machines can reach.
    fn reachable(&self) -> Option<SocketAddr> {
        let beside = [&self.flight, &self.pg, &self.otlp_grpc, &self.otlp_http];
        let all = beside.into_iter().filter_map(Option::as_ref).chain([&self.http]);
        all.into_iter().find(|bound| !bound.is_loopback()).map(Bound::address)
    }

    /// Opens every door.
    fn serve(self, service: &Arc<Service>, operator: &Secret, tls: Option<Tls>) -> Vec<Listening> {
        let mut doors = vec![partitura_http::serve(self.http, Arc::clone(service), operator.clone(), mounts(service))];
        if let Some(bound) = self.flight {
            doors.push(partitura_flight::serve(bound, Arc::clone(service), operator.clone(), tls.clone()));
        }
        if let Some(bound) = self.pg {
            doors.push(partitura_pg::serve(bound, Arc::clone(service), operator.clone(), tls.clone()));
        }
        if let Some(bound) = self.otlp_grpc {
            doors.push(partitura_otlp::serve(bound, Arc::clone(service), operator.clone(), tls));
        }
        if let Some(bound) = self.otlp_http {
            doors.push(partitura_http::serve_otlp(bound, Arc::clone(service), operator.clone()));
        }
        doors
    }
}

impl Server {
    /// Takes the folder, then the addresses, so that either is said before anything is opened.
    pub async fn start(settings: Settings) -> Result<Self, Problem> {
        Self::start_with(settings, Vec::new()).await
    }

    /// Does the same, and exports by itself what it is told to.
    pub async fn start_with(settings: Settings, exports: Vec<ExportSpec>) -> Result<Self, Problem> {
        let started = Instant::now();
        partitura_service::raise_file_limit();
        let tls = load_tls(&settings)?;
        let folder = Folder::open(&settings.data)?;
        let addresses = Addresses::bind(&settings).await?;
        let service = Service::open(folder, settings.clone(), exports, Arc::new(SystemClock)).await?;
        if let Some(address) = addresses.reachable()
            && !service.keys().has_live_key()
        {
            service.close().await?;
            return Err(keyless(address));
        }
        let secret = Secret::generate()?;
        let (operator, address) = (secret.reveal(), addresses.http.address());
        let doors = addresses.serve(&service, &secret, tls);
        service.announce(address, operator.clone())?;
        let (opened_ms, head) = (started.elapsed().as_millis() as u64, service.head().map_or(0, Position::get));
        tracing::info!(%address, data = %settings.data.display(), head, opened_ms, "serving");
        let schedule = Schedule::start(&service);
        Ok(Self { service, doors, address, operator, settings, schedule })
    }

    /// Returns every listener, by the name of its setting.
    pub fn listeners(&self) -> Vec<(&'static str, String)> {
        self.doors.iter().map(|door| (door.name(), door.uri().to_owned())).collect()
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
        if let Some(schedule) = self.schedule {
            schedule.stop().await;
        }
        futures::future::join_all(self.doors.into_iter().map(|door| door.stop(limit / 2))).await;
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

/// Reads the certificate of the settings.
pub fn load_tls(settings: &Settings) -> Result<Option<Tls>, Problem> {
    partitura_net::load_tls(settings.tls_cert.as_ref(), settings.tls_key.as_ref(), SystemClock.now())
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
