//! One JSON-RPC message as it was sent: checked strictly, and its arguments kept in their own spelling.
//!
//! The protocol library reads numbers as floats and takes the last of two equal keys. Money must not go through a
//! float, and no other door takes two equal keys; so the text is read here first.

use std::sync::Arc;

use partitura_event::{ErrorClass, Problem};
use partitura_ingest::{Limits, json};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The text of a call's `arguments`.
#[derive(Clone, Debug)]
pub struct SentArguments(pub Arc<str>);

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// Checks a body and returns its arguments; an empty object when it has none.
pub fn arguments(body: &[u8]) -> Result<SentArguments, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let detail = format!("the message is not UTF-8: wrong byte at offset {}", error.valid_up_to());
        Problem::new(ErrorClass::Malformed, detail).code("invalid_utf8")
    })?;
    let node = json::parse(text, &Limits::default()).map_err(|fault| fault.problem(text, 0, ""))?;
    let is_message = node.get("jsonrpc").is_some();
    if !is_message {
        let detail = "a message is one JSON object of JSON-RPC 2.0; batches are not part of the protocol";
        return Err(Problem::new(ErrorClass::Invalid, detail).code("not_a_message"));
    }
    drop(node);
    let params = serde_json::from_str::<Message<'_>>(text).ok().and_then(|message| message.params);
    let arguments = params.and_then(|params| serde_json::from_str::<Params<'_>>(params.get()).ok()?.arguments);
    Ok(SentArguments(arguments.map_or("{}", RawValue::get).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_their_spelling() {
        let body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"cost":0.10000000000000000001}}}"#;
        assert_eq!(&*arguments(body).expect("a message").0, r#"{"cost":0.10000000000000000001}"#);
        let bare = arguments(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).expect("a message");
        assert_eq!(&*bare.0, "{}");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (body, code) in [
            (&b"{"[..], None),
            (b"\xff", Some("invalid_utf8")),
            (b"[]", Some("not_a_message")),
            (b"7", Some("not_a_message")),
            (b"{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\"}", Some("duplicate_key")),
        ] {
            let problem = arguments(body).expect_err("it is no message");
            assert!(code.is_none_or(|code| problem.code == code), "{problem:?}");
        }
    }
}
