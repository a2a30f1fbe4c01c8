//! DataFusion's errors as problems: what to fix, where, and the nearest names.

use datafusion::arrow::error::ArrowError;
use datafusion::common::{Diagnostic, SchemaError};
use datafusion::error::DataFusionError;
use partitura_event::{ErrorClass, Problem, problem::nearest};
use sqlparser::parser::ParserError;

/// Turns an error into a problem. A [`Problem`] that travelled through DataFusion comes out as it was.
pub(crate) fn problem(error: DataFusionError) -> Problem {
    problem_among(error, &[])
}

/// Like [`problem`], with the names that an unknown table may have meant.
pub(crate) fn problem_among(error: DataFusionError, tables: &[String]) -> Problem {
    let place = place(&error);
    let mut problem = translate(&error, tables);
    if let Some((line, column)) = place
        && !problem.detail.starts_with("line ")
    {
        problem.detail = format!("line {line}, column {column}: {}", problem.detail);
    }
    problem
}

/// Wraps a problem, so that it can pass through DataFusion.
pub(crate) fn external(problem: Problem) -> DataFusionError {
    DataFusionError::External(Box::new(problem))
}

fn translate(error: &DataFusionError, tables: &[String]) -> Problem {
    match error {
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => translate(inner, tables),
        DataFusionError::Shared(inner) => translate(inner, tables),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => translate(first, tables),
            None => Problem::new(ErrorClass::Internal, "the query failed without a reason"),
        },
        DataFusionError::External(inner) => external_problem(inner.as_ref()),
        DataFusionError::ArrowError(arrow, _) => match arrow.as_ref() {
            ArrowError::ExternalError(inner) => external_problem(inner.as_ref()),
            other => invalid(clean(&other.to_string())),
        },
        DataFusionError::SQL(parser, _) => parse_error(parser),
        DataFusionError::SchemaError(schema, _) => schema_error(schema),
        DataFusionError::Plan(text) => plan_error(text, tables),
        DataFusionError::NotImplemented(text) => {
            Problem::new(ErrorClass::Invalid, clean(text)).code("sql_not_supported")
        }
        DataFusionError::ResourcesExhausted(text) => Problem::new(ErrorClass::ResourcesExhausted, first_line(text))
            .code("sql_memory")
            .hint("select fewer columns or rows, aggregate earlier, or raise the memory limit"),
        DataFusionError::Execution(text) | DataFusionError::Configuration(text) => invalid(clean(text)),
        DataFusionError::IoError(io) => Problem::new(ErrorClass::Unavailable, format!("reading tables failed: {io}")),
        other => Problem::new(ErrorClass::Internal, clean(&other.to_string())),
    }
}

fn external_problem(inner: &(dyn std::error::Error + 'static)) -> Problem {
    let mut error = Some(inner);
    while let Some(current) = error {
        if let Some(problem) = current.downcast_ref::<Problem>() {
            return problem.clone();
        }
        if let Some(inner) = current.downcast_ref::<DataFusionError>() {
            return translate(inner, &[]);
        }
        error = current.source();
    }
    Problem::new(ErrorClass::Internal, clean(&inner.to_string()))
}

fn invalid(detail: String) -> Problem {
    Problem::new(ErrorClass::Invalid, detail).code("sql_invalid")
}

fn parse_error(error: &ParserError) -> Problem {
    match error {
        ParserError::RecursionLimitExceeded => Problem::new(
            ErrorClass::TooLarge,
            format!("the SQL is nested more than {} levels deep", crate::guard::NESTING_MAX),
        )
        .code("sql_too_complex")
        .hint("name inner queries with WITH"),
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => {
            Problem::new(ErrorClass::Syntax, place_first(text))
        }
    }
}

/// Turns `Expected: x, found: y at Line: 1, Column: 8` into `line 1, column 8: expected x, found y`.
fn place_first(text: &str) -> String {
    let text = text.replace("Expected: ", "expected ").replace("found: ", "found ");
    let Some((message, place)) = text.rsplit_once(" at Line: ") else { return text };
    match place.split_once(", Column: ") {
        Some((line, column)) => format!("line {line}, column {column}: {message}"),
        None => text,
    }
}

fn schema_error(error: &SchemaError) -> Problem {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let given = field.name();
            let known: Vec<&str> = valid_fields.iter().map(|column| column.name.as_str()).collect();
            let problem = Problem::new(ErrorClass::NotFound, format!("there is no column `{}`", field.flat_name()));
            let problem = problem.code("sql_unknown_column").suggest(given, known.iter().copied());
            match known.len() {
                0 => problem.hint("this part of the query reads no table"),
                1..=40 if problem.suggestions.is_empty() => {
                    problem.hint(format!("the columns here are {}", known.join(", ")))
                }
                _ => problem.hint("GET /v1/tables/{name} lists the columns of a table"),
            }
        }
        SchemaError::AmbiguousReference { field } => {
            invalid(format!("`{}` is a column of several tables here", field.flat_name()))
                .code("sql_ambiguous_column")
                .hint("write the table's name or alias before it")
        }
        other => invalid(clean(&other.to_string())),
    }
}

fn plan_error(text: &str, tables: &[String]) -> Problem {
    let text = clean(text);
    if let Some(rest) = text.strip_prefix("table '")
        && let Some((name, _)) = rest.split_once("' not found")
    {
        return unknown_table(name, tables);
    }
    if let Some(rest) = text.strip_prefix("Invalid function '")
        && let Some((name, rest)) = rest.split_once('\'')
    {
        let suggestion = rest.split('\'').nth(1).map(str::to_owned);
        let mut problem = Problem::new(ErrorClass::NotFound, format!("there is no function `{name}`"))
            .code("sql_unknown_function")
            .hint("SELECT DISTINCT routine_name FROM information_schema.routines lists them");
        problem.suggestions =
            suggestion.filter(|near| !nearest(name, [near.as_str()], 1).is_empty()).into_iter().collect();
        return problem;
    }
    if let Some(rest) = text.strip_prefix("table function '")
        && let Some((name, _)) = rest.split_once('\'')
    {
        return Problem::new(ErrorClass::NotFound, format!("there is no table function `{name}`"))
            .code("sql_unknown_function")
            .suggest(name, crate::relation::FUNCTIONS.iter().copied().chain(["generate_series", "range", "unnest"]));
    }
    invalid(text)
}

fn unknown_table(resolved: &str, tables: &[String]) -> Problem {
    let given = resolved.trim_start_matches("partitura.").trim_start_matches("public.");
    let problem = Problem::new(ErrorClass::NotFound, format!("there is no table `{given}`")).code("sql_unknown_table");
    if given.contains(['/', '\\']) || [".parquet", ".csv", ".json", ".arrow"].iter().any(|end| given.ends_with(end)) {
        return problem.hint("SQL does not read files; `partitura import` turns them into events");
    }
    problem.suggest(given, tables.iter().map(String::as_str)).hint("GET /v1/tables lists them")
}

/// Returns the line and column that the error carries.
fn place(error: &DataFusionError) -> Option<(u64, u64)> {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => diagnostic_place(diagnostic).or_else(|| place(inner)),
        DataFusionError::Context(_, inner) => place(inner),
        DataFusionError::Shared(inner) => place(inner),
        DataFusionError::Collection(errors) => errors.first().and_then(place),
        _ => None,
    }
}

fn diagnostic_place(diagnostic: &Diagnostic) -> Option<(u64, u64)> {
    let span = diagnostic.span.as_ref()?;
    (span.start.line > 0).then_some((span.start.line, span.start.column))
}

/// Drops DataFusion's own prefixes and its request to report a bug there.
fn clean(text: &str) -> String {
    let mut text = text;
    for prefix in
        ["Error during planning: ", "Execution error: ", "Arrow error: ", "External error: ", "Optimizer rule "]
    {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    let text = text.split("\nThis issue was likely caused by").next().unwrap_or(text);
    text.split("\n\nbacktrace:").next().unwrap_or(text).trim().to_owned()
}

fn first_line(text: &str) -> String {
    clean(text).lines().next().unwrap_or_default().to_owned()
}
