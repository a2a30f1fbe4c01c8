//! [`Scope`]: who a budget or a service level covers.

use partitura_event::Problem;
use serde::Deserialize;

use crate::data::Data;
use crate::rows::Cells;
use crate::value::Value;

/// Who a budget or a service level covers.
#[derive(Default, Deserialize)]
pub struct Scope {
    team: Option<String>,
    project_id: Option<String>,
    agent_id: Option<String>,
    task_type: Option<String>,
}

impl Scope {
    /// Reads the field `scope` into the columns team, project, agent and task type, in this order.
    pub fn read(data: &Data<'_>, columns: [u16; 4], cells: &mut Cells<'_>) -> Result<(), Problem> {
        let scope: Self = data.typed("scope", "an object of texts")?.unwrap_or_default();
        let members = [scope.team, scope.project_id, scope.agent_id, scope.task_type];
        let given = columns.into_iter().zip(members);
        cells.extend(given.filter_map(|(column, member)| Some((column, Value::text(member?)))));
        Ok(())
    }
}
