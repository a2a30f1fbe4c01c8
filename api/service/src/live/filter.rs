//! Which events somebody wants: by stream, type, actor and agent; exactly, or by how a name begins.

use std::borrow::Cow;

use partitura_event::id::fold_case;
use partitura_event::{EventType, Problem, Recorded, StreamName, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Most types of one filter: each is compared with every event.
const TYPES_MAX: usize = 64;

/// A filter as it is written: in a query string, a body or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterText {
    /// `task/42`, or `task/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// `task.completed` or `task.*`; none means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// The member `actor` of the envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// `data.agent_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
}

/// Which events. All that is named must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FilterText", into = "FilterText")]
pub struct EventFilter {
    stream: Option<Name>,
    types: Vec<Name>,
    actor: Option<String>,
    /// In the spelling to compare by.
    agent_id: Option<String>,
    text: FilterText,
}

/// One name, or all that begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Exactly(String),
    Beginning(String),
}

impl Name {
    /// Reads `task.completed` or `task.*`; a star may stand at the end only.
    fn read(field: &str, text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let (name, is_whole) = text.strip_suffix('*').map_or((text, true), |beginning| (beginning, false));
        if name.contains('*') {
            let detail = format!("`{field}` = `{text:.60}`: `*` stands for the rest of a name, so only at its end");
            return Err(Problem::invalid_field(field, "pattern", detail));
        }
        Ok(if is_whole { Self::Exactly(name.to_owned()) } else { Self::Beginning(name.to_owned()) })
    }

    fn takes(&self, name: &str) -> bool {
        match self {
            Self::Exactly(wanted) => name == wanted,
            Self::Beginning(beginning) => name.starts_with(beginning.as_str()),
        }
    }
}

impl TryFrom<FilterText> for EventFilter {
    type Error = Problem;

    /// Checks every name. Errors name the field.
    fn try_from(text: FilterText) -> Result<Self, Problem> {
        if text.types.len() > TYPES_MAX {
            let detail = format!("a filter names at most {TYPES_MAX} types; `task.*` stands for all that begin so");
            return Err(Problem::invalid_field("type", "too_many", detail));
        }
        let stream = text.stream.as_deref().map(|text| Name::read("stream", &fold_case(text))).transpose()?;
        if let Some(Name::Exactly(name)) = &stream {
            StreamName::new(name.as_str())?;
        }
        let mut types = Vec::with_capacity(text.types.len());
        for kind in &text.types {
            let name = Name::read("type", kind)?;
            if let Name::Exactly(name) = &name {
                EventType::new(name.as_str())?;
            }
            types.push(name);
        }
        for (field, value) in [("actor", &text.actor), ("agent_id", &text.agent_id)] {
            value.as_ref().map_or(Ok(()), |value| partitura_event::id::check_id(field, value))?;
        }
        let (actor, agent_id) = (text.actor.clone(), text.agent_id.as_deref().map(fold_case));
        Ok(Self { stream, types, actor, agent_id, text })
    }
}

impl From<EventFilter> for FilterText {
    fn from(filter: EventFilter) -> Self {
        filter.text
    }
}

impl EventFilter {
    /// Returns the one stream that is asked for, when it is one.
    pub(crate) fn one_stream(&self) -> Option<StreamName> {
        match &self.stream {
            Some(Name::Exactly(name)) => StreamName::new(name.as_str()).ok(),
            _ => None,
        }
    }

    /// Returns whether `workspace` wants the event.
    pub(crate) fn takes(&self, workspace: &Workspace, event: &Recorded) -> bool {
        event.workspace == *workspace
            && (self.types.is_empty() || self.types.iter().any(|name| name.takes(event.kind.as_str())))
            && self.stream.as_ref().is_none_or(|name| name.takes(event.stream.as_str()))
            && self.actor.as_deref().is_none_or(|actor| event.actor.as_deref() == Some(actor))
            && self.agent_id.as_deref().is_none_or(|agent| agent_of(event).as_deref() == Some(agent))
    }
}

/// Returns `data.agent_id` in the spelling to compare by.
fn agent_of(event: &Recorded) -> Option<String> {
    #[derive(Deserialize)]
    struct Data<'d> {
        #[serde(borrow, default)]
        agent_id: Option<&'d RawValue>,
    }
    let data = event.data.get();
    // Most events name no agent, and a search is cheaper than a parse.
    if !data.contains("\"agent_id\"") {
        return None;
    }
    let raw = serde_json::from_str::<Data<'_>>(data).ok()?.agent_id?.get();
    let id: Cow<'_, str> = if raw.starts_with('"') { serde_json::from_str(raw).ok()? } else { raw.into() };
    Some(fold_case(&id))
}
