//! One day: tasks come in by the weekday, are given to agents, and something is learned.

use chrono::{DateTime, Datelike, Duration, Utc, Weekday};

use super::{Simulation, memory, task};

/// Writes the events of a day.
pub fn run(simulation: &mut Simulation, day: u32, begin: DateTime<Utc>) {
    let busy = match begin.weekday() {
        Weekday::Sat => 0.25,
        Weekday::Sun => 0.15,
        Weekday::Mon => 1.15,
        _ => 1.0,
    };
    // The team grows a little, so that there is a trend to find.
    let growth = 1.0 + 0.3 * f64::from(day) / f64::from(simulation.plan.days.max(1));
    let expected = simulation.plan.tasks_per_day * busy * growth;
    let tasks = simulation.dice.around(expected, 0.15).round() as u64;
    for number in 0..tasks {
        let minute = simulation.dice.between(7 * 60, 19 * 60);
        let created = begin + Duration::minutes(minute as i64) + Duration::seconds((number % 60) as i64);
        task::run(simulation, day, created);
    }
    memory::run(simulation, day, begin);
}
