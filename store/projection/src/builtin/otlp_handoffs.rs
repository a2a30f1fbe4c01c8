//! `otlp_handoffs`: one row per hand-off that OpenTelemetry data tells of.

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::handoffs::OTLP_HANDOFFS as TABLE;

use crate::field::column;
use crate::fold::{Effect, Event, Projection};
use crate::otlp::Translator;
use crate::otlp::call::{Call, Handoff};
use crate::rows::Cells;
use crate::value::Value;

const HANDOFF_ID: u16 = column(&TABLE, "handoff_id");
const TASK_ID: u16 = column(&TABLE, "task_id");
const TIME: u16 = column(&TABLE, "time");
const FROM_ATTEMPT: u16 = column(&TABLE, "from_attempt");
const FROM_AGENT: u16 = column(&TABLE, "from_agent");
const TO_AGENT: u16 = column(&TABLE, "to_agent");
const REASON: u16 = column(&TABLE, "reason");
const CONVERSATION_ID: u16 = column(&TABLE, "conversation_id");
const TRACE_ID: u16 = column(&TABLE, "trace_id");

/// The fold.
pub struct OtlpHandoffs(pub &'static Translator);

impl Projection for OtlpHandoffs {
    fn table(&self) -> &'static TableSpec {
        &TABLE
    }

    fn version(&self) -> u32 {
        self.0.version
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "otlp.traces" | "otlp.logs")
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        for call in &event.telemetry(self.0)?.calls {
            if let Some(handoff) = &call.work.handoff {
                out.push(Effect::Replace(call.interaction_id.to_lowercase(), cells(call, handoff)));
            }
        }
        Ok(())
    }
}

fn cells<'a>(call: &'a Call, handoff: &'a Handoff) -> Cells<'a> {
    let text = |slot, text: Option<&'a str>| text.map(|text| (slot, Value::text(text)));
    let mut cells = vec![
        (HANDOFF_ID, Value::text(call.interaction_id.as_str())),
        (TIME, Value::Time(call.time)),
        (TO_AGENT, Value::text(handoff.to.as_str())),
    ];
    cells.extend(text(TASK_ID, call.task()));
    cells.extend(text(FROM_ATTEMPT, call.attempt_id.as_deref()));
    cells.extend(text(FROM_AGENT, handoff.from.as_deref().or(call.agent())));
    cells.extend(text(REASON, handoff.reason.as_deref()));
    cells.extend(text(CONVERSATION_ID, call.conversation_id.as_deref()));
    cells.extend(text(TRACE_ID, call.trace_id.as_deref()));
    cells
}
