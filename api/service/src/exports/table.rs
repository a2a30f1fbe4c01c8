//! `system.exports`: the scheduled exports of a workspace.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use partitura_event::{Clock, Problem, Timestamp, Workspace};
use partitura_query::system::{describe, time_type};
use partitura_query::{SystemTable, TableDescription};

use super::{ExportShown, SharedExports};
use crate::system::batch;

/// The table.
pub(crate) struct ExportsTable {
    pub exports: SharedExports,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl SystemTable for ExportsTable {
    fn description(&self) -> TableDescription {
        describe(
            "exports",
            "One row per scheduled export of the workspace; `[[exports]]` in partitura.toml defines them.",
            &["name"],
            &[
                ("name", DataType::Utf8, false, "The export."),
                ("target", DataType::Utf8, false, "Folder, or bucket and prefix."),
                ("status", DataType::Utf8, false, "`waiting`, `running` or `retrying`."),
                ("next_run_at", time_type(), true, "When it is due; NULL while it runs."),
                ("started_at", time_type(), true, "When the last run began."),
                ("ended_at", time_type(), true, "When the last run ended."),
                ("succeeded_at", time_type(), true, "When the last run ended that was without error."),
                ("position", DataType::UInt64, true, "Position of that one."),
                ("files", DataType::UInt64, true, "Files that it wrote."),
                ("rows", DataType::UInt64, true, "Rows in these."),
                ("bytes", DataType::UInt64, true, "Bytes of these."),
                ("runs", DataType::UInt64, false, "Runs without error."),
                ("failures", DataType::UInt64, false, "Runs that failed since one did not."),
                ("error", DataType::Utf8, true, "Why the last run failed."),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let list = self.exports.of(workspace, self.clock.now());
        let texts = |value: &dyn Fn(&ExportShown) -> Option<String>| -> ArrayRef {
            Arc::new(list.iter().map(value).collect::<StringArray>())
        };
        let times = |value: &dyn Fn(&ExportShown) -> Option<Timestamp>| -> ArrayRef {
            let micros = list.iter().map(|export| value(export).map(Timestamp::micros));
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        };
        let numbers = |value: &dyn Fn(&ExportShown) -> Option<u64>| -> ArrayRef {
            Arc::new(list.iter().map(value).collect::<UInt64Array>())
        };
        let columns = vec![
            texts(&|export| Some(export.spec.name.clone())),
            texts(&|export| Some(export.spec.target.clone())),
            texts(&|export| Some(export.status.to_owned())),
            times(&|export| export.next_run_at),
            times(&|export| export.state.started_at),
            times(&|export| export.state.ended_at),
            times(&|export| export.state.succeeded_at),
            numbers(&|export| export.state.last.map(|last| last.position)),
            numbers(&|export| export.state.last.map(|last| last.files)),
            numbers(&|export| export.state.last.map(|last| last.rows)),
            numbers(&|export| export.state.last.map(|last| last.bytes)),
            numbers(&|export| Some(export.state.runs)),
            numbers(&|export| Some(u64::from(export.state.failures))),
            texts(&|export| export.state.error.clone()),
        ];
        batch(&self.description(), columns)
    }
}
