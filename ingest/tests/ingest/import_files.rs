//! Reading files row by row, in every format, sound and damaged.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use partitura_ingest::import::{Input, Mapping, Reject, Row, open_rows};
use partitura_ingest::{RedactSettings, Redactor};
use tempfile::TempDir;

fn input(section: &str) -> Input {
    let text = format!("name = \"t\"\n{section}\n[[event]]\ntype = \"x.y\"\nid = \"1\"\nsource = \"s\"\ntime = 0\n");
    Mapping::parse(&text).unwrap_or_else(|problem| panic!("{problem}")).input
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

/// Reads all rows: `number value`, or `number !word`.
fn read(name: &str, bytes: &[u8], section: &str) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, name, bytes);
    let mut rows = open_rows(&path, &input(section)).unwrap_or_else(|problem| panic!("{name}: {problem}"));
    let told = rows
        .by_ref()
        .map(|row| match row {
            Ok(row) => format!("{} {}", row.number, row.value.compact()),
            Err(bad) => format!("{} !{}", bad.number, bad.problem.code),
        })
        .collect();
    assert_eq!(rows.read_bytes(), rows.total_bytes, "{name} was read to its end");
    told
}

#[test]
fn formats() {
    let lines = b"\xEF\xBB\xBF{\"a\":1}\n\n{oops}\r\n{\"a\":\"\xff\"}\n[1]\n{\"a\":2}";
    let told = read("x.jsonl", lines, "");
    assert_eq!(told, ["1 {\"a\":1}", "3 !json_syntax", "4 !invalid_utf8", "5 [1]", "6 {\"a\":2}"]);
    assert_eq!(read("x.json", b" [ {\"a\":1} , 2,[]] ", ""), ["1 {\"a\":1}", "2 2", "3 []"]);
    assert_eq!(read("x.json", b"[]", ""), [""; 0]);
    assert_eq!(read("x.json", b"{\"a\":[1]}", ""), ["1 {\"a\":[1]}"]);
    let rows = "[input]\nrows = \"/items/*/x\"";
    assert_eq!(read("x.json", b"{\"items\":[{\"x\":1},{\"y\":2},{\"x\":3}]}", rows), ["1 1", "2 3"]);
    let csv = "\u{feff}a,b c\n1,\"x, \"\"y\"\"\n z\"\n,\n1,2,3\n4\n";
    let told = read("x.csv", csv.as_bytes(), "");
    assert_eq!(
        told,
        [
            "2 {\"a\":\"1\",\"b c\":\"x, \\\"y\\\"\\n z\"}",
            "4 {\"a\":null,\"b c\":null}",
            "5 !malformed",
            "6 {\"a\":\"4\"}"
        ]
    );
    assert_eq!(read("x.tsv", b"a\tb\n1\t2\n", ""), ["2 {\"a\":\"1\",\"b\":\"2\"}"]);
    assert_eq!(read("x.csv", b"a;b\n1;2\n", "[input]\ndelimiter = \";\""), ["2 {\"a\":\"1\",\"b\":\"2\"}"]);
    assert_eq!(read("x.log", b"{\"a\":1}\n", "[input]\nformat = \"jsonl\""), ["1 {\"a\":1}"]);
}

#[test]
fn parquet_files() {
    let count = 2_500_i64;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values(0..count))),
        ("text", Arc::new(StringArray::from_iter((0..count).map(|n| (n % 2 == 0).then(|| format!("row {n}")))))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    let told = read("x.parquet", &bytes, "");
    assert_eq!(told.len(), 2_500);
    assert_eq!((told[0].as_str(), told[2_499].as_str()), ("1 {\"n\":0,\"text\":\"row 0\"}", "2500 {\"n\":2499}"));
}

#[test]
fn files_that_cannot_be_opened() {
    let folder = TempDir::new().expect("a folder");
    let cases: &[(&str, &[u8], &str)] = &[
        ("x.jsno", b"", "did you mean json"),
        ("x", b"", "no extension"),
        ("x.json", b"{", "ends"),
        ("x.json", b"", "ends"),
        ("x.parquet", b"PAR1", "not Parquet"),
        ("x.csv", b"a,a\n", "twice"),
    ];
    for (name, bytes, word) in cases {
        let path = write(&folder, name, bytes);
        let problem = open_rows(&path, &input("")).err().unwrap_or_else(|| panic!("{name} was opened"));
        assert!(problem.to_string().contains(word), "{name}: {problem}");
    }
    let absent = open_rows(&folder.path().join("no.csv"), &input("")).err().expect("absent");
    assert_eq!(absent.class, partitura_event::ErrorClass::NotFound);
}

#[test]
fn rejects_hold_no_secret() {
    let secret = format!("ghp_{}", "a1B2".repeat(9));
    let redactor = Redactor::new(RedactSettings::default()).expect("rules");
    let folder = TempDir::new().expect("a folder");
    let long = "x".repeat(8_185);
    let text = format!("{{\"a\":\"{long} {secret} {long}\"}}\n{{\"a\":\"{secret}\n");
    let path = write(&folder, "x.jsonl", text.as_bytes());
    let rows: Vec<Result<Row, _>> = open_rows(&path, &input("")).expect("rows").collect();
    let row = rows[0].as_ref().expect("a row");
    let problem = partitura_event::Problem::new(partitura_event::ErrorClass::Invalid, format!("{secret} is wrong"));
    let first = Reject::of_row(row, &problem, &redactor);
    let second = Reject::of_bad_row("x.jsonl", rows[1].as_ref().expect_err("no JSON"), &redactor);
    let told = serde_json::to_string(&[first, second]).expect("JSON");
    assert!(!told.contains("ghp_") && told.len() < 9_500, "{told}");
}
