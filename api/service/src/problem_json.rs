//! A problem's members, as they stand in a body of their own or inside a batch's result.

use partitura_event::Problem;
use serde_json::{Map, Value, json};

/// Returns the members of RFC 9457, and ours.
pub fn members(problem: &Problem) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("type".into(), json!(format!("urn:partitura:error:{}", problem.code)));
    map.insert("title".into(), json!(problem.class.title()));
    map.insert("status".into(), json!(problem.class.http()));
    map.insert("detail".into(), json!(problem.detail));
    map.insert("code".into(), json!(problem.code));
    if let Some(hint) = &problem.hint {
        map.insert("hint".into(), json!(hint));
    }
    if !problem.suggestions.is_empty() {
        map.insert("suggestions".into(), json!(problem.suggestions));
    }
    if !problem.issues.is_empty() {
        map.insert("issues".into(), json!(problem.issues));
    }
    if let Some(revision) = problem.current_revision {
        map.insert("current_revision".into(), json!(revision));
    }
    map
}
