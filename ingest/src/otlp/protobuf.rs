//! Protobuf on the wire → the canonical tree of a message, by its table.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use partitura_event::json::Node;

use super::request::{Budget, Fault, MESSAGES_DEEP};
use super::schema::{Field, Message, Shape};

/// A value as it stands on the wire.
#[derive(Clone, Copy)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// Numbers and values of a message, one after the other.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// Returns the next one; nothing at the end.
    pub fn next(&mut self) -> Result<Option<(u32, Wire<'a>)>, Fault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = varint(&mut self.0)?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0 && *number < 1 << 29);
        let number = number.ok_or(Fault("has a field without a number"))?;
        let value = match tag & 7 {
            0 => Wire::Varint(varint(&mut self.0)?),
            1 => Wire::Fixed64(u64::from_le_bytes(take(&mut self.0)?)),
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).map_err(|_| TRUNCATED)?;
                let (bytes, rest) = self.0.split_at_checked(length).ok_or(TRUNCATED)?;
                self.0 = rest;
                Wire::Bytes(bytes)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(take(&mut self.0)?)),
            _ => return Err(Fault("has a field of an unknown wire type")),
        };
        Ok(Some((number, value)))
    }
}

const TRUNCATED: Fault = Fault("ends in the middle of a field");
const MISMATCH: Fault = Fault("has a field of another type than it should");

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Fault> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or(TRUNCATED)?;
    *bytes = rest;
    Ok(*first)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Fault> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let [byte] = take::<1>(bytes)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Fault("has a number of more than ten bytes"))
}

/// Reads a message into an object whose members stand in the order of the table.
pub(super) fn node<'a>(
    bytes: &'a [u8],
    message: &'static Message,
    depth: usize,
    budget: &mut Budget,
) -> Result<Node<'a>, Fault> {
    if depth >= MESSAGES_DEEP {
        return Err(Fault("is nested too deeply"));
    }
    let mut slots: Vec<Option<Node<'a>>> = message.fields.iter().map(|_| None).collect();
    let mut fields = Fields(bytes);
    while let Some((number, wire)) = fields.next()? {
        let Some(index) = message.fields.iter().position(|field| field.number == number) else { continue };
        let field = &message.fields[index];
        if !field.many {
            slots[index] = Some(value(wire, field.shape, depth, budget)?);
            continue;
        }
        let Node::List(items) = slots[index].get_or_insert_with(|| Node::List(Vec::new())) else { continue };
        match (wire, packed(field)) {
            (Wire::Bytes(bytes), Some(read)) => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    items.push(value(read(&mut rest)?, field.shape, depth, budget)?);
                }
            }
            _ => items.push(value(wire, field.shape, depth, budget)?),
        }
    }
    let fields = message.fields.iter().zip(slots);
    let members = fields.filter_map(|(field, node)| {
        let node = node.filter(|node| field.explicit || !is_default(node, field.shape))?;
        Some((Cow::Borrowed(field.name), node))
    });
    Ok(Node::Object(members.collect()))
}

type Reader = for<'b> fn(&mut &'b [u8]) -> Result<Wire<'b>, Fault>;

/// Returns how to read an item of a list of numbers that stand packed.
fn packed(field: &Field) -> Option<Reader> {
    fn fixed<'b>(bytes: &mut &'b [u8]) -> Result<Wire<'b>, Fault> {
        Ok(Wire::Fixed64(u64::from_le_bytes(take(bytes)?)))
    }
    fn number<'b>(bytes: &mut &'b [u8]) -> Result<Wire<'b>, Fault> {
        Ok(Wire::Varint(varint(bytes)?))
    }
    match field.shape {
        Shape::Fixed64 | Shape::Sfixed64 | Shape::Double => Some(fixed),
        Shape::Uint64 | Shape::Int64 | Shape::Uint32 | Shape::Sint32 => Some(number),
        _ => None,
    }
}

fn value<'a>(wire: Wire<'a>, shape: Shape, depth: usize, budget: &mut Budget) -> Result<Node<'a>, Fault> {
    budget.take()?;
    Ok(match (shape, wire) {
        (Shape::Text, Wire::Bytes(bytes)) => Node::Text(text(bytes)?),
        (Shape::Bytes, Wire::Bytes(bytes)) => Node::Text(STANDARD.encode(bytes).into()),
        (Shape::Id, Wire::Bytes(bytes)) => Node::Text(hex(bytes).into()),
        (Shape::Bool, Wire::Varint(number)) => Node::Bool(number != 0),
        (Shape::Enum(_), Wire::Varint(number)) => Node::Number((number as i32).to_string().into()),
        (Shape::Uint32, Wire::Varint(number)) => Node::Number((number as u32).to_string().into()),
        (Shape::Sint32, Wire::Varint(number)) => {
            let number = number as u32;
            Node::Number(((number >> 1) as i32 ^ -((number & 1) as i32)).to_string().into())
        }
        (Shape::Fixed32, Wire::Fixed32(number)) => Node::Number(number.to_string().into()),
        (Shape::Uint64, Wire::Varint(number)) | (Shape::Fixed64, Wire::Fixed64(number)) => {
            Node::Text(number.to_string().into())
        }
        (Shape::Int64, Wire::Varint(number)) | (Shape::Sfixed64, Wire::Fixed64(number)) => {
            Node::Text(number.cast_signed().to_string().into())
        }
        (Shape::Double, Wire::Fixed64(bits)) => double(f64::from_bits(bits)),
        (Shape::Message(message), Wire::Bytes(bytes)) => node(bytes, message, depth + 1, budget)?,
        _ => return Err(MISMATCH),
    })
}

/// Text that is not UTF-8, which some SDKs send, keeps what can be read of it.
fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if bytes.contains(&0) {
        return Err(Fault("has a text with the character NUL"));
    }
    Ok(String::from_utf8_lossy(bytes))
}

/// Writes a floating point number; JSON has no word for those that are none.
pub(super) fn double(number: f64) -> Node<'static> {
    match number {
        _ if number.is_nan() => Node::Text("NaN".into()),
        f64::INFINITY => Node::Text("Infinity".into()),
        f64::NEG_INFINITY => Node::Text("-Infinity".into()),
        _ => Node::Number(format!("{number:?}").into()),
    }
}

/// Returns whether a value is what an absent field means too.
pub(super) fn is_default(node: &Node<'_>, shape: Shape) -> bool {
    let is_number = matches!(shape, Shape::Uint64 | Shape::Int64 | Shape::Fixed64 | Shape::Sfixed64);
    match node {
        Node::Text(text) => text.is_empty() || is_number && text == "0",
        Node::Number(token) => matches!(token.as_ref(), "0" | "0.0"),
        Node::Bool(flag) => !flag,
        Node::List(items) => items.is_empty(),
        Node::Null => true,
        Node::Object(_) => false,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
