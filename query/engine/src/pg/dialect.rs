//! SQL as Postgres clients write it, made into SQL that is planned here.
//!
//! Clients' questions to `pg_catalog` use operators, casts and names that DataFusion does not know; the library has a
//! rewriting for each, and for a few whole questions a replacement. The text is measured and read by the guard before,
//! and what comes out is looked at by the guard again.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::parser::Statement;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use partitura_event::{ErrorClass, Problem};
use sqlparser::ast::{Expr, Statement as Ast, Value, visit_expressions_mut};

use super::{empty, names, scalar, subquery, template};
use crate::guard;

static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);

/// Reads one read-only statement of a Postgres client.
pub(crate) fn read(sql: &str) -> Result<Statement, Problem> {
    let statement = guard::read(sql)?;
    let Statement::Statement(ast) = statement else { return Ok(statement) };
    let mut ast = if asks_the_catalog(sql) {
        if let Ast::Query(query) = ast.as_ref()
            && let Some(nothing) = empty::without_rows(query)
        {
            return guard::checked(Statement::Statement(Box::new(nothing)));
        }
        let mut ast = *ast;
        // A whole question that the library knows is found by its text as it came.
        let changed = scalar::name_the_catalog(&mut ast) | scalar::know(&mut ast) | subquery::keep(&mut ast);
        let mut ast = if changed { replaced(&ast.to_string())? } else { replaced(sql)? };
        scalar::plannable(&mut ast);
        ast
    } else {
        // Places of the text are kept for messages.
        let mut ast = *ast;
        adapt(&mut ast)?;
        subquery::keep(&mut ast);
        PARSER.rewrite(ast)
    };
    adapt(&mut ast)?;
    guard::checked(Statement::Statement(Box::new(ast)))
}

fn replaced(sql: &str) -> Result<Ast, Problem> {
    let unread = |error: &dyn std::fmt::Display| Problem::new(ErrorClass::Syntax, error.to_string());
    let mut statements = PARSER.parse(sql).map_err(|error| unread(&error))?;
    match (statements.pop(), statements.len()) {
        (Some(ast), 0) => Ok(ast),
        _ => Err(unread(&"the SQL is not one statement")),
    }
}

/// Names columns, and writes patterns with the one escape that is planned and templates as they are read here.
fn adapt(ast: &mut Ast) -> Result<(), Problem> {
    if let Ast::Query(query) = ast {
        names::name_columns(query);
    }
    let unread = visit_expressions_mut(ast, |expr| {
        if let Expr::Function(function) = expr
            && let Err(problem) = template::translate(function)
        {
            return ControlFlow::Break(problem);
        }
        if let Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } = expr
            && let Some(escape) = escape_char.take()
            && let Value::SingleQuotedString(text) = &escape.value
            && text != "\\"
            && let Some(rewritten) = empty::with_backslash(pattern, text)
        {
            **pattern = rewritten;
        }
        ControlFlow::Continue(())
    });
    match unread {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn asks_the_catalog(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    ["pg_", "current_setting", "::reg"].iter().any(|word| lower.contains(word))
}
