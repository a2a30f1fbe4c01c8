//! One tool: what it says of itself, the scope that it needs, and the call it makes.

use std::sync::Arc;

use futures::future::BoxFuture;
use partitura_event::Problem;
use partitura_service::{Principal, Scope, Service};
use rmcp::model::ToolAnnotations;
use serde_json::{Map, Value};

use crate::reply::Answer;

/// A tool.
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// What it does, for the model that chooses.
    pub about: &'static str,
    /// What its caller needs.
    pub scope: Scope,
    /// What it does to the memory.
    pub effect: Effect,
    /// Schema of its arguments.
    pub takes: fn() -> Value,
    /// Schema of its structured content.
    pub gives: fn() -> Value,
    /// Makes the call.
    pub run: fn(Call) -> BoxFuture<'static, Result<Answer, Problem>>,
}

/// What a tool does to the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// An event more.
    Adds,
    /// An event more, by which something is no longer found.
    Hides,
}

/// One call of a tool.
pub struct Call {
    /// The one door.
    pub service: Arc<Service>,
    /// Who calls.
    pub principal: Principal,
    /// The arguments as JSON, in the spelling in which they were sent.
    pub arguments: Arc<str>,
    /// W3C trace context of the caller, if it told one.
    pub traceparent: Option<String>,
}

impl Tool {
    /// Returns it as the protocol lists it.
    pub fn listed(&self) -> rmcp::model::Tool {
        rmcp::model::Tool::new(self.name, self.about, members((self.takes)()))
            .with_title(self.title)
            .with_raw_output_schema(Arc::new(members((self.gives)())))
            .with_annotations(self.effect.annotations().open_world(false))
    }

    /// Makes the call, if its caller may.
    pub async fn call(&self, call: Call) -> Result<Answer, Problem> {
        call.principal.require(self.scope)?;
        (self.run)(call).await
    }
}

impl Effect {
    fn annotations(self) -> ToolAnnotations {
        let hints = ToolAnnotations::new().read_only(self == Self::Reads);
        // The log only grows: a repeated call is one event more, unless it has the same key.
        hints.destructive(self == Self::Hides).idempotent(self == Self::Reads)
    }
}

fn members(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
