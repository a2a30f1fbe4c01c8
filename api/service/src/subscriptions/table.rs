//! `system.subscriptions`: how far consumers are.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use partitura_event::{Position, Problem, Workspace};
use partitura_query::system::describe;
use partitura_query::{SystemTable, TableDescription};

use super::registry::Registry;
use super::subscription::Standing;
use crate::system::batch;

#[async_trait]
impl SystemTable for Registry {
    fn description(&self) -> TableDescription {
        describe(
            "subscriptions",
            "One row for each durable subscription of the workspace.",
            &["name"],
            &[
                ("name", DataType::Utf8, false, "The subscription."),
                ("checkpoint", DataType::UInt64, true, "Everything up to this position is done with."),
                ("lag_events", DataType::UInt64, false, "Positions of the log after it."),
                ("in_flight", DataType::UInt64, false, "Events that consumers have and did not acknowledge yet."),
                ("waiting", DataType::UInt64, false, "Events that will be handed out again."),
                ("parked", DataType::UInt64, false, "Events that were given up."),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let all: Vec<Standing> = self.list(workspace).iter().map(|one| one.standing()).collect();
        let number = |value: fn(&Standing) -> usize| -> ArrayRef {
            Arc::new(all.iter().map(|one| Some(value(one) as u64)).collect::<UInt64Array>())
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(all.iter().map(|one| &one.definition.name))),
            Arc::new(all.iter().map(|one| one.checkpoint.map(Position::get)).collect::<UInt64Array>()),
            Arc::new(all.iter().map(|one| Some(one.lag_events)).collect::<UInt64Array>()),
            number(|one| one.in_flight),
            number(|one| one.waiting),
            number(|one| one.parked),
        ];
        batch(&self.description(), columns)
    }
}
