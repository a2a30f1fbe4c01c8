//! How good is search? SciFact, Cranfield and LoCoMo through the whole engine, from the log to the ranked list.
//!
//! `cargo run --release -p partitura-query --example search_quality -- DATA [scifact|cranfield|locomo]…` where DATA
//! holds the folders `scifact`, `cranfield` (BEIR layout) and `locomo`. Prints one line per set and leg.
//!
//! With `PARTITURA_QUALITY_CACHE=FOLDER` vectors are kept there for the next run, which then takes seconds: they
//! depend on the model and the texts alone. Remove the folder when documents are made otherwise.

#[path = "../tests/search/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use partitura_embed::{Embedder, FastEmbedder, ModelSettings};
use partitura_event::{ManualClock, Workspace};
use partitura_log::MemoryLog;
use partitura_query::SearchRequest;
use partitura_query::search::Mode;
use serde_json::{Value, json};
use world::{World, time};

const MODES: [(&str, Mode); 3] = [("text", Mode::Text), ("semantic", Mode::Semantic), ("hybrid", Mode::Hybrid)];

type Relevant = BTreeSet<String>;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let data = Path::new(arguments.first().expect("the folder with the data sets"));
    let wanted = |name: &str| arguments.len() == 1 || arguments[1..].iter().any(|argument| argument == name);
    let settings = ModelSettings::default().located(|name| std::env::var(name).ok());
    let embedder: Arc<dyn Embedder> = Arc::new(FastEmbedder::open(&settings).expect("the model"));
    for name in ["cranfield", "scifact", "locomo"].into_iter().filter(|name| wanted(name)) {
        let dir = tempfile::tempdir().expect("a folder");
        let kept = std::env::var_os("PARTITURA_QUALITY_CACHE").map(|cache| Path::new(&cache).join(name));
        let folder = kept.as_deref().unwrap_or(dir.path());
        for stale in ["tables".into(), format!("search/{name}/text")] {
            let _ = std::fs::remove_dir_all(folder.join(stale));
        }
        let log = Arc::new(MemoryLog::new(Arc::new(ManualClock::new(time(0)))));
        let world = World::open(log, folder, embedder.clone(), 1_000).await;
        match name {
            "locomo" => locomo(&world, data).await,
            name => beir(&world, data, name).await,
        }
        approximate(&world, name).await;
        world.tables.close().await.expect("closed");
    }
}

/// Says what the approximate index finds.
async fn approximate(world: &World, name: &str) {
    let space = world.store.space(&Workspace::new(name).expect("a name")).expect("known");
    let embedder = world.serving.embedder().expect("the model");
    let model = embedder.model();
    let vectors = space.vectors(&model.to_string(), model.hash(), embedder.dims()).await.expect("vectors");
    vectors.maintain().await.expect("maintenance");
    let status = vectors.status();
    println!("{name:<12} chunks {:>6}  ann recall@10 {:?}", status.rows, status.recall);
}

async fn settle(world: &World, name: &str) {
    let started = Instant::now();
    world.follow().await;
    let text = started.elapsed();
    world.settle().await;
    println!("{name:<12} text {:.1} s, vectors {:.1} s", text.as_secs_f64(), (started.elapsed() - text).as_secs_f64());
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect()
}

async fn beir(world: &World, data: &Path, name: &str) {
    let corpus = lines(&data.join(name).join("corpus.jsonl"));
    let events = corpus.iter().enumerate().map(|(at, document)| {
        let id = document["_id"].as_str().unwrap_or_default();
        let note = json!({"knowledge_id": id, "title": document["title"], "text": document["text"]});
        ("knowledge.noted", format!("knowledge/{id}"), at as i64, note)
    });
    let events = events.filter(|(_, _, _, note)| note["text"].as_str().is_some_and(|text| !text.trim().is_empty()));
    world.append(name, events.collect()).await;
    settle(world, name).await;
    let mut relevant: BTreeMap<String, Relevant> = BTreeMap::new();
    let judged = std::fs::read_to_string(data.join(name).join("qrels/test.tsv")).expect("judgments");
    for line in judged.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells[2].parse::<i32>().is_ok_and(|score| score > 0) {
            relevant.entry(cells[0].to_owned()).or_default().insert(format!("knowledge/{}", cells[1]));
        }
    }
    let queries: BTreeMap<String, String> = lines(&data.join(name).join("queries.jsonl"))
        .into_iter()
        .map(|query| (id_of(&query["_id"]), query["text"].as_str().unwrap_or_default().to_owned()))
        .collect();
    for (label, mode) in MODES {
        let (mut gain, mut recall, mut took) = (0.0, 0.0, Vec::new());
        for (query, wanted) in &relevant {
            let request = SearchRequest { mode, limit: 100, exact: true, ..SearchRequest::new(queries[query].clone()) };
            let started = Instant::now();
            let reply = world.search(name, &request).await.expect("an answer");
            took.push(started.elapsed());
            let found: Vec<String> = reply.hits.into_iter().map(|hit| hit.id).collect();
            gain += ndcg(&found, wanted, 10);
            recall += share(&found, wanted, 100);
        }
        took.sort();
        let count = relevant.len() as f64;
        println!(
            "{name:<12} {label:<9} nDCG@10 {:.4}  recall@100 {:.4}  p50 {:.1} ms  p95 {:.1} ms",
            gain / count,
            recall / count,
            took[took.len() / 2].as_secs_f64() * 1e3,
            took[took.len() * 95 / 100].as_secs_f64() * 1e3
        );
    }
}

fn id_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn locomo(world: &World, data: &Path) {
    let path = data.join("locomo/locomo10_corrected_dial481.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let samples: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let mut questions = Vec::new();
    for (number, sample) in samples.iter().take(4).enumerate() {
        let talk = &sample["conversation"];
        let mut events = Vec::new();
        let mut known = BTreeSet::new();
        for session in 1.. {
            let Some(turns) = talk[format!("session_{session}")].as_array() else { break };
            for (place, turn) in turns.iter().enumerate() {
                let id = format!("{number}:{}", turn["dia_id"].as_str().unwrap_or_default());
                known.insert(format!("message/{id}"));
                let said = json!({"message_id": id, "conversation_id": format!("talk-{number}"),
                    "from": turn["speaker"], "text": turn["text"]});
                let seconds = session * 86_400 + place as i64 * 30;
                events.push(("message.sent", format!("conversation/talk-{number}"), seconds, said));
            }
        }
        world.append("locomo", events).await;
        for question in sample["qa"].as_array().into_iter().flatten() {
            let evidence = question["evidence"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let wanted: Relevant = evidence.map(|id| format!("message/{number}:{id}")).collect();
            let wanted: Relevant = wanted.intersection(&known).cloned().collect();
            if !wanted.is_empty() {
                questions.push((number, question["question"].as_str().unwrap_or_default().to_owned(), wanted));
            }
        }
    }
    settle(world, "locomo").await;
    for (label, mode) in MODES {
        let (mut at_10, mut at_50) = (0.0, 0.0);
        for (number, question, wanted) in &questions {
            let filter = Some(format!("conversation_id = 'talk-{number}'"));
            let request =
                SearchRequest { mode, limit: 50, filter, exact: true, ..SearchRequest::new(question.clone()) };
            let reply = world.search("locomo", &request).await.expect("an answer");
            let found: Vec<String> = reply.hits.into_iter().map(|hit| hit.id).collect();
            at_10 += share(&found, wanted, 10);
            at_50 += share(&found, wanted, 50);
        }
        let count = questions.len() as f64;
        println!("{:<12} {label:<9} recall@10 {:.4}  recall@50 {:.4}", "locomo", at_10 / count, at_50 / count);
    }
}

fn share(found: &[String], wanted: &Relevant, limit: usize) -> f64 {
    found.iter().take(limit).filter(|id| wanted.contains(*id)).count() as f64 / wanted.len() as f64
}

fn ndcg(found: &[String], wanted: &Relevant, limit: usize) -> f64 {
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let gain: f64 =
        found.iter().take(limit).enumerate().filter(|(_, id)| wanted.contains(*id)).map(|(r, _)| discount(r)).sum();
    gain / (0..wanted.len().min(limit)).map(discount).sum::<f64>()
}
