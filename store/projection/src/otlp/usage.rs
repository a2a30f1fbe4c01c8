//! [`Usage`]: tokens and reported cost, one way for all conventions: tokens in include those of caches.

use partitura_event::Amount;
use serde_json::{Map, Value};

use super::any::Any;
use super::names;
use super::subject::Subject;

/// What a call used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens in, those read from and written to a cache included.
    pub tokens_in: Option<i64>,
    /// Tokens out, reasoning included.
    pub tokens_out: Option<i64>,
    /// Of the tokens in, those read from a cache.
    pub cache_read: Option<i64>,
    /// Of the tokens in, those written to a cache.
    pub cache_write: Option<i64>,
    /// Of the tokens out, those of reasoning.
    pub reasoning: Option<i64>,
    /// Reported cost in USD, in units of 10^-12.
    pub cost: Option<i128>,
}

/// Objects of token counts in one attribute.
const DETAILS: &[&str] = &["langfuse.observation.usage_details", "mlflow.chat.tokenUsage", "gen_ai.usage"];
/// Parts of tokens in and out in one attribute, as Python writes an object.
const DETAILS_IN: &str = "gen_ai.usage.input_token_details";
const DETAILS_OUT: &str = "gen_ai.usage.output_token_details";
/// Objects of costs in one attribute.
const COSTS: &[&str] = &["langfuse.observation.cost_details", "mlflow.llm.cost"];

impl Usage {
    /// Reads what a span or event says. `without_cache`: its count of tokens in leaves cached ones out.
    pub fn of(subject: &Subject<'_>, without_cache: bool) -> Self {
        let mut usage = Self {
            tokens_in: subject.count(names::TOKENS_IN),
            tokens_out: subject.count(names::TOKENS_OUT),
            cache_read: subject.count(names::TOKENS_CACHE_READ),
            cache_write: subject.count(names::TOKENS_CACHE_WRITE),
            reasoning: subject.count(names::TOKENS_REASONING),
            cost: cost(subject),
        };
        let detail = |name: &str, of: &str| subject.text(&[name]).and_then(|text| number_after(&text, of));
        usage.cache_read = usage.cache_read.or_else(|| detail(DETAILS_IN, "cache_read"));
        usage.cache_write = usage.cache_write.or_else(|| detail(DETAILS_IN, "cache_creation"));
        usage.reasoning = usage.reasoning.or_else(|| detail(DETAILS_OUT, "reasoning"));
        let cached = usage.cache_read.unwrap_or(0).saturating_add(usage.cache_write.unwrap_or(0));
        if let Some(tokens_in) = &mut usage.tokens_in
            && (without_cache || cached > *tokens_in)
        {
            *tokens_in = tokens_in.saturating_add(cached);
        } else {
            usage.complete(subject, cached);
        }
        if let Some(Value::Object(details)) = subject.any(DETAILS).map(Any::json) {
            usage = usage.or(of_details(&details));
        }
        usage
    }

    /// Adds what the total tells of and the plain counts leave out: Gemini's count of tokens out has no reasoning in
    /// it, and its count of tokens in none of tools; others leave cached ones out.
    fn complete(&mut self, subject: &Subject<'_>, cached: i64) {
        let (Some(tokens_in), Some(tokens_out)) = (&mut self.tokens_in, &mut self.tokens_out) else { return };
        let Some(total) = subject.count(names::TOKENS_TOTAL) else { return };
        let missing = total.saturating_sub(*tokens_in).saturating_sub(*tokens_out);
        let reasoning = self.reasoning.unwrap_or(0);
        let of_tools = subject.count(names::TOKENS_OF_TOOLS).unwrap_or(0);
        if missing > 0 && missing == reasoning.saturating_add(of_tools) {
            *tokens_out += reasoning;
            *tokens_in += of_tools;
        } else if missing > 0 && missing == cached {
            *tokens_in += cached;
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            tokens_in: other.tokens_in.or(self.tokens_in),
            tokens_out: other.tokens_out.or(self.tokens_out),
            cache_read: other.cache_read.or(self.cache_read),
            cache_write: other.cache_write.or(self.cache_write),
            reasoning: other.reasoning.or(self.reasoning),
            cost: self.cost.or(other.cost),
        }
    }

    /// Returns whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns it as JSON, for calls whose usage is the sum of others'.
    pub fn to_json(&self) -> Value {
        let counts = [
            ("tokens_in", self.tokens_in),
            ("tokens_out", self.tokens_out),
            ("tokens_cache_read", self.cache_read),
            ("tokens_cache_write", self.cache_write),
            ("tokens_reasoning", self.reasoning),
        ];
        let counts = counts.into_iter().filter_map(|(name, count)| Some((name.to_owned(), Value::from(count?))));
        let cost = self.cost.map(|cost| ("cost_usd".to_owned(), Value::from(cost as f64 / 1e12)));
        Value::Object(counts.chain(cost).collect())
    }
}

/// Reads `{"input": 60, "output": 15, "input_cache_read": 8, "total": 83}`. Whether the detailed counts are
/// parts of the plain ones or stand beside them is told by the total; without one they stand beside.
fn of_details(details: &Map<String, Value>) -> Usage {
    let count = |name: &str| details.get(name).and_then(Value::as_i64).filter(|count| *count >= 0);
    let first = |names: &[&str]| names.iter().find_map(|name| count(name));
    let sum = |wanted: &dyn Fn(&str) -> bool| {
        let counts = details.iter().filter(|(name, _)| wanted(name)).filter_map(|(_, value)| value.as_i64());
        counts.fold(0_i64, i64::saturating_add)
    };
    let plain_in = first(&["input", "input_tokens", "prompt_tokens", "promptTokens"]);
    let plain_out = first(&["output", "output_tokens", "completion_tokens", "completionTokens"]);
    let is_plain = |name: &str| matches!(name, "input_tokens" | "output_tokens");
    let more_in = sum(&|name| {
        (name.starts_with("input_") && !is_plain(name))
            || name.starts_with("cache_")
            || name.starts_with("prompt_details.")
    });
    let more_out =
        sum(&|name| (name.starts_with("output_") && !is_plain(name)) || name.starts_with("completion_details."));
    let total = first(&["total", "total_tokens", "totalTokens"]);
    let parts = plain_in.unwrap_or(0).saturating_add(plain_out.unwrap_or(0));
    let beside = total != Some(parts) && (details.contains_key("input") || details.contains_key("output"));
    let whole = |plain: Option<i64>, more: i64| match plain {
        Some(plain) if beside => Some(plain.saturating_add(more)),
        None if more > 0 => Some(more),
        plain => plain,
    };
    let part = |words: [&str; 2], of: &dyn Fn(&str) -> bool| {
        let found = details.iter().find(|(name, _)| of(name) && words.iter().any(|word| name.contains(*word)));
        found.and_then(|(_, value)| value.as_i64())
    };
    let is_in = |name: &str| !name.starts_with("output");
    // As OpenAI's API answers: objects of parts, within the plain counts.
    let within = |objects: [&str; 2], name: &str| {
        objects.iter().find_map(|object| details.get(*object)?.get(name)?.as_i64()).filter(|count| *count > 0)
    };
    let cached = || within(["prompt_tokens_details", "input_tokens_details"], "cached_tokens");
    let reasoned = || within(["completion_tokens_details", "output_tokens_details"], "reasoning_tokens");
    Usage {
        tokens_in: whole(plain_in, more_in),
        tokens_out: whole(plain_out, more_out),
        cache_read: part(["cache_read", "cached"], &is_in).or_else(cached),
        cache_write: part(["cache_creation", "cache_write"], &is_in),
        reasoning: part(["reasoning", "thoughts"], &|_| true).or_else(reasoned),
        cost: None,
    }
}

/// Returns the whole number that follows a name in quotes: of `{'cache_read': 64}` that is 64.
fn number_after(text: &str, name: &str) -> Option<i64> {
    let quoted = |quote: char| text.find(&format!("{quote}{name}{quote}")).map(|at| at + name.len() + 2);
    let rest = text[quoted('\'').or_else(|| quoted('"'))?..].trim_start().strip_prefix(':')?.trim_start();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

fn cost(subject: &Subject<'_>) -> Option<i128> {
    if let Some(Value::Object(costs)) = subject.any(COSTS).map(Any::json) {
        let scaled = |value: &Value| amount(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let total = costs.get("total").or(costs.get("total_cost")).and_then(scaled);
        let sum = || costs.values().filter_map(scaled).reduce(i128::saturating_add);
        return total.or_else(sum);
    }
    let micros = || Some(i128::from(subject.count(&["cost_usd_micros"])?) * 1_000_000);
    let plain = names::COST.iter().find_map(|name| amount(&subject.any(&[*name])?.text()?));
    plain.or_else(micros)
}

fn amount(text: &str) -> Option<i128> {
    Amount::parse("cost", text).ok().map(Amount::scaled).filter(|scaled| *scaled >= 0)
}
