//! `events`: every event as a row.

use std::borrow::Cow;

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::events::EVENTS;

use crate::field::column;
use crate::fold::{Effect, Event, Projection};
use crate::value::Value;

const POSITION: u16 = column(&EVENTS, "position");
const ID: u16 = column(&EVENTS, "id");
const SOURCE: u16 = column(&EVENTS, "source");
const TYPE: u16 = column(&EVENTS, "type");
const SUBJECT: u16 = column(&EVENTS, "subject");
const STREAM: u16 = column(&EVENTS, "stream");
const STREAM_REVISION: u16 = column(&EVENTS, "stream_revision");
const TIME: u16 = column(&EVENTS, "time");
const RECORDED_AT: u16 = column(&EVENTS, "recorded_at");
const WORKSPACE: u16 = column(&EVENTS, "workspace");
const ACTOR: u16 = column(&EVENTS, "actor");
const CAUSATION: u16 = column(&EVENTS, "causation");
const CORRELATION: u16 = column(&EVENTS, "correlation");
const TRACEPARENT: u16 = column(&EVENTS, "traceparent");
const DATA: u16 = column(&EVENTS, "data");

/// Takes every event, whatever its type.
pub struct Events;

impl Projection for Events {
    fn table(&self) -> &'static TableSpec {
        &EVENTS
    }

    fn wants(&self, _kind: &str) -> bool {
        true
    }

    fn reads_data(&self) -> bool {
        false
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let recorded = event.recorded;
        let text = |text: &'a str| Value::Text(Cow::Borrowed(text));
        let mut cells = Vec::with_capacity(EVENTS.columns.len());
        cells.extend([
            (POSITION, Value::Int(recorded.position.get().cast_signed())),
            (ID, text(recorded.id.as_str())),
            (SOURCE, text(recorded.source.as_str())),
            (TYPE, text(recorded.kind.as_str())),
            (STREAM, text(recorded.stream.as_str())),
            (STREAM_REVISION, Value::Int(recorded.stream_revision.get().cast_signed())),
            (TIME, event.time()),
            (RECORDED_AT, Value::Time(recorded.recorded_at.micros())),
            (WORKSPACE, text(recorded.workspace.as_str())),
            (DATA, text(recorded.data.get())),
        ]);
        let optional = [
            (SUBJECT, &recorded.subject),
            (ACTOR, &recorded.actor),
            (CAUSATION, &recorded.causation),
            (CORRELATION, &recorded.correlation),
            (TRACEPARENT, &recorded.traceparent),
        ];
        cells.extend(optional.into_iter().filter_map(|(column, value)| Some((column, text(value.as_deref()?)))));
        out.push(Effect::Row(cells));
        Ok(())
    }
}
