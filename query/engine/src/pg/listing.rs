//! What there is, in the form in which `datafusion-pg-catalog` asks for it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::TableType;
use datafusion_pg_catalog::pg_catalog::PG_CATALOG_TABLES;
use datafusion_pg_catalog::pg_catalog::catalog_info::CatalogInfo;

use crate::catalog::IN_SYSTEM;
use crate::scope::{CATALOG, PUBLIC, SYSTEM};
use crate::source::TableDescription;

/// Schema of Postgres' own tables.
pub(crate) const PG_CATALOG: &str = "pg_catalog";
/// Schema of the tables of the SQL standard.
pub(crate) const INFORMATION: &str = "information_schema";

/// Every table and view; the same for all workspaces.
#[derive(Clone, Debug)]
pub(super) struct Listing(pub Arc<Vec<TableDescription>>);

impl Listing {
    /// Returns schema and name of each table in the order of the catalogs.
    pub fn tables(&self) -> impl Iterator<Item = (&'static str, &str, &TableDescription)> {
        [PUBLIC, SYSTEM].into_iter().flat_map(move |schema| {
            self.0.iter().filter_map(move |table| match table.name.strip_prefix(IN_SYSTEM) {
                Some(name) => (schema == SYSTEM).then_some((schema, name, table)),
                None => (schema == PUBLIC).then_some((schema, table.name.as_str(), table)),
            })
        })
    }

    /// Returns the columns of each table in the order of the catalogs.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.tables().flat_map(|(_, _, table)| table.schema.fields().iter().map(AsRef::as_ref))
    }

    fn find(&self, schema: &str, name: &str) -> Option<&TableDescription> {
        self.tables().find(|(own, table, _)| *own == schema && *table == name).map(|(_, _, table)| table)
    }
}

#[async_trait]
impl CatalogInfo for Listing {
    async fn catalog_names(&self) -> Result<Vec<String>, DataFusionError> {
        Ok(vec![CATALOG.to_owned()])
    }

    async fn schema_names(&self, _: &str) -> Result<Option<Vec<String>>, DataFusionError> {
        Ok(Some([PUBLIC, SYSTEM, PG_CATALOG, INFORMATION].map(str::to_owned).to_vec()))
    }

    async fn table_names(&self, _: &str, schema: &str) -> Result<Option<Vec<String>>, DataFusionError> {
        if schema == PG_CATALOG {
            return Ok(Some(PG_CATALOG_TABLES.iter().map(|&name| name.to_owned()).collect()));
        }
        let names = self.tables().filter(|(own, ..)| *own == schema).map(|(_, name, _)| name.to_owned());
        Ok(Some(names.collect()))
    }

    async fn table_schema(&self, _: &str, schema: &str, name: &str) -> Result<Option<SchemaRef>, DataFusionError> {
        // Of its own tables the catalog tells that they are there, as clients ask for the number of `pg_class`.
        let own = (schema == PG_CATALOG).then(|| Arc::new(Schema::empty()));
        Ok(self.find(schema, name).map(|table| table.schema.clone()).or(own))
    }

    async fn table_type(&self, _: &str, schema: &str, name: &str) -> Result<Option<TableType>, DataFusionError> {
        if schema == PG_CATALOG {
            return Ok(Some(TableType::Base));
        }
        let found = self.find(schema, name);
        Ok(found.map(|table| if table.kind == "view" { TableType::View } else { TableType::Base }))
    }
}
