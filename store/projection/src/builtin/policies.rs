//! `verdict_policies`, `sla_definitions`, `kpi_definitions` and `workspace_settings`: the workspace's rules.

use partitura_event::Problem;
use partitura_event::field::Span;
use partitura_table::schema::TableSpec;
use partitura_table::schema::policies::{KPI_DEFINITIONS, SLA_DEFINITIONS, VERDICT_POLICIES, WORKSPACE_SETTINGS};

use super::append::Append;
use super::latest::Latest;
use super::scope::Scope;
use crate::entity::{Cell, Entity, Keep};
use crate::field::{Field, Fields, Read, column};
use crate::fold::{Effect, Event, Projection};
use crate::rows::Cells;
use crate::value::Value;

const POLICY_FIELDS: &[Field] = &[
    Field::new("task_type", Read::Text),
    Field::renamed("order", "evaluators", Read::Texts),
    Field::new("success", Read::Json),
];

const SETTLE_MINUTES: u16 = column(&VERDICT_POLICIES, "settle_minutes");
const POLICY_SET_AT: u16 = column(&VERDICT_POLICIES, "set_at");

/// Describes the fold of verdict policies.
pub fn verdict_policies() -> Latest {
    let rows = Append::new(&VERDICT_POLICIES, &["verdict.policy_set"], POLICY_FIELDS, &["settle_after"], policy);
    Latest::new(rows, |event| event.data.text("task_type").map(|of| Some(of.unwrap_or_default().into_owned())))
}

fn policy<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    if let Some(span) = event.data.text("settle_after")? {
        let span = Span::parse("settle_after", &span)?;
        cells.push((SETTLE_MINUTES, Value::Float(span.micros() as f64 / 60e6)));
    }
    cells.push((POLICY_SET_AT, event.time()));
    Ok(())
}

const SLA_FIELDS: &[Field] = &[
    Field::new("sla_id", Read::Text),
    Field::new("metric", Read::Text),
    Field::new("threshold", Read::Float),
    Field::new("objective", Read::Float),
    Field::new("period", Read::Text),
    Field::new("time_zone", Read::Text),
];

const SLA_SET_AT: u16 = column(&SLA_DEFINITIONS, "set_at");
const SLA_SCOPE: [u16; 4] = [
    column(&SLA_DEFINITIONS, "team"),
    column(&SLA_DEFINITIONS, "project_id"),
    column(&SLA_DEFINITIONS, "agent_id"),
    column(&SLA_DEFINITIONS, "task_type"),
];

/// Describes the fold of service levels.
pub fn sla_definitions() -> Latest {
    let rows = Append::new(&SLA_DEFINITIONS, &["sla.set"], SLA_FIELDS, &["scope"], sla);
    Latest::new(rows, |event| event.data.need("sla_id").map(|id| Some(id.into_owned())))
}

fn sla<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    cells.push((SLA_SET_AT, event.time()));
    Scope::read(event.data, SLA_SCOPE, cells)
}

const KPI_FIELDS: &[Field] = &[
    Field::new("kpi_id", Read::Text),
    Field::new("sql", Read::Text),
    Field::new("target", Read::Float),
    Field::new("direction", Read::Text),
    Field::new("description", Read::Text),
];

const KPI_SET_AT: u16 = column(&KPI_DEFINITIONS, "set_at");

/// Describes the fold of key figures.
pub fn kpi_definitions() -> Latest {
    let rows = Append::new(&KPI_DEFINITIONS, &["kpi.defined"], KPI_FIELDS, &[], kpi);
    Latest::new(rows, |event| event.data.need("kpi_id").map(|id| Some(id.into_owned())))
}

fn kpi<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    cells.push((KPI_SET_AT, event.time()));
    Ok(())
}

const SETTINGS_FIELDS: &[Field] = &[
    Field::new("name", Read::Text),
    Field::new("currency", Read::Upper),
    Field::new("time_zone", Read::Text),
    Field::new("week_start", Read::Text),
];

const CONFIGURED_AT: u16 = column(&WORKSPACE_SETTINGS, "set_at");
const SETTINGS_ATTRIBUTES: u16 = column(&WORKSPACE_SETTINGS, "attributes");

/// The fold of the workspace's settings: the last value of each.
pub struct WorkspaceSettings {
    fields: Fields,
}

impl Default for WorkspaceSettings {
    fn default() -> Self {
        Self { fields: Fields::new(&WORKSPACE_SETTINGS, SETTINGS_FIELDS, &[]) }
    }
}

impl Projection for WorkspaceSettings {
    fn table(&self) -> &'static TableSpec {
        &WORKSPACE_SETTINGS
    }

    fn wants(&self, kind: &str) -> bool {
        kind == "workspace.configured"
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        let mut change = self.fields.change(event.data)?;
        change.cells.push(Cell { slot: CONFIGURED_AT, keep: Keep::Last, value: event.time() });
        out.push(Effect::Touch("settings".into(), change));
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let mut cells = entity.cells();
        cells.extend(entity.attributes_json().map(|json| (SETTINGS_ATTRIBUTES, Value::text(json))));
        cells
    }
}
