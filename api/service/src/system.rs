//! `system.tables`, `system.fragments`, `system.settings`: the engine about itself.
//!
//! Each shows a workspace what is its own, and what is the same for all.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use partitura_event::{ErrorClass, Problem, Workspace};
use partitura_query::system::describe;
use partitura_query::{SystemTable, TableDescription};
use partitura_table::{FileStatus, TableStatus, TableStore};

use crate::settings::Settings;

/// Returns the system tables of the service.
pub fn tables(store: &Arc<TableStore>, settings: &Settings) -> Vec<Arc<dyn SystemTable>> {
    vec![
        Arc::new(Tables(Arc::clone(store))),
        Arc::new(Fragments(Arc::clone(store))),
        Arc::new(SettingsTable(settings.rows())),
    ]
}

struct Tables(Arc<TableStore>);

#[async_trait]
impl SystemTable for Tables {
    fn description(&self) -> TableDescription {
        describe(
            "tables",
            "One row per stored table of the workspace that has or had rows.",
            &["name"],
            &[
                ("name", DataType::Utf8, false, "The table."),
                ("rows", DataType::UInt64, false, "Rows now."),
                ("history_rows", DataType::UInt64, false, "Closed versions."),
                ("tail_rows", DataType::UInt64, false, "Rows in memory, not yet in files."),
                ("tail_bytes", DataType::UInt64, false, "Bytes of these."),
                ("fragments", DataType::UInt64, false, "Files of rows and versions."),
                ("file_bytes", DataType::UInt64, false, "Bytes of these."),
                ("version", DataType::UInt64, true, "Version of the files."),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let list = of(&self.0, workspace);
        let number = |value: &dyn Fn(&TableStatus) -> u64| {
            Arc::new(UInt64Array::from_iter_values(list.iter().map(value))) as ArrayRef
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(list.iter().map(|table| table.table))),
            number(&|table| table.rows),
            number(&|table| table.history_rows),
            number(&|table| table.tail_rows),
            number(&|table| table.tail_bytes),
            number(&|table| files(table).map(|(_, file)| file.fragments.len() as u64).sum()),
            number(&|table| files(table).flat_map(|(_, file)| &file.fragments).map(|fragment| fragment.bytes).sum()),
            Arc::new(list.iter().map(|table| table.files.as_ref().map(|file| file.version)).collect::<UInt64Array>()),
        ];
        batch(&self.description(), columns)
    }
}

struct Fragments(Arc<TableStore>);

#[async_trait]
impl SystemTable for Fragments {
    fn description(&self) -> TableDescription {
        describe(
            "fragments",
            "One row per file of the workspace's tables.",
            &["name", "part", "fragment"],
            &[
                ("name", DataType::Utf8, false, "The table."),
                ("part", DataType::Utf8, false, "`current` or `history`."),
                ("fragment", DataType::UInt64, false, "Number of the file."),
                ("rows", DataType::UInt64, false, "Rows, the deleted ones not counted."),
                ("deleted", DataType::UInt64, false, "Deleted rows that still lie in the file."),
                ("bytes", DataType::UInt64, false, "Bytes of the file."),
            ],
        )
    }

    async fn rows(&self, workspace: &Workspace) -> Result<RecordBatch, Problem> {
        let list = of(&self.0, workspace);
        let all: Vec<_> = list
            .iter()
            .flat_map(|table| files(table).map(move |(part, file)| (table.table, part, file)))
            .flat_map(|(table, part, file)| file.fragments.iter().map(move |fragment| (table, part, fragment)))
            .collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(all.iter().map(|(table, ..)| table))),
            Arc::new(StringArray::from_iter_values(all.iter().map(|(_, part, _)| part))),
            Arc::new(UInt64Array::from_iter_values(all.iter().map(|(.., fragment)| fragment.id))),
            Arc::new(UInt64Array::from_iter_values(all.iter().map(|(.., fragment)| fragment.rows))),
            Arc::new(UInt64Array::from_iter_values(all.iter().map(|(.., fragment)| fragment.deleted))),
            Arc::new(UInt64Array::from_iter_values(all.iter().map(|(.., fragment)| fragment.bytes))),
        ];
        batch(&self.description(), columns)
    }
}

struct SettingsTable(Vec<(&'static str, String, &'static str)>);

#[async_trait]
impl SystemTable for SettingsTable {
    fn description(&self) -> TableDescription {
        describe(
            "settings",
            "One row per setting of the server that bounds requests.",
            &["name"],
            &[
                ("name", DataType::Utf8, false, "The setting."),
                ("value", DataType::Utf8, false, "Its value."),
                ("meaning", DataType::Utf8, false, "What it means."),
            ],
        )
    }

    async fn rows(&self, _: &Workspace) -> Result<RecordBatch, Problem> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(self.0.iter().map(|(name, ..)| name))),
            Arc::new(StringArray::from_iter_values(self.0.iter().map(|(_, value, _)| value))),
            Arc::new(StringArray::from_iter_values(self.0.iter().map(|(.., doc)| doc))),
        ];
        batch(&self.description(), columns)
    }
}

pub(crate) fn of(store: &TableStore, workspace: &Workspace) -> Vec<TableStatus> {
    store.snapshot().status().into_iter().filter(|table| table.workspace == *workspace).collect()
}

fn files(table: &TableStatus) -> impl Iterator<Item = (&'static str, &FileStatus)> {
    let current = table.files.iter().map(|file| ("current", file));
    current.chain(table.history_files.iter().map(|file| ("history", file)))
}

pub(crate) fn batch(table: &TableDescription, columns: Vec<ArrayRef>) -> Result<RecordBatch, Problem> {
    RecordBatch::try_new(table.schema.clone(), columns)
        .map_err(|error| Problem::new(ErrorClass::Internal, format!("system.{}: {error}", table.name)))
}
