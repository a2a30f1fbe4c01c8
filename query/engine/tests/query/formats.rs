//! Each format, and values that are hard to write.

use std::io::Cursor;

use bytes::Bytes;
use datafusion::arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use partitura_query::Format;
use serde_json::{Value, json};

use super::world::{World, run};

const ROW: &str = "SELECT 9007199254740993 AS big, CAST(1.5 AS DECIMAL(38, 12)) AS money, 0.1 AS f, 'NaN'::double AS nan, \
     'a,\"b\"\nc|d' AS text, NULL AS nothing, TRUE AS yes, TIMESTAMP '2026-01-05T10:00:00.25' AS naive, now() AS at, \
     DATE '2026-01-05' AS day, [1, 2] AS list, named_struct('x', 1, 'y', 'z') AS pair, x'00ff' AS bin";

fn expected() -> Value {
    json!({"big": 9007199254740993_i64, "money": "1.5", "f": 0.1, "nan": null, "text": "a,\"b\"\nc|d", "nothing": null,
        "yes": true, "naive": "2026-01-05T10:00:00.250", "at": "2026-04-01T12:00:00Z", "day": "2026-01-05",
        "list": [1, 2], "pair": {"x": 1, "y": "z"}, "bin": "AP8="})
}

#[test]
fn text_formats_write_hard_values() {
    run(async {
        let world = World::open().await;
        let json: Value =
            serde_json::from_str(&world.ask_as(ROW, Format::Json, |_| {}).await.expect("json").0).expect("JSON");
        assert_eq!(json, json!([expected()]));
        let (lines, _) = world.ask_as(ROW, Format::Ndjson, |_| {}).await.expect("ndjson");
        assert_eq!(serde_json::from_str::<Value>(lines.trim()).expect("JSON"), expected());
        let (typed, _) = world.ask_as(ROW, Format::Typed, |_| {}).await.expect("typed");
        let typed: Value = serde_json::from_str(&typed).expect("JSON");
        assert_eq!(
            (&typed["data"], &typed["row_count"], &typed["truncated"]),
            (&json!([expected()]), &json!(1), &json!(false))
        );
        assert_eq!(typed["schema"][1], json!({"name": "money", "type": "decimal(12)", "nullable": false}));
        assert!(typed["stats"]["elapsed_us"].is_u64(), "{typed}");
        let csv = world.ask(ROW).await.expect("csv");
        let row = "9007199254740993,1.5,0.1,NaN,\"a,\"\"b\"\"\nc|d\",,true,2026-01-05T10:00:00.250,2026-04-01T12:00:00Z,\
                   2026-01-05,\"[1,2]\",\"{\"\"x\"\":1,\"\"y\"\":\"\"z\"\"}\",AP8=\n";
        assert_eq!(csv.split_once('\n').expect("a header").1, row);
    });
}

#[test]
fn tables_for_people() {
    run(async {
        let world = World::open().await;
        let sql = "SELECT 'a|b' AS name, 12 AS n UNION ALL SELECT 'c', 3 ORDER BY n";
        let (markdown, _) = world.ask_as(sql, Format::Markdown, |_| {}).await.expect("markdown");
        assert_eq!(markdown, "| name |   n |\n|------|----:|\n| c    |   3 |\n| a\\|b |  12 |\n");
        let (pretty, _) = world.ask_as(sql, Format::Pretty, |_| {}).await.expect("pretty");
        assert!(pretty.ends_with("| a|b  |  12 |\n+------+-----+\n2 rows\n"), "{pretty}");
    });
}

#[test]
fn binary_formats_are_read_back() {
    run(async {
        let world = World::open().await;
        let sql = "SELECT task_id, status, created_at, points FROM tasks ORDER BY task_id";
        let (arrow, _) = world.ask_bytes(sql, Format::Arrow, |_| {}).await.expect("arrow");
        let mut reader = StreamReader::try_new(Cursor::new(arrow), None).expect("a stream");
        let from_arrow = reader.next().expect("a batch").expect("rows");
        assert_eq!(from_arrow.num_rows(), 6);
        let (parquet, _) = world.ask_bytes(sql, Format::Parquet, |_| {}).await.expect("parquet");
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).expect("a file").build();
        let from_parquet = reader.expect("a reader").next().expect("a batch").expect("rows");
        assert_eq!(from_parquet.columns(), from_arrow.columns());
    });
}

#[test]
fn no_rows_are_an_answer_in_every_format() {
    run(async {
        let world = World::open().await;
        let empty = "SELECT task_id FROM tasks WHERE FALSE";
        for name in Format::names() {
            let format = Format::parse(name).expect(name);
            assert_eq!(format.name(), name);
            assert_eq!(Format::from_media_type(format.media_type()), Some(format));
            world.ask_bytes(empty, format, |_| {}).await.unwrap_or_else(|problem| panic!("{name}: {problem}"));
        }
        assert_eq!(world.ask_as(empty, Format::Json, |_| {}).await.expect("json").0, "[]\n");
        assert_eq!(Format::parse("jsn").expect_err("unknown").suggestions, ["json"]);
    });
}

#[test]
fn a_late_error_ends_the_stream_as_an_error() {
    run(async {
        let world = World::open().await;
        let sql = "SELECT 1 / (value - 50000) AS x FROM generate_series(1, 100000)";
        let asked = world.ask_as(sql, Format::Json, |_| {}).await;
        assert_eq!(asked.expect_err("division by zero").code, "sql_invalid");
    });
}

#[test]
fn parameters_are_values_never_text() {
    run(async {
        let world = World::open().await;
        let sql = "SELECT task_id FROM tasks WHERE title = $1 OR task_id = $id OR points > $min ORDER BY 1";
        let asked = world.ask_as(sql, Format::Csv, |request| {
            request.params.positional = vec![json!("x' OR '1'='1")];
            request.params.named = [("id".to_owned(), json!("T-5")), ("min".to_owned(), json!(2.5))].into();
        });
        assert_eq!(asked.await.expect("answered").0, "task_id\nT-1\nT-5\n");
        let asked = world.ask_as("SELECT $1 AS a, $2 AS b, $3 AS c", Format::Json, |request| {
            request.params.positional = vec![json!(-7), json!(null), json!(["x", "y"])];
        });
        assert_eq!(asked.await.expect("answered").0, "[{\"a\":-7,\"b\":null,\"c\":[\"x\",\"y\"]}]\n");
    });
}
