//! A believable history with a known truth: agents of known ability work on tasks, day by day.
//!
//! The same seed, days, agents and end give the same events, with the same ids, so that writing it twice doubles
//! nothing. Planted in it, and told by [`Simulation::truth`]: abilities by task type, an agent that gets better from
//! the middle on, an outage of two days, a budget that is overrun, known prices, reviewers who sometimes disagree with
//! the tests.

mod day;
mod dice;
mod economy;
mod event;
mod memory;
mod task;
mod team;
mod truth;
mod words;

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use dice::Dice;
use event::Writer;
use team::Team;

/// What to simulate.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Days, up to `until`.
    pub days: u32,
    /// Agents of the team.
    pub agents: usize,
    /// Of all chance.
    pub seed: u64,
    /// End of the last day.
    pub until: DateTime<Utc>,
    /// Tasks on a working day, on average.
    pub tasks_per_day: f64,
}

impl Plan {
    /// Returns the beginning of the first day.
    pub fn begin(&self) -> DateTime<Utc> {
        self.until - Duration::days(i64::from(self.days))
    }
}

/// A history in the making: one day at a time.
pub struct Simulation {
    plan: Plan,
    team: Team,
    dice: Dice,
    writer: Writer,
    next_day: u32,
    tally: truth::Tally,
}

impl Simulation {
    /// Prepares the team and its economy.
    pub fn new(plan: Plan) -> Self {
        let writer = Writer::new(format!("sim-{}-{}", plan.seed, plan.begin().format("%Y%m%d")));
        let team = Team::new(plan.agents, plan.days);
        Self { plan, team, dice: Dice::new(plan.seed), writer, next_day: 0, tally: truth::Tally::default() }
    }

    /// Returns the events of the next day; `None` after the last one.
    pub fn next_day(&mut self) -> Option<Vec<Value>> {
        if self.next_day == self.plan.days {
            return None;
        }
        let day = self.next_day;
        self.next_day += 1;
        if day == 0 {
            economy::open(&mut self.writer, &self.team, self.plan.begin());
        }
        let begin = self.plan.begin() + Duration::days(i64::from(day));
        day::run(self, day, begin);
        Some(self.writer.take())
    }

    /// Returns what is known of the history that was written so far.
    pub fn truth(&self) -> Value {
        truth::of(&self.plan, &self.team, &self.tally)
    }
}
