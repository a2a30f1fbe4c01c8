//! Times, amounts, ids, spans and periods, by table: what is read, what it becomes, what is refused and why.

use partitura_event::field::{Period, Span};
use partitura_event::id::{MAX_ID_BYTES, fold_case};
use partitura_event::{
    Amount, Clock, Currency, ManualClock, Position, Problem, StreamName, TaskId, Timestamp, Workspace,
};

fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
    let problem = result.expect_err("it must be refused");
    assert!(problem.detail.contains("`f`"), "the field is named: {}", problem.detail);
    problem.issues[0].code.clone()
}

#[test]
fn times_are_read() {
    let table = [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("2026-01-05T10:00:00Z", 1_767_607_200_000_000),
        ("2026-01-05T10:00:00.123456789Z", 1_767_607_200_123_456),
        ("2026-01-05t11:00:00+01:00", 1_767_607_200_000_000),
        (" 2026-01-05T10:00:00Z ", 1_767_607_200_000_000),
        ("2262-04-11T23:47:16.854775Z", i64::MAX / 1000),
        ("0", 0),
        ("1767607200", 1_767_607_200_000_000),
        ("1767607200000", 1_767_607_200_000_000),
        ("1767607200000000", 1_767_607_200_000_000),
        ("1767607200000000123", 1_767_607_200_000_000),
        ("1767607200.5", 1_767_607_200_500_000),
        ("1767607200500.25", 1_767_607_200_500_250),
        ("1.7676072e9", 1_767_607_200_000_000),
    ];
    for (text, micros) in table {
        assert_eq!(Timestamp::parse("f", text).map(Timestamp::micros), Ok(micros), "{text}");
    }
}

#[test]
fn other_times_are_refused() {
    let table = [
        ("1969-12-31T23:59:59.999999Z", "time_range"),
        ("2262-04-11T23:47:16.854776Z", "time_range"),
        ("9999-12-31T23:59:59Z", "time_range"),
        ("-1", "time_range"),
        ("99999999999", "time_range"),
        ("9223372036854775808", "time_range"),
        ("1e400", "time_format"),
        ("NaN", "time_format"),
        ("inf", "time_format"),
        ("", "time_format"),
        ("yesterday", "time_format"),
        ("2026-01-05", "time_format"),
        ("2026-01-05T10:00:00", "time_format"),
        ("2026-02-30T10:00:00Z", "time_format"),
    ];
    for (text, wanted) in table {
        assert_eq!(code(Timestamp::parse("f", text)), wanted, "{text}");
    }
    let no_offset = Timestamp::parse("f", "2026-01-05T10:00:00").expect_err("refused").detail;
    assert!(no_offset.contains("has no offset; write 2026-01-05T10:00:00Z"), "{no_offset}");
    let day = Timestamp::parse("f", "2026-01-05").expect_err("refused").detail;
    assert!(day.contains("write 2026-01-05T00:00:00Z"), "{day}");
}

#[test]
fn relative_times_are_read() {
    let now = Timestamp::parse("f", "2026-01-08T00:00:00Z").expect("a time");
    for (text, wanted) in [
        ("now", "2026-01-08T00:00:00Z"),
        ("now-7d", "2026-01-01T00:00:00Z"),
        ("now + 90m", "2026-01-08T01:30:00Z"),
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
    ] {
        assert_eq!(Timestamp::parse_relative("f", text, now).expect(text).to_string(), wanted);
    }
    assert_eq!(code(Timestamp::parse_relative("f", "now*2", now)), "time_format");
    assert_eq!(code(Timestamp::parse_relative("f", "now-yesterday", now)), "span");
    assert_eq!(code(Timestamp::parse_relative("f", "now-200w", Timestamp::MIN)), "time_range");
}

#[test]
fn a_time_survives_being_written() {
    for micros in [0, 1, 999_999, 1_767_607_200_123_456, i64::MAX / 1000] {
        let time = Timestamp::from_micros(micros).expect("in range");
        assert_eq!(Timestamp::parse("f", &time.to_string()), Ok(time));
    }
}

#[test]
fn a_manual_clock_stays_in_range() {
    let clock = ManualClock::new(Timestamp::MIN);
    clock.advance(-1);
    assert_eq!(clock.now(), Timestamp::MIN);
    clock.set(Timestamp::MAX);
    clock.advance(5);
    assert_eq!(clock.now(), Timestamp::MAX);
}

#[test]
fn amounts_are_read() {
    let table = [
        ("0", "0", 0),
        ("-0.000", "0", 0),
        ("12.50", "12.5", 12_500_000_000_000),
        (" 3 ", "3", 3_000_000_000_000),
        ("-3.25", "-3.25", -3_250_000_000_000),
        ("1e-6", "0.000001", 1_000_000),
        ("2.5E+3", "2500", 2_500_000_000_000_000),
        ("0.30000000000000004", "0.3", 300_000_000_000),
        ("0.0000000000005", "0", 0),
        ("0.0000000000015", "0.000000000002", 2),
        ("0.00000000000050000000001", "0.000000000001", 1),
        ("1e-999999999999", "0", 0),
        ("0e999999999999", "0", 0),
        ("000000000000000000000000000000000000000007", "7", 7_000_000_000_000),
        ("999999999999999.999999999999", "999999999999999.999999999999", 999_999_999_999_999_999_999_999_999),
    ];
    for (text, shown, scaled) in table {
        let amount = Amount::parse("f", text).expect(text);
        assert_eq!((amount.to_string().as_str(), amount.scaled()), (shown, scaled), "{text}");
        assert_eq!(Amount::parse("f", shown), Ok(amount), "{text} is stable");
    }
}

#[test]
fn other_amounts_are_refused() {
    for text in [
        "",
        ".",
        "1.",
        ".5",
        "+1",
        "1_000",
        "1,000",
        "0x10",
        "NaN",
        "inf",
        "1e",
        "1e+",
        "--1",
        "1.2.3",
        "12 USD",
        "1000000000000000",
        "999999999999999.9999999999999",
        "1e15",
        "1e400",
        "-1e99999999999999999999",
    ] {
        assert_eq!(code(Amount::parse("f", text)), "amount", "{text}");
    }
    for text in ["", "US", "DOLLARSSS", "U$D", "12"] {
        assert_eq!(code(Currency::new("f", text)), "currency", "{text}");
    }
    assert_eq!(Currency::new("f", " usd ").expect("a currency").as_str(), "USD");
}

#[test]
fn spans_and_periods_are_read() {
    for (text, shown) in [
        ("90", "90s"),
        ("90s", "90s"),
        ("1.5h", "90m"),
        ("24h", "1d"),
        ("14d", "2w"),
        ("250ms", "250ms"),
        ("0", "0s"),
        ("15min", "15m"),
    ] {
        assert_eq!(Span::parse("f", text).expect(text).to_string(), shown);
    }
    for text in ["", "d", "-7d", "7 years", "1e9d", "NaN"] {
        assert_eq!(code(Span::parse("f", text)), "span", "{text}");
    }
    assert_eq!(code(Span::parse("f", "999999w")), "range");
    for (text, shown) in [
        ("2026-01-05", "2026-01-05T00:00:00Z/2026-01-06T00:00:00Z"),
        ("2026-12", "2026-12-01T00:00:00Z/2027-01-01T00:00:00Z"),
        ("2026-Q2", "2026-04-01T00:00:00Z/2026-07-01T00:00:00Z"),
        ("2026", "2026-01-01T00:00:00Z/2027-01-01T00:00:00Z"),
        ("2026-01-01/2026-01-15", "2026-01-01T00:00:00Z/2026-01-15T00:00:00Z"),
    ] {
        let period = Period::parse("f", text).expect(text);
        assert_eq!(period.to_string(), shown);
        assert_eq!(Period::parse("f", shown), Ok(period));
    }
    for text in ["", "2026-13", "2026-Q5", "2026-02-30", "January", "2026-01-15/2026-01-01", "1960"] {
        assert!(Period::parse("f", text).is_err(), "{text}");
    }
}

#[test]
fn ids_keep_their_spelling_and_have_limits() {
    assert_eq!(TaskId::new("Ticket-Ä7").expect("an id").as_str(), "Ticket-Ä7");
    assert_eq!(TaskId::new("Ticket-Ä7").expect("an id").fold_case(), "ticket-ä7");
    assert_eq!(StreamName::new("Task/ABC").expect("a stream").as_str(), "task/abc");
    for text in ["İstanbul", "ΑΣ", "Ⱥ", "plain"] {
        assert_eq!(fold_case(&fold_case(text)), fold_case(text), "folding twice changes nothing");
    }
    let longest = "x".repeat(MAX_ID_BYTES);
    assert!(TaskId::new(longest.clone()).is_ok());
    assert!(StreamName::new(format!("task/{longest}")).is_ok(), "the longest id has a stream");
    let table = [
        (String::new(), "empty"),
        (" \u{a0}".to_owned(), "empty"),
        (format!("{longest}x"), "too_long"),
        ("x".repeat(64 * 1024), "too_long"),
        ("a\nb".to_owned(), "control_character"),
        ("a\0b".to_owned(), "control_character"),
        ("a\u{85}b".to_owned(), "control_character"),
    ];
    for (text, wanted) in table {
        let problem = TaskId::new(text.clone()).expect_err("refused");
        assert_eq!(problem.issues[0].code, wanted);
        assert!(problem.detail.len() < 200, "a message stays short");
        assert!(serde_json::from_value::<TaskId>(text.into()).is_err(), "reading JSON checks as well");
    }
    for text in ["../etc", "Acme", "a/b", "-a", "", "a.b"] {
        assert!(Workspace::new(text).is_err(), "{text}");
    }
    assert!(Workspace::new("team-7_b").is_ok());
}

#[test]
fn positions_count_from_one() {
    assert_eq!(Position::new(0), None);
    assert_eq!(Position::after(None), Position::FIRST);
    assert_eq!(Position::after(Position::new(7)), Position::new(8).expect("not 0"));
    assert!(serde_json::from_str::<Position>("0").is_err());
}
