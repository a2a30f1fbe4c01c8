//! Decisions, second part: experiments and forecasts.

use std::num::NonZeroU64;

use serde_json::{Map, Value};

use crate::field::{Fraction, Measure, Name, Span, shape, words};
use crate::id::{AgentId, AttemptId, BudgetId, ConversationId, ExperimentId, ForecastId, TaskId};
use crate::time::Timestamp;

words! {
    /// Which way of a number is better.
    Direction {
        /// More is better.
        Up = "up",
        /// Less is better.
        Down = "down",
    }

    /// What an experiment came to.
    ExperimentVerdict {
        /// One variant is better.
        Winner = "winner",
        /// They are as good as each other.
        NoDifference = "no_difference",
        /// It cannot be said.
        NotEnoughData = "not_enough_data",
        /// It was stopped, by a guardrail or a person.
        Stopped = "stopped",
    }
}

shape! {
    /// One arm of an experiment.
    Variant {
        /// Its name.
        name: Name,
        /// Its share, in proportion to the others' weights; 1 when absent.
        weight: Option<Measure>,
        /// The agent it uses.
        agent_id: Option<AgentId>,
        /// The model it uses.
        model: Option<Name>,
        /// The prompt it uses.
        prompt_id: Option<Name>,
        /// The version of the prompt.
        prompt_version: Option<Name>,
        /// Anything else that differs.
        settings: Option<Map<String, Value>>,
    }

    /// A metric that must not get worse.
    Guardrail {
        /// The metric.
        metric: Name,
        /// Which way is better.
        direction: Option<Direction>,
        /// The value that stops the experiment.
        limit: Option<f64>,
    }

    /// An experiment begins, or is changed.
    ExperimentDefined {
        /// The experiment.
        experiment_id: ExperimentId,
        /// Name for people.
        name: Option<Name>,
        /// What is believed.
        hypothesis: Option<String>,
        /// Its arms.
        variants: Vec<Variant>,
        /// The arm that the others are compared with; the first when absent.
        control: Option<Name>,
        /// What is assigned to an arm: `task`, `conversation`, `user`.
        unit: Option<Name>,
        /// What decides: a metric by name, or SQL.
        metric: String,
        /// Which way is better; `up` when absent.
        direction: Option<Direction>,
        /// What must not get worse.
        guardrails: Option<Vec<Guardrail>>,
        /// Which units take part, as an SQL condition.
        filter: Option<String>,
        /// Fewest units per arm before anything is said.
        min_samples: Option<u64>,
        /// When it ends at the latest.
        ends_at: Option<Timestamp>,
    }

    /// A unit meets its arm.
    ExperimentExposed {
        /// The experiment.
        experiment_id: ExperimentId,
        /// The arm.
        variant: Name,
        /// The unit.
        unit_id: Name,
        /// Probability with which it was given this arm.
        propensity: Option<Fraction>,
        /// The task at hand.
        task_id: Option<TaskId>,
        /// The attempt at hand.
        attempt_id: Option<AttemptId>,
        /// The thread at hand.
        conversation_id: Option<ConversationId>,
        /// The agent at hand.
        agent_id: Option<AgentId>,
    }

    /// An experiment is over.
    ExperimentConcluded {
        /// The experiment.
        experiment_id: ExperimentId,
        /// What it came to.
        verdict: ExperimentVerdict,
        /// The better arm.
        winner: Option<Name>,
        /// How much better.
        effect: Option<f64>,
        /// Lower end of its interval.
        effect_low: Option<f64>,
        /// Upper end of its interval.
        effect_high: Option<f64>,
        /// Who ended it.
        by: Option<Name>,
        /// Why.
        reason: Option<String>,
    }

    /// A range that holds with a probability.
    Interval {
        /// The probability.
        level: Fraction,
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    }

    /// One step of a forecast.
    ForecastPoint {
        /// When.
        time: Timestamp,
        /// The expected value.
        mean: f64,
        /// Ranges around it.
        intervals: Option<Vec<Interval>>,
    }

    /// A forecast, to be held against what comes.
    ForecastPublished {
        /// The forecast.
        forecast_id: ForecastId,
        /// What is forecast.
        metric: Option<String>,
        /// What was asked: `when_done`, `budget_overrun`, `effort`, `capacity`.
        question: Option<Name>,
        /// The budget that was asked about.
        budget_id: Option<BudgetId>,
        /// Which rows count, as an SQL condition.
        filter: Option<String>,
        /// How it was made.
        method: Name,
        /// How far it looks.
        horizon: Option<Span>,
        /// Its steps.
        points: Vec<ForecastPoint>,
        /// Its error over the past, beside that of the naïve forecast.
        backtest: Option<Map<String, Value>>,
        /// The log position at which it was made.
        position: Option<NonZeroU64>,
    }
}
