//! What is worth putting in a prompt: passages with their sources, within a budget of tokens.

use std::time::Duration;

use partitura_event::{Position, Problem, Timestamp, Workspace};
use partitura_table::text::query::cut;
use serde::Serialize;
use serde_json::Value;

use super::reply::Hit;
use super::request::{SearchPoint, SearchRequest, check_names, integer, invalid, text, wait};
use super::searcher::Searcher;

/// Budget when none is given.
const TOKENS: usize = 2_000;
/// Largest budget.
const TOKENS_MAX: usize = 200_000;
/// Documents that are looked at.
const LOOKED_AT: usize = 60;
/// Share of the budget that one document may take, as a divisor.
const SHARE: usize = 3;

/// The body of `POST /v1/context`.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextRequest {
    /// What the prompt is about.
    pub query: String,
    /// Only what is by or about this agent.
    pub agent_id: Option<String>,
    /// Only this thread.
    pub conversation_id: Option<String>,
    /// Most tokens of all passages together.
    pub max_tokens: usize,
    /// Wait until this position is searchable.
    pub min_position: Option<Position>,
    /// How long to wait.
    pub wait: Duration,
    /// Answer as of this position.
    pub as_of: Option<Position>,
    /// The time that validity is counted from; the clock's when absent.
    pub now: Option<Timestamp>,
}

impl ContextRequest {
    /// Reads the JSON body.
    pub fn from_json(body: &Value) -> Result<Self, Problem> {
        let object = body.as_object().ok_or_else(|| invalid("", "type", "the body must be a JSON object"))?;
        let known = ["query", "agent_id", "conversation_id", "max_tokens", "min_position", "wait_ms", "as_of"];
        check_names("", object, &known)?;
        let max_tokens = integer(object, "max_tokens")?.map_or(TOKENS, |tokens| tokens as usize);
        if max_tokens == 0 || max_tokens > TOKENS_MAX {
            let detail = format!("`max_tokens` is {max_tokens}; it must be 1 to {TOKENS_MAX}");
            return Err(invalid("max_tokens", "range", detail));
        }
        Ok(Self {
            query: text(object, "query")?.unwrap_or_default(),
            agent_id: text(object, "agent_id")?,
            conversation_id: text(object, "conversation_id")?,
            max_tokens,
            min_position: integer(object, "min_position")?.and_then(Position::new),
            wait: wait(object)?,
            as_of: integer(object, "as_of")?.and_then(Position::new),
            now: None,
        })
    }

    /// Returns the point that it asks for.
    pub fn point(&self) -> SearchPoint {
        SearchPoint { min_position: self.min_position, wait: self.wait, as_of: self.as_of, now: self.now }
    }

    /// Names whose memory it is, when the request does.
    fn filter(&self) -> Option<String> {
        let equals = |column: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("lower({column}) = '{}'", value.to_lowercase().replace('\'', "''")))
        };
        let parts = [equals("agent_id", &self.agent_id), equals("conversation_id", &self.conversation_id)];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }
}

/// One passage.
#[derive(Clone, Debug, Serialize)]
pub struct Passage {
    /// The document it is from.
    pub source: String,
    /// What that is.
    pub kind: String,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Position that made this version of the document.
    pub version: Position,
    /// The text, whole or the part that is nearest to the query.
    pub text: String,
    /// Whether the text is a part.
    pub cut: bool,
    /// Tokens of the text.
    pub tokens: usize,
    /// What it was ranked by.
    pub score: f32,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct ContextReply {
    /// Position at which it was answered.
    pub position: Option<Position>,
    /// Best first.
    pub passages: Vec<Passage>,
    /// Of all passages.
    pub tokens: usize,
    /// How tokens were counted: the model's name, or `characters/4`.
    pub tokenizer: String,
    /// What the answer lacks, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Searcher {
    /// Packs the passages that answer a query best into a budget. A text that stands twice is taken once.
    pub async fn context(&self, workspace: &Workspace, request: &ContextRequest) -> Result<ContextReply, Problem> {
        let search = SearchRequest {
            limit: LOOKED_AT,
            filter: request.filter(),
            // What has ended has no place in a prompt.
            include_ended: false,
            min_position: request.min_position,
            wait: request.wait,
            as_of: request.as_of,
            now: request.now,
            ..SearchRequest::new(request.query.clone())
        };
        let found = self.search(workspace, &search).await?;
        let mut passages: Vec<Passage> = Vec::new();
        let mut left = request.max_tokens;
        let most = (request.max_tokens / SHARE).max(64);
        for hit in found.hits {
            if left == 0 {
                break;
            }
            let (text, tokens) = self.part(&hit, left.min(most))?;
            if tokens == 0 || passages.iter().any(|passage| passage.text == text) {
                continue;
            }
            left -= tokens;
            passages.push(Passage {
                source: hit.id,
                kind: hit.kind,
                title: hit.title,
                version: hit.version,
                cut: text.len() < hit.text.len(),
                text,
                tokens,
                score: hit.score,
            });
        }
        let tokens = request.max_tokens - left;
        let tokenizer =
            self.embedder().map_or_else(|| "characters/4".to_owned(), |model| model.model().name().to_owned());
        Ok(ContextReply { position: found.position, passages, tokens, tokenizer, warnings: found.warnings })
    }

    /// Returns at most `limit` tokens of a hit, and how many they are: all, or from the nearest part on.
    fn part(&self, hit: &Hit, limit: usize) -> Result<(String, usize), Problem> {
        let whole = self.head(&hit.text, limit)?;
        let near = hit.near.and_then(|(start, _)| hit.text.get(start as usize..));
        match near {
            Some(near) if whole.0.len() < hit.text.len() && near.len() < hit.text.len() => self.head(near, limit),
            _ => Ok(whole),
        }
    }

    /// Returns at most `limit` tokens of `text`, and how many they are.
    fn head(&self, text: &str, limit: usize) -> Result<(String, usize), Problem> {
        // A token is a byte at least and seldom more than sixteen, so that a long text need not be read whole.
        let text = cut(text, limit.saturating_mul(16));
        let Some(embedder) = self.embedder() else {
            let kept: String = text.chars().take(limit * 4).collect();
            let tokens = kept.chars().count().div_ceil(4);
            return Ok((kept, tokens));
        };
        let tokens = embedder.tokens(text)?;
        match tokens.get(limit) {
            Some(next) => Ok((cut(text, next.start).trim_end().to_owned(), limit)),
            None => Ok((text.to_owned(), tokens.len())),
        }
    }
}
