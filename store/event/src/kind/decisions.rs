//! Decisions: assignments and breakers.

use std::num::NonZeroU64;

use serde_json::{Map, Value};

use crate::field::{Fraction, Measure, Name, Price, Span, shape, words};
use crate::id::{AgentId, AttemptId, DecisionId, TaskId};
use crate::money::Currency;
use crate::time::Timestamp;

words! {
    /// What a breaker is forced to.
    BreakerForce {
        /// Refuse all work.
        Open = "open",
        /// Let all work through.
        Closed = "closed",
        /// Decide by the thresholds again.
        Auto = "auto",
    }
}

shape! {
    /// One agent that was weighed for a task.
    Candidate {
        /// The agent.
        agent_id: AgentId,
        /// Its utility under the policy.
        score: Option<f64>,
        /// Expected probability of success.
        p_success: Option<Fraction>,
        /// Lower end of its interval.
        p_low: Option<Fraction>,
        /// Upper end of its interval.
        p_high: Option<Fraction>,
        /// Expected cost.
        expected_cost: Option<Price>,
        /// Expected time, in milliseconds.
        expected_latency_ms: Option<Measure>,
        /// What it had in hand, in tasks.
        load: Option<Measure>,
        /// Probability with which the policy chooses it.
        propensity: Option<Fraction>,
        /// Why it stands where it stands.
        reasons: Option<Vec<String>>,
    }

    /// One agent that could not get the task.
    Excluded {
        /// The agent.
        agent_id: AgentId,
        /// Why.
        why: String,
    }

    /// Agents were ranked for a task.
    AssignmentProposed {
        /// The decision.
        decision_id: DecisionId,
        /// The task, when it is known.
        task_id: Option<TaskId>,
        /// The sort of work that was assumed.
        task_type: Option<Name>,
        /// The policy: `balanced`, `quality`, `cheap`, `fast`, `thompson`.
        policy: Option<Name>,
        /// Version of the method.
        method: Option<Name>,
        /// The ranked agents, best first.
        candidates: Vec<Candidate>,
        /// Those who could not get it.
        excluded: Option<Vec<Excluded>>,
        /// The agent that the policy chose.
        chosen: Option<AgentId>,
        /// Currency of the costs; USD when absent.
        currency: Option<Currency>,
        /// The limits that were given.
        constraints: Option<Map<String, Value>>,
        /// Until when it can be accepted.
        expires_at: Option<Timestamp>,
        /// The log position at which it was decided.
        position: Option<NonZeroU64>,
        /// Whether it was decided without the profiles.
        degraded: Option<bool>,
    }

    /// An agent takes the task.
    AssignmentAccepted {
        /// The decision.
        decision_id: DecisionId,
        /// The agent.
        agent_id: AgentId,
        /// The attempt that begins.
        attempt_id: Option<AttemptId>,
        /// The task.
        task_id: Option<TaskId>,
        /// The agent's place in the ranking, from 1.
        rank: Option<NonZeroU64>,
        /// Until when the slot is reserved.
        lease_until: Option<Timestamp>,
    }

    /// Somebody chose otherwise.
    AssignmentOverridden {
        /// The decision.
        decision_id: DecisionId,
        /// The agent that gets the task.
        agent_id: AgentId,
        /// The task.
        task_id: Option<TaskId>,
        /// Who chose.
        by: Option<Name>,
        /// Why.
        reason: Option<String>,
    }

    /// The breaker of an agent changes its state.
    BreakerMoved {
        /// The agent.
        agent_id: AgentId,
        /// Why.
        reason: Option<String>,
        /// Share of failed calls in the window.
        failure_rate: Option<Fraction>,
        /// Failed calls in the window.
        failures: Option<u64>,
        /// Calls in the window.
        calls: Option<u64>,
        /// Length of the window.
        window: Option<Span>,
        /// When a trial is due.
        retry_at: Option<Timestamp>,
        /// Which trial, from 1.
        trial: Option<NonZeroU64>,
        /// Whether a person forced it.
        forced: Option<bool>,
    }

    /// The thresholds of an agent's breaker.
    BreakerConfigured {
        /// The agent.
        agent_id: AgentId,
        /// Share of failed calls that opens it.
        failure_rate: Option<Fraction>,
        /// Fewest calls that are judged.
        min_calls: Option<u64>,
        /// Length of the window.
        window: Option<Span>,
        /// How long it stays open the first time.
        open_for: Option<Span>,
        /// How long it stays open at most.
        open_for_max: Option<Span>,
        /// What it is forced to.
        force: Option<BreakerForce>,
    }
}
