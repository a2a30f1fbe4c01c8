//! Items that are larger than a record: shortened where they are translated from, whole beside it.

use std::borrow::Cow;

use partitura_event::Fingerprint;
use partitura_event::json::Node;

/// Bytes of one part of a whole item. Quotes and backslashes double when the part is written as a text.
const PART_BYTES: usize = 400_000;

/// Longest texts and lists that are left, tried one after the other.
const STEPS: &[(usize, usize)] =
    &[(400_000, 10_000), (100_000, 5_000), (10_000, 1_000), (1_000, 200), (100, 20), (10, 2)];

/// An item that is whole elsewhere.
#[derive(Debug)]
pub(super) struct Whole {
    /// Hash of its text.
    pub hash: String,
    /// Its parts, in order.
    pub parts: Vec<String>,
}

/// Writes an item as JSON of at most `room` bytes; where that cuts something off, the whole is returned too.
pub(super) fn fit(mut node: Node<'_>, room: usize) -> (String, Option<Whole>) {
    let whole = node.compact();
    if whole.len() <= room {
        return (whole, None);
    }
    let hash = format!("{:?}", Fingerprint::of(whole.as_bytes()));
    let whole = Whole { hash, parts: parts(&whole) };
    for (text, list) in STEPS {
        cut(&mut node, *text, *list);
        let json = node.compact();
        if json.len() <= room {
            return (json, Some(whole));
        }
    }
    ("{}".to_owned(), Some(whole))
}

fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, more) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
        parts.push(part.to_owned());
        rest = more;
    }
    parts
}

fn cut(node: &mut Node<'_>, text_max: usize, list_max: usize) {
    match node {
        Node::Text(text) if text.len() > text_max => {
            let end = text.floor_char_boundary(text_max);
            *text = Cow::Owned(text[..end].to_owned());
        }
        Node::List(items) => {
            if items.len() > list_max {
                // What names and counts is small: of a long list the small items say the most.
                let mut sizes: Vec<(usize, usize)> =
                    items.iter().map(size).enumerate().map(|(n, size)| (size, n)).collect();
                sizes.sort_unstable();
                let mut kept: Vec<usize> = sizes.into_iter().take(list_max).map(|(_, n)| n).collect();
                kept.sort_unstable();
                let all = std::mem::take(items);
                let kept = |n: &usize| kept.binary_search(n).is_ok();
                *items = all.into_iter().enumerate().filter(|(n, _)| kept(n)).map(|(_, item)| item).collect();
            }
            items.iter_mut().for_each(|item| cut(item, text_max, list_max));
        }
        Node::Object(members) => members.iter_mut().for_each(|(_, member)| cut(member, text_max, list_max)),
        _ => {}
    }
}

fn size(node: &Node<'_>) -> usize {
    match node {
        Node::Text(text) | Node::Number(text) => text.len(),
        Node::List(items) => items.iter().map(size).sum(),
        Node::Object(members) => members.iter().map(|(_, member)| size(member)).sum(),
        _ => 1,
    }
}
