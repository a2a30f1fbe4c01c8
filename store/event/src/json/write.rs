//! Writing a tree: compact, as it is stored, or canonical, as it is compared.

use super::node::{Member, Node};
use super::scan::plain;

impl Node<'_> {
    /// Returns the value without white space, keys in their order, numbers as they were written.
    pub fn compact(&self) -> String {
        let mut out = Vec::new();
        self.write_compact(&mut out);
        // Only whole strings and ASCII were written.
        String::from_utf8(out).unwrap_or_default()
    }

    /// Returns the same with the keys of every object sorted by their bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_canonical(&mut out);
        out
    }

    /// Appends what [`Node::compact`] returns.
    pub fn write_compact(&self, out: &mut Vec<u8>) {
        write(self, false, out);
    }

    /// Appends what [`Node::canonical`] returns.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        write(self, true, out);
    }
}

fn write(node: &Node<'_>, sorted: bool, out: &mut Vec<u8>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Number(token) => out.extend_from_slice(token.as_bytes()),
        Node::Text(text) => quote(text, out),
        Node::List(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                separate(n, out);
                write(item, sorted, out);
            }
            out.push(b']');
        }
        Node::Object(members) if sorted && !members.is_sorted_by(|a, b| a.0 <= b.0) => {
            let mut order: Vec<_> = members.iter().collect();
            order.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            write_members(order, sorted, out);
        }
        Node::Object(members) => write_members(members, sorted, out),
    }
}

fn write_members<'n, 'a: 'n>(members: impl IntoIterator<Item = &'n Member<'a>>, sorted: bool, out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, (key, value)) in members.into_iter().enumerate() {
        separate(n, out);
        quote(key, out);
        out.push(b':');
        write(value, sorted, out);
    }
    out.push(b'}');
}

fn separate(n: usize, out: &mut Vec<u8>) {
    if n > 0 {
        out.push(b',');
    }
}

/// Writes `text` as a JSON string with the shortest escapes.
fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    loop {
        let at = start + plain(&bytes[start..]);
        out.extend_from_slice(&bytes[start..at]);
        let Some(byte) = bytes.get(at) else { break };
        match *byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        start = at + 1;
    }
    out.push(b'"');
}
