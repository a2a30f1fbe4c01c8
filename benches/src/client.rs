//! One client: a connection of its own, and the patience that the server asks for.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use crate::Failure;

/// Pause before a refused request is sent again.
const PAUSE: Duration = Duration::from_millis(20);

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

/// What an append was answered.
pub struct Appended {
    /// The reply's body, unread: a load that only counts must not pay for reading it.
    body: String,
    /// Requests that the server refused before it took this one.
    pub refused: u64,
}

impl Appended {
    /// Reads the reply.
    pub fn reply(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

impl Client {
    /// Connects when it is first used.
    pub fn new(url: &str) -> Result<Self, Failure> {
        // The server is on this machine: no proxy, and no certificates to load for every client.
        let local = reqwest::Client::builder().no_proxy().tls_built_in_root_certs(false);
        let http = local.tcp_nodelay(true).pool_idle_timeout(None).build()?;
        Ok(Self { http, url: url.to_owned() })
    }

    /// Appends a JSON array of events; a refused request is sent again.
    pub async fn append(&self, body: &str) -> Result<Appended, Failure> {
        let mut refused = 0;
        loop {
            let request = self.http.post(format!("{}/v1/events", self.url));
            let sent = request.header("content-type", "application/json").body(body.to_owned()).send().await?;
            match sent.status().as_u16() {
                200 | 201 => return Ok(Appended { body: sent.text().await?, refused }),
                429 | 503 => {
                    refused += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                status => return Err(format!("HTTP {status}: {}", sent.text().await?).into()),
            }
        }
    }

    /// Posts a JSON body, and returns the reply when its status is 200.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Response, Failure> {
        let reply = self.http.post(format!("{}{path}", self.url)).json(body).send().await?;
        if reply.status().is_success() {
            return Ok(reply);
        }
        Err(format!("{path} {body}: HTTP {}: {}", reply.status(), reply.text().await?).into())
    }
}
