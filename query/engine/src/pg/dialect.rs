//! SQL as Postgres clients write it, made into SQL that is planned here.
//!
//! Clients' questions to `pg_catalog` use operators, casts and names that DataFusion does not know; the library has a
//! rewriting for each, and for a few whole questions a replacement. The text is measured and read by the guard before,
//! and what comes out is looked at by the guard again.

use std::sync::LazyLock;

use datafusion::sql::parser::Statement;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use partitura_event::{ErrorClass, Problem};

use crate::guard;

static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);

/// Reads one read-only statement of a Postgres client.
pub(crate) fn read(sql: &str) -> Result<Statement, Problem> {
    let statement = guard::read(sql)?;
    let Statement::Statement(ast) = statement else { return Ok(statement) };
    if !asks_the_catalog(sql) {
        // Places of the text are kept for messages.
        return guard::checked(Statement::Statement(Box::new(PARSER.rewrite(*ast))));
    }
    let unread = |error: &dyn std::fmt::Display| Problem::new(ErrorClass::Syntax, error.to_string());
    let mut statements = PARSER.parse(sql).map_err(|error| unread(&error))?;
    match (statements.pop(), statements.len()) {
        (Some(ast), 0) => guard::checked(Statement::Statement(Box::new(ast))),
        _ => Err(unread(&"the SQL is not one statement")),
    }
}

fn asks_the_catalog(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    ["pg_", "current_setting", "::reg"].iter().any(|word| lower.contains(word))
}
