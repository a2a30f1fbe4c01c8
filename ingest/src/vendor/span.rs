//! [`Span`]: a span of another platform in OTLP/JSON.

use partitura_event::{Problem, Timestamp};
use serde_json::{Map, Value, json};

use super::id::{span_id, trace_id};

/// Most attributes that are made of one object of a user, such as metadata; what is more stays together.
const MEMBERS_MAX: usize = 64;

/// A span, or what one event tells of one: what was told of the same span earlier stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    /// Trace, as the platform names it.
    pub trace: String,
    /// The span, as the platform names it.
    pub id: String,
    /// The span above it, as the platform names it.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// When it began.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// What went wrong, if it failed.
    pub error: Option<String>,
    /// What is known of it: names and values.
    pub attributes: Vec<(String, Value)>,
}

impl Span {
    /// Sets an attribute; nothing and null are none.
    pub fn set(&mut self, name: &str, value: impl Into<Option<Value>>) {
        let value: Option<Value> = value.into();
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.attributes.push((name.to_owned(), value));
        }
    }

    /// Sets an attribute that holds JSON as text, or a text as it is.
    pub fn set_json(&mut self, name: &str, value: Option<Value>) {
        let text = |value: Value| if value.is_string() { value } else { Value::from(cleaned(value).to_string()) };
        self.set(name, value.filter(|value| !value.is_null()).map(text));
    }

    /// Sets an attribute for each member of an object.
    pub fn set_members(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(Value::Object(members)) if members.len() <= MEMBERS_MAX => {
                for (member, value) in members {
                    self.set_json(&format!("{name}.{member}"), Some(value));
                }
            }
            other => self.set_json(name, other),
        }
    }

    fn json(&self) -> Value {
        let nanos = |time: Option<Timestamp>| time.map_or(0, |time| time.micros() * 1_000).to_string();
        let mut span = json!({
            "traceId": trace_id(&self.trace), "spanId": span_id(&self.id), "name": clean(&self.name),
            "startTimeUnixNano": nanos(self.start), "endTimeUnixNano": nanos(self.end),
            "attributes": attributes(&self.attributes),
        });
        if let Some(parent) = &self.parent {
            span["parentSpanId"] = json!(span_id(parent));
        }
        if let Some(error) = &self.error {
            span["status"] = json!({"code": 2, "message": clean(error)});
        }
        span
    }
}

/// Makes an export request of spans; `service` is where they come from, `scope` what emitted them.
pub fn request(service: &str, scope: &str, spans: &[Span]) -> Vec<u8> {
    let spans: Vec<_> = spans.iter().map(Span::json).collect();
    let resource = attributes(&[("service.name".to_owned(), Value::from(service))]);
    let scopes = json!([{"scope": {"name": scope}, "spans": spans}]);
    json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": scopes}]}).to_string().into_bytes()
}

/// Reads a time of an item; nothing and null are none.
pub fn time(name: &str, value: Option<&Value>) -> Result<Option<Timestamp>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Timestamp::parse(name, text).map(Some),
        Some(other) => Timestamp::parse(name, &other.to_string()).map(Some),
    }
}

fn attributes(all: &[(String, Value)]) -> Vec<Value> {
    all.iter().map(|(name, value)| json!({"key": clean(name), "value": any(value)})).collect()
}

fn any(value: &Value) -> Map<String, Value> {
    let (name, value) = match value {
        Value::Bool(flag) => ("boolValue", Value::Bool(*flag)),
        Value::Number(number) if number.is_i64() => ("intValue", Value::from(number.to_string())),
        Value::Number(number) => ("doubleValue", Value::from(number.as_f64())),
        Value::String(text) => ("stringValue", Value::from(clean(text))),
        other => ("stringValue", Value::from(other.to_string())),
    };
    Map::from_iter([(name.to_owned(), value)])
}

/// Cleans every text of a value.
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => Value::from(clean(&text)),
        Value::Array(items) => items.into_iter().map(cleaned).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (clean(&name), cleaned(value))).collect(),
        other => other,
    }
}

/// NUL is no character that a record may hold; what is around it may.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
