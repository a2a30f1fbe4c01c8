//! Values that a client bound, in text or binary, as the service takes them: JSON, and the SQL type of each.

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use partitura_event::{ErrorClass, Problem};
use postgres_types::{FromSql, FromSqlOwned, Kind, Type};
use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::frontend::utf8;
use crate::parameter_text as text;
use crate::problem::protocol;

/// Bound values.
#[derive(Clone, Debug, Default)]
pub struct Params {
    pub values: Vec<Value>,
    /// SQL types; a value without one is what its literal is.
    pub types: Vec<Option<&'static str>>,
}

impl Params {
    /// Reads them. `formats` are none for text, one for all, or one for each.
    pub fn read(types: &[Type], formats: &[i16], values: &[Option<Bytes>]) -> Result<Self, Problem> {
        if values.len() != types.len() {
            let detail = format!("the statement has {} parameters and {} values are bound", types.len(), values.len());
            return Err(protocol(detail));
        }
        if formats.len() > 1 && formats.len() != values.len() {
            return Err(protocol(format!("{} formats are bound for {} values", formats.len(), values.len())));
        }
        let mut params = Self::default();
        for (at, (ty, raw)) in types.iter().zip(values).enumerate() {
            let format = formats.get(at).or(formats.first()).copied().unwrap_or(0);
            let value = match raw {
                None => Value::Null,
                Some(raw) if format == 0 => text::value(ty, utf8(raw)?)?,
                Some(raw) => binary(ty, raw)?,
            };
            params.types.push(cast(ty, &value));
            params.values.push(value);
        }
        Ok(params)
    }
}

/// Returns the SQL type to which a value is cast; literals of numbers and texts have their type already.
fn cast(ty: &Type, value: &Value) -> Option<&'static str> {
    let literal = matches!(value, Value::Number(_) | Value::Bool(_)) && *ty != Type::NUMERIC;
    let full = matches!(value, Value::Array(items) if !items.is_empty());
    if literal || full || (value.is_string() && sql_name(ty) == Some("VARCHAR")) {
        return None;
    }
    if value.is_number() {
        return None;
    }
    sql_name(ty)
}

/// Returns the SQL name of a type.
pub fn sql_name(ty: &Type) -> Option<&'static str> {
    Some(match *ty {
        Type::BOOL => "BOOLEAN",
        Type::INT2 => "SMALLINT",
        Type::INT4 => "INTEGER",
        Type::INT8 | Type::OID => "BIGINT",
        Type::FLOAT4 => "REAL",
        Type::FLOAT8 => "DOUBLE PRECISION",
        Type::NUMERIC => "DECIMAL(38, 12)",
        Type::DATE => "DATE",
        Type::TIME => "TIME",
        Type::TIMESTAMP => "TIMESTAMP",
        Type::TIMESTAMPTZ => "TIMESTAMP WITH TIME ZONE",
        Type::INTERVAL => "INTERVAL",
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR | Type::JSON | Type::JSONB | Type::UUID => {
            "VARCHAR"
        }
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY => "VARCHAR[]",
        Type::INT2_ARRAY => "SMALLINT[]",
        Type::INT4_ARRAY => "INTEGER[]",
        Type::INT8_ARRAY => "BIGINT[]",
        Type::FLOAT8_ARRAY => "DOUBLE PRECISION[]",
        Type::BOOL_ARRAY => "BOOLEAN[]",
        _ => return None,
    })
}

fn binary(ty: &Type, raw: &Bytes) -> Result<Value, Problem> {
    if let Kind::Array(item) = ty.kind() {
        return array(ty, item, raw);
    }
    Ok(match *ty {
        Type::BOOL => read::<bool>(ty, raw)?.into(),
        Type::INT2 => read::<i16>(ty, raw)?.into(),
        Type::INT4 => read::<i32>(ty, raw)?.into(),
        Type::INT8 => read::<i64>(ty, raw)?.into(),
        Type::OID => read::<u32>(ty, raw)?.into(),
        Type::FLOAT4 => float(read::<f32>(ty, raw)?.into()),
        Type::FLOAT8 => float(read::<f64>(ty, raw)?),
        Type::NUMERIC => {
            let number = read::<Decimal>(ty, raw)?.to_string();
            text::decimal(&number).ok_or_else(|| text::wrong(ty, &number))?
        }
        Type::DATE => read::<NaiveDate>(ty, raw)?.to_string().into(),
        Type::TIME => read::<NaiveTime>(ty, raw)?.to_string().into(),
        Type::TIMESTAMP => read::<NaiveDateTime>(ty, raw)?.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into(),
        Type::TIMESTAMPTZ => read::<DateTime<Utc>>(ty, raw)?.to_rfc3339().into(),
        Type::UUID if raw.len() == 16 => uuid(raw).into(),
        Type::JSONB => utf8(raw.strip_prefix(b"\x01").unwrap_or(raw))?.into(),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::CHAR => {
            utf8(raw)?.into()
        }
        _ => return Err(unreadable(ty, "send it as text")),
    })
}

fn array(ty: &Type, item: &Type, raw: &Bytes) -> Result<Value, Problem> {
    let list = |values: Vec<Option<Value>>| Value::Array(values.into_iter().map(Option::unwrap_or_default).collect());
    Ok(match *item {
        Type::BOOL => list(items::<bool>(ty, raw)?),
        Type::INT2 => list(items::<i16>(ty, raw)?),
        Type::INT4 => list(items::<i32>(ty, raw)?),
        Type::INT8 => list(items::<i64>(ty, raw)?),
        Type::TEXT | Type::VARCHAR | Type::NAME => list(items::<String>(ty, raw)?),
        Type::FLOAT8 => {
            let values = read::<Vec<Option<f64>>>(ty, raw)?;
            list(values.into_iter().map(|value| value.map(float)).collect())
        }
        _ => return Err(unreadable(ty, "send it as text")),
    })
}

fn items<T: FromSqlOwned + Into<Value>>(ty: &Type, raw: &Bytes) -> Result<Vec<Option<Value>>, Problem> {
    Ok(read::<Vec<Option<T>>>(ty, raw)?.into_iter().map(|value| value.map(Into::into)).collect())
}

fn read<'r, T: FromSql<'r>>(ty: &Type, raw: &'r Bytes) -> Result<T, Problem> {
    T::from_sql(ty, raw).map_err(|error| {
        let detail = format!("incorrect binary data format for type {}: {error}", ty.name());
        Problem::new(ErrorClass::Malformed, detail).code("pg_message")
    })
}

/// What is no number in JSON is a text, which is cast.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
}

fn uuid(raw: &[u8]) -> String {
    let hex = hex::encode(raw);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn unreadable(ty: &Type, hint: &str) -> Problem {
    let detail = format!("a value of the type {} cannot be bound in binary", ty.name());
    Problem::new(ErrorClass::Invalid, detail).code("sql_not_supported").hint(hint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bound(ty: Type, format: i16, raw: Option<&[u8]>) -> Result<(Value, Option<&'static str>), Problem> {
        let params = Params::read(&[ty], &[format], &[raw.map(Bytes::copy_from_slice)])?;
        Ok((params.values[0].clone(), params.types[0]))
    }

    #[test]
    fn values_keep_their_meaning_in_both_formats() {
        for (ty, format, raw, value, name) in [
            (Type::INT8, 1, &7_i64.to_be_bytes()[..], json!(7), None),
            (Type::INT8, 0, b"7", json!(7), None),
            (Type::FLOAT8, 1, &f64::NAN.to_be_bytes(), json!("NaN"), Some("DOUBLE PRECISION")),
            (Type::TEXT, 1, b"a", json!("a"), None),
            (Type::UNKNOWN, 0, b"a", json!("a"), None),
            (Type::NUMERIC, 0, b"1.10", json!("1.10"), Some("DECIMAL(38, 12)")),
            (
                Type::TIMESTAMPTZ,
                1,
                &0_i64.to_be_bytes(),
                json!("2000-01-01T00:00:00+00:00"),
                Some("TIMESTAMP WITH TIME ZONE"),
            ),
            (Type::DATE, 1, &1_i32.to_be_bytes(), json!("2000-01-02"), Some("DATE")),
            (Type::UUID, 1, &[0xAB; 16], json!("abababab-abab-abab-abab-abababababab"), None),
        ] {
            assert_eq!(bound(ty.clone(), format, Some(raw)).expect("a value"), (value, name), "{ty}");
        }
        assert_eq!(bound(Type::INT4, 1, None).expect("a null"), (Value::Null, Some("INTEGER")));
    }

    #[test]
    fn what_cannot_be_bound_is_said() {
        for (ty, format, raw, code) in [
            (Type::INT8, 1, &b"abc"[..], "pg_message"),
            (Type::TEXT, 1, b"\xFF", "invalid_utf8"),
            (Type::BYTEA, 1, b"abc", "sql_not_supported"),
            (Type::INT4_ARRAY, 1, b"abc", "pg_message"),
            (Type::TIMESTAMP, 1, b"", "pg_message"),
        ] {
            assert_eq!(bound(ty.clone(), format, Some(raw)).expect_err("it is refused").code, code, "{ty}");
        }
    }
}
