//! What tables and views are, for `GET /v1/tables` and the reference.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use partitura_event::{Problem, Timestamp, Workspace};

use crate::engine::Core;
use crate::failure;
use crate::memory::QueryMemory;
use crate::reads::Reads;
use crate::request::Zone;
use crate::rules::Rules;
use crate::scope::Scope;
use crate::session::Dialect;
use crate::source::{Changes, ColumnDescription, TableDescription};
use crate::view::View;

/// Memory of planning views without running them.
const PLANNING_BYTES: usize = 64 << 20;

/// Describes every name of the catalog. Views are planned to learn their columns.
pub(crate) async fn describe_all(core: &Core) -> Result<Vec<TableDescription>, Problem> {
    let memory = QueryMemory::new(PLANNING_BYTES, core.memory.clone());
    let bare = core.sessions.bare(Zone::default(), Dialect::Plain, Timestamp::MIN, memory).map_err(failure::problem)?;
    let scope = Scope::new(core.catalog.clone(), core.tables.pin(), Workspace::local(), None, bare, Reads::default());
    let scope = scope.and_then(|scope| scope.with_rules(Rules::defaults()?)).map_err(failure::problem)?;
    let mut described = Vec::new();
    for name in core.catalog.all_names() {
        match core.catalog.view(&name) {
            Some(view) => {
                let planned = scope.public(&name).await.map_err(failure::problem)?;
                let schema = planned.map_or_else(|| Arc::new(Schema::empty()), |table| table.schema());
                described.push(describe_view(core, view, &schema));
            }
            None => described.extend(core.catalog.stored_description(&name).map(|table| {
                let schema = crate::output::plain_schema(&table.schema);
                TableDescription { schema, ..table }
            })),
        }
    }
    Ok(described)
}

fn describe_view(core: &Core, view: &View, schema: &Schema) -> TableDescription {
    let schema = crate::output::plain_schema(schema);
    let inherited = |column: &str| {
        let table = view.inherits.iter().filter_map(|table| core.catalog.base(table));
        table.flat_map(|table| &table.columns).find(|known| known.name == column).map(|known| known.doc.clone())
    };
    let from_view = |column: &str| {
        let views = view.inherits.iter().filter_map(|table| core.catalog.view(table));
        views.filter_map(|view| view.columns.get(column)).next().cloned()
    };
    let columns = schema.fields().iter().map(|field| {
        let name = field.name();
        let doc = view.columns.get(name).cloned().or_else(|| inherited(name)).or_else(|| from_view(name));
        ColumnDescription {
            name: name.clone(),
            ty: type_name(field.data_type()),
            nullable: field.is_nullable(),
            doc: doc.unwrap_or_default(),
        }
    });
    TableDescription {
        name: view.name.clone(),
        kind: "view",
        grain: view.grain.clone(),
        key: view.key.clone(),
        // A view in front of a stored table has that table's rows.
        changes: if core.catalog.base(&view.name).is_some() { Changes::Replaced } else { Changes::Computed },
        unique: false,
        joins: view.joins.clone(),
        columns: columns.collect(),
        schema: schema.clone(),
        stored_schema: schema.clone(),
    }
}

/// Returns the name of an Arrow type as the reference and typed answers show it.
pub fn type_name(ty: &DataType) -> String {
    match ty {
        DataType::Null => "null".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "integer".to_owned(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => "unsigned integer".to_owned(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "float".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary".to_owned()
        }
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Timestamp(_, _) => "timestamp".to_owned(),
        DataType::Duration(_) | DataType::Interval(_) => "interval".to_owned(),
        DataType::Decimal32(_, s)
        | DataType::Decimal64(_, s)
        | DataType::Decimal128(_, s)
        | DataType::Decimal256(_, s) => {
            format!("decimal({s})")
        }
        DataType::Dictionary(_, value) => type_name(value),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => {
            format!("list of {}", type_name(item.data_type()))
        }
        DataType::FixedSizeList(item, n) => format!("list of {n} {}", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|f| format!("{} {}", f.name(), type_name(f.data_type()))).collect();
            format!("struct({})", fields.join(", "))
        }
        other => other.to_string().to_lowercase(),
    }
}
