//! The Agents SDK of OpenAI: traces and spans.

use partitura_event::Problem;
use partitura_ingest::vendor::openai_agents::{SERVICE, spans};

use super::read;
use crate::principal::Principal;
use crate::service::Service;

impl Service {
    /// Stores an export: answers each item. After an error it can be sent again: nothing is stored twice.
    pub async fn openai_traces(&self, principal: &Principal, body: &[u8]) -> Result<Vec<Result<(), Problem>>, Problem> {
        let items = read(body, spans)?;
        let readable: Vec<_> = items.iter().filter_map(|item| item.as_ref().ok().cloned()).collect();
        let exported = self.export_spans(principal, SERVICE, SERVICE, &readable).await?;
        let answers: Vec<_> = items.into_iter().map(|item| item.and_then(|_| exported.clone())).collect();
        self.count_refusals(principal, "openai_agents.traces", answers.iter().filter_map(|item| item.as_ref().err()));
        Ok(answers)
    }
}
