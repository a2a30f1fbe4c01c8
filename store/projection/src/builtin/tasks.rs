//! `tasks`: from what events say of a task to its row.

pub mod course;
pub mod moves;

use partitura_event::Problem;
use partitura_table::schema::TableSpec;
use partitura_table::schema::tasks::TASKS;

use self::course::{Course, Implied, Status};
use super::documents::Document;
use super::telemetry;
use crate::entity::{Cell, Change, Entity, Keep, OWN_SLOTS};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::otlp::Translator;
use crate::rows::Cells;
use crate::value::Value;

const DETAILS: &[Field] = &[
    Field::new("title", Read::Text),
    Field::new("text", Read::Text),
    Field::new("type", Read::Text),
    Field::new("project_id", Read::Text),
    Field::new("team", Read::Text),
    Field::new("requester", Read::Text),
    Field::new("repository", Read::Text),
    Field::new("language", Read::Text),
    Field::new("complexity", Read::Text),
    Field::new("priority", Read::Priority),
    Field::new("estimate_minutes", Read::Float),
    Field::new("estimate_low", Read::Float),
    Field::new("estimate_high", Read::Float),
    Field::new("points", Read::Float),
    Field::new("due", Read::Time),
    Field::new("parent_id", Read::Text),
    Field::new("depends_on", Read::Texts),
    Field::new("required", Read::Texts),
    Field::new("labels", Read::Json),
];

const TURNED: &[Field] = &[
    Field::new("decision_id", Read::Text),
    Field::new("percent", Read::Float),
    Field::new("note", Read::Text),
    Field::new("actual_minutes", Read::Float),
    Field::new("reason", Read::Text),
    Field::new("summary", Read::Text),
    Field::new("error", Read::Text),
    Field::new("censored", Read::Text),
];
/// Fields that are read apart, or are columns of other tables.
const OTHERS: &[&str] = &["task_id", "agent_id", "by", "to_agent", "handoff_id", "from_attempt", "context_refs"];

const TASK_ID: u16 = column(&TASKS, "task_id");
const TITLE: u16 = column(&TASKS, "title");
const TEXT: u16 = column(&TASKS, "text");
const TYPE: u16 = column(&TASKS, "type");
const PARENT_ID: u16 = column(&TASKS, "parent_id");
const PROJECT_ID: u16 = column(&TASKS, "project_id");
const STATUS: u16 = column(&TASKS, "status");
const STATUS_SINCE: u16 = column(&TASKS, "status_since");
const CREATED_AT: u16 = column(&TASKS, "created_at");
const FIRST_STARTED_AT: u16 = column(&TASKS, "first_started_at");
const ENDED_AT: u16 = column(&TASKS, "ended_at");
const UPDATED_AT: u16 = column(&TASKS, "updated_at");
const FIRST_AGENT_ID: u16 = column(&TASKS, "first_agent_id");
const AGENT_ID: u16 = column(&TASKS, "agent_id");
const HANDOFFS: u16 = column(&TASKS, "handoffs");
const REOPENED: u16 = column(&TASKS, "reopened");
const QUEUE_MINUTES: u16 = column(&TASKS, "queue_minutes");
const ACTIVE_MINUTES: u16 = column(&TASKS, "active_minutes");
const BLOCKED_MINUTES: u16 = column(&TASKS, "blocked_minutes");
const PAUSED_MINUTES: u16 = column(&TASKS, "paused_minutes");
const BLOCKED_BY: u16 = column(&TASKS, "blocked_by");
const SUMMARY: u16 = column(&TASKS, "summary");
const ERROR: u16 = column(&TASKS, "error");
const CENSORED: u16 = column(&TASKS, "censored");
const EXPLICIT_ATTEMPTS: u16 = column(&TASKS, "explicit_attempts");
const IMPLIED: u16 = column(&TASKS, "implied");
const ATTRIBUTES: u16 = column(&TASKS, "attributes");
const IMPLIED_ATTEMPTS: u16 = column(&TASKS, "_implied");

/// Written by the first `task.created`.
const CREATED: u16 = OWN_SLOTS;
/// Written by the last event of the task itself.
const UPDATED: u16 = OWN_SLOTS + 1;

/// What telemetry may say of a task.
const TOLD: [u16; 5] = [TITLE, TEXT, TYPE, PARENT_ID, PROJECT_ID];

/// The fold of tasks.
pub struct Tasks {
    details: Fields,
    turned: Fields,
    translator: &'static Translator,
}

impl Tasks {
    /// Makes the fold, which reads telemetry by `translator`.
    pub fn new(translator: &'static Translator) -> Self {
        let fields = |fields| Fields::new(&TASKS, fields, OTHERS);
        Self { details: fields(DETAILS), turned: fields(TURNED), translator }
    }

    fn told<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        for call in &event.telemetry(self.translator)?.calls {
            let Some(task) = call.task() else { continue };
            let work = &call.work;
            let said = vec![
                (TITLE, work.title.as_deref()),
                (TEXT, work.text.as_deref()),
                (TYPE, work.task_type.as_deref()),
                (PARENT_ID, work.parent_task.as_deref()),
                (PROJECT_ID, work.project.as_deref()),
            ];
            let mut mention = telemetry::mention(event, (TASK_ID, task), telemetry::begun(call), said);
            if let Effect::TouchAt(_, _, change) = &mut mention
                && work.is_task
            {
                change.cells.push(Cell { slot: CREATED, keep: Keep::First, value: Value::Bool(true) });
            }
            out.push(mention);
            out.extend(telemetry::moves_of(event, call, task, UPDATED, ERROR));
        }
        Ok(())
    }
}

impl Projection for Tasks {
    fn table(&self) -> &'static TableSpec {
        &TASKS
    }

    fn wants(&self, kind: &str) -> bool {
        step(kind).is_some()
            || telemetry::tells_of_calls(kind)
            || matches!(
                kind,
                "task.updated"
                    | "interaction.recorded"
                    | "outcome.recorded"
                    | "outcome.preferred"
                    | "feedback.given"
                    | "approval.requested"
            )
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        if telemetry::tells_of_calls(event.kind()) {
            return self.told(event, out);
        }
        let data = event.data;
        let own = event.kind().starts_with("task.");
        let id = if own { Some(data.need("task_id")?) } else { data.text("task_id")? };
        let Some(id) = id else { return Ok(()) };
        let key = id.to_lowercase();
        let mut change = match event.kind() {
            "task.created" | "task.updated" => self.details.change(data)?,
            _ if own => self.turned.change(data)?,
            _ => Change::default(),
        };
        let mut cell = |slot, keep, value| change.cells.push(Cell { slot, keep, value });
        cell(TASK_ID, Keep::First, Value::Text(id));
        if own {
            cell(UPDATED, Keep::Last, Value::Bool(true));
        }
        match event.kind() {
            "task.created" => cell(CREATED, Keep::First, Value::Bool(true)),
            "task.blocked" => cell(BLOCKED_BY, Keep::Last, Value::Texts(data.texts("by")?.unwrap_or_default())),
            _ => {}
        }
        if let Some((what, who)) = step(event.kind()) {
            let who = who.map(|field| data.text(field)).transpose()?.flatten();
            let cut_off = what == moves::FAILED && data.raw("censored").is_some();
            let what = if cut_off { moves::FAILED_CENSORED } else { what };
            change.step = Some((what, who.map(Into::into)));
        }
        out.push(Effect::Touch(key, change));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        telemetry::fill(entity, &mut cells, &TOLD);
        let course = course(entity);
        let created = entity.written_at(CREATED);
        // What was said of an end holds only while the task stands at that end.
        cells.retain(|(slot, _)| match *slot {
            ERROR | CENSORED => course.status == Status::Failed,
            _ => true,
        });
        let seen = entity.written_at(TASK_ID).unwrap_or_default();
        let minutes = |micros: i64| Value::Float(micros as f64 / 60e6);
        cells.extend([
            (STATUS, Value::text(course.status.as_str())),
            (STATUS_SINCE, Value::Time(course.since)),
            (CREATED_AT, Value::Time(created.unwrap_or(seen))),
            (UPDATED_AT, Value::Time(entity.written_at(UPDATED).unwrap_or(seen))),
            (HANDOFFS, Value::Int(course.handoffs)),
            (REOPENED, Value::Int(course.reopened)),
            (QUEUE_MINUTES, minutes(course.spent.queue)),
            (ACTIVE_MINUTES, minutes(course.spent.active)),
            (BLOCKED_MINUTES, minutes(course.spent.blocked)),
            (PAUSED_MINUTES, minutes(course.spent.paused)),
            (EXPLICIT_ATTEMPTS, Value::Bool(course.explicit)),
            (IMPLIED, Value::Bool(created.is_none())),
        ]);
        cells.extend(course.first_started_at.map(|time| (FIRST_STARTED_AT, Value::Time(time))));
        cells.extend(course.ended_at.map(|time| (ENDED_AT, Value::Time(time))));
        cells.extend(course.first_worker.or(course.first_assigned).map(|agent| (FIRST_AGENT_ID, Value::text(agent))));
        cells.extend(course.agent.map(|agent| (AGENT_ID, Value::text(agent))));
        if !course.explicit && !course.attempts.is_empty() {
            let id = entity.text(TASK_ID).unwrap_or_default();
            let attempts = course.attempts.iter().zip(1..).map(|(attempt, number)| implied(id, number, attempt));
            cells.push((IMPLIED_ATTEMPTS, Value::Structs(attempts.collect())));
        }
        cells.extend(entity.attributes_json().map(|json| (ATTRIBUTES, Value::text(json))));
        cells
    }

    fn writes_documents(&self) -> bool {
        true
    }

    fn document<'e>(&self, entity: &'e Entity) -> Option<(String, Cells<'e>)> {
        let told = |column| telemetry::text_of(entity, column);
        let title = told(TITLE);
        let body = match (told(TEXT), entity.text(SUMMARY)) {
            (Some(text), Some(summary)) => format!("{text}\n\n{summary}").into(),
            (text, summary) => text.or(summary).or(title)?.into(),
        };
        Document {
            kind: "task",
            id: entity.text(TASK_ID)?.into(),
            title: title.map(Value::text),
            text: body,
            agent_id: course(entity).agent.map(Value::text),
            task_id: entity.value(TASK_ID).map(Value::by_ref),
            project_id: told(PROJECT_ID).map(Value::text),
            tags: told(TYPE).map(|of| Value::Texts(vec![of.into()])),
            time: entity.written_at(CREATED).or(entity.written_at(TASK_ID))?,
            ..Document::default()
        }
        .cells()
    }
}

fn course(entity: &Entity) -> Course<'_> {
    Course::walk(entity.moves(), entity.written_at(CREATED), entity.written_at(TASK_ID).unwrap_or_default())
}

/// Returns the move that events of a type make, and the field that says who.
fn step(kind: &str) -> Option<(u8, Option<&'static str>)> {
    let agent = Some("agent_id");
    Some(match kind {
        "task.created" => (moves::CREATED, None),
        "task.assigned" => (moves::ASSIGNED, agent),
        "task.unassigned" => (moves::UNASSIGNED, None),
        "task.started" => (moves::STARTED, agent),
        "attempt.started" => (moves::ATTEMPT_STARTED, agent),
        "task.progressed" => (moves::PROGRESSED, None),
        "task.blocked" => (moves::BLOCKED, None),
        "task.unblocked" => (moves::UNBLOCKED, None),
        "task.paused" => (moves::PAUSED, None),
        "task.handed_off" => (moves::HANDED_OFF, Some("to_agent")),
        "task.completed" => (moves::COMPLETED, agent),
        "task.failed" => (moves::FAILED, agent),
        "task.cancelled" => (moves::CANCELLED, None),
        "task.reopened" => (moves::REOPENED, None),
        _ => return None,
    })
}

/// Returns one implied attempt, in the order of `tasks::implied_attempt_fields`.
fn implied<'a>(task: &str, number: i64, attempt: &Implied<'a>) -> Vec<Option<Value<'a>>> {
    vec![
        Some(Value::text(format!("{task}#{number}"))),
        Some(Value::Int(number)),
        attempt.agent.map(Value::text),
        Some(Value::text(attempt.cause)),
        attempt.started_at.map(Value::Time),
        attempt.ended_at.map(Value::Time),
        attempt.result.map(Value::text),
    ]
}
