//! Runs the scripts of `tests/slt`: queries with their answers, or with what they are refused for.
//!
//! ```text
//! query [as_of=12] [zone=Europe/Berlin] [week=sunday] [now=…]
//! SELECT 1 AS one
//! ----
//! one
//! 1
//!
//! error sql_unknown_table
//! SELECT * FROM taks
//! ----
//! part of the message
//! ```
//! `PARTITURA_BLESS=1 cargo test -p partitura-query` writes what is answered into the scripts.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use partitura_event::Position;
use partitura_query::{Format, SqlRequest};

use super::world::{World, run, time};

struct Case {
    head: String,
    sql: String,
    expected: String,
    comment: String,
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let (comments, rest): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with('#'));
        let comment = comments.join("\n");
        let Some((head, rest)) = rest.split_first() else {
            cases.push(Case { head: String::new(), sql: String::new(), expected: String::new(), comment });
            continue;
        };
        let split = rest.iter().position(|line| *line == "----").unwrap_or(rest.len());
        let expected = rest.get(split + 1..).unwrap_or_default().join("\n");
        cases.push(Case { head: (*head).to_owned(), sql: rest[..split].join("\n"), expected, comment });
    }
    cases
}

fn apply(head: &str, request: &mut SqlRequest) {
    for option in head.split_whitespace().skip(1) {
        match option.split_once('=') {
            Some(("as_of", value)) => request.as_of = Position::new(value.parse().expect("a position")),
            Some(("zone", value)) => request.zone.tz = value.parse().expect("a zone"),
            Some(("week", value)) => request.zone.week_start = value.parse().expect("a weekday"),
            Some(("now", value)) => request.now = time(value),
            _ => {}
        }
    }
}

async fn answer(world: &World, case: &Case) -> String {
    let result = world.ask_as(&case.sql, Format::Csv, |request| apply(&case.head, request)).await;
    match (result, case.head.strip_prefix("error ")) {
        (Ok((text, _)), _) => text.trim_end().to_owned(),
        (Err(problem), Some(_)) => format!("{}: {problem}", problem.code),
        (Err(problem), None) => format!("refused: {}: {problem}", problem.code),
    }
}

fn is_met(case: &Case, answer: &str) -> bool {
    match case.head.strip_prefix("error ") {
        Some(code) => answer.starts_with(&format!("{}:", code.trim())) && answer.contains(case.expected.trim()),
        None => answer == case.expected,
    }
}

#[test]
fn scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let bless = std::env::var_os("PARTITURA_BLESS").is_some();
    run(async {
        let world = World::open().await;
        let mut failures = String::new();
        let mut files: Vec<_> =
            fs::read_dir(&folder).expect("scripts").map(|entry| entry.expect("a file").path()).collect();
        files.sort();
        for file in files {
            let mut blessed = String::new();
            for case in parse(&fs::read_to_string(&file).expect("a script")) {
                if case.head.is_empty() {
                    let _ = write!(blessed, "{}\n\n", case.comment);
                    continue;
                }
                let answer = answer(&world, &case).await;
                if !is_met(&case, &answer) {
                    let _ = writeln!(
                        failures,
                        "{}\n{}\n-- expected\n{}\n-- answered\n{answer}\n",
                        file.display(),
                        case.sql,
                        case.expected
                    );
                }
                let comment = if case.comment.is_empty() { String::new() } else { format!("{}\n", case.comment) };
                let expected =
                    if case.head.starts_with("error ") && is_met(&case, &answer) { case.expected } else { answer };
                let _ = write!(blessed, "{comment}{}\n{}\n----\n{expected}\n\n", case.head, case.sql);
            }
            if bless {
                fs::write(&file, format!("{}\n", blessed.trim_end())).expect("written");
            }
        }
        assert!(bless || failures.is_empty(), "{failures}");
    });
}
