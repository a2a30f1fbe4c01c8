//! Interactions: one call of a model, a tool, another agent, a retriever or an embedder.

use crate::field::{Content, Measure, Name, Price, shape, words};
use crate::id::{AgentId, AttemptId, ConversationId, InteractionId, TaskId};
use crate::money::Currency;
use crate::time::Timestamp;

words! {
    /// What was called.
    InteractionKind {
        /// A language model.
        Llm = "llm",
        /// A tool.
        Tool = "tool",
        /// Another agent.
        Agent = "agent",
        /// A search for context.
        Retrieval = "retrieval",
        /// An embedding model.
        Embedding = "embedding",
        /// A group of calls.
        Workflow = "workflow",
        /// A memory was read or written.
        Memory = "memory",
    }
}

shape! {
    /// One call, with what it took.
    InteractionRecorded {
        /// The call.
        interaction_id: InteractionId,
        /// What was called.
        kind: InteractionKind,
        /// Who called.
        agent_id: Option<AgentId>,
        /// The attempt it belongs to.
        attempt_id: Option<AttemptId>,
        /// The task it belongs to.
        task_id: Option<TaskId>,
        /// The thread it belongs to.
        conversation_id: Option<ConversationId>,
        /// The trace it belongs to.
        trace_id: Option<Name>,
        /// The call that made this one.
        parent_id: Option<InteractionId>,
        /// The end user on whose behalf it was made.
        user_id: Option<Name>,
        /// Who runs the model.
        provider: Option<Name>,
        /// The model.
        model: Option<Name>,
        /// The prompt template.
        prompt_id: Option<Name>,
        /// Its version.
        prompt_version: Option<Name>,
        /// What went in: a text, or messages as JSON.
        input: Option<Content>,
        /// What came out.
        output: Option<Content>,
        /// The tool.
        tool_name: Option<Name>,
        /// When it began; the event's time less the latency when absent.
        started_at: Option<Timestamp>,
        /// From start to end, in milliseconds.
        latency_ms: Option<Measure>,
        /// From start to the first token, in milliseconds.
        ttft_ms: Option<Measure>,
        /// Tokens in, cached ones included.
        tokens_in: Option<u64>,
        /// Tokens out, reasoning included.
        tokens_out: Option<u64>,
        /// Of the tokens in, those read from a cache.
        tokens_cache_read: Option<u64>,
        /// Of the tokens in, those written to a cache.
        tokens_cache_write: Option<u64>,
        /// Of the tokens out, those of reasoning.
        tokens_reasoning: Option<u64>,
        /// What it cost, as the client reports it; kept beside the derived cost.
        cost: Option<Price>,
        /// Currency of `cost`; USD when absent.
        currency: Option<Currency>,
        /// `ok`, `error`, or the provider's own word.
        status: Option<Name>,
        /// Why the model stopped.
        finish_reason: Option<Name>,
        /// What went wrong.
        error: Option<String>,
        /// The call it repeats.
        retry_of: Option<InteractionId>,
    }
}
