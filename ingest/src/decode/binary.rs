//! CloudEvents binary mode: attributes in `ce-*` headers, the body is the data.

use std::borrow::Cow;

use partitura_event::{ErrorClass, Problem};

use super::Collector;
use crate::context::{Context, Decoded, Rejected};
use crate::envelope::{self, Form};
use crate::json::{self, Cursor, Member, Node};

pub(super) fn decode(headers: &[(&str, &str)], text: &str, context: &Context<'_>) -> Result<Decoded, Problem> {
    let mut collector = Collector::new(text, context);
    let mut members: Vec<Member<'_>> = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let Some(attribute) = name.strip_prefix("ce-") else { continue };
        if members.iter().any(|(known, _)| known == attribute) {
            let detail = format!("the header `{name}` was sent twice");
            return Err(Problem::new(ErrorClass::Malformed, detail).code("duplicate_header"));
        }
        members.push((Cow::Owned(attribute.to_owned()), Node::Text(Cow::Owned(percent_decode(value, &name)?))));
    }
    if let Some((name, _)) = members.iter().find(|(name, _)| name == "data") {
        let detail = format!("`ce-{name}` is not an attribute; the data is the body");
        return Err(Problem::new(ErrorClass::Invalid, detail));
    }
    collector.decoded.single = true;
    if let Some(problem) = collector.too_long(text, "") {
        collector.decoded.items.push(Err(Rejected { id: None, problem }));
        return Ok(collector.finish());
    }
    if !text.trim_ascii().is_empty() {
        let mut cursor = Cursor::new(text);
        cursor.skip_value().and_then(|_| cursor.end()).map_err(|fault| fault.problem(text, 0, ""))?;
        let data = json::build(text, &context.limits).map_err(|fault| fault.problem(text, 0, "data"))?;
        members.push((Cow::Borrowed("data"), data));
    }
    let node = Node::Object(members);
    let item = envelope::accept(node, Form::CloudEvent, "", context, &mut collector.shared);
    collector.decoded.items.push(item);
    Ok(collector.finish())
}

/// Header values carry non-ASCII text percent-encoded (CloudEvents HTTP binding, 3.1.3.2).
fn percent_decode(value: &str, header: &str) -> Result<String, Problem> {
    let wrong = || {
        Problem::new(ErrorClass::Malformed, format!("the header `{header}` is not percent-encoded UTF-8"))
            .code("invalid_header")
    };
    let bytes = value.trim().trim_matches('"').as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()
        });
        match (byte, hex) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    let text = String::from_utf8(out).map_err(|_| wrong())?;
    if text.chars().any(char::is_control) { Err(wrong()) } else { Ok(text) }
}
