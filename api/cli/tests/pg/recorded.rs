//! What tools ask when they connect: every question is answered, with the rows that the tool looks for.

use std::fmt::Write;

use crate::client::here;
use crate::wire::{Raw, Said, error};
use crate::world::{filled, server};

struct Recorded {
    name: String,
    expectations: Vec<String>,
    sql: String,
}

fn recorded() -> Vec<Recorded> {
    let text = std::fs::read_to_string(here("pg/recorded.txt")).expect("the file is there");
    let mut all: Vec<Recorded> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some(name) = line.strip_prefix("== ") {
            all.push(Recorded { name: name.to_owned(), expectations: Vec::new(), sql: String::new() });
            continue;
        }
        let last = all.last_mut().expect("a block begins with ==");
        match line.strip_prefix("? ") {
            Some(expectation) => last.expectations.push(expectation.to_owned()),
            None => last.sql.push_str(line),
        }
    }
    all
}

/// The cells of a row; none is null.
fn cells(body: &[u8]) -> Vec<Option<String>> {
    let mut rest = &body[2..];
    let mut cells = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        rest = after;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        cells.push(length.map(|length| {
            let (cell, after) = rest.split_at(length);
            rest = after;
            String::from_utf8_lossy(cell).into_owned()
        }));
    }
    cells
}

/// Returns what is wrong with an answer.
fn fault(expectation: &str, said: &Said) -> Option<String> {
    let (what, value) = expectation.split_once(' ').expect("a word and a value");
    let of = |wanted: u8| said.iter().filter(move |(tag, _)| *tag == wanted).map(|(_, body)| body.as_slice());
    let rows: Vec<_> = of(b'D').map(cells).collect();
    let has = || rows.iter().flatten().any(|cell| cell.as_deref() == Some(value));
    let holds = match what {
        "rows" => match value.strip_prefix('>') {
            Some(least) => rows.len() > least.parse().expect("a number"),
            None => rows.len() == value.parse::<usize>().expect("a number"),
        },
        "columns" => of(b'T').next().is_some_and(|body| u16::from_be_bytes([body[0], body[1]]).to_string() == value),
        "has" => has(),
        "lacks" => !has(),
        "tag" => of(b'C').any(|body| body == [value.as_bytes(), b"\0"].concat()),
        other => panic!("there is no expectation {other}"),
    };
    (!holds).then(|| format!("expected {expectation}, found {} rows: {:?}", rows.len(), rows.first()))
}

#[tokio::test]
async fn what_tools_ask_is_answered() {
    let server = server(&[]);
    filled(&server).await;
    let mut faults = String::new();
    let all = recorded();
    assert!(all.len() > 40, "the file was read");
    let mut raw = Raw::session(&server);
    for one in &all {
        let said = raw.ask(one.sql.as_bytes());
        let found = match error(&said) {
            Some((state, text)) => vec![format!("{state}: {text}")],
            None => one.expectations.iter().filter_map(|expectation| fault(expectation, &said)).collect(),
        };
        for fault in found {
            let _ = writeln!(faults, "{}\n    {fault}", one.name);
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
