//! Sample events for tests.

use partitura_event::{
    Draft, EventId, EventType, Expected, Fingerprint, Payload, Recorded, Source, StreamName, Timestamp, Workspace,
};

use crate::request::{AppendRequest, RequestKey, StreamCheck};

/// Makes an event with this id in this stream; its data and fingerprint follow from both.
pub fn event(stream: &str, id: &str) -> Draft {
    event_with(stream, id, &format!(r#"{{"task_id":"{stream}","note":"{id}"}}"#))
}

/// Makes an event with this data.
///
/// # Panics
/// When a name is no valid name or the data is not JSON.
pub fn event_with(stream: &str, id: &str, data: &str) -> Draft {
    let name = "a sample is valid";
    Draft {
        workspace: Workspace::local(),
        source: Source::new("sample").expect(name),
        id: EventId::new(id).expect(name),
        kind: EventType::new("task.progressed").expect(name),
        subject: Some(stream.to_owned()),
        stream: StreamName::new(stream).expect(name),
        time: Timestamp::from_micros(1_700_000_000_000_000).expect(name),
        actor: None,
        causation: None,
        correlation: Some("sample".to_owned()),
        traceparent: None,
        data: Payload::new(data).expect(name),
        fingerprint: Fingerprint::of(data.as_bytes()),
        expected: Expected::Any,
    }
}

/// Asks to append one event.
pub fn one(event: Draft) -> AppendRequest {
    many(vec![event])
}

/// Asks to append events to the workspace of the first.
pub fn many(events: Vec<Draft>) -> AppendRequest {
    let workspace = events.first().map_or_else(Workspace::local, |event| event.workspace.clone());
    AppendRequest::new(workspace, events)
}

/// Sets what an event expects of its stream.
#[must_use]
pub fn expecting(mut event: Draft, expected: Expected) -> Draft {
    event.expected = expected;
    event
}

/// Adds a check of a stream.
///
/// # Panics
/// When the name is no valid name.
#[must_use]
pub fn checking(mut request: AppendRequest, stream: &str, expected: Expected) -> AppendRequest {
    request.checks.push(StreamCheck { stream: StreamName::new(stream).expect("a sample is valid"), expected });
    request
}

/// Sets the request key, with a body that follows from `body`.
#[must_use]
pub fn keyed(mut request: AppendRequest, key: &str, body: &str) -> AppendRequest {
    let context = format!("context of {body}").into_bytes();
    request.request = Some(RequestKey { key: key.to_owned(), body: Fingerprint::of(body.as_bytes()), context });
    request
}

/// Returns whether `recorded` is what was asked for with `draft`.
pub fn is_record_of(recorded: &Recorded, draft: &Draft) -> bool {
    recorded.workspace == draft.workspace
        && recorded.source == draft.source
        && recorded.id == draft.id
        && recorded.kind == draft.kind
        && recorded.subject == draft.subject
        && recorded.stream == draft.stream
        && recorded.time == draft.time
        && recorded.actor == draft.actor
        && recorded.causation == draft.causation
        && recorded.correlation == draft.correlation
        && recorded.traceparent == draft.traceparent
        && recorded.data.get() == draft.data.get()
}
