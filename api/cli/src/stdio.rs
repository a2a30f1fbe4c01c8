//! MCP between standard input and output and the server's `/mcp`: one message a line, each one request.
//!
//! The server keeps no session, so nothing has to be remembered here but the version that a handshake agreed on. A
//! cancelled request is dropped, which ends it in the server too.

mod headers;
mod lines;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use headers::Headers;
use lines::{Lines, Sink};

/// Requests under way at the same time; more wait in the pipe.
const RUNNING_MAX: usize = 64;
/// How long requests that still run may go on after the input has ended.
const FAREWELL: Duration = Duration::from_secs(30);

/// Relays messages until the input ends.
pub async fn relay(client: &Client) -> Outcome {
    // Whoever names a server that is not there is told at once, not with the first message.
    client.json(Method::GET, "/healthz", None).await?;
    let (mut lines, sink) = (Lines::of_stdin(), Sink::to_stdout());
    let relay = Arc::new(Relay { client: client.clone(), out: sink.sender(), version: Mutex::default() });
    let places = Arc::new(Semaphore::new(RUNNING_MAX));
    let mut running = JoinSet::new();
    let mut handles: HashMap<String, AbortHandle> = HashMap::new();
    while let Some(line) = lines.next().await {
        let Some(message) = relay.read(line).await else { continue };
        if let Some(id) = cancelled(&message.json) {
            if let Some(handle) = handles.remove(&id) {
                handle.abort();
            }
            continue;
        }
        if message.json["method"] == "initialize" {
            // What follows is sent with the version that this agrees on.
            relay.pass(message).await;
            continue;
        }
        while running.try_join_next().is_some() {}
        handles.retain(|_, handle| !handle.is_finished());
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let (id, relay) = (message.json["id"].to_string(), Arc::clone(&relay));
        let handle = running.spawn(async move {
            let _place = place;
            relay.pass(message).await;
        });
        handles.insert(id, handle);
    }
    let ended = async { while running.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(FAREWELL, ended).await;
    drop((running, relay));
    sink.finish().await
}

/// Returns the id of the request that a message cancels.
fn cancelled(message: &Value) -> Option<String> {
    let id = || message["params"]["requestId"].to_string();
    (message["method"] == "notifications/cancelled").then(id)
}

/// A message, as it came and as it was read.
struct Message {
    line: Vec<u8>,
    json: Value,
}

struct Relay {
    client: Client,
    out: mpsc::Sender<Vec<u8>>,
    /// What the handshake agreed on, once there was one.
    version: Mutex<Option<String>>,
}

impl Relay {
    /// Reads a line; what is no JSON is answered here, since it has no place to go.
    async fn read(&self, line: Result<Vec<u8>, Problem>) -> Option<Message> {
        let line = match line {
            Ok(line) if line.iter().all(u8::is_ascii_whitespace) => return None,
            Ok(line) => line,
            Err(problem) => {
                self.refuse(&Value::Null, &problem).await;
                return None;
            }
        };
        match serde_json::from_slice(&line) {
            Ok(json) => Some(Message { line, json }),
            Err(error) => {
                let problem = Problem::new(ErrorClass::Malformed, format!("the line is not JSON: {error}"));
                self.refuse(&Value::Null, &problem.code("invalid_json")).await;
                None
            }
        }
    }

    /// Sends one message to the server and writes what it answers.
    async fn pass(&self, message: Message) {
        let Message { line, json } = message;
        let version = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut request = self.client.request(Method::POST, "/mcp").body(line);
        for (name, value) in Headers::of(&json, version.as_deref()).list() {
            request = request.header(name, value);
        }
        let answered = match request.send().await {
            Ok(response) => answer(response).await,
            Err(error) => Err(unreachable(error)),
        };
        match answered {
            Ok(None) => {}
            Ok(Some(text)) => {
                if json["method"] == "initialize" {
                    self.agree(&text);
                }
                self.write(text).await;
            }
            // Who sent a notification does not wait for an answer.
            Err(_) if json.get("id").is_none() => {}
            Err(problem) => self.refuse(&json["id"], &problem).await,
        }
    }

    fn agree(&self, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        if let Some(version) = answer["result"]["protocolVersion"].as_str() {
            *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version.to_owned());
        }
    }

    async fn refuse(&self, id: &Value, problem: &Problem) {
        let error =
            json!({"code": problem.class.json_rpc(), "message": problem.to_string(), "data": {"code": problem.code}});
        self.write(json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string().into_bytes()).await;
    }

    async fn write(&self, text: Vec<u8>) {
        // When nobody reads any more, the input ends too.
        let _ = self.out.send(text).await;
    }
}

/// Returns the message of an answer, on one line; none when there is nothing to say.
async fn answer(response: Response) -> Result<Option<Vec<u8>>, Problem> {
    let status = response.status().as_u16();
    let media = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_message = media.starts_with("application/json");
    let bytes = response.bytes().await.map_err(unreachable)?;
    if bytes.is_empty() && status < 300 {
        return Ok(None);
    }
    if !is_message {
        return Err(refused(status, &bytes));
    }
    let text = if bytes.contains(&b'\n') {
        serde_json::from_slice::<Value>(&bytes).map(|json| json.to_string().into_bytes()).unwrap_or_default()
    } else {
        bytes.to_vec()
    };
    Ok(Some(text))
}

/// A refusal of the listener, which is no message: a missing key, too many requests, a body that is too large.
fn refused(status: u16, body: &[u8]) -> Problem {
    let class = ErrorClass::ALL.iter().copied().find(|class| class.http() == status).unwrap_or(ErrorClass::Internal);
    Problem::new(class, Failure::of_answer(status, body).to_string())
}

fn unreachable(error: reqwest::Error) -> Problem {
    Problem::new(ErrorClass::Unavailable, Failure::from(error).to_string()).code("unreachable")
}
