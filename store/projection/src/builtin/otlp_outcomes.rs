//! `outcomes` of OpenTelemetry data: evaluations that come as events, or as attributes of the judged span.

use partitura_event::{Fingerprint, Problem};
use partitura_table::schema::TableSpec;
use partitura_table::schema::outcomes::OUTCOMES;

use crate::field::column;
use crate::fold::{Effect, Event, Projection};
use crate::otlp::{Judgement, Translator};
use crate::rows::Cells;
use crate::value::Value;

const OUTCOME_ID: u16 = column(&OUTCOMES, "outcome_id");
const TYPE: u16 = column(&OUTCOMES, "type");
const SOURCE: u16 = column(&OUTCOMES, "source");
const TIME: u16 = column(&OUTCOMES, "time");
const NAME: u16 = column(&OUTCOMES, "name");
const VALUE: u16 = column(&OUTCOMES, "value");
const LABEL: u16 = column(&OUTCOMES, "label");
const EVALUATOR: u16 = column(&OUTCOMES, "evaluator");
const EVALUATOR_ID: u16 = column(&OUTCOMES, "evaluator_id");
const INTERACTION_ID: u16 = column(&OUTCOMES, "interaction_id");
const CONVERSATION_ID: u16 = column(&OUTCOMES, "conversation_id");
const EXPLANATION: u16 = column(&OUTCOMES, "explanation");

/// The fold.
pub struct OtlpOutcomes(pub &'static Translator);

impl Projection for OtlpOutcomes {
    fn table(&self) -> &'static TableSpec {
        &OUTCOMES
    }

    fn version(&self) -> u32 {
        self.0.version
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(kind, "otlp.traces" | "otlp.logs")
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let judgements = &event.telemetry(self.0)?.judgements;
        out.extend(judgements.iter().map(|judgement| Effect::Row(cells(event, judgement))));
        Ok(())
    }
}

fn cells<'a>(event: &Event<'a>, judgement: &'a Judgement) -> Cells<'a> {
    let id = format!("{:?}", Fingerprint::of(format!("{judgement:?}").as_bytes()));
    let text = |slot, text: &'a Option<String>| text.as_deref().map(|text| (slot, Value::text(text)));
    let about = match &judgement.interaction_id {
        Some(id) => (INTERACTION_ID, Value::text(id.as_str())),
        None => (CONVERSATION_ID, Value::text(judgement.conversation_id.as_deref().unwrap_or_default())),
    };
    let mut cells = vec![
        (OUTCOME_ID, Value::text(id)),
        (TYPE, Value::text(event.recorded.kind.as_str())),
        (SOURCE, Value::text(event.recorded.source.as_str())),
        (TIME, Value::Time(judgement.time)),
        (NAME, Value::text(judgement.name.as_str())),
        (EVALUATOR, Value::text(judgement.evaluator)),
        about,
    ];
    cells.extend(judgement.value.map(|value| (VALUE, Value::Float(value))));
    cells.extend(text(LABEL, &judgement.label));
    cells.extend(text(EVALUATOR_ID, &judgement.evaluator_id));
    cells.extend(text(EXPLANATION, &judgement.explanation));
    cells
}
