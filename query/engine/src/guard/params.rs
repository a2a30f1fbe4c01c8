//! Parameters become literals of the syntax tree: never text, so they cannot be read as SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use partitura_event::{ErrorClass, Problem};
use serde_json::Value as Json;
use sqlparser::ast::{Array, Expr, UnaryOperator, Value, ValueWithSpan, VisitMut, visit_expressions_mut};

use crate::request::Params;

/// Replaces `$1`, `$name` by their values. Errors with the name of the first that is not given.
pub(crate) fn bind(statement: &mut Statement, params: &Params) -> Result<(), Problem> {
    match statement {
        Statement::Statement(ast) => bind_in(ast.as_mut(), params),
        Statement::Explain(explain) => bind(&mut explain.statement, params),
        _ => Ok(()),
    }
}

fn bind_in<V: VisitMut>(ast: &mut V, params: &Params) -> Result<(), Problem> {
    let result = visit_expressions_mut(ast, |expr| {
        let Expr::Value(ValueWithSpan { value: Value::Placeholder(name), .. }) = expr else {
            return ControlFlow::Continue(());
        };
        match lookup(name, params).and_then(|value| literal(name, value, 0)) {
            Ok(bound) => {
                *expr = bound;
                ControlFlow::Continue(())
            }
            Err(problem) => ControlFlow::Break(problem),
        }
    });
    match result {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(problem) => Err(problem),
    }
}

fn lookup<'a>(placeholder: &str, params: &'a Params) -> Result<&'a Json, Problem> {
    let name = placeholder.trim_start_matches(['$', '?', ':', '@']);
    if let Some(value) = params.named.get(name) {
        return Ok(value);
    }
    if let Ok(number) = name.parse::<usize>()
        && let Some(value) = number.checked_sub(1).and_then(|index| params.positional.get(index))
    {
        return Ok(value);
    }
    let given: BTreeSet<String> =
        (1..=params.positional.len()).map(|n| n.to_string()).chain(params.named.keys().cloned()).collect();
    let list = given.iter().map(|name| format!("${name}")).collect::<Vec<_>>().join(", ");
    let detail = format!("the parameter `{placeholder}` is not given");
    let problem = Problem::new(ErrorClass::Invalid, detail).code("sql_parameter_missing");
    let problem = problem.suggest(name, params.named.keys().map(String::as_str));
    Err(if list.is_empty() {
        problem.hint("send it in `params`: an array for $1, $2, … or an object for names")
    } else {
        problem.hint(format!("given are {list}"))
    })
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
