//! `system.webhooks`: which there are, and how far each is. Without the URL's path, which may hold a secret.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use partitura_event::{Position, Problem, Workspace};
use partitura_query::system::describe;
use partitura_query::{SystemTable, TableDescription};
use reqwest::Url;

use super::record::Record;
use super::registry::Webhooks;
use crate::subscriptions::subscription::Standing;
use crate::system::batch;

#[async_trait]
impl SystemTable for Webhooks {
    fn description(&self) -> TableDescription {
        describe(
            "webhooks",
            "One row for each webhook of the workspace.",
            &["webhook_id"],
            &[
                ("webhook_id", DataType::Utf8, false, "The webhook."),
                ("host", DataType::Utf8, true, "Where events are posted: the host only."),
                ("enabled", DataType::Boolean, false, "Whether it sends."),
                ("disabled_reason", DataType::Utf8, true, "Why it does not."),
                ("checkpoint", DataType::UInt64, true, "Every event up to this position was taken, or parked."),
                ("lag_events", DataType::UInt64, false, "Positions of the log after it."),
                ("parked", DataType::UInt64, false, "Events that were given up."),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let with_standing = |record: Record| {
            let standing = self.hook(&record.id)?.standing();
            Some((record, standing))
        };
        let all: Vec<(Record, Standing)> = self.list(workspace).into_iter().filter_map(with_standing).collect();
        let host = |record: &Record| Url::parse(&record.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let reason = |record: &Record| record.disabled.as_ref().map(|disabled| disabled.reason.clone());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(all.iter().map(|(record, _)| &record.id))),
            Arc::new(all.iter().map(|(record, _)| host(record)).collect::<StringArray>()),
            Arc::new(all.iter().map(|(record, _)| Some(record.disabled.is_none())).collect::<BooleanArray>()),
            Arc::new(all.iter().map(|(record, _)| reason(record)).collect::<StringArray>()),
            Arc::new(all.iter().map(|(_, one)| one.checkpoint.map(Position::get)).collect::<UInt64Array>()),
            Arc::new(all.iter().map(|(_, one)| Some(one.lag_events)).collect::<UInt64Array>()),
            Arc::new(all.iter().map(|(_, one)| Some(one.parked as u64)).collect::<UInt64Array>()),
        ];
        batch(&self.description(), columns)
    }
}
