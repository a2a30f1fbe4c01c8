//! What a client expects of a stream, in the forms it may be written.

use partitura_event::{Expected, Problem, Revision};

use crate::json::Node;

/// Reads `"any"`, `"none"`, `"exists"`, or a revision as a number or a string; 0 means none.
pub(crate) fn read(path: &str, node: &Node<'_>) -> Result<Expected, Problem> {
    match node {
        Node::Null => Ok(Expected::Any),
        Node::Number(token) => revision(path, token),
        Node::Text(word) => parse(path, word),
        other => Err(wrong(path, other.kind())),
    }
}

/// Reads the text forms, as headers give them too.
pub fn parse(path: &str, word: &str) -> Result<Expected, Problem> {
    match word {
        "any" => Ok(Expected::Any),
        "none" => Ok(Expected::None),
        "exists" => Ok(Expected::Exists),
        digits => revision(path, digits),
    }
}

/// Reads `If-Match: "3"` (`*` means that the stream exists).
pub fn if_match(value: &str) -> Result<Expected, Problem> {
    match value.trim() {
        "*" => Ok(Expected::Exists),
        tag => parse("If-Match", tag.trim_matches('"')),
    }
}

/// Reads `If-None-Match: *`, the only form that has a meaning here.
pub fn if_none_match(value: &str) -> Result<Expected, Problem> {
    match value.trim() {
        "*" => Ok(Expected::None),
        other => {
            let detail = format!("`If-None-Match: {other:.40}` is not supported; only `*` (the stream has no event)");
            Err(Problem::invalid_field("If-None-Match", "expected_revision", detail))
        }
    }
}

fn revision(path: &str, token: &str) -> Result<Expected, Problem> {
    match token.parse::<u64>() {
        Ok(number) => Ok(Revision::new(number).map_or(Expected::None, Expected::Exactly)),
        Err(_) => Err(wrong(path, &format!("{token:.40}"))),
    }
}

fn wrong(path: &str, given: &str) -> Problem {
    let detail = format!("`{path}` is {given}; write a revision (a whole number), \"any\", \"none\" or \"exists\"");
    Problem::invalid_field(path, "expected_revision", detail)
}
