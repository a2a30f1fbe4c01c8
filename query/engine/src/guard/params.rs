//! Parameters become literals of the syntax tree: never text, so they cannot be read as SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use partitura_event::{ErrorClass, Problem};
use serde_json::Value as Json;
use sqlparser::ast::{Array, CastKind, Expr, UnaryOperator, Value, ValueWithSpan, VisitMut, visit_expressions_mut};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::request::Params;

/// Gives each `?` its number, as if it had been written `$1`, `$2`, …: drivers write it where a value stands.
///
/// Nothing else that is answered here has a question mark of its own. Errors when both ways are mixed.
pub(crate) fn number_marks(tokens: &mut [TokenWithSpan]) -> Result<(), Problem> {
    let (mut marks, mut numbers) = (0_usize, false);
    for token in tokens.iter_mut() {
        let is_mark = match &token.token {
            Token::Question => true,
            Token::Placeholder(name) => {
                numbers |= name != "?";
                name == "?"
            }
            _ => false,
        };
        if is_mark {
            marks += 1;
            token.token = Token::Placeholder(format!("${marks}"));
        }
    }
    if marks > 0 && numbers {
        let problem = Problem::new(ErrorClass::Invalid, "the SQL has parameters as `?` and as `$1` or `$name`");
        return Err(problem.code("sql_parameter_mixed").hint("write all of them in one way"));
    }
    Ok(())
}

/// Replaces `$1`, `$name` by their values. Errors with the name of the first that is not given.
pub(crate) fn bind(statement: &mut Statement, params: &Params) -> Result<(), Problem> {
    visit(statement, &mut |expr, name| match lookup(name, params) {
        Some(value) => typed(name, literal(name, value, 0)?, params).map(|bound| *expr = bound),
        None => Err(missing(name, params)),
    })
}

/// Replaces those parameters that are given and leaves the others open.
pub(crate) fn bind_given(statement: &mut Statement, params: &Params) -> Result<(), Problem> {
    visit(statement, &mut |expr, name| match lookup(name, params) {
        Some(value) => typed(name, literal(name, value, 0)?, params).map(|bound| *expr = bound),
        None => typed(name, expr.clone(), params).map(|open| *expr = open),
    })
}

/// Casts a positional parameter to the type that its caller gave it.
fn typed(name: &str, expr: Expr, params: &Params) -> Result<Expr, Problem> {
    let place = bare(name).parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let Some(ty) = place.and_then(|place| params.types.get(place).copied().flatten()) else { return Ok(expr) };
    let data_type = Parser::new(&PostgreSqlDialect {}).try_with_sql(ty).and_then(|mut parser| parser.parse_data_type());
    let data_type = data_type.map_err(|error| {
        Problem::new(ErrorClass::Internal, format!("the parameter type `{ty}` is no type: {error}"))
    })?;
    Ok(Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None })
}

/// Returns the names of parameters without a value, each once, in the order of the text.
pub(crate) fn open_parameters(statement: &Statement) -> Vec<String> {
    let mut names = Vec::new();
    // The visitor of expressions that may be changed is the only one for both.
    let _ = visit(&mut statement.clone(), &mut |_, name| {
        let name = bare(name).to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
        Ok(())
    });
    names
}

type Each<'a> = &'a mut dyn FnMut(&mut Expr, &str) -> Result<(), Problem>;

/// Calls `each` with every parameter of the statement and its name.
fn visit(statement: &mut Statement, each: Each<'_>) -> Result<(), Problem> {
    match statement {
        Statement::Statement(ast) => visit_in(ast.as_mut(), each),
        Statement::Explain(explain) => visit(&mut explain.statement, each),
        _ => Ok(()),
    }
}

fn visit_in<V: VisitMut>(ast: &mut V, each: Each<'_>) -> Result<(), Problem> {
    let result = visit_expressions_mut(ast, |expr| {
        let Expr::Value(ValueWithSpan { value: Value::Placeholder(name), .. }) = expr else {
            return ControlFlow::Continue(());
        };
        let name = name.clone();
        match each(expr, &name) {
            Ok(()) => ControlFlow::Continue(()),
            Err(problem) => ControlFlow::Break(problem),
        }
    });
    match result {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(problem) => Err(problem),
    }
}

fn bare(placeholder: &str) -> &str {
    placeholder.trim_start_matches(['$', '?', ':', '@'])
}

fn lookup<'a>(placeholder: &str, params: &'a Params) -> Option<&'a Json> {
    let name = bare(placeholder);
    let place = || name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    params.named.get(name).or_else(|| place().and_then(|index| params.positional.get(index)))
}

fn missing(placeholder: &str, params: &Params) -> Problem {
    let name = bare(placeholder);
    let given: BTreeSet<String> =
        (1..=params.positional.len()).map(|n| n.to_string()).chain(params.named.keys().cloned()).collect();
    let list = given.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", ");
    let detail = format!("the parameter `{placeholder}` is not given");
    let problem = Problem::new(ErrorClass::Invalid, detail).code("sql_parameter_missing");
    let problem = problem.suggest(name, params.named.keys().map(String::as_str));
    if list.is_empty() {
        problem.hint("send it in `params`: an array for $1, $2, … or an object for names")
    } else {
        problem.hint(format!("given are {list}"))
    }
}

fn literal(name: &str, value: &Json, depth: usize) -> Result<Expr, Problem> {
    Ok(match value {
        Json::Null => Expr::value(Value::Null),
        Json::Bool(flag) => Expr::value(Value::Boolean(*flag)),
        Json::String(text) => Expr::value(Value::SingleQuotedString(text.clone())),
        Json::Number(number) => number_literal(&number.to_string()),
        Json::Array(items) if depth == 0 => Expr::Array(Array {
            elem: items.iter().map(|item| literal(name, item, depth + 1)).collect::<Result<_, _>>()?,
            named: true,
        }),
        Json::Array(_) | Json::Object(_) => {
            let detail = format!("the parameter `{name}` must be a string, number, boolean, null or a list of these");
            return Err(Problem::new(ErrorClass::Invalid, detail).code("sql_parameter_type"));
        }
    })
}

fn number_literal(text: &str) -> Expr {
    match text.strip_prefix('-') {
        Some(digits) => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number_literal(digits)) },
        None => Expr::value(Value::Number(text.to_owned(), false)),
    }
}
