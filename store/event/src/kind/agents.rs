//! Agents: who can work, what they declare, and what limits them.

use crate::field::{Labels, Measure, Name, shape, words};
use crate::id::AgentId;
use crate::time::Timestamp;

words! {
    /// Why an agent cannot take work for a while.
    LimitKind {
        /// Too many requests or tokens per minute.
        Rate = "rate",
        /// The quota of a period is used up.
        Quota = "quota",
        /// Somebody paused it.
        Pause = "pause",
    }
}

shape! {
    /// What an agent declares of itself. An update leaves alone what it does not name.
    AgentDetails {
        /// The agent, human or machine.
        agent_id: AgentId,
        /// Name for people.
        name: Option<Name>,
        /// Version of its prompt, tools and settings as one.
        version: Option<Name>,
        /// Who runs the model: `anthropic`, `openai`, `google`, `human`.
        provider: Option<Name>,
        /// The model it uses unless a call says otherwise.
        model: Option<Name>,
        /// What it says it can do; kept apart from what is observed.
        capabilities: Option<Vec<Name>>,
        /// How many tasks it takes at once.
        concurrency: Option<u64>,
        /// Free labels.
        labels: Option<Labels>,
    }

    /// The agent takes no more work.
    AgentRetired {
        /// The agent.
        agent_id: AgentId,
        /// Why.
        reason: Option<String>,
        /// Who takes its place.
        replaced_by: Option<AgentId>,
    }

    /// Another name of an agent.
    AgentAliased {
        /// The other name.
        alias: AgentId,
        /// The agent it means.
        agent_id: AgentId,
    }

    /// The agent has met a limit.
    AgentLimited {
        /// The agent.
        agent_id: AgentId,
        /// Which sort of limit.
        kind: LimitKind,
        /// What is left of it: requests, tokens or money, as the limit counts.
        remaining: Option<Measure>,
        /// When it ends.
        resets_at: Option<Timestamp>,
    }

    /// The agent is alive.
    AgentHeartbeat {
        /// The agent.
        agent_id: AgentId,
        /// How much it has in hand, in tasks.
        load: Option<Measure>,
    }
}
