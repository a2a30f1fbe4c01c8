//! `partitura simulate`: writes a believable history with a known truth.

use std::path::PathBuf;

use chrono::{DateTime, NaiveTime, Utc};
use clap::Args;
use partitura_event::{Clock, SystemClock};
use partitura_ingest::simulate::{Plan, Simulation};

use crate::args::Shared;
use crate::batches::{Batches, Refused, Tally};
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::{progress, rows};

/// Writes a simulated history.
#[derive(Args, Debug)]
pub struct Simulate {
    /// Days of history, up to the last midnight
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Agents of the team
    #[arg(long, default_value_t = 6)]
    agents: usize,
    /// Seed of all chance: the same seed and days give the same events
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Tasks on a working day
    #[arg(long, default_value_t = 34.0)]
    tasks_per_day: f64,
    /// End of the history, as a day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<chrono::NaiveDate>,
    /// Write what was planted to this file
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Print the events instead of appending them
    #[arg(long)]
    dry_run: bool,
}

impl Simulate {
    pub async fn run(self, shared: &Shared) -> Outcome {
        if !(0.0..=100_000.0).contains(&self.tasks_per_day) || !(1..=1_000).contains(&self.agents) {
            return Err(Failure::usage("--tasks-per-day takes 0 to 100000, --agents 1 to 1000"));
        }
        let mut simulation = Simulation::new(self.plan());
        if self.dry_run {
            while let Some(events) = simulation.next_day() {
                events.iter().for_each(|event| println!("{event}"));
            }
            return self.tell(&simulation);
        }
        let connection = Connection::open_or_create(shared).await?;
        let (tally, first_refusal) = connection.run(async |client| self.send(client, &mut simulation).await).await?;
        self.tell(&simulation)?;
        rows::print_one(&tally.row(), &["position", "new", "duplicates", "refused"], shared.format)?;
        if let Some(refusal) = first_refusal {
            eprintln!("the first refused event: {refusal}");
        }
        tally.outcome()
    }

    /// Sends the events day by day; returns their count and the first one that was refused.
    async fn send(&self, client: &Client, simulation: &mut Simulation) -> Result<(Tally, Option<String>), Failure> {
        let bar = progress::count(u64::from(self.days), "days");
        let mut first_refusal = None;
        let report = |refused: Refused<'_>| {
            first_refusal.get_or_insert_with(|| format!("{}: {}", refused.event, refused.error));
        };
        let mut batches = Batches::new(client, "", report);
        let mut number = 0;
        while let Some(events) = simulation.next_day() {
            for event in events {
                number += 1;
                batches.push(number, &event.to_string()).await?;
            }
            bar.inc(1);
        }
        let tally = batches.finish().await?;
        bar.finish_and_clear();
        Ok((tally, first_refusal))
    }

    fn plan(&self) -> Plan {
        let now = DateTime::<Utc>::from_timestamp_micros(SystemClock.now().micros()).unwrap_or_default();
        let until = self.until.unwrap_or_else(|| now.date_naive()).and_time(NaiveTime::MIN).and_utc();
        Plan { days: self.days, agents: self.agents, seed: self.seed, until, tasks_per_day: self.tasks_per_day }
    }

    fn tell(&self, simulation: &Simulation) -> Outcome {
        let Some(path) = &self.truth else { return Ok(()) };
        let text = serde_json::to_string_pretty(&simulation.truth()).unwrap_or_default();
        std::fs::write(path, text).map_err(|error| Failure::of_file(path, error))
    }
}
