//! When exports are due: by interval, after failures, out of turn, after a restart; never twice at once.

use super::*;

const MINUTE: i64 = 60_000_000;

fn at(minutes: i64) -> Timestamp {
    Timestamp::clamped(1_767_225_600_000_000 + minutes * MINUTE)
}

fn spec(name: &str, every: u64) -> ExportSpec {
    let text = format!(r#"{{"name": "{name}", "target": "/somewhere", "every": "{every}m"}}"#);
    serde_json::from_str(&text).expect("a spec")
}

fn open(folder: &tempfile::TempDir, specs: &[ExportSpec]) -> Exports {
    Exports::open(folder.path().join("exports.json"), specs.to_vec()).expect("it opens")
}

const DONE: ExportDone = ExportDone { position: 7, files: 1, rows: 3, bytes: 99 };

fn begun(exports: &Exports, now: Timestamp) -> Option<String> {
    exports.begin_due(now).map(|spec| spec.name)
}

#[test]
fn each_runs_by_its_interval_and_never_twice_at_once() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let exports = open(&folder, &[spec("a", 10), spec("b", 3)]);
    assert_eq!(begun(&exports, at(0)).as_deref(), Some("a"), "what never ran is due at once");
    assert_eq!(begun(&exports, at(0)).as_deref(), Some("b"));
    assert_eq!(begun(&exports, at(60)), None, "both run still");
    assert_eq!(exports.next_due(at(60)), None);
    exports.end("a", at(1), Ok(DONE)).expect("written");
    exports.end("b", at(2), Ok(DONE)).expect("written");
    assert_eq!(exports.next_due(at(2)), Some(at(3)), "from start to start");
    assert_eq!(begun(&exports, at(2)), None);
    assert_eq!(begun(&exports, at(30)).as_deref(), Some("b"), "the one that has waited longest");
    assert_eq!(begun(&exports, at(30)).as_deref(), Some("a"));
}

#[test]
fn a_failure_is_tried_again_after_pauses_that_double() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let exports = open(&folder, &[spec("a", 600)]);
    let problem = Problem::new(ErrorClass::Unavailable, "the store is away");
    let (mut now, mut pauses) = (at(0), Vec::new());
    for _ in 0..12 {
        assert_eq!(begun(&exports, now).as_deref(), Some("a"));
        exports.end("a", now, Err(&problem)).expect("written");
        let next = exports.next_due(now).expect("it is due again");
        pauses.push((next.micros() - now.micros()) / 1_000_000);
        now = next;
    }
    assert_eq!(pauses[..5], [15, 30, 60, 120, 240]);
    assert_eq!(pauses[11], 3_600, "never longer than an hour");
    let shown = &exports.of(&Workspace::local(), now)[0];
    assert_eq!(
        (shown.status, shown.state.failures, shown.state.error.as_deref()),
        ("retrying", 12, Some("the store is away"))
    );
    assert_eq!(begun(&exports, now).as_deref(), Some("a"));
    exports.end("a", now, Ok(DONE)).expect("written");
    assert_eq!(exports.next_due(now).map(Timestamp::micros), Some(now.micros() + 600 * MINUTE));
}

#[test]
fn a_restart_neither_repeats_nor_forgets() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let specs = [spec("done", 30), spec("cut_off", 10)];
    let exports = open(&folder, &specs);
    assert!(exports.begin_due(at(0)).is_some() && exports.begin_due(at(0)).is_some());
    exports.end("cut_off", at(0), Ok(DONE)).expect("written");
    assert_eq!(begun(&exports, at(10)).as_deref(), Some("cut_off"));
    exports.end("done", at(11), Ok(DONE)).expect("written");
    drop(exports);
    let exports = open(&folder, &specs);
    assert_eq!(begun(&exports, at(11)).as_deref(), Some("cut_off"), "its run ended with the server");
    exports.end("cut_off", at(11), Ok(DONE)).expect("written");
    let done = &exports.of(&Workspace::local(), at(11))[0];
    assert_eq!((done.state.last, done.state.runs), (Some(DONE), 1));
    assert_eq!(exports.next_due(at(11)), Some(at(21)), "ten minutes after it began again");
    assert_eq!(done.next_run_at, Some(at(30)), "thirty minutes after it began, before the restart");
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let both = ExportSpec { sql: Some("SELECT 1".into()), tables: vec!["tasks".into()], ..spec("a", 1) };
    for specs in [vec![spec("a", 1), spec("a", 2)], vec![both], vec![spec("", 1)]] {
        assert!(Exports::open(folder.path().join("exports.json"), specs).is_err());
    }
    let never = serde_json::from_str::<ExportSpec>(r#"{"name": "a", "target": "/x", "every": "0s"}"#);
    assert!(never.is_err_and(|error| error.to_string().contains("such as 15m")));
    let unknown = serde_json::from_str::<ExportSpec>(r#"{"name": "a", "target": "/x", "evry": "1m"}"#);
    assert!(unknown.is_err_and(|error| error.to_string().contains("every")));
}
