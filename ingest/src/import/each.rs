//! Paths with wildcards: which items of a row an event is made of.

use partitura_event::Problem;

use super::rows::Row;
use super::scope::Scope;
use crate::json::Node;

/// A JSON pointer whose segments may hold one `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Each {
    segments: Vec<String>,
}

/// Most items that one row may be split into, so that a wrong path is an answer and not a hang.
const MAX_ITEMS: usize = 1_000_000;

impl Each {
    /// Parses `/observations/*`; the error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(path) = text.strip_prefix('/') else {
            return Err("must be a path such as /items/*".to_owned());
        };
        let segments: Vec<String> = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        match segments.iter().find(|segment| segment.matches('*').count() > 1) {
            Some(segment) => Err(format!("`{segment}` has more than one `*`")),
            None => Ok(Self { segments }),
        }
    }

    /// Returns a scope for every item of `row` that the path matches, in the order of the file.
    pub(super) fn scopes<'r>(&self, row: &'r Row) -> Result<Vec<Scope<'r>>, Problem> {
        let start = Scope { row, item: &row.value, index: 0, captures: Vec::new() };
        let mut scopes = vec![start];
        for segment in &self.segments {
            let mut next = Vec::new();
            for scope in scopes {
                step(&scope, segment, &mut next);
                if next.len() > MAX_ITEMS {
                    let detail = format!("`each` matches more than {MAX_ITEMS} items in one row");
                    return Err(Problem::invalid_field("each", "too_many", detail));
                }
            }
            scopes = next;
        }
        Ok(scopes)
    }
}

fn step<'r>(scope: &Scope<'r>, segment: &str, out: &mut Vec<Scope<'r>>) {
    let mut push = |item, index, capture: Option<&str>| {
        let mut captures = scope.captures.clone();
        captures.extend(capture.map(str::to_owned));
        out.push(Scope { row: scope.row, item, index, captures });
    };
    match (scope.item, segment.split_once('*')) {
        (Node::List(items), Some(_)) => {
            for (n, item) in items.iter().enumerate() {
                push(item, n, Some(&n.to_string()));
            }
        }
        (Node::Object(members), Some((before, after))) => {
            for (n, (key, item)) in members.iter().enumerate() {
                let middle = key.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                if let Some(middle) = middle.filter(|middle| !middle.is_empty()) {
                    push(item, n, Some(middle));
                }
            }
        }
        (item, None) => {
            if let Some(inner) = item.member(segment) {
                push(inner, scope.index, None);
            }
        }
        _ => {}
    }
}
