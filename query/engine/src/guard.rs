//! What is refused before anything is planned: too long, too deep, several, or not a question.
//!
//! DataFusion plans expressions by recursion and aborts the process when its stack ends (a chain of
//! 20,000 terms does it), and it copies a `WITH` query into each place that names it (forty lines that
//! each name the line before twice make 2^40 scans). So text is measured while it is only tokens, and
//! its tables are counted while it is only a syntax tree.

mod params;
mod weight;
mod window;

use datafusion::sql::parser::{DFParserBuilder, Statement};
use partitura_event::{ErrorClass, Problem};
use sqlparser::ast::{Query, SetExpr, Statement as Ast, visit_statements};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

pub(crate) use params::{bind, bind_given, number_marks, open_parameters};
pub(crate) use weight::{as_of_positions, scans, weigh};
pub(crate) use window::check_windows;

/// Longest SQL text, in bytes.
pub const SQL_BYTES_MAX: usize = 64 << 10;
/// Most operators (`+`, `=`, `AND`, `WHEN`, …) in one text.
pub const OPERATORS_MAX: usize = 1_000;
/// Most `SELECT`s and `JOIN`s in one text.
pub const CLAUSES_MAX: usize = 200;
/// Most values and names in one text.
pub const TOKENS_MAX: usize = 20_000;
/// Deepest nesting of parentheses and subqueries.
pub const NESTING_MAX: usize = 50;

const OPERATOR_WORDS: &[&str] =
    &["AND", "OR", "NOT", "WHEN", "LIKE", "ILIKE", "BETWEEN", "IS", "SIMILAR", "COLLATE", "AT", "OVERLAPS", "XOR"];
const CLAUSE_WORDS: &[&str] = &["SELECT", "JOIN", "UNION", "INTERSECT", "EXCEPT", "LATERAL", "VALUES"];

/// Reads one read-only statement.
pub(crate) fn read(sql: &str) -> Result<Statement, Problem> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(too_complex(format!("the SQL has {} bytes; at most {SQL_BYTES_MAX} are read", sql.len()))
            .hint("send long lists of values as several queries"));
    }
    let dialect = PostgreSqlDialect {};
    let mut tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| {
        let (line, column) = (error.location.line, error.location.column);
        syntax(format!("line {line}, column {column}: {}", error.message))
    })?;
    measure(&tokens)?;
    number_marks(&mut tokens)?;
    let statements = DFParserBuilder::new(tokens)
        .with_dialect(&dialect)
        .with_recursion_limit(NESTING_MAX)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(crate::failure::problem)?;
    let mut statements = statements.into_iter();
    match (statements.next(), statements.len()) {
        (None, _) => Err(syntax("the SQL is empty").hint("write one SELECT")),
        (Some(statement), 0) => {
            check_kind(&statement)?;
            Ok(statement)
        }
        (Some(_), more) => Err(Problem::new(
            ErrorClass::Invalid,
            format!("the SQL has {} statements; one is answered at a time", more + 1),
        )
        .code("sql_several_statements")
        .hint("send each in its own request")),
    }
}

fn measure(tokens: &[TokenWithSpan]) -> Result<(), Problem> {
    let (mut operators, mut clauses, mut solid) = (0, 0, 0);
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) | Token::Comma | Token::LParen | Token::RParen | Token::Period | Token::EOF => {}
            Token::Word(word) if word.quote_style.is_none() => {
                let upper = word.value.to_ascii_uppercase();
                operators += usize::from(OPERATOR_WORDS.contains(&upper.as_str()));
                clauses += usize::from(CLAUSE_WORDS.contains(&upper.as_str()));
                solid += 1;
            }
            token if is_operator(token) => operators += 1,
            _ => solid += 1,
        }
    }
    for (name, count, limit) in [
        ("operators", operators, OPERATORS_MAX),
        ("SELECT, JOIN and set clauses", clauses, CLAUSES_MAX),
        ("names and values", solid, TOKENS_MAX),
    ] {
        if count > limit {
            return Err(too_complex(format!("the SQL has {count} {name}; at most {limit} are planned"))
                .hint("write a long chain of OR as `column IN (…)`, or split the query"));
        }
    }
    Ok(())
}

fn is_operator(token: &Token) -> bool {
    !matches!(
        token,
        Token::Word(_)
            | Token::Number(..)
            | Token::Char(_)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::Placeholder(_)
            | Token::SemiColon
    )
}

/// Returns `statement` when it is a question.
pub(crate) fn checked(statement: Statement) -> Result<Statement, Problem> {
    check_kind(&statement)?;
    Ok(statement)
}

/// Refuses what is not a question, naming what it is.
fn check_kind(statement: &Statement) -> Result<(), Problem> {
    match statement {
        Statement::Statement(ast) => check_ast(ast),
        Statement::Explain(explain) if explain.analyze => {
            Err(refused("EXPLAIN ANALYZE")
                .hint("EXPLAIN shows the plan; the stats of an answer show what running it took"))
        }
        Statement::Explain(explain) => check_kind(&explain.statement),
        Statement::CopyTo(_) => {
            Err(refused("COPY").hint("ask for `parquet`, `csv` or `arrow` as the format, or use `partitura export`"))
        }
        Statement::CreateExternalTable(_) => Err(refused("CREATE EXTERNAL TABLE").hint("use `partitura import`")),
        Statement::Reset(_) => Err(refused("RESET")),
    }
}

fn check_ast(ast: &Ast) -> Result<(), Problem> {
    match ast {
        Ast::Query(query) => check_query(query)?,
        Ast::ShowTables { .. } | Ast::ShowColumns { .. } | Ast::ExplainTable { .. } => {}
        Ast::Explain { analyze: false, statement, .. } => return check_ast(statement),
        other => return Err(not_a_question(other)),
    }
    // A data-changing statement may hide inside of a WITH.
    let mut inner = None;
    let _ = visit_statements(ast, |part| {
        if !matches!(part, Ast::Query(_) | Ast::ShowTables { .. } | Ast::ShowColumns { .. } | Ast::ExplainTable { .. })
        {
            inner = Some(not_a_question(part));
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    inner.map_or(Ok(()), Err)
}

fn check_query(query: &Query) -> Result<(), Problem> {
    if !query.locks.is_empty() {
        return Err(refused("SELECT … FOR UPDATE").hint("queries read a snapshot: leave the lock out"));
    }
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        check_query(&cte.query)?;
    }
    check_set(&query.body)
}

fn check_set(body: &SetExpr) -> Result<(), Problem> {
    match body {
        SetExpr::Select(select) if select.into.is_some() => Err(refused("SELECT INTO").hint("select without INTO")),
        SetExpr::Query(query) => check_query(query),
        SetExpr::SetOperation { left, right, .. } => {
            check_set(left)?;
            check_set(right)
        }
        SetExpr::Insert(ast) | SetExpr::Update(ast) | SetExpr::Delete(ast) | SetExpr::Merge(ast) => {
            Err(not_a_question(ast))
        }
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
    }
}

fn not_a_question(ast: &Ast) -> Problem {
    let text = ast.to_string();
    let word = text.split_whitespace().next().unwrap_or("this statement").to_ascii_uppercase();
    let hint = match word.as_str() {
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" => {
            "tables are folded from events: append an event to change them"
        }
        "CREATE" | "ALTER" | "DROP" => "tables are defined by the projections; name a subquery with WITH",
        "SET" | "RESET" => "limits, time zone and position are fields of the request",
        "COPY" => "ask for `parquet`, `csv` or `arrow` as the format, or use `partitura export`",
        _ => "write one SELECT",
    };
    refused(&word).hint(hint)
}

fn refused(what: &str) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("{what} is not answered here: SQL is read-only")).code("sql_read_only")
}

fn too_complex(detail: String) -> Problem {
    Problem::new(ErrorClass::TooLarge, detail).code("sql_too_complex")
}

fn syntax(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorClass::Syntax, detail)
}
