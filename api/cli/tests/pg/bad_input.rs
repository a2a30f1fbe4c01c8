//! Bytes that no client would send: refused with a word, and every other session goes on.

use serde_json::json;

use crate::server::Server;
use crate::wire::{Raw, error, message, rows, startup};
use crate::world::server;

async fn still_answers(server: &Server) {
    assert_eq!(server.rows("SELECT 1 AS one", 0).await, json!([{"one": 1}]));
    assert_eq!(rows(&Raw::session(server).ask(b"SELECT 1")), [b"1"]);
}

#[tokio::test]
async fn first_messages_that_are_none_are_answered_and_hung_up_on() {
    let server = server(&[]);
    for (bytes, state) in [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), Some("08P01")),
        (vec![0; 64], Some("08P01")),
        (vec![0xFF; 64], Some("08P01")),
        (startup(131_072, b"user\0a\0\0"), Some("08P01")),
        (startup(196_608, b"\0"), Some("08P01")),
        (startup(196_608, b"user\0\xFF\0\0"), Some("22021")),
        (startup(196_608, b"user\0a"), Some("08P01")),
        (startup(196_608, b"user\0a\0database\0other\0\0"), Some("3D000")),
        (startup(196_608, b"user\0a\0replication\0true\0\0"), Some("0A000")),
        (startup(196_608, b"user\0a\0client_encoding\0LATIN1\0\0"), Some("22023")),
        (startup(196_608, b"user\0a\0options\0-c nonsense\0\0"), Some("08P01")),
        (startup(80_877_102, b"\0\0\0\x01\0\0\0\x02"), None),
        (startup(80_877_102, b"\0"), Some("08P01")),
        (b"\x16\x03\x01\x02\x00\x01".to_vec(), None),
        (b"\0\0".to_vec(), None),
        (Vec::new(), None),
    ] {
        let mut raw = Raw::open(&server);
        raw.send(&bytes);
        raw.finish();
        let said = raw.until(0);
        assert_eq!(error(&said).map(|(state, _)| state).as_deref(), state, "{bytes:?}: {said:?}");
    }
    still_answers(&server).await;
}

#[tokio::test]
async fn messages_that_make_no_sense_fail_their_group_and_not_the_session() {
    let server = server(&[]);
    let mut raw = Raw::session(&server);
    let mut parse = b"\0SELECT 1\0".to_vec();
    parse.extend_from_slice(&u16::MAX.to_be_bytes());
    for (tag, body, state) in [
        (b'P', parse.as_slice(), "08P01"),
        (b'P', b"\0SELECT \xFF\0\0\0", "22021"),
        (b'P', b"name only", "08P01"),
        (b'B', b"\0\0\0\0\0\x01\x7F\xFF\xFF\xFF\0\0", "08P01"),
        (b'B', b"\0no such statement\0\0\0\0\0\0\0", "26000"),
        (b'D', b"Pno such portal\0", "34000"),
        (b'D', b"?\0", "08P01"),
        (b'E', b"none\0\0\0\0\0", "34000"),
        (b'F', b"\0\0\0\0", "08P01"),
        (b'p', b"secret\0", "08P01"),
        (b'?', b"", "08P01"),
        (b'P', b"\0SELECT 1; SELECT 2\0\0\0", "42601"),
    ] {
        raw.send(&message(tag, body));
        // What follows in the group is passed over.
        raw.send(&message(b'D', b"Sanything\0"));
        raw.send(&message(b'S', b""));
        let said = raw.until(b'Z');
        assert_eq!(error(&said).expect("an error").0, state, "{} {body:?}", char::from(tag));
        assert_eq!(said.iter().filter(|(tag, _)| *tag == b'E').count(), 1, "{said:?}");
        assert_eq!(rows(&raw.ask(b"SELECT 1")), [b"1"], "the session goes on");
    }
    assert_eq!(error(&raw.ask(b"SELECT '\xFF'")).expect("an error").0, "22021");
    assert_eq!(error(&raw.ask(b"SELECT 1\0 hidden")).expect("an error").0, "08P01");
    assert_eq!(rows(&raw.ask(b"SELECT 2")), [b"2"]);
    still_answers(&server).await;
}

#[tokio::test]
async fn what_is_too_large_is_read_past_and_what_lies_ends_the_session() {
    let server = server(&[]);
    let mut raw = Raw::session(&server);
    let long = [b"SELECT '".to_vec(), vec![b'x'; 5 << 20], b"'".to_vec()].concat();
    let (state, text) = error(&raw.ask(&long)).expect("an error");
    assert_eq!((state.as_str(), text.contains("4194304")), ("54000", true), "{text}");
    let (state, text) =
        error(&raw.ask(&[b"SELECT '".to_vec(), vec![b'x'; 70_000], b"'".to_vec()].concat())).expect("an error");
    assert_eq!((state.as_str(), text.contains("65536")), ("54001", true), "{text}");
    assert_eq!(rows(&raw.ask(b"SELECT 1")), [b"1"]);
    for length in [0_u32, 3, 1 << 30, u32::MAX] {
        let mut raw = Raw::session(&server);
        raw.send(&[&b"Q"[..], &length.to_be_bytes()].concat());
        assert_eq!(error(&raw.until(0)).expect("an error").0, "08P01", "{length}");
    }
    // One that ends in the middle of a message is gone.
    let mut raw = Raw::session(&server);
    raw.send(b"Q\0\0\0\x40SELECT");
    raw.finish();
    assert!(raw.until(0).is_empty());
    still_answers(&server).await;
}

#[tokio::test]
async fn as_many_parameters_as_the_protocol_has_are_refused_by_the_limit_of_the_text() {
    let server = server(&[]);
    let mut raw = Raw::session(&server);
    let numbers: Vec<String> = (1..=u16::MAX).map(|n| format!("${n}")).collect();
    let sql = format!("SELECT {}", numbers.join(","));
    raw.send(&message(b'P', &[b"\0", sql.as_bytes(), b"\0\0\0"].concat()));
    let mut bind = b"\0\0\0\0\xFF\xFF".to_vec();
    bind.extend((0..u16::MAX).flat_map(|_| *b"\0\0\0\x011"));
    raw.send(&message(b'B', &[&bind[..], b"\0\0"].concat()));
    raw.send(&message(b'E', b"\0\0\0\0\0"));
    raw.send(&message(b'S', b""));
    assert_eq!(error(&raw.until(b'Z')).expect("an error").0, "54001");
    // Fewer values than the statement has.
    raw.send(&message(b'P', b"\0SELECT $1::int + $2::int\0\0\0"));
    raw.send(&message(b'B', b"\0\0\0\0\0\x01\0\0\0\x011\0\0"));
    raw.send(&message(b'S', b""));
    assert_eq!(error(&raw.until(b'Z')).expect("an error").0, "08P01");
    assert_eq!(rows(&raw.ask(b"SELECT 1")), [b"1"]);
}

#[tokio::test]
async fn statements_and_portals_have_a_limit() {
    let server = server(&[]);
    let mut raw = Raw::session(&server);
    for n in 0..1_100 {
        raw.send(&message(b'P', format!("s{n}\0SELECT {n}\0\0\0").as_bytes()));
    }
    raw.send(&message(b'S', b""));
    assert_eq!(error(&raw.until(b'Z')).expect("an error").0, "53400");
    raw.send(&message(b'P', b"s1\0SELECT 1\0\0\0"));
    raw.send(&message(b'S', b""));
    assert_eq!(error(&raw.until(b'Z')).expect("an error").0, "42P05");
    assert_eq!(error(&raw.ask(b"DEALLOCATE ALL")), None);
    raw.send(&message(b'P', b"s1\0SELECT 1\0\0\0"));
    raw.send(&message(b'S', b""));
    assert_eq!(error(&raw.until(b'Z')), None);
}

#[tokio::test]
async fn a_client_that_stops_reading_loses_its_query_and_keeps_no_place() {
    let server = server(&["--stall-timeout", "300ms", "--queries-max", "1"]);
    let mut raw = Raw::session(&server);
    raw.send(&message(b'Q', b"SELECT repeat('x', 1000) FROM generate_series(1, 300000)\0"));
    // The only place of a running query is free again, although nothing was read.
    assert_eq!(rows(&Raw::session(&server).ask(b"SELECT 1")), [b"1"]);
    still_answers(&server).await;
}
