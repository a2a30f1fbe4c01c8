//! The team's memory: knowledge that is noted, superseded and retracted, and conversations.

use partitura_event::{ErrorClass, Position, Problem};
use serde_json::{Map, Value, json};

use crate::append::{AppendCall, Appended};
use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;
use crate::sql::Row;

const CURRENT: &str = "SELECT * FROM knowledge WHERE lower(knowledge_id) = lower($id)";
const HISTORY: &str = "SELECT * FROM knowledge_history WHERE lower(knowledge_id) = lower($id) ORDER BY _pos";
// One more than the longest answer, so that it is seen when there are more.
const MESSAGES: &str = "SELECT 'message' AS turn, message_id AS id, kind, time, sender AS \"from\", \
    recipients AS \"to\", text, reply_to, task_id, _pos AS position FROM messages \
    WHERE lower(conversation_id) = lower($id) ORDER BY time, _pos LIMIT 1001";
const CALLS: &str = "SELECT 'interaction' AS turn, interaction_id AS id, kind, time, agent_id, model, tool_name, \
    input, output, status, task_id, attempt_id, _pos AS position FROM interactions \
    WHERE lower(conversation_id) = lower($id) ORDER BY time, _pos LIMIT 1001";

impl Service {
    /// Notes a piece of knowledge; gives it an id when it has none. Returns its id.
    pub async fn note(
        &self,
        principal: &Principal,
        mut data: Map<String, Value>,
        request_key: Option<&str>,
    ) -> Result<(String, Appended), Problem> {
        let id = match data.get("knowledge_id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => new_id(principal, request_key),
        };
        data.insert("knowledge_id".into(), json!(id));
        let appended = self.say(principal, "knowledge.noted", Value::Object(data), request_key).await?;
        Ok((id, appended))
    }

    /// Appends an event about a piece of knowledge that exists.
    pub async fn say_of_knowledge(
        &self,
        principal: &Principal,
        kind: &str,
        id: &str,
        data: Value,
        request_key: Option<&str>,
    ) -> Result<Appended, Problem> {
        let at = ReadAt { min_position: self.head(), ..ReadAt::default() };
        self.knowledge(principal, id, at).await?;
        self.say(principal, kind, data, request_key).await
    }

    /// Returns a piece of knowledge.
    pub async fn knowledge(
        &self,
        principal: &Principal,
        id: &str,
        at: ReadAt,
    ) -> Result<(Row, Option<Position>), Problem> {
        let (rows, position) = self.rows(principal, CURRENT, json!({"id": id}), at).await?;
        let row = rows.into_iter().next().ok_or_else(|| unknown("knowledge", id))?;
        Ok((row, position))
    }

    /// Returns all versions of a piece of knowledge, oldest first.
    pub async fn knowledge_history(
        &self,
        principal: &Principal,
        id: &str,
        at: ReadAt,
    ) -> Result<(Vec<Row>, Option<Position>), Problem> {
        let (current, position) = self.knowledge(principal, id, at).await?;
        let at = ReadAt { as_of: position.map(crate::read_at::AsOf::Position), ..ReadAt::default() };
        let (mut versions, _) = self.rows(principal, HISTORY, json!({"id": id}), at).await?;
        versions.push(current);
        Ok((versions, position))
    }

    /// Returns a conversation: its turns by time, at most `limit`.
    pub async fn conversation(
        &self,
        principal: &Principal,
        id: &str,
        limit: usize,
        at: ReadAt,
    ) -> Result<(Value, Option<Position>), Problem> {
        let (mut turns, position) = self.rows(principal, MESSAGES, json!({"id": id}), at).await?;
        // Both halves are read at one position, so that no turn is missing or there twice.
        let at = ReadAt { as_of: position.map(crate::read_at::AsOf::Position), ..ReadAt::default() };
        turns.extend(self.rows(principal, CALLS, json!({"id": id}), at).await?.0);
        if turns.is_empty() {
            return Err(unknown("conversation", id));
        }
        let place = |turn: &Row| {
            let time = turn.get("time").and_then(Value::as_str).unwrap_or_default().to_owned();
            (time, turn.get("position").and_then(Value::as_u64))
        };
        turns.sort_by_key(place);
        let truncated = turns.len() > limit;
        turns.truncate(limit);
        let thread = json!({"conversation_id": id, "position": position, "turns": turns, "truncated": truncated});
        Ok((thread, position))
    }

    /// Appends one event in the caller's name.
    pub(crate) async fn say(
        &self,
        principal: &Principal,
        kind: &str,
        data: Value,
        request_key: Option<&str>,
    ) -> Result<Appended, Problem> {
        let body = json!({"type": kind, "data": data}).to_string();
        let call = AppendCall { body: body.as_bytes(), request_key, ..AppendCall::default() };
        self.append(principal, call).await
    }
}

/// Draws an id. A retry with the same key must make the same id, so that its body is the same.
pub(crate) fn new_id(principal: &Principal, request_key: Option<&str>) -> String {
    match request_key {
        Some(key) => short_hash(principal, key),
        None => uuid::Uuid::now_v7().to_string(),
    }
}

fn short_hash(principal: &Principal, key: &str) -> String {
    let named = format!("{}\n{}\n{key}", principal.workspace, principal.source);
    blake3::hash(named.as_bytes()).to_hex()[..26].to_owned()
}

fn unknown(what: &str, id: &str) -> Problem {
    Problem::new(ErrorClass::NotFound, format!("there is no {what} `{id:.60}`"))
        .code("unknown_id")
        .hint("send `min_position` of your write to wait for it")
}
