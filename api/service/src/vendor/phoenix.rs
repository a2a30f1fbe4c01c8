//! Phoenix's clients: annotations of spans, traces and sessions.

use std::collections::HashMap;

use partitura_event::{ErrorClass, Problem};
use partitura_ingest::vendor::phoenix::{Annotation, Target, annotations};
use serde_json::Value;

use super::read;
use crate::principal::Principal;
use crate::read_at::ReadAt;
use crate::service::Service;

/// Most annotations of one request.
const ANNOTATIONS_MAX: usize = 1_000;
/// Unknown spans that are named in a refusal.
const NAMED_MAX: usize = 5;

impl Service {
    /// Stores annotations, all of them or none; returns their ids.
    pub async fn annotate(&self, principal: &Principal, target: Target, body: &[u8]) -> Result<Vec<String>, Problem> {
        let kept = self.annotate_uncounted(principal, target, body).await;
        self.count_refusals(principal, "phoenix.annotations", kept.as_ref().err());
        kept
    }

    async fn annotate_uncounted(
        &self,
        principal: &Principal,
        target: Target,
        body: &[u8],
    ) -> Result<Vec<String>, Problem> {
        let given: Vec<Annotation> =
            read(body, |body| annotations(body, target))?.into_iter().collect::<Result<_, _>>()?;
        if given.len() > ANNOTATIONS_MAX {
            let detail = format!("there are {} annotations; at most {ANNOTATIONS_MAX} are taken", given.len());
            return Err(Problem::new(ErrorClass::TooLarge, detail).code("too_many_events").hint("send them in parts"));
        }
        let calls = self.calls_of(principal, given.iter().filter_map(|one| one.span.as_deref()).collect()).await?;
        let judgement = |annotation: Annotation| match annotation.span.as_ref().and_then(|span| calls.get(span)) {
            Some(call) => annotation.of_call(call),
            None => annotation.judgement,
        };
        let kept = self.judge(principal, given.into_iter().map(judgement).collect()).await?;
        kept.into_iter().map(|kept| kept.map(|kept| kept.id)).collect()
    }

    /// Finds the calls that spans are. Spans are named by a part of their call's id only, so they must be there.
    async fn calls_of(&self, principal: &Principal, spans: Vec<&str>) -> Result<HashMap<String, String>, Problem> {
        if spans.is_empty() {
            return Ok(HashMap::new());
        }
        // These are hexadecimal digits and nothing else.
        let list = spans.iter().map(|span| format!("'{span}'")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT right(interaction_id, 16) AS span, interaction_id AS call FROM interactions \
             WHERE right(interaction_id, 16) IN ({list}) ORDER BY _pos"
        );
        let at = ReadAt { min_position: self.head(), ..ReadAt::default() };
        let (rows, _) = self.rows(principal, &sql, Value::Null, at).await?;
        let text = |row: &crate::sql::Row, name: &str| Some(row.get(name)?.as_str()?.to_owned());
        let found: HashMap<_, _> =
            rows.iter().filter_map(|row| Some((text(row, "span")?, text(row, "call")?))).collect();
        let mut unknown: Vec<_> = spans.into_iter().filter(|span| !found.contains_key(*span)).collect();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(found);
        }
        let (named, more) = (unknown[..unknown.len().min(NAMED_MAX)].join(", "), unknown.len() > NAMED_MAX);
        let detail = format!("there is no call of the span {named}{}", if more { " and others" } else { "" });
        Err(Problem::new(ErrorClass::NotFound, detail)
            .code("unknown_span")
            .hint("nothing was stored: export the span first, then send the annotations again"))
    }
}
