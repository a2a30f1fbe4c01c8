//! Values of parameters in Postgres' text form.

use partitura_event::{ErrorClass, Problem};
use postgres_types::{Kind, Type};
use serde_json::{Number, Value};

/// Reads one value of a type.
pub fn value(ty: &Type, text: &str) -> Result<Value, Problem> {
    if let Kind::Array(item) = ty.kind() {
        return array(item, text);
    }
    match *ty {
        Type::BOOL => truth(text).map(Value::Bool).ok_or_else(|| wrong(ty, text)),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => {
            text.trim().parse::<i64>().map(Value::from).map_err(|_| wrong(ty, text))
        }
        Type::FLOAT4 | Type::FLOAT8 => {
            let number: f64 = text.trim().parse().map_err(|_| wrong(ty, text))?;
            Ok(Number::from_f64(number).map_or_else(|| Value::String(text.trim().to_owned()), Value::Number))
        }
        Type::NUMERIC => decimal(text.trim()).ok_or_else(|| wrong(ty, text)),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// A whole number stays one; others are text, so that no digit is lost.
pub fn decimal(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.') && digits.matches('.').count() <= 1;
    (plain && digits.chars().any(|c| c.is_ascii_digit())).then(|| Value::String(text.to_owned()))
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Reads `{a,"b c",NULL}`.
fn array(item: &Type, text: &str) -> Result<Value, Problem> {
    let refused = || {
        let problem = Problem::new(ErrorClass::Invalid, format!("malformed array literal: \"{text:.60}\""));
        problem.code("sql_parameter_type").hint("an array has one dimension here: {a,b,NULL}")
    };
    let inner = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(refused)?;
    let mut items = Vec::new();
    let mut letters = inner.chars().peekable();
    while letters.peek().is_some() {
        let (mut word, mut quoted) = (String::new(), false);
        loop {
            match letters.next() {
                None | Some(',') => break,
                Some('{' | '}') => return Err(refused()),
                Some('\\') => word.extend(letters.next()),
                Some('"') => {
                    quoted = true;
                    loop {
                        match letters.next() {
                            Some('\\') => word.extend(letters.next()),
                            Some('"') => break,
                            Some(letter) => word.push(letter),
                            None => return Err(refused()),
                        }
                    }
                }
                Some(letter) => word.push(letter),
            }
        }
        let word = if quoted { word.as_str() } else { word.trim() };
        items.push(match quoted || !word.eq_ignore_ascii_case("null") {
            true => value(item, word)?,
            false => Value::Null,
        });
    }
    Ok(Value::Array(items))
}

/// Reports a text that is no value of the type.
pub fn wrong(ty: &Type, text: &str) -> Problem {
    let detail = format!("invalid input syntax for type {}: \"{text:.60}\"", ty.name());
    Problem::new(ErrorClass::Invalid, detail).code("sql_parameter_type")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_become_values() {
        for (ty, text, expected) in [
            (Type::INT4, "-7", json!(-7)),
            (Type::FLOAT8, "0.5", json!(0.5)),
            (Type::FLOAT8, "NaN", json!("NaN")),
            (Type::BOOL, "t", json!(true)),
            (Type::NUMERIC, "12.50", json!("12.50")),
            (Type::NUMERIC, "12", json!(12)),
            (Type::TEXT, "it's", json!("it's")),
            (Type::TEXT_ARRAY, r#"{a,"b, \"c\"",NULL,"NULL"}"#, json!(["a", "b, \"c\"", null, "NULL"])),
            (Type::INT8_ARRAY, "{1,2}", json!([1, 2])),
            (Type::INT8_ARRAY, "{}", json!([])),
        ] {
            assert_eq!(value(&ty, text).expect("a value"), expected, "{text}");
        }
        for (ty, text) in [(Type::INT4, "x"), (Type::BOOL, "maybe"), (Type::NUMERIC, "1e"), (Type::INT8_ARRAY, "{{1}}")]
        {
            assert_eq!(value(&ty, text).expect_err("it is refused").code, "sql_parameter_type", "{text}");
        }
    }
}
