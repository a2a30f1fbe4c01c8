//! The one place where a problem becomes MCP: a tool's failed result, or an error of the protocol.

use partitura_event::Problem;
use partitura_service::members;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, MetaObject};
use serde_json::{Map, Value};

/// Key of the whole problem among a failed result's metadata.
const META: &str = "partitura/problem";

/// A call that failed: the model reads why, what to do and which names are near; programs read the problem itself.
pub fn of_tool(problem: Map<String, Value>) -> CallToolResult {
    let text = ContentBlock::text(sentence(&problem));
    let meta = MetaObject(Map::from_iter([(META.to_owned(), Value::Object(problem))]));
    CallToolResult::error(vec![text]).with_meta(Some(meta))
}

/// A request that cannot be answered at all.
pub fn of_request(problem: &Problem) -> ErrorData {
    let members = members(problem);
    ErrorData::new(ErrorCode(problem.class.json_rpc()), sentence(&members), Some(Value::Object(members)))
}

fn sentence(problem: &Map<String, Value>) -> String {
    let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
    let list = |name: &str| problem.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut said = format!("{}: {}", text("code"), text("detail"));
    let near: Vec<String> = list("suggestions").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if !near.is_empty() {
        said += &format!("\ndid you mean: {}", near.join(", "));
    }
    for issue in list("issues") {
        let part = |name: &str| issue.get(name).and_then(Value::as_str).unwrap_or_default();
        if part("message") != text("detail") {
            said += &format!("\n- {}: {}", part("path"), part("message"));
        }
    }
    if !text("hint").is_empty() {
        said += &format!("\nhint: {}", text("hint"));
    }
    said
}
