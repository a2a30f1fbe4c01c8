//! Search from the log to the answer: what is found, when, by whom, and what is refused.

mod search {
    pub mod world;
}

use std::sync::Arc;

use partitura_embed::{HashEmbedder, VectorFollower};
use partitura_event::{ErrorClass, ManualClock, Position, Workspace};
use partitura_log::MemoryLog;
use partitura_query::SearchRequest;
use partitura_query::search::{ContextRequest, Fusion, Mode, Recency, SearchPoint};
use search::world::{World, time};
use serde_json::{Value, json};
use tempfile::TempDir;

async fn open(dir: &TempDir, log: Arc<MemoryLog>) -> World {
    World::open(log, dir.path(), Arc::new(HashEmbedder::new(64, 64)), 100_000).await
}

fn new_log() -> Arc<MemoryLog> {
    Arc::new(MemoryLog::new(Arc::new(ManualClock::new(time(0)))))
}

fn note(id: &str, seconds: i64, title: &str, text: &str) -> (&'static str, String, i64, Value) {
    let data = json!({"knowledge_id": id, "title": title, "text": text, "tags": ["db"]});
    ("knowledge.noted", format!("knowledge/{id}"), seconds, data)
}

fn turn(id: &str, seconds: i64, from: &str, text: &str) -> (&'static str, String, i64, Value) {
    let data = json!({"message_id": id, "conversation_id": "c1", "from": from, "text": text});
    ("message.sent", "conversation/c1".to_owned(), seconds, data)
}

async fn filled(dir: &TempDir, log: Arc<MemoryLog>) -> World {
    let world = open(dir, log).await;
    let events = vec![
        note("locks", 1, "Lock order", "Take the schema lock before the row lock; migrations failed otherwise."),
        note("retry", 2, "Retries", "Retries of a failing migration double the load."),
        note("cake", 3, "Chocolate cake", "Eggs, flour, sugar."),
        turn("m1", 10, "ann", "Shall we deploy the billing service on Friday?"),
        turn("m2", 20, "bob", "Yes, the second one."),
        note("code", 30, "Settings", "Call parse_config in src/settings.rs, never readAll()."),
    ];
    world.append("local", events).await;
    world.append("other", vec![note("secret", 1, "Chocolate secret", "migration of the other workspace")]).await;
    world.settle().await;
    world
}

async fn ids(world: &World, request: &SearchRequest) -> Vec<String> {
    let reply = world.search("local", request).await.unwrap();
    reply.hits.into_iter().map(|hit| hit.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_filters_explains_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let world = filled(&dir, new_log()).await;
    let request = |query: &str| SearchRequest::new(query);
    assert_eq!(ids(&world, &request("failing migration")).await[..2], ["knowledge/retry", "knowledge/locks"]);
    assert_eq!(ids(&world, &request("\"schema lock\"")).await, ["knowledge/locks"]);
    assert_eq!(ids(&world, &SearchRequest { mode: Mode::Text, ..request("parseConfig") }).await, ["knowledge/code"]);
    let semantic = SearchRequest { mode: Mode::Semantic, ..request("sugar and eggs") };
    assert_eq!(ids(&world, &semantic).await[0], "knowledge/cake");
    // A turn is found by what was said before it.
    let messages = SearchRequest { filter: Some("kind = 'message'".to_owned()), ..request("billing deploy") };
    assert_eq!(ids(&world, &messages).await, ["message/m1", "message/m2"]);
    let filtered =
        SearchRequest { filter: Some("kind = 'knowledge' AND title LIKE 'R%'".into()), ..request("migration") };
    assert_eq!(ids(&world, &filtered).await, ["knowledge/retry"]);
    let explained = SearchRequest {
        explain: true,
        highlight: true,
        facets: vec!["kind".to_owned(), "tags".to_owned()],
        recency: Some(Recency { half_life: std::time::Duration::from_secs(86_400 * 90) }),
        ..request("failing migration")
    };
    let reply = world.search("local", &explained).await.unwrap();
    let scores = reply.hits[0].scores.unwrap();
    assert_eq!((scores.rank_text, scores.rank_vector.is_some()), (Some(1), true));
    assert!((scores.recency.unwrap() - 0.5).abs() < 0.01);
    assert!(reply.hits[0].highlight.as_ref().unwrap().contains("<mark>failing</mark> <mark>migration</mark>"));
    assert_eq!(reply.facets["kind"]["message"], 2);
    assert_eq!(reply.facets["tags"]["db"], 4);
    assert_eq!(reply.hits[0].fields["time"], json!(time(2)));
    assert_eq!(reply.position, Position::new(7));
    assert_eq!(reply.position, world.store.position());
    let rrf = SearchRequest { fusion: Fusion::Rrf { k: 60.0 }, ..request("failing migration") };
    assert_eq!(ids(&world, &rrf).await[0], "knowledge/retry");
    assert_eq!(world.search("empty", &request("migration")).await.unwrap().hits.len(), 0);
    let other = world.search("other", &request("chocolate migration")).await.unwrap();
    assert_eq!(other.hits.len(), 1, "only its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn suggests_likens_and_packs() {
    let dir = tempfile::tempdir().unwrap();
    let world = filled(&dir, new_log()).await;
    let local = Workspace::new("local").unwrap();
    let now = SearchPoint::default();
    let suggested = world.searcher.suggest(&local, "choc", 5, &now).await.unwrap();
    assert_eq!(suggested, (vec!["Chocolate cake".to_owned()], Position::new(7)));
    assert!(world.searcher.suggest(&local, "secr", 5, &now).await.unwrap().0.is_empty());
    let then = SearchPoint { as_of: Position::new(2), ..now };
    assert!(world.searcher.suggest(&local, "choc", 5, &then).await.unwrap().0.is_empty(), "not noted yet");
    let similar = world.searcher.similar(&local, "knowledge/RETRY", 2, &now).await.unwrap();
    assert_eq!((similar.hits.len(), similar.hits[0].id.as_str()), (2, "knowledge/locks"));
    let error = world.searcher.similar(&local, "knowledge/none", 2, &now).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::NotFound);
    let request = ContextRequest::from_json(&json!({"query": "migration locks", "max_tokens": 15})).unwrap();
    let context = world.searcher.context(&local, &request).await.unwrap();
    assert!(context.tokens <= 15 && !context.passages.is_empty(), "{context:?}");
    let request = json!({"query": "billing", "conversation_id": "C1", "max_tokens": 500});
    let context = world.searcher.context(&local, &ContextRequest::from_json(&request).unwrap()).await.unwrap();
    let sources: Vec<_> = context.passages.iter().map(|passage| passage.source.as_str()).collect();
    assert_eq!(sources, ["message/m1", "message/m2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_holds_the_part_of_a_long_text_that_answers() {
    let dir = tempfile::tempdir().unwrap();
    let world = open(&dir, new_log()).await;
    let long = format!("{}The zebra sleeps in the barn. {}", "Nothing of note. ".repeat(60), "More of it. ".repeat(90));
    world.append("local", vec![note("long", 1, "Log", &long), note("short", 2, "", "A zebra.")]).await;
    world.settle().await;
    let request = ContextRequest::from_json(&json!({"query": "zebra barn sleeps", "max_tokens": 200})).unwrap();
    let context = world.searcher.context(&Workspace::new("local").unwrap(), &request).await.unwrap();
    let long = context.passages.iter().find(|passage| passage.source == "knowledge/long").unwrap();
    assert!(long.cut && long.text.contains("The zebra sleeps"), "{long:?}");
    assert_eq!(long.version, Position::FIRST);
    assert!(context.tokens <= 200 && context.tokens == context.passages.iter().map(|p| p.tokens).sum::<usize>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_answered_alike_before_and_after() {
    let (dir, log) = (tempfile::tempdir().unwrap(), new_log());
    let world = filled(&dir, log.clone()).await;
    let request = SearchRequest { filter: Some("kind = 'knowledge'".into()), ..SearchRequest::new("chocolate cake") };
    let past = SearchRequest { as_of: Position::new(7), ..request.clone() };
    let before = ids(&world, &past).await;
    let text = json!({"knowledge_id": "cake", "title": "Cheese cake", "text": "Cream."});
    world.append("local", vec![("knowledge.noted", "knowledge/cake".to_owned(), 40, text)]).await;
    // Words are there at once, vectors later.
    world.follow().await;
    let reply = world.search("local", &SearchRequest { mode: Mode::Text, ..request.clone() }).await.unwrap();
    assert_eq!(reply.hits[0].title.as_deref(), Some("Cheese cake"));
    let found = world.search("local", &SearchRequest::new("cream")).await.unwrap();
    assert_eq!(found.hits[0].id, "knowledge/cake", "without a vector");
    world.settle().await;
    assert_eq!(ids(&world, &past).await, before);
    let now = ids(&world, &request).await;
    world.tables.close().await.unwrap();
    drop(world);
    let again = open(&dir, log).await;
    again.settle().await;
    assert_eq!(ids(&again, &past).await, before);
    assert_eq!(ids(&again, &request).await, now);
    assert_eq!(again.vectors.progress().embedded, 0, "nothing is embedded twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_in_what_was_seen() {
    let dir = tempfile::tempdir().unwrap();
    let world = filled(&dir, new_log()).await;
    let all = ids(&world, &SearchRequest::new("lock migration")).await;
    let mut request = SearchRequest { limit: 2, ..SearchRequest::new("lock migration") };
    let mut paged = Vec::new();
    loop {
        let reply = world.search("local", &request).await.unwrap();
        assert!(reply.hits.len() <= 2);
        paged.extend(reply.hits.into_iter().map(|hit| hit.id));
        world.append("local", vec![note("new", 50, "Lock lock", "lock migration lock migration")]).await;
        world.settle().await;
        match reply.next_cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(paged, all);
    for (workspace, cursor, class) in [
        ("other", request.cursor.clone().unwrap(), ErrorClass::Gone),
        ("local", "ffff.0".to_owned(), ErrorClass::Gone),
        ("local", "nonsense".to_owned(), ErrorClass::Invalid),
    ] {
        let request = SearchRequest { cursor: Some(cursor), ..request.clone() };
        assert_eq!(world.search(workspace, &request).await.unwrap_err().class, class);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let world = filled(&dir, new_log()).await;
    for (body, class, path, suggested) in [
        (json!({"query": " "}), ErrorClass::Invalid, "query", None),
        (json!({"query": "x".repeat(70_000)}), ErrorClass::TooLarge, "query", None),
        (json!({"query": "x", "limit": 0}), ErrorClass::Invalid, "limit", None),
        (json!({"query": "x", "filtre": "1"}), ErrorClass::Invalid, "filtre", Some("filter")),
        (json!({"query": "x", "mode": "hybird"}), ErrorClass::Invalid, "mode", Some("hybrid")),
        (json!({"query": "x", "fusion": {"alpha": 2}}), ErrorClass::Invalid, "fusion.alpha", None),
        (json!({"query": "x", "recency": {"half_life": "soon"}}), ErrorClass::Invalid, "recency.half_life", None),
        (json!({"query": "x", "facets": ["kin"]}), ErrorClass::Invalid, "facets", Some("kind")),
        (json!({"query": "x", "filter": "kint = 'task'"}), ErrorClass::Invalid, "filter", Some("kind")),
        (json!({"query": "x", "filter": "kind = "}), ErrorClass::Invalid, "filter", None),
        (json!({"query": "x", "filter": "1=1) OR (1=1"}), ErrorClass::Invalid, "filter", None),
        (json!({"query": "x", "filter": "kind = 'a'; DROP TABLE x"}), ErrorClass::Invalid, "filter", None),
        (json!({"query": "x", "filter": "kind IN (SELECT 'a')"}), ErrorClass::Invalid, "filter", None),
        (json!({"query": "x", "filter": "(".repeat(3_000)}), ErrorClass::Invalid, "filter", None),
        (json!({"query": "x", "filter": "kind + 1"}), ErrorClass::Invalid, "filter", None),
    ] {
        let answer = match SearchRequest::from_json(&body) {
            Ok(request) => world.search("local", &request).await.err(),
            Err(problem) => Some(problem),
        };
        let problem = answer.unwrap_or_else(|| panic!("{body} is answered"));
        assert_eq!((problem.class, problem.issues[0].path.as_str()), (class, path), "{body}: {problem}");
        if let Some(suggested) = suggested {
            assert_eq!(problem.suggestions.first().map(String::as_str), Some(suggested), "{body}");
        }
    }
    let later = SearchRequest { min_position: Position::new(99), ..SearchRequest::new("x") };
    assert_eq!(world.search("local", &later).await.unwrap_err().class, ErrorClass::Timeout);
    for odd in ["\"", "\"\"\"a", "AND OR NOT", "a:b*^~(", "\u{0}\u{202e}", &"word ".repeat(12_000)] {
        world.search("local", &SearchRequest::new(odd)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_nothing_replaced_comes_back() {
    let (dir, log) = (tempfile::tempdir().unwrap(), new_log());
    let world = filled(&dir, log.clone()).await;
    let text = json!({"knowledge_id": "cake", "title": "Cheese cake", "text": "Cream."});
    world.append("local", vec![("knowledge.noted", "knowledge/cake".to_owned(), 40, text)]).await;
    world.settle().await;
    // The text index has committed, the tables have not: dropped without a close, they start at their checkpoint.
    drop(world);
    let again = open(&dir, log).await;
    again.text.step().await.unwrap();
    let request = SearchRequest { mode: Mode::Text, ..SearchRequest::new("chocolate cake") };
    let early = again.search("local", &request).await;
    assert_eq!(early.unwrap_err().class, ErrorClass::Timeout, "not an answer without what tables know");
    again.settle().await;
    let found = again.search("local", &request).await.unwrap();
    let titles: Vec<_> = found.hits.iter().filter_map(|hit| hit.title.as_deref()).collect();
    assert_eq!(titles, ["Cheese cake"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_knows_what_came_since_it_was_asked() {
    let dir = tempfile::tempdir().unwrap();
    let world = filled(&dir, new_log()).await;
    let request = SearchRequest { filter: Some("title LIKE 'R%'".to_owned()), ..SearchRequest::new("migration") };
    assert_eq!(ids(&world, &request).await, ["knowledge/retry"]);
    world.append("local", vec![note("rows", 50, "Rows", "A migration of rows.")]).await;
    let renamed = json!({"knowledge_id": "retry", "title": "Again", "text": "Retries of a failing migration."});
    world.append("local", vec![("knowledge.noted", "knowledge/retry".to_owned(), 60, renamed)]).await;
    world.settle().await;
    assert_eq!(ids(&world, &request).await, ["knowledge/rows"], "one came, one is called otherwise now");
    let then = SearchRequest { as_of: Position::new(7), ..request.clone() };
    assert_eq!(ids(&world, &then).await, ["knowledge/retry"]);
    assert_eq!(ids(&world, &request).await, ["knowledge/rows"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_embeds_beside_and_then_takes_over() {
    let (dir, log) = (tempfile::tempdir().unwrap(), new_log());
    let world = filled(&dir, log).await;
    let request = SearchRequest { mode: Mode::Semantic, explain: true, ..SearchRequest::new("sugar and eggs") };
    let before = world.search("local", &request).await.unwrap();
    // The successor has vectors of another length: they could not be compared if they met.
    let successor = VectorFollower::new(world.store.clone(), Arc::new(HashEmbedder::new(96, 64)));
    assert!(!world.serving.hand_over(&successor).unwrap(), "it has embedded nothing");
    let space = world.store.space(&Workspace::new("local").unwrap()).unwrap();
    while !world.serving.hand_over(&successor).unwrap() {
        let during = world.search("local", &request).await.unwrap();
        assert_eq!(during.hits.len(), before.hits.len());
        assert_eq!(during.hits[0].scores, before.hits[0].scores, "the model before answers as before");
        successor.step().await.unwrap();
    }
    assert_eq!(space.models().len(), 2, "each model's vectors lie by themselves");
    let after = world.search("local", &request).await.unwrap();
    assert_eq!(after.hits[0].id, "knowledge/cake");
    assert_eq!(after.hits.len(), before.hits.len(), "all are found by the successor's vectors");
    assert_ne!(after.hits[0].scores, before.hits[0].scores, "by other vectors");
    let former = world.vectors.embedder().model().hash();
    space.forget(former).await.unwrap();
    assert_eq!(space.models(), [successor.embedder().model().hash()]);
    assert_eq!(world.search("local", &request).await.unwrap().hits[0].scores, after.hits[0].scores);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_position_is_answered_alike_while_events_come_in() {
    let dir = tempfile::tempdir().unwrap();
    let world = Arc::new(filled(&dir, new_log()).await);
    let requests = [
        SearchRequest { mode: Mode::Semantic, ..SearchRequest::new("lock order") },
        SearchRequest { filter: Some("kind = 'knowledge'".to_owned()), ..SearchRequest::new("migration lock") },
    ];
    let past = requests.map(|request| SearchRequest { as_of: Position::new(7), ..request });
    let mut before = Vec::new();
    for request in &past {
        before.push(ids(&world, request).await);
    }
    let writer = tokio::spawn({
        let world = world.clone();
        async move {
            for n in 0..40 {
                let id = format!("later{n}");
                world.append("local", vec![note(&id, 100 + n, "Lock order", "migration lock order lock")]).await;
                world.settle().await;
            }
        }
    });
    while !writer.is_finished() {
        for (request, before) in past.iter().zip(&before) {
            assert_eq!(&ids(&world, request).await, before);
        }
    }
    writer.await.unwrap();
    assert_eq!(ids(&world, &SearchRequest { mode: Mode::Text, ..SearchRequest::new("lock order") }).await.len(), 10);
}
