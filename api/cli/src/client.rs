//! The HTTP client that every command uses, whether the server is far away or inside this process.

use std::io::Write;
use std::time::Duration;

use futures::StreamExt;
use partitura_event::Problem;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// One server, and how to speak to it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
    workspace: Option<String>,
}

/// Tries of a request that the server was too busy for.
const TRIES_MAX: u32 = 8;

impl Client {
    /// Makes a client of the server at `base`.
    pub fn new(base: &str, key: Option<String>, workspace: Option<String>) -> Result<Self, Failure> {
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).no_proxy().build()?;
        let base = base.trim_end_matches('/');
        let base = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        Ok(Self { http, base, key, workspace })
    }

    /// Starts a request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(workspace) = &self.workspace {
            request = request.header("x-partitura-workspace", workspace);
        }
        request
    }

    /// Sends a request; an answer that is a problem becomes a failure. Waits as told when the server is busy.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let mut request = request;
        let mut tried = 0;
        loop {
            tried += 1;
            let again = request.try_clone();
            let response = request.send().await?;
            let status = response.status().as_u16();
            if response.status().is_success() {
                return Ok(response);
            }
            match (status, again) {
                (429 | 503, Some(next)) if tried < TRIES_MAX => {
                    let wait =
                        response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    let Some(seconds) = wait else { return Err(Failure::of_answer(status, &response.bytes().await?)) };
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    request = next;
                }
                _ => return Err(Failure::of_answer(status, &response.bytes().await?)),
            }
        }
    }

    /// Sends a request; an answer that is a problem, and no answer, become one.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Response, Problem> {
        self.send(request).await.map_err(Failure::into_problem)
    }

    /// Sends events; an answer with per-item results is an answer, whatever its status.
    pub async fn append(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let mut request = request;
        for _ in 0..TRIES_MAX {
            let again = request.try_clone();
            let response = request.send().await?;
            let status = response.status().as_u16();
            let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let bytes = response.bytes().await?;
            let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            if answer["results"].is_array() {
                return Ok(answer);
            }
            match (wait, again) {
                (Some(seconds), Some(next)) if matches!(status, 429 | 503) => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    request = next;
                }
                _ => return Err(Failure::of_answer(status, &bytes)),
            }
        }
        Err(Failure::found(format!("{} stayed too busy", self.base)))
    }

    /// Asks whether the server is ready; one that is not says what is missing.
    pub async fn ready(&self) -> Result<Value, Failure> {
        let bytes = self.request(Method::GET, "/readyz").send().await?.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::found(format!("{}/readyz: {error}", self.base)))
    }

    /// Sends JSON (or nothing) and reads JSON.
    pub async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let bytes = self.send(request).await?.bytes().await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| Failure::found(format!("{}: not JSON: {error}", self.base)))
    }

    /// Copies an answer's body to `out` as it comes; a body that breaks off is a failure.
    pub async fn copy(&self, response: Response, out: &mut impl Write) -> Outcome {
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            out.write_all(&chunk?)?;
        }
        out.flush()?;
        Ok(())
    }
}
