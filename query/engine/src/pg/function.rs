//! Functions that Postgres clients call: about the session, about the catalog, and those that have nothing to say here.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion_pg_catalog::pg_catalog as library;
use partitura_event::{ErrorClass, Position, Problem};

use super::catalog::PgCatalog;
use super::session::PgSession;
use super::view::PgView;
use crate::failure::external;
use crate::scope::CATALOG;

/// Adds those that are the same in every session, and the types that casts name.
pub(crate) fn register(state: SessionState) -> Result<SessionState> {
    let context = SessionContext::new_with_state(state);
    library::generate_series_arg_coercion::CoerceIntArgsToBigInt::widen(&context);
    let planner = Arc::new(library::oid_type_planner::PgOidTypePlanner);
    let mut state = SessionStateBuilder::new_from_existing(context.state()).with_type_planner(planner).build();
    state.config_mut().options_mut().catalog.information_schema = false;
    let words = library::PgCatalogStaticTables::try_new()?.pg_get_keywords;
    state.register_udtf("pg_get_keywords", words);
    let of_the_library = [
        library::create_current_database_udf(CATALOG),
        library::create_current_schema_udf(),
        library::create_current_schemas_udf(),
        library::create_pg_table_is_visible(),
        library::create_pg_get_partkeydef_udf(),
        library::create_pg_relation_is_publishable_udf(),
        library::create_pg_get_statisticsobjdef_columns_udf(),
        library::create_pg_relation_size_udf(),
        library::create_pg_total_relation_size_udf(),
        library::create_pg_stat_get_numscans(),
        library::create_pg_get_constraintdef(),
        library::create_pg_get_partition_ancestors_udf(),
        library::format_type::create_format_type_udf(),
        library::pg_get_expr_udf::create_pg_get_expr_udf(),
        library::quote_ident_udf::create_quote_ident_udf(),
        library::quote_ident_udf::create_parse_ident_udf(),
        library::array_bounds_udf::create_array_upper_udf(),
        library::array_bounds_udf::create_array_lower_udf(),
    ];
    let ours = SILENT.iter().map(|(name, ty)| Function::new(name, ty.clone(), Body::Nothing));
    let seen = VISIBLE.iter().map(|name| Function::new(name, DataType::Boolean, Body::Yes));
    let privileges = PRIVILEGES.iter().map(|name| Function::new(name, DataType::Boolean, Body::Privilege));
    let encoding = Function::new("pg_encoding_to_char", DataType::Utf8, Body::Encoding);
    let own = ours.chain(seen).chain(privileges).chain([encoding]).map(ScalarUDF::from);
    for function in of_the_library.into_iter().chain(own) {
        state.register_udf(Arc::new(function))?;
    }
    Ok(state)
}

/// Adds those that answer about one session, at the position of its query.
pub(crate) fn register_session(
    state: &mut SessionState,
    session: &Arc<PgSession>,
    catalog: &Arc<PgCatalog>,
    position: Option<Position>,
) -> Result<()> {
    let text = |text: &str| Body::Constant(ScalarValue::Utf8(Some(text.to_owned())));
    let transaction = i64::try_from(position.map_or(0, Position::get)).unwrap_or(i64::MAX);
    let transaction = Body::Constant(ScalarValue::Int64(Some(transaction)));
    let no = || Body::Constant(ScalarValue::Boolean(Some(false)));
    let functions = [
        Function::new("version", DataType::Utf8, text(&version())),
        Function::new("session_user", DataType::Utf8, text(&session.user)),
        Function::new("pg_get_userbyid", DataType::Utf8, text(&session.user)),
        Function::new("pg_backend_pid", DataType::Int32, Body::Constant(ScalarValue::Int32(Some(session.pid)))),
        Function::new("pg_is_in_recovery", DataType::Boolean, no()),
        Function::new("pg_is_other_temp_schema", DataType::Boolean, no()),
        Function::new("pg_my_temp_schema", DataType::Int32, Body::Constant(ScalarValue::Int32(Some(0)))),
        Function::new("pg_client_encoding", DataType::Utf8, text("UTF8")),
        Function::new("txid_current", DataType::Int64, transaction),
        Function::new("current_setting", DataType::Utf8, Body::Setting(session.clone())),
        Function::new("set_config", DataType::Utf8, Body::SetConfig(session.clone())),
        Function::new("obj_description", DataType::Utf8, Body::Comment(catalog.clone())),
        Function::new("col_description", DataType::Utf8, Body::Comment(catalog.clone())),
        Function::new("pg_get_viewdef", DataType::Utf8, Body::View(catalog.clone())),
        Function::new("to_regclass", DataType::Int32, Body::Named(catalog.clone(), PgCatalog::class)),
        Function::new("to_regtype", DataType::Int32, Body::Named(catalog.clone(), PgCatalog::type_named)),
    ];
    for function in functions {
        state.register_udf(Arc::new(ScalarUDF::from(function)))?;
    }
    let view = PgView { catalog: catalog.clone(), session: session.clone() };
    state.register_udtf("pg_show_all_settings", Arc::new(view));
    Ok(())
}

/// Version of Postgres whose catalogs are shown.
pub const PG_VERSION: &str = "16.6";

/// Returns what `version()` says.
fn version() -> String {
    format!("PostgreSQL {PG_VERSION} (Partitura {})", env!("CARGO_PKG_VERSION"))
}

/// They describe what does not exist here, or is not known.
const SILENT: &[(&str, DataType)] = &[
    ("pg_get_indexdef", DataType::Utf8),
    ("pg_get_ruledef", DataType::Utf8),
    ("pg_get_triggerdef", DataType::Utf8),
    ("pg_get_serial_sequence", DataType::Utf8),
    ("pg_get_functiondef", DataType::Utf8),
    ("pg_get_function_arguments", DataType::Utf8),
    ("pg_get_function_identity_arguments", DataType::Utf8),
    ("pg_get_function_result", DataType::Utf8),
    ("pg_get_function_sqlbody", DataType::Utf8),
    ("pg_is_wal_replay_paused", DataType::Boolean),
    ("pg_tablespace_location", DataType::Utf8),
    ("shobj_description", DataType::Utf8),
    ("inet_server_addr", DataType::Utf8),
    ("inet_client_addr", DataType::Utf8),
    ("pg_advisory_unlock_all", DataType::Utf8),
    ("pg_table_size", DataType::Int64),
    ("pg_indexes_size", DataType::Int64),
    ("pg_database_size", DataType::Int64),
    ("pg_tablespace_size", DataType::Int64),
    ("pg_relation_filenode", DataType::Int64),
];

const VISIBLE: &[&str] = &[
    "pg_function_is_visible",
    "pg_type_is_visible",
    "pg_operator_is_visible",
    "pg_opclass_is_visible",
    "pg_collation_is_visible",
    "pg_ts_config_is_visible",
    "pg_conversion_is_visible",
];

/// They say yes to reading and no to everything else.
const PRIVILEGES: &[&str] = &[
    "has_table_privilege",
    "has_column_privilege",
    "has_any_column_privilege",
    "has_schema_privilege",
    "has_database_privilege",
    "has_function_privilege",
    "has_sequence_privilege",
    "has_type_privilege",
    "has_language_privilege",
    "pg_has_role",
];
const READING: &[&str] = &["select", "usage", "connect", "execute", "member"];

#[derive(Debug)]
struct Function {
    name: &'static str,
    returns: DataType,
    body: Body,
    signature: Signature,
}

enum Body {
    Nothing,
    Yes,
    Constant(ScalarValue),
    Privilege,
    Encoding,
    Setting(Arc<PgSession>),
    SetConfig(Arc<PgSession>),
    Comment(Arc<PgCatalog>),
    View(Arc<PgCatalog>),
    /// The number of what has a name, or null.
    Named(Arc<PgCatalog>, fn(&PgCatalog, &str) -> Option<i32>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

impl Function {
    fn new(name: &'static str, returns: DataType, body: Body) -> Self {
        let any = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        // What a session says of itself does not change while a query runs.
        let signature = Signature::one_of(any, Volatility::Stable);
        Self { name, returns, body, signature }
    }

    fn wrong(&self, takes: &str) -> DataFusionError {
        external(Problem::new(ErrorClass::Invalid, format!("{}() takes {takes}", self.name)).code("sql_invalid"))
    }
}

/// One session has one function of a name.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = || ColumnarValue::values_to_arrays(&args.args);
        let array: ArrayRef = match &self.body {
            Body::Constant(value) => return Ok(ColumnarValue::Scalar(value.clone())),
            Body::Nothing => return Ok(ColumnarValue::Scalar(ScalarValue::try_from(&self.returns)?)),
            Body::Yes => return Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))),
            Body::Privilege => {
                let asked = arrays()?.pop().ok_or_else(|| self.wrong("the name of a privilege last"))?;
                let reads = |word: &str| word.split(',').all(|one| READING.contains(&one.trim()));
                Arc::new(
                    texts(&asked)?
                        .iter()
                        .map(|word| word.map(|word| reads(&word.to_lowercase())))
                        .collect::<BooleanArray>(),
                )
            }
            Body::Encoding => {
                let number = arrays()?.pop().ok_or_else(|| self.wrong("the number of an encoding"))?;
                let name = |number: Option<i32>| number.map(|number| if number == 6 { "UTF8" } else { "" });
                Arc::new(ints(&number)?.iter().map(name).collect::<StringArray>())
            }
            Body::Setting(session) => self.setting(session, &arrays()?)?,
            Body::SetConfig(session) => self.set_config(session, &arrays()?)?,
            Body::Named(catalog, find) => {
                let names = arrays()?.into_iter().next().ok_or_else(|| self.wrong("a name"))?;
                Arc::new(texts(&names)?.iter().map(|name| find(catalog, name?)).collect::<Int32Array>())
            }
            Body::Comment(catalog) => self.comment(catalog, &arrays()?)?,
            Body::View(catalog) => {
                let oids = arrays()?.into_iter().next().ok_or_else(|| self.wrong("the number of a view"))?;
                Arc::new(ints(&oids)?.iter().map(|oid| catalog.view(oid?)).collect::<StringArray>())
            }
        };
        // All arguments were constants: the answer is one too, whatever the number of rows.
        if array.len() == 1 && rows != 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

impl Function {
    fn setting(&self, session: &PgSession, args: &[ArrayRef]) -> Result<ArrayRef> {
        let (names, lenient) = match args {
            [names] => (names, false),
            [names, lenient] => (names, lenient.as_boolean_opt().is_some_and(|flag| flag.is_valid(0) && flag.value(0))),
            _ => return Err(self.wrong("the name of a setting")),
        };
        let value = |name: Option<&str>| match name.map(str::to_lowercase) {
            None => Ok(None),
            Some(name) => match session.settings.get(&name) {
                Some(value) => Ok(Some(value.clone())),
                None if lenient => Ok(None),
                None => Err(external(unknown_setting(session, &name))),
            },
        };
        Ok(Arc::new(texts(names)?.iter().map(value).collect::<Result<StringArray>>()?))
    }

    fn set_config(&self, session: &PgSession, args: &[ArrayRef]) -> Result<ArrayRef> {
        let [names, values, _] = args else { return Err(self.wrong("a name, a value and whether it is local")) };
        let (names, values) = (texts(names)?, texts(values)?);
        for (name, value) in names.iter().zip(values.iter()) {
            let (Some(name), Some(written)) = (name, &session.written) else { continue };
            let name = name.to_lowercase();
            if !session.settings.contains_key(&name) && !name.contains('.') {
                return Err(external(unknown_setting(session, &name)));
            }
            written.push(name, value.unwrap_or_default().to_owned());
        }
        Ok(Arc::new(values))
    }

    fn comment(&self, catalog: &PgCatalog, args: &[ArrayRef]) -> Result<ArrayRef> {
        let (oids, columns) = match args {
            // A comment on anything but a table is none of ours.
            [oids] => (ints(oids)?, None),
            [oids, second] if second.data_type().is_integer() => (ints(oids)?, Some(ints(second)?)),
            [oids, _] => (ints(oids)?, None),
            _ => return Err(self.wrong("the number of a table")),
        };
        let column = |row: usize| columns.as_ref().map_or(0, |columns| columns.value(row));
        let rows = (0..oids.len())
            .map(|row| if oids.is_valid(row) { catalog.comment(oids.value(row), column(row)) } else { None });
        Ok(Arc::new(rows.collect::<StringArray>()))
    }
}

fn texts(array: &ArrayRef) -> Result<StringArray> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn ints(array: &ArrayRef) -> Result<Int32Array> {
    Ok(cast(array, &DataType::Int32)?.as_primitive::<Int32Type>().clone())
}

fn unknown_setting(session: &PgSession, name: &str) -> Problem {
    Problem::new(ErrorClass::NotFound, format!("there is no setting `{name:.60}`"))
        .code("unknown_setting")
        .suggest(name, session.settings.keys().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_function_of_the_catalog_has_another_answer_each_time() {
        let state = SessionStateBuilder::new().with_default_features().build();
        let before: Vec<String> = state.scalar_functions().keys().cloned().collect();
        let state = register(state).expect("they are registered");
        let added = state.scalar_functions().iter().filter(|(name, _)| !before.contains(name));
        let volatile: Vec<&String> =
            added.filter(|(_, f)| f.signature().volatility == Volatility::Volatile).map(|(name, _)| name).collect();
        assert!(volatile.is_empty(), "{volatile:?}");
    }

    #[test]
    fn every_name_is_given_once() {
        let mut names: Vec<&str> = SILENT.iter().map(|(name, _)| *name).collect();
        names.extend(VISIBLE);
        names.extend(PRIVILEGES);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
