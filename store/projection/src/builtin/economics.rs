//! `charges` and `budgets`: the last word on each.

use partitura_event::Problem;
use partitura_event::field::Period;
use partitura_table::schema::economics::{BUDGETS, CHARGES};

use super::append::Append;
use super::latest::Latest;
use super::scope::Scope;
use crate::field::{Field, Read, column};
use crate::fold::Event;
use crate::rows::Cells;
use crate::value::Value;

const CHARGE_FIELDS: &[Field] = &[
    Field::new("charge_id", Read::Text),
    Field::new("amount", Read::Money),
    Field::new("currency", Read::Upper),
    Field::new("allocation", Read::Text),
    Field::new("agent_id", Read::Text),
    Field::new("provider", Read::Text),
    Field::new("team", Read::Text),
    Field::new("project_id", Read::Text),
    Field::new("description", Read::Text),
];

const CHARGED_AT: u16 = column(&CHARGES, "time");
const PERIOD_START: u16 = column(&CHARGES, "period_start");
const PERIOD_END: u16 = column(&CHARGES, "period_end");

/// Describes the fold of charges.
pub fn charges() -> Latest {
    let rows = Append::new(&CHARGES, &["charge.recorded"], CHARGE_FIELDS, &["period"], charge);
    Latest::new(rows, |event| event.data.need("charge_id").map(|id| Some(id.into_owned())))
}

fn charge<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    let period = Period::parse("period", &event.data.need("period")?)?;
    cells.push((PERIOD_START, Value::Time(period.start().micros())));
    cells.push((PERIOD_END, Value::Time(period.end().micros())));
    cells.push((CHARGED_AT, event.time()));
    Ok(())
}

const BUDGET_FIELDS: &[Field] = &[
    Field::new("budget_id", Read::Text),
    Field::new("amount", Read::Money),
    Field::new("currency", Read::Upper),
    Field::new("period", Read::Text),
    Field::new("time_zone", Read::Text),
    Field::new("on_exceeded", Read::Text),
];

const THRESHOLDS: u16 = column(&BUDGETS, "thresholds");
const BUDGET_SET_AT: u16 = column(&BUDGETS, "set_at");
const BUDGET_SCOPE: [u16; 4] = [
    column(&BUDGETS, "team"),
    column(&BUDGETS, "project_id"),
    column(&BUDGETS, "agent_id"),
    column(&BUDGETS, "task_type"),
];

/// Describes the fold of budgets.
pub fn budgets() -> Latest {
    let rows = Append::new(&BUDGETS, &["budget.set"], BUDGET_FIELDS, &["scope", "thresholds"], budget);
    Latest::new(rows, |event| event.data.need("budget_id").map(|id| Some(id.into_owned())))
}

fn budget<'a>(event: &Event<'a>, cells: &mut Cells<'a>) -> Result<(), Problem> {
    if let Some(thresholds) = event.data.typed("thresholds", "a list of numbers")? {
        cells.push((THRESHOLDS, Value::Floats(thresholds)));
    }
    cells.push((BUDGET_SET_AT, event.time()));
    Scope::read(event.data, BUDGET_SCOPE, cells)
}
