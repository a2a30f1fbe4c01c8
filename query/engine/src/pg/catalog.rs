//! The tables of `pg_catalog`: Postgres' own types and functions, and our tables and columns in its form.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int16Array, RecordBatch, new_null_array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, Schema};
use datafusion::catalog::TableProvider;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::pg_catalog::{
    PG_CATALOG_TABLES, PgCatalogSchemaProvider, PgCatalogStaticTables, PgCatalogTable,
};
use futures::StreamExt;

use super::empty::EMPTY;
use super::listing::Listing;
use super::{information, rows, types};
use crate::catalog::Catalog;
use crate::catalog::IN_SYSTEM;
use crate::scope::{CATALOG, SYSTEM};
use crate::source::TableDescription;

pub(crate) use super::listing::{INFORMATION, PG_CATALOG};

/// The role that owns everything.
const OWNER: i32 = 10;

/// What every session of an engine reads.
pub(crate) struct PgCatalog {
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
    information: BTreeMap<&'static str, Arc<dyn TableProvider>>,
    /// Meanings by table and column number; 0 is the table itself.
    comments: HashMap<(i32, i32), String>,
    /// SQL of views.
    views: HashMap<i32, String>,
    classes: HashMap<String, i32>,
    types: HashMap<String, i32>,
}

impl PgCatalog {
    /// Makes all tables once.
    pub async fn new(described: Arc<Vec<TableDescription>>, catalog: &Catalog) -> Result<Self> {
        let listing = Listing(described);
        let statics = Arc::new(PgCatalogStaticTables::try_new()?);
        let source = PgCatalogSchemaProvider::try_new(listing.clone(), statics.clone(), EmptyContextProvider)?;
        // Object ids are given in the order of the first look, which is the same each time.
        let classes = read(&source, "pg_class").await?;
        let oids = oids(&classes);
        let mut tables = BTreeMap::new();
        for name in PG_CATALOG_TABLES {
            let table: Arc<dyn TableProvider> = match source.build_table_by_name(name)? {
                Some(table @ PgCatalogTable::Dynamic(_)) => {
                    rows::of_batch(corrected(name, collect(&table).await?, &listing)?)?
                }
                Some(table) if EMPTY.contains(name) => rows::of_batch(RecordBatch::new_empty(table.schema()))?,
                Some(table) => table.try_into_table_provider()?,
                None => continue,
            };
            tables.insert((*name).to_owned(), table);
        }
        let comments = comments(&listing, &oids);
        tables.insert("pg_description".to_owned(), descriptions(&comments, number_of(&classes, "pg_class"))?);
        tables.insert("pg_views".to_owned(), views(&listing, catalog)?);
        let views = listing
            .tables()
            .zip(&oids)
            .filter_map(|((_, _, table), oid)| Some((*oid, catalog.view(&table.name)?.sql.clone())))
            .collect();
        let names = listing.tables().flat_map(|(schema, name, _)| [name.to_owned(), format!("{schema}.{name}")]);
        let twice = oids.iter().flat_map(|oid| [*oid, *oid]);
        // What stands in `public` is found first.
        let classes = names.zip(twice).collect::<Vec<_>>().into_iter().rev().collect();
        let types = names_of(statics.pg_type.data());
        Ok(Self { tables, information: information::tables(&listing)?, comments, views, classes, types })
    }

    /// Returns the names of the tables.
    pub fn names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    /// Returns a table of `pg_catalog`.
    pub fn table(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        self.tables.get(name).cloned()
    }

    /// Returns the names of the tables of `information_schema`.
    pub fn information_names(&self) -> Vec<String> {
        self.information.keys().map(|&name| name.to_owned()).collect()
    }

    /// Returns a table of `information_schema`.
    pub fn information(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        self.information.get(name).cloned()
    }

    /// Returns the number of a table or view, with or without its schema.
    pub fn class(&self, name: &str) -> Option<i32> {
        self.classes.get(&name.replace('"', "").to_lowercase()).copied()
    }

    /// Returns the number of a type.
    pub fn type_named(&self, name: &str) -> Option<i32> {
        let bare = name.trim_start_matches("pg_catalog.").to_lowercase();
        self.types.get(&bare).copied()
    }

    /// Returns the meaning of a table, or of a column of it.
    pub fn comment(&self, table: i32, column: i32) -> Option<&str> {
        self.comments.get(&(table, column)).map(String::as_str)
    }

    /// Returns the SQL of a view.
    pub fn view(&self, oid: i32) -> Option<&str> {
        self.views.get(&oid).map(String::as_str)
    }
}

/// Returns the numbers of types by name, as `pg_type` has them.
fn names_of(types: &[RecordBatch]) -> HashMap<String, i32> {
    let pairs = types.iter().filter_map(|batch| {
        let numbers = batch.column_by_name("oid")?.as_primitive_opt::<Int32Type>()?;
        let names = batch.column_by_name("typname")?.as_string_opt::<i32>()?;
        Some(names.iter().zip(numbers.values()).filter_map(|(name, oid)| Some((name?.to_owned(), *oid))))
    });
    pairs.flatten().collect()
}

type Source = PgCatalogSchemaProvider<Listing, EmptyContextProvider>;

async fn read(source: &Source, name: &str) -> Result<RecordBatch> {
    match source.build_table_by_name(name)? {
        Some(table) => collect(&table).await,
        None => Err(DataFusionError::Internal(format!("pg_catalog has no table {name}"))),
    }
}

async fn collect(table: &PgCatalogTable) -> Result<RecordBatch> {
    let PgCatalogTable::Dynamic(stream) = table else {
        return Err(DataFusionError::Internal("a stored table of pg_catalog is not collected".into()));
    };
    let mut batches = Vec::new();
    let mut stream = stream.execute(Arc::new(TaskContext::default()));
    while let Some(batch) = stream.next().await {
        batches.push(batch?);
    }
    Ok(concat_batches(&table.schema(), &batches)?)
}

fn oids(classes: &RecordBatch) -> Vec<i32> {
    let column = classes.column_by_name("oid").and_then(|column| column.as_primitive_opt::<Int32Type>());
    column.map_or_else(Vec::new, |column| column.values().to_vec())
}

/// Puts right what the library leaves open: owners, column types, the one database.
fn corrected(name: &str, batch: RecordBatch, listing: &Listing) -> Result<RecordBatch> {
    match name {
        "pg_class" => {
            let texts = DataType::new_list(DataType::Utf8, true);
            let owners = rows::int(std::iter::repeat_n(OWNER, batch.num_rows()));
            with_nulls(
                with_columns(batch, vec![("relowner", owners)])?,
                &[("reloptions", DataType::Utf8), ("relacl", texts)],
            )
        }
        "pg_attribute" => {
            let of =
                |value: &dyn Fn(types::PgType) -> i32| rows::int(listing.fields().map(|field| value(types::of(field))));
            let bytes = listing.fields().map(|field| types::of(field).bytes).collect::<Int16Array>();
            with_columns(
                batch,
                vec![
                    ("atttypid", of(&|ty| ty.oid)),
                    ("attlen", Arc::new(bytes)),
                    ("attndims", of(&|ty| i32::from(ty.sql == "ARRAY"))),
                    ("atttypmod", rows::int(listing.fields().map(types::modifier))),
                ],
            )
        }
        // It adds one of the name `postgres`, to which nobody can connect.
        "pg_database" => {
            let names = batch.column_by_name("datname").and_then(|column| column.as_string_opt::<i32>());
            let ours = names.map(|names| names.iter().map(|name| Some(name == Some(CATALOG))).collect());
            let batch = match ours {
                Some(ours) => filter_record_batch(&batch, &ours)?,
                None => batch,
            };
            with_nulls(batch, &[("datcollversion", DataType::Utf8)])
        }
        "pg_tables" => {
            let is_view: Vec<_> = listing.tables().map(|(_, _, table)| table.kind == "view").collect();
            // Those of the catalog itself come last.
            let keep = (0..batch.num_rows()).map(|row| Some(!is_view.get(row).copied().unwrap_or(false))).collect();
            Ok(filter_record_batch(&batch, &keep)?)
        }
        _ => Ok(batch),
    }
}

/// Adds columns that say nothing here, such as options, of which no table has any.
fn with_nulls(batch: RecordBatch, added: &[(&str, DataType)]) -> Result<RecordBatch> {
    let schema = batch.schema();
    let more = added.iter().map(|(name, data_type)| Arc::new(Field::new(*name, data_type.clone(), true)));
    let fields: Vec<_> = schema.fields().iter().cloned().chain(more).collect();
    let mut columns = batch.columns().to_vec();
    columns.extend(added.iter().map(|(_, data_type)| new_null_array(data_type, batch.num_rows())));
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn with_columns(batch: RecordBatch, replaced: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let schema = batch.schema();
    let mut columns = batch.columns().to_vec();
    for (name, column) in replaced {
        let at = schema.index_of(name)?;
        if column.len() != batch.num_rows() {
            return Err(DataFusionError::Internal(format!(
                "{name} has {} rows, not {}",
                column.len(),
                batch.num_rows()
            )));
        }
        columns[at] = column;
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// Grain and meanings of columns are what Postgres calls comments.
fn comments(listing: &Listing, oids: &[i32]) -> HashMap<(i32, i32), String> {
    let mut comments = HashMap::new();
    for ((_, _, table), oid) in listing.tables().zip(oids) {
        comments.insert((*oid, 0), table.grain.clone());
        let docs = (1..).zip(&table.columns).filter(|(_, column)| !column.doc.is_empty());
        comments.extend(docs.map(|(number, column)| ((*oid, number), column.doc.clone())));
    }
    comments.retain(|_, text| !text.is_empty());
    comments
}

/// Returns the number of the first table of a name.
fn number_of(classes: &RecordBatch, name: &str) -> i32 {
    let names = classes.column_by_name("relname").and_then(|column| column.as_string_opt::<i32>());
    let row = names.and_then(|names| names.iter().position(|known| known == Some(name)));
    row.and_then(|row| oids(classes).get(row).copied()).unwrap_or(0)
}

/// `of_tables` is the number of `pg_class`: what comments are on.
fn descriptions(comments: &HashMap<(i32, i32), String>, of_tables: i32) -> Result<Arc<dyn TableProvider>> {
    let mut sorted: Vec<_> = comments.iter().collect();
    sorted.sort();
    rows::table(vec![
        ("objoid", rows::int(sorted.iter().map(|((table, _), _)| *table))),
        ("classoid", rows::int(sorted.iter().map(|_| of_tables))),
        ("objsubid", rows::int(sorted.iter().map(|((_, column), _)| *column))),
        ("description", rows::text(sorted.iter().map(|(_, text)| text.as_str()))),
    ])
}

fn views(listing: &Listing, catalog: &Catalog) -> Result<Arc<dyn TableProvider>> {
    let views: Vec<_> = listing.tables().filter(|(_, _, table)| table.kind == "view").collect();
    let full = |schema: &str, name: &str| if schema == SYSTEM { format!("{IN_SYSTEM}{name}") } else { name.to_owned() };
    let definitions =
        views.iter().map(|(schema, name, _)| catalog.view(&full(schema, name)).map(|view| view.sql.clone()));
    rows::table(vec![
        ("schemaname", rows::text(views.iter().map(|(schema, ..)| *schema))),
        ("viewname", rows::text(views.iter().map(|(_, name, _)| *name))),
        ("viewowner", rows::text(views.iter().map(|_| CATALOG))),
        ("definition", rows::text_or_null(definitions)),
    ])
}
