//! A reader of server-sent events.

use serde_json::Value;

use crate::world::PATIENCE;

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: Option<u64>,
    pub data: Value,
}

/// An open stream.
pub struct Sse {
    response: reqwest::Response,
    pending: String,
}

impl Sse {
    /// Opens it; the answer must be a stream.
    pub async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let status = response.status();
        if status != 200 {
            panic!("{status}: {}", response.text().await.unwrap_or_default());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, pending: String::new() }
    }

    /// Returns the next event; none when the server ended the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((message, rest)) = self.pending.split_once("\n\n") {
                let event = parse(message);
                self.pending = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            self.pending += std::str::from_utf8(&chunk.expect("the stream is whole")?).expect("UTF-8");
        }
    }

    /// Returns events up to one of this name, which comes last.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("no {name} came: {events:?}"));
            let is_last = event.name == name;
            events.push(event);
            if is_last {
                return events;
            }
        }
    }
}

/// Returns the positions of the events named `event`.
pub fn positions(events: &[Event]) -> Vec<u64> {
    events.iter().filter(|event| event.name == "event").map(|event| event.id.expect("an id")).collect()
}

/// What has no name is for the reader itself, such as `retry`.
fn parse(message: &str) -> Option<Event> {
    let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let name = field("event:")?.to_owned();
    let id = field("id:").map(|id| id.parse().expect("a position"));
    let data = field("data:").map(|data| serde_json::from_str(data).expect("JSON")).unwrap_or_default();
    Some(Event { name, id, data })
}
