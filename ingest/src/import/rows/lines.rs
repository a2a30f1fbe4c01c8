//! JSONL: one value per line; a line is all that is ever held.

use std::io::{BufRead, BufReader, Read};

use partitura_event::{ErrorClass, Problem};

use super::{BadRow, Counted};
use crate::json::{self, Node};
use crate::limits::Limits;

/// Longest line, in bytes.
const MAX_LINE: u64 = 64 << 20;

/// What one row of a file may hold: more than one event may, because a row can become many.
pub(super) const ROW: Limits = Limits {
    event_bytes: MAX_LINE as usize,
    batch_bytes: MAX_LINE as usize,
    events: usize::MAX,
    keys_per_object: 1_000_000,
    values_per_event: 4_000_000,
};

pub(super) fn rows(file: Counted) -> impl Iterator<Item = Result<(u64, Node<'static>), BadRow>> + Send {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut number = 0;
    let mut failed = false;
    std::iter::from_fn(move || {
        loop {
            if failed {
                return None;
            }
            let mut line = Vec::new();
            number += 1;
            match (&mut reader).take(MAX_LINE + 1).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) if line.len() as u64 > MAX_LINE => {
                    failed = true;
                    let problem =
                        Problem::new(ErrorClass::TooLarge, format!("the line is longer than {MAX_LINE} bytes"));
                    return Some(Err(BadRow { number, problem, raw: String::new() }));
                }
                Ok(_) => {}
                Err(error) => {
                    failed = true;
                    let problem = Problem::new(ErrorClass::Unavailable, format!("the file cannot be read: {error}"));
                    return Some(Err(BadRow { number, problem, raw: String::new() }));
                }
            }
            let bytes = if number == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line) } else { &line };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            return Some(read(bytes).map(|node| (number, node)).map_err(|problem| BadRow {
                number,
                problem,
                raw: String::from_utf8_lossy(bytes.trim_ascii()).into_owned(),
            }));
        }
    })
}

fn read(bytes: &[u8]) -> Result<Node<'static>, Problem> {
    let text = json::text_of(bytes)?;
    json::parse(text, &ROW).map(Node::into_owned).map_err(|fault| fault.problem(text, 0, ""))
}
