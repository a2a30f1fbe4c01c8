//! Finds the server to talk to: by address, by the data folder's lock, or by starting it in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use partitura_service::{Folder, Holder, Settings};

use crate::args::Shared;
use crate::client::Client;
use crate::failure::Failure;
use crate::server::Server;
use crate::settings_file;

/// A server to talk to, perhaps one in this process.
pub struct Connection {
    client: Client,
    own: Option<Server>,
}

/// How long a server that is starting is waited for.
const START_MAX: Duration = Duration::from_secs(30);

impl Connection {
    /// Connects as the shared arguments say.
    pub async fn open(shared: &Shared) -> Result<Self, Failure> {
        if let Some(url) = &shared.url {
            let client = Client::new(url, shared.key.clone(), shared.workspace.clone())?;
            return Ok(Self { client, own: None });
        }
        let settings = settings_file::resolve(shared)?.settings;
        if let Some(holder) = running(&settings.data).await? {
            return Ok(Self { client: of_holder(shared, &holder)?, own: None });
        }
        if !settings.data.join("FORMAT").exists() {
            let detail = format!("{} is not a data folder", settings.data.display());
            let problem = Problem::new(ErrorClass::NotFound, detail)
                .hint("start a server with `partitura serve`, or name one with --url or another folder with --data");
            return Err(problem.into());
        }
        Self::start(shared, settings).await
    }

    /// Connects to the folder's server, or makes the folder and starts a server in this process, for one who writes.
    pub async fn open_or_create(shared: &Shared) -> Result<Self, Failure> {
        // Who writes needs no model: vectors are computed by the server that comes next.
        Self::open_or_start(shared, |settings| Settings { model: "off".into(), ..settings }).await
    }

    /// Does the same for one who reads and writes for long.
    pub async fn open_or_serve(shared: &Shared) -> Result<Self, Failure> {
        Self::open_or_start(shared, |settings| settings).await
    }

    async fn open_or_start(shared: &Shared, with: impl FnOnce(Settings) -> Settings) -> Result<Self, Failure> {
        if shared.url.is_some() {
            return Self::open(shared).await;
        }
        let settings = settings_file::resolve(shared)?.settings;
        match running(&settings.data).await? {
            Some(holder) => Ok(Self { client: of_holder(shared, &holder)?, own: None }),
            None => Self::start(shared, with(settings)).await,
        }
    }

    async fn start(shared: &Shared, mut settings: Settings) -> Result<Self, Failure> {
        // Only this command talks to it.
        settings.http = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        (settings.flight, settings.pg, settings.otlp_grpc, settings.otlp_http) = (None, None, None, None);
        crate::telemetry::start_quiet(&settings);
        let server = Server::start(settings).await?;
        let client = of_holder(shared, &server.holder())?;
        Ok(Self { client, own: Some(server) })
    }

    /// Does the command's work; a server of this process is stopped cleanly after it, also when it failed or was
    /// interrupted.
    pub async fn run<T>(self, work: impl AsyncFnOnce(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
        let Some(own) = self.own else { return work(&self.client).await };
        let done = tokio::select! {
            done = work(&self.client) => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
        };
        let stopped = own.stop().await;
        let done = done?;
        stopped?;
        Ok(done)
    }
}

async fn running(data: &std::path::Path) -> Result<Option<Holder>, Failure> {
    let started = tokio::time::Instant::now();
    loop {
        match Folder::holder(data) {
            None => return Ok(None),
            Some(holder) if holder.http.is_some() => return Ok(Some(holder)),
            Some(holder) if started.elapsed() > START_MAX => {
                let detail = format!("process {} holds {} but does not answer yet", holder.pid, data.display());
                return Err(Problem::new(ErrorClass::Unavailable, detail).hint("try again in a moment").into());
            }
            Some(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

fn of_holder(shared: &Shared, holder: &Holder) -> Result<Client, Failure> {
    let http = holder.http.ok_or_else(|| Failure::found("the server has no address yet"))?;
    let reachable =
        if http.ip().is_unspecified() { SocketAddr::from((Ipv4Addr::LOCALHOST, http.port())) } else { http };
    let key = shared.key.clone().or_else(|| holder.operator.clone());
    Client::new(&format!("http://{reachable}"), key, shared.workspace.clone())
}
