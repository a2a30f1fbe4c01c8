//! What is wrong with JSON text, and where.

use partitura_event::{ErrorClass, Issue, Problem};

/// One fault: the class says whether the text is not JSON (400), or is JSON that cannot be taken (413, 422).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What to do about it.
    pub class: ErrorClass,
    /// Stable word.
    pub code: &'static str,
    /// A sentence without place; it never quotes the content of a string.
    pub message: String,
    /// Byte offset in the text that was read.
    pub offset: usize,
    /// Path of the value inside the text (`data.items[3]`), empty where the grammar failed.
    pub path: String,
}

impl Fault {
    pub(super) fn malformed(code: &'static str, offset: usize, message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Malformed, code, message: message.into(), offset, path: String::new() }
    }

    pub(super) fn at(class: ErrorClass, code: &'static str, offset: usize, path: &str, message: String) -> Self {
        Self { class, code, message, offset, path: path.to_owned() }
    }

    /// Turns it into the user's error. `body` is the whole text, `start` where the read part begins in
    /// it, `prefix` the path of that part (`events[3]`).
    pub fn problem(self, body: &str, start: usize, prefix: &str) -> Problem {
        self.problem_after(&mut Lines::default(), body, start, prefix)
    }

    /// Does the same for one of many faults of one body, found from its beginning to its end: `lines` knows
    /// how far they were counted.
    pub fn problem_after(self, lines: &mut Lines, body: &str, start: usize, prefix: &str) -> Problem {
        let offset = (start + self.offset).min(body.len());
        let (line, column) = lines.place(body.as_bytes(), offset);
        let path = join(prefix, &self.path);
        let place = format!("line {line}, column {column}, byte {offset}");
        let detail = match path.is_empty() {
            true => format!("{} ({place})", self.message),
            false => format!("`{path}`: {} ({place})", self.message),
        };
        let issue_path = if path.is_empty() { place } else { path };
        let issue = Issue { path: issue_path, code: self.code.to_owned(), message: self.message };
        Problem { issues: vec![issue], ..Problem::new(self.class, detail).code(self.code) }
    }
}

/// Joins a path and what is below it: `events[3]` and `data.x` give `events[3].data.x`.
pub(crate) fn join(prefix: &str, path: &str) -> String {
    match (prefix.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (_, true) => prefix.to_owned(),
        _ if path.starts_with('[') => format!("{prefix}{path}"),
        _ => format!("{prefix}.{path}"),
    }
}

/// Counts lines and columns up to an offset, and goes on from there: ten thousand faults in one body must
/// not count it ten thousand times.
#[derive(Debug, Default)]
pub struct Lines {
    offset: usize,
    /// Line breaks before the offset, and characters between the last of them and it.
    lines: usize,
    columns: usize,
}

impl Lines {
    /// Returns line and column of `offset`, from 1.
    fn place(&mut self, text: &[u8], offset: usize) -> (usize, usize) {
        if offset < self.offset {
            *self = Self::default();
        }
        let new = &text[self.offset..offset];
        self.lines += new.iter().filter(|byte| **byte == b'\n').count();
        let rest = match new.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => {
                self.columns = 0;
                &new[at + 1..]
            }
            None => new,
        };
        self.columns += rest.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        self.offset = offset;
        (self.lines + 1, self.columns + 1)
    }
}
