//! The text index through its public door: what is found, when it holds, and what a crash leaves.

use std::path::Path;
use std::sync::Arc;

use partitura_event::Position;
use partitura_table::text::{Candidate, Document, PositionSet, TextIndex, TextQuery, Visible};

fn at(position: u64) -> Position {
    Position::new(position).unwrap()
}

fn note(position: u64, id: &str, title: &str, text: &str) -> Document {
    let title = (!title.is_empty()).then(|| title.to_owned());
    Document { title, ..Document::new(at(position), format!("knowledge/{id}"), "knowledge", text) }
}

fn corpus() -> Vec<Document> {
    vec![
        note(1, "locks", "Lock order", "Take the schema lock before the row lock; migrations failed otherwise."),
        note(2, "retry", "", "Retries of a failing migration double the load."),
        note(3, "code", "", "Call `parse_config` or std::fs::read in src/settings.rs, never readAll()."),
        note(4, "cake", "Chocolate cake", "Eggs, flour, sugar."),
        note(5, "twin-b", "", "identical words"),
        note(6, "twin-a", "", "identical words"),
    ]
}

fn open(dir: &Path) -> TextIndex {
    TextIndex::open(dir, "1").unwrap()
}

fn search(index: &TextIndex, query: &str, position: u64, allowed: Option<PositionSet>) -> Vec<String> {
    let view = index.view();
    let visible = Visible::new(at(position), view.closings().clone(), allowed.map(Arc::new));
    let found = view.search(&TextQuery::parse(query), &visible, 10).unwrap();
    let versions: Vec<u64> = found.into_iter().map(|candidate| candidate.version).collect();
    let documents = view.documents(&versions).unwrap();
    documents.into_iter().map(|found| found.doc_id.trim_start_matches("knowledge/").to_owned()).collect()
}

#[test]
fn finds_words_phrases_names_and_ids() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    index.commit(at(6), &corpus(), &[]).unwrap();
    for (query, expected) in [
        ("migration failing", vec!["retry", "locks"]),
        ("who made the cakes", vec!["cake"]),
        ("\"schema lock\"", vec!["locks"]),
        ("\"lock schema\"", vec![]),
        ("\"failing migration", vec!["retry", "locks"]),
        ("parse_config", vec!["code"]),
        ("parseConfig", vec!["code"]),
        ("STD::FS::READ", vec!["code"]),
        ("read_all", vec!["code"]),
        ("twin-b", vec!["twin-b"]),
        ("knowledge/cake", vec!["cake"]),
        ("identical", vec!["twin-a", "twin-b"]),
        ("", vec![]),
        ("the of", vec!["retry", "locks"]),
        ("zebra", vec![]),
        ("\"\"\" (*:* ~ ^ \\", vec![]),
    ] {
        assert_eq!(search(&index, query, 6, None), expected, "{query}");
    }
}

#[test]
fn a_position_sees_what_held_then() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    index.commit(at(6), &corpus(), &[]).unwrap();
    let newer = [note(7, "cake", "Cheese cake", "Cream.")];
    index.commit(at(8), &newer, &[(at(4), at(7)), (at(5), at(8))]).unwrap();
    for (query, position, expected) in [
        ("chocolate", 3, vec![]),
        ("chocolate", 4, vec!["cake"]),
        ("chocolate", 6, vec!["cake"]),
        ("chocolate", 7, vec![]),
        ("cheese", 6, vec![]),
        ("cheese", 8, vec!["cake"]),
        ("identical", 7, vec!["twin-a", "twin-b"]),
        ("identical", 8, vec!["twin-a"]),
    ] {
        assert_eq!(search(&index, query, position, None), expected, "{query} at {position}");
    }
    let allowed = PositionSet::from_iter([1, 6]);
    assert_eq!(search(&index, "identical", 8, Some(allowed.clone())), ["twin-a"]);
    assert_eq!(search(&index, "migrations", 8, Some(allowed)), ["locks"]);
    let view = index.view();
    let visible = Visible::new(at(8), view.closings().clone(), None);
    assert_eq!(view.find("KNOWLEDGE/Cake", &visible).unwrap().unwrap().version, at(7));
    assert_eq!(view.suggest("chee", &visible, 5).unwrap(), ["Cheese cake"]);
    assert_eq!(view.suggest("lock or", &visible, 5).unwrap(), ["Lock order"]);
    assert!(view.suggest("choc", &visible, 5).unwrap().is_empty(), "a title that no longer holds");
    assert_eq!(view.documents(&[6, 99, 1]).unwrap().len(), 2);
}

#[test]
fn goes_on_from_its_commit_and_adds_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let documents = corpus();
    open(dir.path()).commit(at(3), &documents[..3], &[]).unwrap();
    let index = open(dir.path());
    assert_eq!(index.view().position(), Some(at(3)));
    index.commit(at(6), &documents, &[]).unwrap();
    index.commit(at(6), &documents, &[]).unwrap();
    assert_eq!(index.view().len(), 6);
    let before = search(&index, "identical migration cake", 6, None);
    drop(index);
    let index = open(dir.path());
    assert_eq!(search(&index, "identical migration cake", 6, None), before);
    drop(index);
    let other = TextIndex::open(dir.path(), "2").unwrap();
    assert_eq!((other.view().position(), other.view().len()), (None, 0), "rows of another generation");
}

#[test]
fn a_past_position_is_scored_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let text = |n: u64| format!("lock number {} of table {}{}", n % 7, n % 5, " and more".repeat(n as usize % 4));
    let documents: Vec<_> = (1..=300).map(|n| note(n, &format!("n{n}"), &text(n + 1), &text(n))).collect();
    let query = TextQuery::parse("number 3 of table 2 more");
    let mut then = Vec::new();
    for part in documents.chunks(30) {
        let position = part.last().unwrap().version;
        index.commit(position, part, &[]).unwrap();
        let view = index.view();
        let visible = Visible::new(position, view.closings().clone(), None);
        then.push((position, view.search(&query, &visible, 400).unwrap()));
    }
    index.rest();
    let view = index.view();
    for (position, then) in then {
        let visible = Visible::new(position, view.closings().clone(), None);
        assert!(!then.is_empty());
        assert_eq!(view.search(&query, &visible, 400).unwrap(), then, "at {position}");
    }
}

#[test]
fn scores_do_not_depend_on_how_documents_came() {
    let documents: Vec<_> =
        (1..=60).map(|n| note(n, &format!("n{n}"), "", &format!("lock number {} of table {}", n % 7, n % 5))).collect();
    let mut answers = Vec::new();
    for step in [1, 7, 60] {
        let dir = tempfile::tempdir().unwrap();
        let index = open(dir.path());
        for part in documents.chunks(step) {
            index.commit(part.last().unwrap().version, part, &[]).unwrap();
        }
        let view = index.view();
        let visible = Visible::new(at(60), view.closings().clone(), None);
        answers.push(view.search(&TextQuery::parse("number 3 of table 2"), &visible, 60).unwrap());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[test]
fn the_best_are_those_of_the_whole_list_and_the_newest_come_first_among_equals() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    // Five texts only, so that most are equal to many others.
    let text = |n: u64| ["lock", "lock table", "lock lock table", "row", "the lock of a row"][(n * 7 % 5) as usize];
    let documents: Vec<_> = (1..=2_000).map(|n| note(n, &format!("n{n}"), "", text(n))).collect();
    for part in documents.chunks(170) {
        index.commit(part.last().unwrap().version, part, &[(part[0].version, at(1_900))]).unwrap();
    }
    let view = index.view();
    assert!(view.files() > 1, "one segment proves little");
    let some = PositionSet::from_iter((1..=2_000).filter(|n| n % 3 == 0));
    for (position, allowed) in [(2_000, None), (1_200, None), (2_000, Some(some.clone())), (900, Some(some))] {
        let visible = Visible::new(at(position), view.closings().clone(), allowed.map(Arc::new));
        for query in ["lock", "table lock", "row of table", "\"lock table\""] {
            let query = TextQuery::parse(query);
            let all = view.search(&query, &visible, 5_000).unwrap();
            assert!(all.iter().all(|found| visible.sees(found.version)));
            let ordered = |a: &Candidate, b: &Candidate| (a.score, a.version) > (b.score, b.version);
            assert!(all.windows(2).all(|pair| ordered(&pair[0], &pair[1])), "{query:?}");
            for limit in [1, 10, 100] {
                let best = view.search(&query, &visible, limit).unwrap();
                assert_eq!(best, all[..limit.min(all.len())], "{query:?}, the best {limit}");
            }
        }
    }
}

#[test]
fn values_are_counted_and_times_found_across_segments() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    for n in 1..=40 {
        let tags = vec!["all".to_owned(), format!("tag{}", n % 3)];
        let agent_id = (n % 2 == 0).then(|| "Ann".to_owned());
        let document = Document { tags, agent_id, time: n as i64 * 10, ..note(n, "x", "", "word") };
        index.commit(at(n), &[document], &[]).unwrap();
    }
    let view = index.view();
    let versions: Vec<u64> = (1..=40).chain([99]).collect();
    let counted = |column: &str| view.count(&versions, column).unwrap();
    assert_eq!(counted("tags").unwrap(), [("all", 40), ("tag0", 13), ("tag1", 14), ("tag2", 13)].map(owned).into());
    assert_eq!(counted("agent_id").unwrap(), [("Ann", 20)].map(owned).into());
    assert_eq!(counted("text"), None, "no column that is counted");
    assert_eq!((view.time(1), view.time(40), view.time(41)), (Some(10), Some(400), None));
}

fn owned((name, count): (&str, u64)) -> (String, u64) {
    (name.to_owned(), count)
}

#[test]
fn the_last_turns_of_a_conversation_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let turn = |position: u64, id: &str, conversation: &str, seq: i64| Document {
        conversation_id: Some(conversation.to_owned()),
        seq: Some(seq),
        ..note(position, id, "", "said")
    };
    // Arrived out of order; `c2` is also the id of a document.
    let turns = [
        turn(1, "a", "c1", 30),
        turn(2, "b", "c1", 10),
        turn(3, "c2", "c1", 20),
        turn(4, "d", "C1", 40),
        turn(5, "e", "c2", 5),
        turn(6, "g", "c1", 30),
        turn(7, "f", "c1", 30),
    ];
    index.commit(at(4), &turns[..4], &[]).unwrap();
    index.commit(at(7), &turns[4..], &[(at(3), at(7))]).unwrap();
    let view = index.view();
    let last = |conversation: &str, position: u64, count: usize| {
        let visible = Visible::new(at(position), view.closings().clone(), None);
        let turns = view.last_turns(conversation, &visible, count).unwrap();
        turns.into_iter().map(|turn| turn.doc_id.replace("knowledge/", "")).collect::<Vec<_>>()
    };
    assert_eq!(last("c1", 7, 2), ["f", "g"]);
    assert_eq!(last("c1", 7, 9), ["b", "a", "f", "g"]);
    assert_eq!(last("c1", 6, 9), ["b", "c2", "a", "g"], "before it was replaced");
    assert_eq!(last("c2", 7, 9), ["e"]);
    assert!(last("c9", 7, 9).is_empty());
}

#[test]
fn marks_the_words_and_escapes_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    index.commit(at(6), &corpus(), &[]).unwrap();
    let view = index.view();
    let text = "Before <b>. The migrations failed & nobody knew.";
    let marked = view.highlight(&TextQuery::parse("failing migration"), text, 200).unwrap().unwrap();
    assert!(marked.contains("<mark>migrations</mark> <mark>failed</mark> &amp; nobody"), "{marked}");
    assert_eq!(view.highlight(&TextQuery::parse("zebra"), text, 200).unwrap(), None);
}

#[test]
fn a_damaged_index_is_built_again() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).commit(at(6), &corpus(), &[]).unwrap();
    std::fs::write(dir.path().join("meta.json"), b"{").unwrap();
    let index = open(dir.path());
    assert_eq!(index.view().position(), None);
    index.commit(at(6), &corpus(), &[]).unwrap();
    assert_eq!(search(&index, "chocolate", 6, None), ["cake"]);
}
