//! The headers of a message over HTTP, which repeat what its body says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Key of a request's own version among its metadata.
const VERSION_META: &str = "io.modelcontextprotocol/protocolVersion";

/// What a message says in its headers.
pub struct Headers {
    version: Option<String>,
    method: Option<String>,
    name: Option<String>,
}

impl Headers {
    /// Reads them from a message; `agreed` is the version of the handshake, for messages that name none.
    pub fn of(message: &Value, agreed: Option<&str>) -> Self {
        let params = &message["params"];
        let own = params["_meta"][VERSION_META].as_str();
        let is_handshake = message["method"] == "initialize";
        let version = own.or(agreed.filter(|_| !is_handshake)).map(str::to_owned);
        let name = match message["method"].as_str() {
            Some("tools/call" | "prompts/get") => params["name"].as_str(),
            Some("resources/read") => params["uri"].as_str(),
            _ => None,
        };
        // Only requests that carry their version themselves are routed by these.
        let method = message["method"].as_str().filter(|_| own.is_some());
        Self { version, method: method.map(str::to_owned), name: name.filter(|_| own.is_some()).map(encoded) }
    }

    /// Returns names and values.
    pub fn list(self) -> Vec<(&'static str, String)> {
        let fixed = [
            ("content-type", Some("application/json".to_owned())),
            ("accept", Some("application/json, text/event-stream".to_owned())),
        ];
        let own = [("mcp-protocol-version", self.version), ("mcp-method", self.method), ("mcp-name", self.name)];
        fixed.into_iter().chain(own).filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Writes a value as the protocol does where a header could not hold it as it is.
fn encoded(value: &str) -> String {
    let plain = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) && value.trim() == value;
    if plain && !value.starts_with("=?base64?") {
        return value.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(message: &Value, agreed: Option<&str>) -> Vec<(&'static str, String)> {
        Headers::of(message, agreed).list().split_off(2)
    }

    #[test]
    fn they_repeat_the_body() {
        let meta = json!({VERSION_META: "2026-07-28"});
        let call = json!({"method": "tools/call", "params": {"name": "query_sql", "_meta": meta}});
        let expected =
            [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "query_sql")];
        assert_eq!(headers(&call, None), expected.map(|(name, value)| (name, value.to_owned())));
        let read = json!({"method": "resources/read", "params": {"uri": "partitura://knowledge/ü", "_meta": meta}});
        assert_eq!(headers(&read, None)[2].1, format!("=?base64?{}?=", STANDARD.encode("partitura://knowledge/ü")));
    }

    #[test]
    fn after_a_handshake_only_the_version_is_said() {
        let call = json!({"method": "tools/call", "params": {"name": "query_sql"}});
        assert_eq!(headers(&call, Some("2025-11-25")), [("mcp-protocol-version", "2025-11-25".to_owned())]);
        assert!(headers(&json!({"method": "initialize", "params": {}}), Some("2025-11-25")).is_empty());
    }
}
