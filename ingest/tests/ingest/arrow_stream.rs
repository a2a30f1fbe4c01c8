//! Arrow streams: rows are events, whatever the types of the columns; damage and bombs are refused.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, StructArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use partitura_event::ErrorClass;
use partitura_ingest::{ContentType, Decoded, decode};

use crate::door::{Door, whole};

fn stream(columns: Vec<(&str, ArrayRef)>, compression: Option<CompressionType>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let options = IpcWriteOptions::default().try_with_compression(compression).expect("options");
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options).expect("a writer");
    writer.write(&batch).expect("written");
    writer.finish().expect("finished");
    drop(writer);
    bytes
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn read(bytes: &[u8]) -> Decoded {
    decode(ContentType::ArrowStream, &[], bytes, &Door::new().context()).unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn rows_are_events() {
    let kinds: DictionaryArray<Int32Type> = ["task.started", "task.started", "x.y"].into_iter().collect();
    let columns = vec![
        ("type", Arc::new(kinds) as ArrayRef),
        ("id", texts(&["1", "2", "3"])),
        ("time", Arc::new(TimestampMillisecondArray::from(vec![Some(1_767_607_200_123), None, Some(5)]))),
        ("expected_revision", Arc::new(Int64Array::from(vec![Some(1), None, None]))),
        ("data", texts(&[r#"{"task_id":"42"}"#, r#"{"task_id":7,"#, r#"{"n":0.10}"#])),
    ];
    for compression in [None, Some(CompressionType::ZSTD), Some(CompressionType::LZ4_FRAME)] {
        let decoded = read(&stream(columns.clone(), compression));
        let first = &decoded.items[0].as_ref().expect("taken").draft;
        assert_eq!(first.time.to_string(), "2026-01-05T10:00:00.123Z");
        assert_eq!(first.stream.as_str(), "task/42");
        assert_eq!(decoded.items[1].as_ref().expect_err("broken JSON").problem.class, ErrorClass::Malformed);
        let third = &decoded.items[2].as_ref().expect("taken").draft;
        assert_eq!((third.data.get(), third.time.to_string().as_str()), (r#"{"n":0.10}"#, "1970-01-01T00:00:00.005Z"));
    }
}

#[test]
fn data_may_be_a_struct() {
    let data = StructArray::from(vec![
        (Arc::new(Field::new("interaction_id", DataType::Utf8, true)), texts(&["i-1"])),
        (Arc::new(Field::new("kind", DataType::Utf8, true)), texts(&["llm"])),
        (Arc::new(Field::new("tokens_in", DataType::Int64, true)), Arc::new(Int64Array::from(vec![12])) as ArrayRef),
        (Arc::new(Field::new("cost", DataType::Float64, true)), Arc::new(Float64Array::from(vec![0.5])) as ArrayRef),
    ]);
    let columns =
        vec![("type", texts(&["interaction.recorded"])), ("id", texts(&["1"])), ("data", Arc::new(data) as ArrayRef)];
    let decoded = read(&stream(columns, None));
    let draft = &decoded.items[0].as_ref().expect("taken").draft;
    assert_eq!(draft.data.get(), r#"{"interaction_id":"i-1","kind":"llm","tokens_in":12,"cost":0.5}"#);
    assert_eq!(draft.stream.as_str(), "interaction/i-1");
}

#[test]
fn data_cannot_break_out_of_its_column() {
    let columns = vec![("type", texts(&["x.y"])), ("data", texts(&[r#"{"a":1},"id":"2""#]))];
    let decoded = read(&stream(columns, None));
    assert_eq!(decoded.items[0].as_ref().expect_err("two values").problem.class, ErrorClass::Malformed);
}

#[test]
fn unknown_columns_are_named() {
    let bytes = stream(vec![("type", texts(&["x.y"])), ("tme", texts(&["now"]))], None);
    let problem = decode(ContentType::ArrowStream, &[], &bytes, &Door::new().context()).expect_err("tme");
    assert_eq!(problem.class, ErrorClass::Invalid);
    assert!(whole(&problem).contains("`tme`") && problem.suggestions == ["time"], "{}", whole(&problem));
}

#[test]
fn bombs_are_refused_before_they_are_opened() {
    let zeros = "0".repeat(16 << 20);
    let bytes = stream(vec![("type", texts(&[&zeros]))], Some(CompressionType::ZSTD));
    assert!(bytes.len() < 100_000);
    let problem = decode(ContentType::ArrowStream, &[], &bytes, &Door::new().context()).expect_err("a bomb");
    assert_eq!(problem.class, ErrorClass::TooLarge);
    // One large value of a dictionary, repeated by 10,000 keys.
    let value = format!("{{\"t\":\"{}\"}}", "x".repeat(900_000));
    let data: DictionaryArray<Int32Type> = std::iter::repeat_n(value.as_str(), 10_000).collect();
    let kinds: DictionaryArray<Int32Type> = std::iter::repeat_n("x.y", 10_000).collect();
    let bytes = stream(vec![("type", Arc::new(kinds) as ArrayRef), ("data", Arc::new(data) as ArrayRef)], None);
    let problem = decode(ContentType::ArrowStream, &[], &bytes, &Door::new().context()).expect_err("a bomb");
    assert_eq!(problem.class, ErrorClass::TooLarge);
}

#[test]
fn damage_never_panics() {
    let door = Door::new();
    let whole =
        stream(vec![("type", texts(&["x.y", "x.z"])), ("data", texts(&["{}", "{}"]))], Some(CompressionType::ZSTD));
    for end in 0..whole.len() {
        let _ = decode(ContentType::ArrowStream, &[], &whole[..end], &door.context());
    }
    for at in 0..whole.len() {
        for value in [0x7F, 0xFF] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let _ = decode(ContentType::ArrowStream, &[], &damaged, &door.context());
        }
    }
}
