//! An event as lists and streams show it; its data as it was stored, digit by digit.

use bytes::Bytes;
use partitura_event::{EventId, EventType, Position, Recorded, Revision, Source, StreamName, Timestamp, Workspace};
use serde::Serialize;
use serde_json::value::RawValue;

/// The members, in the order of the table `events`.
#[derive(Serialize)]
pub struct ShownEvent<'a> {
    position: Position,
    id: &'a EventId,
    source: &'a Source,
    #[serde(rename = "type")]
    kind: &'a EventType,
    subject: Option<&'a str>,
    stream: &'a StreamName,
    stream_revision: Revision,
    time: Timestamp,
    recorded_at: Timestamp,
    workspace: &'a Workspace,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    data: Option<&'a RawValue>,
}

impl<'a> From<&'a Recorded> for ShownEvent<'a> {
    fn from(event: &'a Recorded) -> Self {
        Self {
            position: event.position,
            id: &event.id,
            source: &event.source,
            kind: &event.kind,
            subject: event.subject.as_deref(),
            stream: &event.stream,
            stream_revision: event.stream_revision,
            time: event.time,
            recorded_at: event.recorded_at,
            workspace: &event.workspace,
            actor: event.actor.as_deref(),
            causation: event.causation.as_deref(),
            correlation: event.correlation.as_deref(),
            traceparent: event.traceparent.as_deref(),
            data: serde_json::from_str(event.data.get()).ok(),
        }
    }
}

impl ShownEvent<'_> {
    /// Writes it as JSON.
    pub fn to_bytes(&self) -> Bytes {
        match serde_json::to_vec(self) {
            Ok(text) => text.into(),
            Err(error) => {
                tracing::error!(%error, position = self.position.get(), "an event cannot be written as JSON");
                Bytes::from_static(b"null")
            }
        }
    }
}
