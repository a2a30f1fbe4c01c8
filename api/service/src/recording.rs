//! One event of a known kind by its fields, for doors whose callers do not write envelopes.

use std::collections::BTreeMap;

use partitura_event::Problem;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::append::{AppendCall, Appended};
use crate::memory::new_id;
use crate::principal::Principal;
use crate::service::Service;

/// An event to be recorded. Values keep the spelling in which they were sent.
#[derive(Debug, Default)]
pub struct Recording<'a> {
    /// Kind: `task.completed`.
    pub kind: &'a str,
    /// Fields of `data`.
    pub data: BTreeMap<String, Box<RawValue>>,
    /// Members of the envelope beside `type` and `data`: `id`, `source`, `time`, `traceparent`.
    pub envelope: BTreeMap<&'a str, Box<RawValue>>,
    /// Field of `data` that gets a new id when it has none.
    pub id_field: Option<&'a str>,
    /// `Idempotency-Key`.
    pub request_key: Option<&'a str>,
}

/// The event as it is sent to the log's decoder.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    #[serde(flatten)]
    envelope: &'a BTreeMap<&'a str, Box<RawValue>>,
    data: &'a BTreeMap<String, Box<RawValue>>,
}

impl Service {
    /// Records one event in the caller's name. Returns the id that it gave, if the caller gave none.
    pub async fn record(
        &self,
        principal: &Principal,
        mut recording: Recording<'_>,
    ) -> Result<(Option<String>, Appended), Problem> {
        let mut given = None;
        if let Some(field) = recording.id_field.filter(|field| is_absent(recording.data.get(*field).map(AsRef::as_ref)))
        {
            let id = new_id(principal, recording.request_key);
            recording.data.insert(field.to_owned(), raw(&id)?);
            given = Some(id);
        }
        let body = Body { r#type: recording.kind, envelope: &recording.envelope, data: &recording.data };
        let body = serde_json::to_vec(&body).map_err(|error| unwritable(&error))?;
        let call = AppendCall { body: &body, request_key: recording.request_key, ..AppendCall::default() };
        Ok((given, self.append(principal, call).await?))
    }
}

fn is_absent(value: Option<&RawValue>) -> bool {
    value.is_none_or(|value| value.get() == "null")
}

/// Returns a value as JSON text.
pub fn raw(value: &impl Serialize) -> Result<Box<RawValue>, Problem> {
    to_raw_value(value).map_err(|error| unwritable(&error))
}

fn unwritable(error: &serde_json::Error) -> Problem {
    Problem::new(partitura_event::ErrorClass::Internal, format!("the event cannot be written: {error}"))
}
