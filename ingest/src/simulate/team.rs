//! The team: who there is, what each can really do, and what changes on the way.

/// Kinds of work.
pub const TASK_TYPES: &[&str] = &["bugfix", "feature", "refactor", "docs", "test", "migration"];

/// One agent and the truth about it.
#[derive(Clone, Debug)]
pub struct Agent {
    pub id: String,
    pub provider: &'static str,
    pub model: &'static str,
    /// Probability of success by task type, in the order of [`TASK_TYPES`].
    pub ability: [f64; 6],
    /// Median latency of a call, in milliseconds.
    pub latency_ms: f64,
    /// Price of a million tokens in and out, in US dollars.
    pub price: (&'static str, &'static str),
    /// Day from which it is better, and by how much.
    pub drift: Option<(u32, f64)>,
    /// Days on which its provider fails.
    pub outage: Option<(u32, u32)>,
}

/// The team.
#[derive(Clone, Debug)]
pub struct Team {
    pub agents: Vec<Agent>,
}

type Row = (&'static str, &'static str, &'static str, [f64; 6], f64, (&'static str, &'static str));

const ROWS: &[Row] = &[
    ("claude", "anthropic", "claude-sonnet-4-5", [0.86, 0.82, 0.88, 0.84, 0.80, 0.78], 4_200.0, ("3", "15")),
    ("copilot", "github", "gpt-5-mini", [0.70, 0.62, 0.66, 0.78, 0.81, 0.48], 1_900.0, ("0.25", "2")),
    ("gemini", "google", "gemini-2.5-pro", [0.74, 0.76, 0.68, 0.90, 0.70, 0.72], 3_600.0, ("1.25", "10")),
    ("chatgpt", "openai", "gpt-5", [0.80, 0.84, 0.74, 0.82, 0.72, 0.70], 5_100.0, ("1.25", "10")),
    ("grok", "xai", "grok-4", [0.64, 0.70, 0.58, 0.60, 0.62, 0.66], 3_000.0, ("3", "15")),
    ("local-llama", "ollama", "llama-3.3-70b", [0.52, 0.44, 0.50, 0.66, 0.60, 0.34], 7_800.0, ("0.1", "0.3")),
];

impl Team {
    /// Makes a team of `size`; beyond the known six, weaker namesakes join.
    pub fn new(size: usize, days: u32) -> Self {
        let agents = (0..size.max(1)).map(|at| agent(at, days)).collect();
        Self { agents }
    }

    /// Returns the probability that an agent succeeds on a day.
    pub fn ability(&self, agent: usize, task_type: usize, day: u32) -> f64 {
        let agent = &self.agents[agent];
        let better = agent.drift.map_or(0.0, |(from, by)| if day >= from { by } else { 0.0 });
        (agent.ability[task_type] + better).clamp(0.02, 0.98)
    }

    /// Returns whether an agent's provider fails on a day.
    pub fn is_out(&self, agent: usize, day: u32) -> bool {
        self.agents[agent].outage.is_some_and(|(from, to)| (from..to).contains(&day))
    }
}

fn agent(at: usize, days: u32) -> Agent {
    let (id, provider, model, ability, latency_ms, price) = ROWS[at % ROWS.len()];
    let round = at / ROWS.len();
    let weaker = 0.04 * round as f64;
    Agent {
        id: if round == 0 { id.to_owned() } else { format!("{id}-{}", round + 1) },
        provider,
        model,
        ability: ability.map(|p| (p - weaker).max(0.05)),
        latency_ms,
        price,
        drift: (id == "grok" && round == 0).then_some((days / 2, 0.18)),
        outage: (id == "gemini" && round == 0 && days >= 30).then_some((days * 2 / 3, days * 2 / 3 + 2)),
    }
}
