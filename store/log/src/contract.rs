//! The contract suite: what every [`EventLog`] must do, as checks that any implementation can run.
//!
//! A check panics when it fails, as tests do.

use std::sync::Arc;

use partitura_event::{
    Clock, Draft, Expected, ManualClock, Position, Recorded, Revision, StreamName, Timestamp, Workspace,
};

use crate::error::LogError;
use crate::event_log::{BoxFuture, EventLog, ReadLimit};
use crate::reply::{AppendReply, ItemResult, Refusal};
use crate::request::AppendRequest;
use crate::sample::{checking, event, event_with, expecting, is_record_of, keyed, many, one};

/// An empty log and the clock that it was made with.
pub struct Subject {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
}

/// One check.
pub type Check = fn(Subject) -> BoxFuture<'static, ()>;

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        /// All checks with their names. Each wants a subject of its own.
        pub const CHECKS: &[(&str, Check)] = &[$((stringify!($name), |subject| Box::pin($name(subject)))),*];
    };
}

checks! {
    positions_and_revisions_are_dense,
    what_is_read_is_what_was_written,
    reads_are_limited,
    streams_are_read_in_order,
    names_compare_as_their_types_do,
    workspaces_are_apart,
    duplicates_answer_the_old_place,
    duplicates_come_before_revisions,
    an_id_with_other_content_is_refused,
    expectations_are_judged,
    items_see_the_items_before_them,
    atomic_requests_are_whole,
    atomic_duplicates_are_fine,
    checks_guard_the_request,
    checks_of_a_retry_are_not_asked,
    a_check_alone_is_answered,
    a_key_is_answered_once,
    a_key_with_another_body_is_refused,
    refusals_are_remembered_with_a_key,
    an_event_of_another_workspace_is_refused,
    time_never_goes_back,
    positions_are_found_by_time,
    a_time_that_was_answered_stays,
    the_tail_is_followed,
    a_subscriber_sees_every_event_once,
    writers_at_once_lose_nothing,
    one_writer_wins_each_revision,
    large_and_odd_data_survives,
    verify_counts_events,
}

async fn append(subject: &Subject, request: AppendRequest) -> AppendReply {
    subject.log.append(request).await.expect("the append is taken")
}

fn all(subject: &Subject) -> Vec<Recorded> {
    subject.log.read(None, ReadLimit::events(usize::MAX)).expect("the log is read")
}

fn ids(events: &[Recorded]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

fn position(n: u64) -> Position {
    Position::new(n).expect("not 0")
}

fn revision(n: u64) -> Revision {
    Revision::new(n).expect("not 0")
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).expect("a valid name")
}

fn appended(at: u64, in_stream: u64) -> ItemResult {
    ItemResult::Appended { position: position(at), stream_revision: revision(in_stream) }
}

fn duplicate(at: u64, in_stream: u64) -> ItemResult {
    ItemResult::Duplicate { position: position(at), stream_revision: revision(in_stream) }
}

fn unexpected(name: &str, expected: Expected, current: u64) -> ItemResult {
    let current = Revision::new(current);
    ItemResult::Refused(Refusal::Revision { stream: stream(name), expected, current })
}

const NOT_APPLIED: ItemResult = ItemResult::Refused(Refusal::NotApplied);

async fn positions_and_revisions_are_dense(s: Subject) {
    assert_eq!(s.log.head(), None);
    let reply = append(&s, many(vec![event("a", "1"), event("b", "2"), event("a", "3")])).await;
    assert_eq!(reply.results, [appended(1, 1), appended(2, 1), appended(3, 2)]);
    assert_eq!(reply.head, Some(position(3)));
    let reply = append(&s, one(event("a", "4"))).await;
    assert_eq!(reply.results, [appended(4, 3)]);
    assert_eq!(s.log.head(), Some(position(4)));
    assert_eq!(s.log.revision(&Workspace::local(), &stream("a")), Ok(Some(revision(3))));
    assert_eq!(s.log.revision(&Workspace::local(), &stream("c")), Ok(None));
}

async fn what_is_read_is_what_was_written(s: Subject) {
    let drafts: Vec<Draft> = (0..50).map(|n| event(&format!("s{}", n % 7), &format!("e{n}"))).collect();
    append(&s, many(drafts.clone())).await;
    let read = all(&s);
    assert_eq!(read.len(), drafts.len());
    for (n, (recorded, draft)) in read.iter().zip(&drafts).enumerate() {
        assert!(is_record_of(recorded, draft), "{recorded:?} is not {draft:?}");
        assert_eq!(recorded.position, position(n as u64 + 1));
        assert_eq!(recorded.recorded_at, s.clock.now());
        let found = s.log.find(&draft.workspace, &draft.source, &draft.id);
        assert_eq!(found, Ok(Some(recorded.position)));
    }
}

async fn reads_are_limited(s: Subject) {
    append(&s, many((0..10).map(|n| event("a", &n.to_string())).collect())).await;
    let read = |after, events, bytes| {
        let events = s.log.read(Position::new(after), ReadLimit { events, bytes }).expect("the log is read");
        events.iter().map(|event| event.position.get()).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 3, usize::MAX), [1, 2, 3]);
    assert_eq!(read(8, 3, usize::MAX), [9, 10]);
    assert_eq!(read(4, 3, 1), [5]);
    assert_eq!(read(10, 3, usize::MAX), [0; 0]);
    assert_eq!(read(99, 3, usize::MAX), [0; 0]);
    assert_eq!(read(0, 0, usize::MAX), [0; 0]);
}

async fn streams_are_read_in_order(s: Subject) {
    for n in 0..30 {
        append(&s, many(vec![event("even", &format!("a{n}")), event("odd", &format!("b{n}"))])).await;
    }
    let read = |after, events| {
        let workspace = Workspace::local();
        s.log.read_stream(&workspace, &stream("odd"), Revision::new(after), ReadLimit::events(events))
    };
    assert_eq!(ids(&read(0, 3).expect("read")), ["b0", "b1", "b2"]);
    assert_eq!(ids(&read(28, 30).expect("read")), ["b28", "b29"]);
    assert_eq!(ids(&read(30, 30).expect("read")), [""; 0]);
    let revisions: Vec<u64> = read(0, 99).expect("read").iter().map(|event| event.stream_revision.get()).collect();
    assert_eq!(revisions, (1..=30).collect::<Vec<_>>());
}

async fn names_compare_as_their_types_do(s: Subject) {
    let reply = append(&s, many(vec![event("task/A", "x"), event("task/a", "X"), event("task/b", "y")])).await;
    assert_eq!(stream("task/A"), stream("task/a"), "streams are folded when they are made");
    assert_eq!(reply.results, [appended(1, 1), appended(2, 2), appended(3, 1)], "ids compare exactly");
}

async fn workspaces_are_apart(s: Subject) {
    let other = Workspace::new("other").expect("a valid name");
    let mut foreign = event("a", "1");
    foreign.workspace = other.clone();
    append(&s, one(event("a", "1"))).await;
    let reply = append(&s, one(foreign)).await;
    assert_eq!(reply.results, [appended(2, 1)]);
    let read = s.log.read_stream(&other, &stream("a"), None, ReadLimit::default()).expect("read");
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].position, position(2));
}

async fn duplicates_answer_the_old_place(s: Subject) {
    append(&s, many(vec![event("a", "1"), event("a", "2")])).await;
    let reply = append(&s, many(vec![event("a", "2"), event("a", "3"), event("a", "3")])).await;
    assert_eq!(reply.results, [duplicate(2, 2), appended(3, 3), duplicate(3, 3)]);
    assert_eq!(ids(&all(&s)), ["1", "2", "3"]);
}

async fn duplicates_come_before_revisions(s: Subject) {
    let first = expecting(event("a", "1"), Expected::None);
    append(&s, one(first.clone())).await;
    append(&s, one(event("a", "2"))).await;
    let reply = append(&s, one(first)).await;
    assert_eq!(reply.results, [duplicate(1, 1)]);
}

async fn an_id_with_other_content_is_refused(s: Subject) {
    append(&s, one(event("a", "1"))).await;
    let reply = append(&s, one(event_with("a", "1", r#"{"other":true}"#))).await;
    assert_eq!(reply.results, [ItemResult::Refused(Refusal::IdReused { position: position(1) })]);
    assert_eq!(s.log.head(), Some(position(1)));
}

async fn expectations_are_judged(s: Subject) {
    use Expected::{Any, Exactly, Exists, None};
    append(&s, many(vec![event("two", "x"), event("two", "y")])).await;
    let cases: [(&str, Expected, Result<u64, u64>); 9] = [
        ("new1", Any, Ok(1)),
        ("new2", None, Ok(1)),
        ("new3", Exists, Err(0)),
        ("new4", Exactly(revision(1)), Err(0)),
        ("two", None, Err(2)),
        ("two", Exactly(revision(1)), Err(2)),
        ("two", Exactly(revision(2)), Ok(3)),
        ("two", Exists, Ok(4)),
        ("two", Any, Ok(5)),
    ];
    for (n, (name, expected, outcome)) in cases.into_iter().enumerate() {
        let reply = append(&s, one(expecting(event(name, &n.to_string()), expected))).await;
        match (outcome, &reply.results[0]) {
            (Ok(at), ItemResult::Appended { stream_revision, .. }) => assert_eq!(stream_revision.get(), at),
            (Err(current), result) => assert_eq!(*result, unexpected(name, expected, current)),
            (outcome, result) => panic!("case {n}: {outcome:?}, but {result:?}"),
        }
    }
}

async fn items_see_the_items_before_them(s: Subject) {
    let exactly = |n| Expected::Exactly(revision(n));
    let request = many(vec![
        expecting(event("a", "1"), Expected::None),
        expecting(event("a", "2"), exactly(1)),
        expecting(event("a", "3"), exactly(1)),
        expecting(event("a", "4"), exactly(2)),
    ]);
    let reply = append(&s, request).await;
    assert_eq!(reply.results, [appended(1, 1), appended(2, 2), unexpected("a", exactly(1), 2), appended(3, 3)]);
}

async fn atomic_requests_are_whole(s: Subject) {
    append(&s, one(event("a", "old"))).await;
    let mut request = many(vec![
        event("a", "1"),
        expecting(event("b", "2"), Expected::Exists),
        event("a", "1"),
        event("a", "old"),
        event_with("a", "old", "{}"),
    ]);
    request.atomic = true;
    let reply = append(&s, request.clone()).await;
    let reused = ItemResult::Refused(Refusal::IdReused { position: position(1) });
    let refused = unexpected("b", Expected::Exists, 0);
    assert_eq!(reply.results, [NOT_APPLIED, refused, NOT_APPLIED, duplicate(1, 1), reused]);
    assert_eq!(s.log.head(), Some(position(1)));
    request.events.truncate(1);
    let reply = append(&s, request).await;
    assert_eq!(reply.results, [appended(2, 2)]);
}

async fn atomic_duplicates_are_fine(s: Subject) {
    append(&s, one(event("a", "1"))).await;
    let mut request = many(vec![event("a", "1"), event("a", "2")]);
    request.atomic = true;
    assert_eq!(append(&s, request.clone()).await.results, [duplicate(1, 1), appended(2, 2)]);
    assert_eq!(append(&s, request).await.results, [duplicate(1, 1), duplicate(2, 2)]);
}

async fn checks_guard_the_request(s: Subject) {
    append(&s, one(event("a", "1"))).await;
    let request = many(vec![event("b", "2"), event("a", "1")]);
    let request = checking(request, "a", Expected::Exists);
    let request = checking(request, "c", Expected::Exists);
    let request = checking(request, "a", Expected::None);
    let reply = append(&s, request).await;
    assert_eq!(reply.results, [NOT_APPLIED, duplicate(1, 1)]);
    let failed: Vec<_> = reply.failed_checks.iter().map(|check| (check.index, check.current)).collect();
    assert_eq!(failed, [(1, None), (2, Some(revision(1)))]);
    let reply = append(&s, checking(one(event("b", "2")), "a", Expected::Exactly(revision(1)))).await;
    assert_eq!((reply.results, reply.failed_checks), (vec![appended(2, 1)], vec![]));
}

async fn checks_of_a_retry_are_not_asked(s: Subject) {
    let request = checking(one(event("a", "1")), "a", Expected::None);
    assert_eq!(append(&s, request.clone()).await.results, [appended(1, 1)]);
    let again = append(&s, request).await;
    assert_eq!((again.results, again.failed_checks), (vec![duplicate(1, 1)], vec![]));
}

async fn a_check_alone_is_answered(s: Subject) {
    let reply = append(&s, checking(many(vec![]), "a", Expected::Exists)).await;
    assert_eq!((reply.results.len(), reply.failed_checks.len(), reply.head), (0, 1, None));
}

async fn a_key_is_answered_once(s: Subject) {
    let request = keyed(many(vec![event("a", "1"), expecting(event("a", "2"), Expected::None)]), "k", "body");
    let first = append(&s, request.clone()).await;
    assert_eq!(first.replayed, None);
    append(&s, one(event("b", "3"))).await;
    let again = append(&s, request).await;
    assert_eq!(again.results, first.results);
    assert_eq!(again.replayed.as_deref(), Some(&b"context of body"[..]));
    assert_eq!(again.head, Some(position(2)));
    assert_eq!(ids(&all(&s)), ["1", "3"]);
}

async fn a_key_with_another_body_is_refused(s: Subject) {
    append(&s, keyed(one(event("a", "1")), "k", "body")).await;
    let reply = s.log.append(keyed(one(event("a", "2")), "k", "other")).await;
    assert_eq!(reply, Err(LogError::KeyReused { key: "k".to_owned() }));
    let mut elsewhere = keyed(one(event("a", "2")), "k", "other");
    elsewhere.workspace = Workspace::new("other").expect("a valid name");
    elsewhere.events[0].workspace = elsewhere.workspace.clone();
    assert_eq!(append(&s, elsewhere).await.results, [appended(2, 1)]);
}

async fn refusals_are_remembered_with_a_key(s: Subject) {
    let request = one(expecting(event("a", "1"), Expected::Exists));
    let request = keyed(checking(request, "b", Expected::Exists), "k", "body");
    let first = append(&s, request.clone()).await;
    assert_eq!((first.head, first.failed_checks.len()), (None, 1));
    append(&s, many(vec![event("a", "2"), event("b", "3")])).await;
    let again = append(&s, request).await;
    assert_eq!((again.results, again.failed_checks), (first.results, first.failed_checks));
    assert!(again.replayed.is_some());
}

async fn an_event_of_another_workspace_is_refused(s: Subject) {
    let mut request = many(vec![event("a", "1"), event("a", "2")]);
    request.events[1].workspace = Workspace::new("other").expect("a valid name");
    assert_eq!(s.log.append(request).await, Err(LogError::ForeignWorkspace { item: 1 }));
    assert_eq!(s.log.head(), None);
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("in range")
}

async fn time_never_goes_back(s: Subject) {
    for (n, now) in [100, 50, 60, 200].into_iter().enumerate() {
        s.clock.set(at(now));
        append(&s, one(event("a", &n.to_string()))).await;
    }
    let times: Vec<i64> = all(&s).iter().map(|event| event.recorded_at.micros()).collect();
    assert_eq!(times, [100, 100, 100, 200]);
}

async fn positions_are_found_by_time(s: Subject) {
    for n in 0..100 {
        s.clock.set(at(1_000 + n * 10));
        append(&s, many(vec![event("a", &format!("{n}a")), event("a", &format!("{n}b"))])).await;
    }
    s.clock.set(at(9_000));
    let find = |micros| s.log.position_at(at(micros)).expect("found").map_or(0, Position::get);
    for (micros, expected) in [(999, 0), (1_000, 2), (1_009, 2), (1_010, 4), (1_985, 198), (1_990, 200), (5_000, 200)] {
        assert_eq!(find(micros), expected, "at {micros}");
    }
}

async fn a_time_that_was_answered_stays(s: Subject) {
    s.clock.set(at(100));
    append(&s, one(event("a", "1"))).await;
    assert_eq!(s.log.position_at(at(100)), Ok(Some(position(1))));
    append(&s, one(event("a", "2"))).await;
    assert_eq!(s.log.position_at(at(100)), Ok(Some(position(1))));
}

async fn the_tail_is_followed(s: Subject) {
    let mut tail = s.log.watch();
    assert_eq!(*tail.borrow_and_update(), None);
    append(&s, many(vec![event("a", "1"), event("a", "2")])).await;
    tail.changed().await.expect("the log lives");
    assert_eq!(*tail.borrow_and_update(), Some(position(2)));
    append(&s, one(event("a", "1"))).await;
    assert!(!tail.has_changed().expect("the log lives"), "a duplicate moves nothing");
}

async fn a_subscriber_sees_every_event_once(s: Subject) {
    const EVENTS: u64 = 200;
    let (log, mut tail) = (Arc::clone(&s.log), s.log.watch());
    let subscriber = tokio::spawn(async move {
        let mut seen: Vec<Position> = Vec::new();
        while (seen.len() as u64) < EVENTS {
            tail.changed().await.expect("the log lives");
            let told = *tail.borrow_and_update();
            while seen.last().copied() < told {
                let read = log.read(seen.last().copied(), ReadLimit::events(7)).expect("what is told is there");
                seen.extend(read.iter().map(|event| event.position));
            }
        }
        seen
    });
    let writers: Vec<_> = (0..4u64)
        .map(|writer| {
            let log = Arc::clone(&s.log);
            tokio::spawn(async move {
                for n in 0..EVENTS / 4 {
                    log.append(one(event("a", &format!("{writer}-{n}")))).await.expect("taken");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("the writer ends");
    }
    let seen = subscriber.await.expect("the subscriber ends");
    assert_eq!(seen, (1..=EVENTS).map(position).collect::<Vec<_>>());
}

async fn writers_at_once_lose_nothing(s: Subject) {
    let writers = (0..16).map(|writer| {
        let log = Arc::clone(&s.log);
        tokio::spawn(async move {
            for n in 0..20 {
                let id = format!("{writer}-{n}");
                let request = many(vec![event(&format!("w{writer}"), &id), event("all", &format!("{id}-all"))]);
                let first = log.append(request.clone()).await.expect("taken");
                let again = log.append(request).await.expect("taken");
                for (first, again) in first.results.iter().zip(&again.results) {
                    let (ItemResult::Appended { position: a, .. }, ItemResult::Duplicate { position: b, .. }) =
                        (first, again)
                    else {
                        panic!("{first:?}, then {again:?}")
                    };
                    assert_eq!(a, b);
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("the writer ends");
    }
    let positions: Vec<u64> = all(&s).iter().map(|event| event.position.get()).collect();
    assert_eq!(positions, (1..=640).collect::<Vec<_>>());
    let shared = s.log.read_stream(&Workspace::local(), &stream("all"), None, ReadLimit::events(999)).expect("read");
    let revisions: Vec<u64> = shared.iter().map(|event| event.stream_revision.get()).collect();
    assert_eq!(revisions, (1..=320).collect::<Vec<_>>());
}

async fn one_writer_wins_each_revision(s: Subject) {
    for round in 0..10u64 {
        let expected = Revision::new(round).map_or(Expected::None, Expected::Exactly);
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let request = one(expecting(event("contested", &format!("{round}-{writer}")), expected));
                let log = Arc::clone(&s.log);
                tokio::spawn(async move { log.append(request).await.expect("taken").results })
            })
            .collect();
        let mut won = 0;
        for writer in writers {
            let results = writer.await.expect("the writer ends");
            won += usize::from(matches!(results[0], ItemResult::Appended { .. }));
        }
        assert_eq!(won, 1, "round {round}");
    }
}

async fn large_and_odd_data_survives(s: Subject) {
    let long = format!(r#"{{"text":"{}"}}"#, "score ".repeat(50_000));
    let odd = r#"{"text":"\u0000 \ud83c\udfbc 🎼 é","n":-0.0,"big":18446744073709551615}"#;
    let drafts = [event_with("a", "long", &long), event_with("🎼/é", "odd", odd), event_with("a", "empty", "{}")];
    let mut full = drafts[1].clone();
    full.id = partitura_event::EventId::new("full").expect("a valid id");
    (full.actor, full.causation) = (Some("actor".to_owned()), Some(String::new()));
    (full.subject, full.traceparent) = (None, Some("00-1-2-00".to_owned()));
    let drafts: Vec<Draft> = drafts.into_iter().chain([full]).collect();
    append(&s, many(drafts.clone())).await;
    for (recorded, draft) in all(&s).iter().zip(&drafts) {
        assert!(is_record_of(recorded, draft), "{}", draft.id);
    }
}

async fn verify_counts_events(s: Subject) {
    append(&s, many(vec![event("a", "1"), event("a", "2")])).await;
    let before = s.log.verify().expect("sound");
    assert_eq!((before.events, before.head), (2, Some(position(2))));
    append(&s, one(event("a", "3"))).await;
    let after = s.log.verify().expect("sound");
    assert_eq!(after.events, 3);
    assert_ne!(before.chain, after.chain);
}
