//! Rows of the service in this process, for exports that the server does by itself.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use partitura_event::{Position, Problem, Workspace};
use partitura_service::{Changes, Service, TableDescription};

use crate::source::{Catalog, Rows, Source, Table};

/// One workspace of a service.
pub(crate) struct Served {
    pub service: Arc<Service>,
    pub workspace: Workspace,
}

#[async_trait]
impl Source for Served {
    async fn catalog(&self) -> Result<Catalog, Problem> {
        let position = self.service.published().map_or(0, Position::get);
        let tables = self.service.tables().await?;
        Ok(Catalog { position, tables: tables.iter().map(table).collect() })
    }

    async fn rows(&self, sql: &str, as_of: Option<u64>) -> Result<Rows, Problem> {
        let as_of = as_of.and_then(Position::new);
        let answer = self.service.export_rows(&self.workspace, sql.to_owned(), as_of).await?;
        let (schema, hold) = (answer.stream.schema().clone(), answer.hold);
        let batches = answer.stream.map(move |batch| {
            // The place among the running reads is given back with the stream.
            let _hold = &hold;
            batch
        });
        Ok(Rows { schema, batches: batches.boxed() })
    }
}

fn table(description: &TableDescription) -> Table {
    let changes = description.changes;
    Table::new(
        &description.name,
        matches!(changes, Changes::Appended | Changes::Replaced),
        changes == Changes::Appended,
        description.key.clone(),
    )
}
