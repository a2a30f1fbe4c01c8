//! Questions of one JSON object: unknown fields are refused with the nearest name.

use partitura_event::{ErrorClass, Problem};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Reads `T` from JSON. `T` denies unknown fields; its error becomes a problem that names the field.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::new(ErrorClass::Malformed, "the body is empty; send a JSON object").code("empty_body"));
    }
    if let Err(error) = std::str::from_utf8(body) {
        let detail = format!("the body is not UTF-8: wrong byte at offset {}", error.valid_up_to());
        return Err(Problem::new(ErrorClass::Malformed, detail).code("invalid_utf8"));
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => of_field(&error.to_string()),
        _ => Problem::new(ErrorClass::Malformed, format!("the body is not JSON: {error}")).code("invalid_json"),
    })
}

/// serde says: unknown field `x`, expected one of `a`, `b` at line 1 column 2.
fn of_field(message: &str) -> Problem {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let text = message.split(" at line ").next().unwrap_or(message);
    match quoted.as_slice() {
        [given, known @ ..] if message.starts_with("unknown field") => {
            Problem::invalid_field(given, "unknown_field", format!("there is no field `{given:.60}` here"))
                .code("unknown_field")
                .suggest(given, known.iter().copied())
                .hint(format!("the fields are {}", known.join(", ")))
        }
        [given, known @ ..] if message.starts_with("unknown variant") => {
            Problem::new(ErrorClass::Invalid, format!("`{given:.60}` is not one of {}", known.join(", ")))
                .code("unknown_value")
                .suggest(given, known.iter().copied())
        }
        [name] if message.starts_with("missing field") => {
            Problem::invalid_field(name, "missing", format!("the field `{name}` is missing"))
        }
        [name] if message.starts_with("duplicate field") => {
            Problem::new(ErrorClass::Malformed, format!("the field `{name}` stands twice")).code("duplicate_key")
        }
        _ => Problem::new(ErrorClass::Invalid, format!("the body does not fit: {text}")).code("wrong_type"),
    }
}
