//! Attempts: one agent working on one task. The unit of capability.

use std::num::NonZeroU64;

use crate::field::{Fraction, Name, shape, words};
use crate::id::{AgentId, AttemptId, DecisionId, TaskId};
use crate::time::Timestamp;

words! {
    /// The part that the agent plays in the attempt.
    AttemptRole {
        /// Answers for the result.
        Lead = "lead",
        /// Does a part.
        Worker = "worker",
        /// Judges the work of others.
        Reviewer = "reviewer",
    }

    /// Why the attempt was made.
    AttemptCause {
        /// It is the first.
        First = "first",
        /// The same agent tries again.
        Retry = "retry",
        /// Another agent steps in after a failure.
        Failover = "failover",
        /// Several try at once.
        Parallel = "parallel",
        /// The task was handed over.
        Handoff = "handoff",
    }

    /// How the attempt ended, by its own account.
    AttemptResult {
        /// It did what was asked.
        Succeeded = "succeeded",
        /// It did a part of it.
        Partial = "partial",
        /// It did not.
        Failed = "failed",
        /// The agent stopped, or its lease ran out.
        Abandoned = "abandoned",
        /// Another attempt made it needless.
        Superseded = "superseded",
        /// It was ended from outside: it says nothing of the agent's ability.
        Censored = "censored",
    }
}

shape! {
    /// An agent begins to work on a task.
    AttemptStarted {
        /// The attempt.
        attempt_id: AttemptId,
        /// The task.
        task_id: TaskId,
        /// The agent.
        agent_id: AgentId,
        /// The agent's version at this time.
        agent_version: Option<Name>,
        /// The part it plays; `lead` when absent.
        role: Option<AttemptRole>,
        /// Which attempt of the task, from 1.
        number: Option<NonZeroU64>,
        /// Why it was made.
        cause: Option<AttemptCause>,
        /// The attempt it repeats.
        retry_of: Option<AttemptId>,
        /// The decision that chose the agent.
        decision_id: Option<DecisionId>,
        /// Until when the slot is reserved unless renewed.
        lease_until: Option<Timestamp>,
    }

    /// The lease of an attempt is made longer.
    AttemptRenewed {
        /// The attempt.
        attempt_id: AttemptId,
        /// Until when the slot is reserved now.
        lease_until: Timestamp,
    }

    /// An attempt is over.
    AttemptEnded {
        /// The attempt.
        attempt_id: AttemptId,
        /// How it ended.
        result: AttemptResult,
        /// How much of the task it did.
        fraction: Option<Fraction>,
        /// Class of the error: `timeout`, `rate_limit`, `tests_failed`.
        error_class: Option<Name>,
        /// Whether trying again can help.
        retryable: Option<bool>,
    }
}
