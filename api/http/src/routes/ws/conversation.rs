//! What is said over one WebSocket: the subscription, events, pings, and why it ends.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures::{SinkExt, Stream, StreamExt};
use partitura_event::{ErrorClass, Position, Problem};
use partitura_service::{After, EventFilter, FilterText, LiveEvent, Principal, TailCall, Tailed, fields, members};
use serde::Deserialize;
use serde_json::{Value, json};

use super::text;
use crate::app::App;

/// How long a client may take to say what it wants.
const SUBSCRIBE_MAX: Duration = Duration::from_secs(10);
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_millis(500);
/// Longest reason that a close frame can carry.
const REASON_BYTES_MAX: usize = 123;

/// One open WebSocket.
pub struct Conversation {
    pub socket: WebSocket,
    /// How long the client may take nothing.
    pub pause: Duration,
}

/// The first message of a client that opened without parameters; its fields are those of the parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    kind: Kind,
    stream: Option<String>,
    r#type: Option<String>,
    actor: Option<String>,
    agent_id: Option<String>,
    after_position: Option<Value>,
    heartbeat_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Subscribe,
}

impl Subscribe {
    fn call(self) -> Result<TailCall, Problem> {
        let Self { kind: Kind::Subscribe, stream, r#type, actor, agent_id, after_position, heartbeat_ms } = self;
        let types = r#type.iter().flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()).collect();
        let filter = EventFilter::try_from(FilterText { stream, types, actor, agent_id })?;
        let after = match after_position {
            None | Some(Value::Null) => After::default(),
            Some(Value::String(text)) => After::parse("after_position", &text)?,
            Some(other) => After::parse("after_position", &other.to_string())?,
        };
        Ok(TailCall { filter, after, heartbeat_ms })
    }
}

impl Conversation {
    /// Waits for the subscription, then follows.
    pub async fn subscribe(mut self, app: &App, principal: &Principal) {
        let first = tokio::select! {
            () = app.stop.cancelled() => return self.end(&stopping(), None).await,
            first = tokio::time::timeout(SUBSCRIBE_MAX, self.first()) => first,
        };
        let call = match first {
            Ok(Some(read)) => read.and_then(Subscribe::call),
            Ok(None) => return,
            Err(_) => Err(Problem::new(ErrorClass::Timeout, "no message said what is wanted")
                .code("no_subscription")
                .hint(r#"send {"kind":"subscribe"} first, or open it with parameters"#)),
        };
        let tail = match call {
            Ok(call) => app.service.tail(principal, call, app.stop.clone()).await,
            Err(problem) => Err(problem),
        };
        match tail {
            Ok(tail) => self.follow(Box::pin(tail)).await,
            Err(problem) => self.end(&problem, None).await,
        }
    }

    /// Returns the first message; none when the client has gone.
    async fn first(&mut self) -> Option<Result<Subscribe, Problem>> {
        loop {
            match self.socket.recv().await?.ok()? {
                Message::Text(text) => return Some(fields::read(text.as_bytes())),
                Message::Binary(_) => return Some(Err(unasked("a binary message"))),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    }

    /// Sends what the tail says, until one of both sides ends it.
    pub async fn follow(mut self, mut tail: std::pin::Pin<Box<impl Stream<Item = Tailed>>>) {
        let (mut unanswered, mut sent) = (false, None);
        loop {
            tokio::select! {
                said = tail.next() => {
                    let (messages, position) = match said {
                        None => return,
                        Some(Tailed::Events(events)) => {
                            let last = events.last().map(|event| event.position());
                            (events.iter().map(event).collect(), last)
                        }
                        Some(Tailed::CaughtUp(position)) => (vec![at("caught_up", position)], position),
                        Some(Tailed::Heartbeat(position)) if unanswered => return self.end(&silent(), position).await,
                        Some(Tailed::Heartbeat(position)) => {
                            unanswered = true;
                            (vec![at("heartbeat", position), Message::Ping(Bytes::new())], position)
                        }
                        Some(Tailed::Ended(problem, position)) => return self.end(&problem, position).await,
                    };
                    match tokio::time::timeout(self.pause, self.send(messages)).await {
                        Ok(Ok(())) => sent = position,
                        Ok(Err(_)) => return,
                        Err(_) => {
                            let problem = slow(self.pause);
                            return self.end(&problem, sent).await;
                        }
                    }
                }
                received = self.socket.recv() => match received {
                    None | Some(Err(_) | Ok(Message::Close(_))) => return,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => unanswered = false,
                    Some(Ok(Message::Text(_))) => return self.end(&unasked("a second message"), sent).await,
                    Some(Ok(Message::Binary(_))) => return self.end(&unasked("a binary message"), sent).await,
                },
            }
        }
    }

    async fn send(&mut self, messages: Vec<Message>) -> Result<(), axum::Error> {
        for message in messages {
            self.socket.feed(message).await?;
        }
        self.socket.flush().await
    }

    /// Says why and where to resume, and closes.
    async fn end(mut self, problem: &Problem, position: Option<Position>) {
        let mut told = members(problem);
        told.insert("kind".into(), json!("error"));
        let mut reason = problem.code.to_owned();
        if let Some(position) = position {
            told.insert("position".into(), json!(position));
            reason += &format!("; resume after {position}");
        }
        reason.truncate(REASON_BYTES_MAX);
        let close = CloseFrame { code: code_of(problem), reason: reason.into() };
        let last = vec![text(Value::Object(told).to_string()), Message::Close(Some(close))];
        // The client's own close ends the handshake; without it the last message could be lost with the connection.
        let farewell = async {
            self.send(last).await?;
            while let Some(Ok(_)) = self.socket.recv().await {}
            Ok::<_, axum::Error>(())
        };
        if !matches!(tokio::time::timeout(FAREWELL, farewell).await, Ok(Ok(()))) {
            tracing::debug!(code = problem.code, "a WebSocket client was not there to hear why it ends");
        }
    }
}

/// Codes of RFC 6455 and its registry.
const fn code_of(problem: &Problem) -> u16 {
    match problem.class {
        ErrorClass::Unavailable => close_code::AWAY,
        ErrorClass::Busy | ErrorClass::Timeout => close_code::AGAIN,
        ErrorClass::Internal | ErrorClass::Corrupt => close_code::ERROR,
        _ => close_code::POLICY,
    }
}

fn event(event: &Arc<LiveEvent>) -> Message {
    let json = String::from_utf8_lossy(event.json());
    text(format!(r#"{{"kind":"event","position":{},"event":{json}}}"#, event.position()))
}

fn at(kind: &str, position: Option<Position>) -> Message {
    text(json!({"kind": kind, "position": position.map_or(0, Position::get)}).to_string())
}

fn unasked(what: &str) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("{what} is not understood here: one subscription, then only listening"))
        .code("unexpected_message")
        .hint("open another WebSocket for another subscription")
}

fn silent() -> Problem {
    Problem::new(ErrorClass::Timeout, "the client answered no ping").code("no_pong")
}

fn slow(pause: Duration) -> Problem {
    Problem::new(ErrorClass::Timeout, format!("the client read nothing for {} ms", pause.as_millis()))
        .code("slow_client")
        .hint("open it again after `position`, and read it as it comes")
}

fn stopping() -> Problem {
    Problem::new(ErrorClass::Unavailable, "the server is stopping").code("shutting_down")
}
