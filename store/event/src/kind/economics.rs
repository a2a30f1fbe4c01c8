//! Economics: prices, charges, rates of exchange, budgets and service levels.

use std::num::NonZeroU64;

use crate::field::{Fraction, Measure, Name, Period, Price, shape, words};
use crate::id::{AgentId, BudgetId, ChargeId, PriceId, ProjectId, SlaId};
use crate::money::{Amount, Currency};
use crate::time::Timestamp;

words! {
    /// What a price counts.
    MeterUnit {
        /// Tokens in that no finer meter counts.
        TokensIn = "tokens_in",
        /// Tokens out that no finer meter counts.
        TokensOut = "tokens_out",
        /// Tokens read from a cache.
        TokensCacheRead = "tokens_cache_read",
        /// Tokens written to a cache.
        TokensCacheWrite = "tokens_cache_write",
        /// Tokens of reasoning.
        TokensReasoning = "tokens_reasoning",
        /// Calls.
        Requests = "requests",
        /// Seconds of work.
        Seconds = "seconds",
        /// Seats per month.
        Seats = "seats",
    }

    /// How a charge is spread over the work of its period.
    Allocation {
        /// Evenly over time.
        Time = "time",
        /// By tokens used.
        Usage = "usage",
        /// Evenly over tasks.
        Tasks = "tasks",
        /// Not at all.
        None = "none",
    }

    /// How long a budget or a service level runs before it begins again.
    BudgetPeriod {
        /// A day.
        Day = "day",
        /// A week, from the workspace's first day of the week.
        Week = "week",
        /// A month.
        Month = "month",
        /// A quarter.
        Quarter = "quarter",
        /// A year.
        Year = "year",
        /// For ever.
        Total = "total",
    }

    /// What happens when a budget is used up.
    OnExceeded {
        /// It is told.
        Warn = "warn",
        /// What it covers gets no more work.
        Exclude = "exclude",
    }

    /// What a service level measures.
    SlaMetric {
        /// Minutes from created to first started.
        StartMinutes = "start_minutes",
        /// Minutes from created to ended.
        CompleteMinutes = "complete_minutes",
        /// Share of accepted work.
        SuccessRate = "success_rate",
    }
}

shape! {
    /// One line of a price.
    Meter {
        /// What is counted.
        unit: MeterUnit,
        /// For how many units the amount stands: 1,000,000 tokens, 1 request.
        per: NonZeroU64,
        /// The price of that many.
        amount: Price,
        /// Only for calls whose tokens in are above this.
        above: Option<u64>,
    }

    /// What a model, a provider or an agent costs from a time on.
    PriceSet {
        /// The price, so that it can be corrected.
        price_id: Option<PriceId>,
        /// The model it is for.
        model: Option<Name>,
        /// The provider it is for.
        provider: Option<Name>,
        /// The agent it is for.
        agent_id: Option<AgentId>,
        /// Currency of the amounts.
        currency: Currency,
        /// Its lines.
        meters: Vec<Meter>,
        /// From when it holds, by the time of the work.
        valid_from: Timestamp,
    }

    /// A bill, or another cost that no single call has.
    ChargeRecorded {
        /// The charge.
        charge_id: ChargeId,
        /// How much; negative for money that came back.
        amount: Amount,
        /// Its currency.
        currency: Currency,
        /// What time it covers.
        period: Period,
        /// How it is spread; `time` when absent.
        allocation: Option<Allocation>,
        /// Over whose work it is spread.
        agent_id: Option<AgentId>,
        /// Over which provider's calls it is spread.
        provider: Option<Name>,
        /// Over which team's work it is spread.
        team: Option<Name>,
        /// Over which project's work it is spread.
        project_id: Option<ProjectId>,
        /// In words.
        description: Option<String>,
    }

    /// A rate of exchange from a time on.
    FxSet {
        /// The currency that is valued.
        base: Currency,
        /// The currency that values it.
        quote: Currency,
        /// How much of `quote` one of `base` is.
        rate: Price,
        /// From when it holds.
        valid_from: Timestamp,
    }

    /// What a budget or a service level covers; everything when empty.
    Scope {
        /// The team.
        team: Option<Name>,
        /// The project.
        project_id: Option<ProjectId>,
        /// The agent.
        agent_id: Option<AgentId>,
        /// The sort of work.
        task_type: Option<Name>,
    }

    /// How much may be spent.
    BudgetSet {
        /// The budget.
        budget_id: BudgetId,
        /// How much.
        amount: Price,
        /// Its currency.
        currency: Currency,
        /// How long it runs.
        period: BudgetPeriod,
        /// IANA name of the zone in which the period begins; the workspace's when absent.
        time_zone: Option<Name>,
        /// What it covers.
        scope: Scope,
        /// Shares of the amount at which it is told: 0.8, 1.
        thresholds: Option<Vec<Measure>>,
        /// What happens when it is used up; `warn` when absent.
        on_exceeded: Option<OnExceeded>,
    }

    /// A promise about speed or quality.
    SlaSet {
        /// The promise.
        sla_id: SlaId,
        /// What is measured.
        metric: SlaMetric,
        /// Minutes within which a task must start or end.
        threshold: Option<Measure>,
        /// Share of the tasks that must keep it.
        objective: Fraction,
        /// How long it is counted; `month` when absent.
        period: Option<BudgetPeriod>,
        /// IANA name of the zone in which the period begins.
        time_zone: Option<Name>,
        /// What it covers; everything when absent.
        scope: Option<Scope>,
    }
}
