//! OTLP/JSON as exporters write it → the same canonical tree, by the same table.
//!
//! Lenient where the specification or the wild is: 64-bit integers are texts or numbers, enums numbers or names,
//! ids hexadecimal in any case, `null` is absent, what is unknown is left out. What has a known name and cannot
//! be read is a fault, never silently lost.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use partitura_event::json::Node;

use super::protobuf::{double, is_default};
use super::request::{Budget, Fault, MESSAGES_DEEP};
use super::schema::{Message, Shape};

/// Makes the canonical form of a message.
pub(super) fn node<'a>(
    given: Node<'a>,
    message: &'static Message,
    depth: usize,
    budget: &mut Budget,
) -> Result<Node<'a>, Fault> {
    if depth >= MESSAGES_DEEP {
        return Err(Fault("is nested too deeply"));
    }
    let Node::Object(mut given) = given else { return Err(Fault("has something else where an object should be")) };
    let mut members = Vec::with_capacity(given.len());
    for field in message.fields {
        let Some(at) = given.iter().position(|(name, _)| name == field.name) else { continue };
        let (_, value) = given.swap_remove(at);
        let value = match (value, field.many) {
            (Node::Null, _) => continue,
            (Node::List(items), true) => {
                let items = items.into_iter().filter(|item| *item != Node::Null);
                Node::List(items.map(|item| single(item, field.shape, depth, budget)).collect::<Result<_, _>>()?)
            }
            (_, true) => return Err(Fault("has something else where a list should be")),
            (value, false) => single(value, field.shape, depth, budget)?,
        };
        if field.explicit || !is_default(&value, field.shape) {
            members.push((Cow::Borrowed(field.name), value));
        }
    }
    Ok(Node::Object(members))
}

fn single<'a>(value: Node<'a>, shape: Shape, depth: usize, budget: &mut Budget) -> Result<Node<'a>, Fault> {
    budget.take()?;
    Ok(match (shape, value) {
        (Shape::Message(message), value) => node(value, message, depth + 1, budget)?,
        (Shape::Text, Node::Text(text)) => Node::Text(text),
        (Shape::Id, Node::Text(text)) => Node::Text(id(text)?),
        (Shape::Bytes, Node::Text(text)) => Node::Text(bytes(&text)?.into()),
        (Shape::Bool, Node::Bool(flag)) => Node::Bool(flag),
        (Shape::Enum(names), Node::Text(text)) => {
            let known = names.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
            let number = known.or_else(|| text.parse().ok()).ok_or(Fault("has an unknown word for an enum"))?;
            Node::Number(number.to_string().into())
        }
        (Shape::Double, Node::Text(text)) => double(text.parse().map_err(|_| NO_NUMBER)?),
        (Shape::Double, Node::Number(token)) => double(token.parse().map_err(|_| NO_NUMBER)?),
        (Shape::Uint64 | Shape::Fixed64, Node::Text(token) | Node::Number(token)) => {
            Node::Text(whole(&token).and_then(|number| u64::try_from(number).ok()).ok_or(NO_NUMBER)?.to_string().into())
        }
        (Shape::Int64 | Shape::Sfixed64, Node::Text(token) | Node::Number(token)) => {
            Node::Text(whole(&token).and_then(|number| i64::try_from(number).ok()).ok_or(NO_NUMBER)?.to_string().into())
        }
        (Shape::Uint32 | Shape::Fixed32, Node::Text(token) | Node::Number(token)) => Node::Number(
            whole(&token).and_then(|number| u32::try_from(number).ok()).ok_or(NO_NUMBER)?.to_string().into(),
        ),
        (Shape::Sint32 | Shape::Enum(_), Node::Text(token) | Node::Number(token)) => Node::Number(
            whole(&token).and_then(|number| i32::try_from(number).ok()).ok_or(NO_NUMBER)?.to_string().into(),
        ),
        _ => return Err(Fault("has a value of another type than it should")),
    })
}

const NO_NUMBER: Fault = Fault("has a number that is none, or out of its range");

/// Reads `12`, and `12.0` and `1.2e1`, which some languages write for it.
fn whole(token: &str) -> Option<i128> {
    let token = token.trim();
    token.parse().ok().or_else(|| {
        let number: f64 = token.parse().ok()?;
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i128)
    })
}

fn id(text: Cow<'_, str>) -> Result<Cow<'_, str>, Fault> {
    match text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true if text.bytes().any(|byte| byte.is_ascii_uppercase()) => Ok(text.to_ascii_lowercase().into()),
        true => Ok(text),
        false => Err(Fault("has an id that is not hexadecimal")),
    }
}

/// Reads base64 in either alphabet, padded or not, and writes it in the one of the specification.
fn bytes(text: &str) -> Result<String, Fault> {
    let standard = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let padded = format!("{standard}{}", "=".repeat((4 - standard.len() % 4) % 4));
    let bytes = STANDARD.decode(padded).map_err(|_| Fault("has bytes that are not base64"))?;
    Ok(STANDARD.encode(bytes))
}
