//! kill -9 of the real server under eight retrying writers: nothing lost, nothing doubled, nothing altered.
//!
//! `PARTITURA_KILL_CYCLES` sets the number of kills; `cargo xtask kill` makes it 500 and shows how far it is.

#[path = "door/answer.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod answer;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::Server;
use tokio::sync::watch;

const WRITERS: u64 = 8;

/// What a writer was told: id to position, and the text that it sent.
type Ledger = BTreeMap<String, (u64, String)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_events_survive() {
    let cycles = std::env::var("PARTITURA_KILL_CYCLES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let temp = tempfile::TempDir::new().expect("a folder");
    let folder = temp.path().join("data");
    let (url_in, url_out) = watch::channel(String::new());
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|number| tokio::spawn(write(number, url_out.clone(), Arc::clone(&done)))).collect();
    let started = Instant::now();
    for cycle in 0..cycles {
        let mut server = Server::start_in(&folder, &["--flush-after", "50ms"]);
        url_in.send_replace(server.url.clone());
        // Different lengths, so that the kill falls into appending, folding and flushing.
        tokio::time::sleep(Duration::from_millis(120 + (cycle * 73) % 400)).await;
        server.kill();
        if cycle % 2 == 0 {
            kill_while_it_opens(&folder, Duration::from_millis(10 + (cycle * 31) % 300)).await;
        }
        if (cycle + 1) * 20 / cycles > cycle * 20 / cycles {
            println!("{} of {cycles} kills after {} s", cycle + 1, started.elapsed().as_secs());
        }
    }
    let server = Server::start_in(&folder, &[]);
    done.store(true, Ordering::SeqCst);
    url_in.send_replace(server.url.clone());
    let mut ledger = Ledger::new();
    for writer in writers {
        ledger.extend(writer.await.expect("a writer ends"));
    }
    assert!(ledger.len() as u64 > cycles * 4, "the writers wrote: {}", ledger.len());
    check(&server, &ledger).await;
    let events = ledger.len();
    println!("{cycles} kills under {WRITERS} writers, {events} acknowledged events: 0 lost, 0 doubled, 0 altered");
}

/// Starts a server and kills it before it says that it is ready, if it has not been quicker.
async fn kill_while_it_opens(folder: &Path, after: Duration) {
    let mut command = server::program();
    command.args(["serve", "--http", "127.0.0.1:0", "--data"]).arg(folder);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    tokio::time::sleep(after).await;
    child.kill().and_then(|()| child.wait()).expect("it is killed");
}

/// Sends one event or a batch until it is acknowledged, then the next, until told to stop.
async fn write(number: u64, mut urls: watch::Receiver<String>, done: Arc<AtomicBool>) -> Ledger {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a client");
    let (mut ledger, mut next) = (Ledger::new(), 0_u64);
    while !done.load(Ordering::SeqCst) {
        let size = if number.is_multiple_of(2) { 1 } else { 7 };
        let ids: Vec<String> = (0..size).map(|n| format!("w{number}-{}", next + n)).collect();
        next += size;
        let text = |id: &str| format!("{id} {}", "x".repeat((next % 300) as usize));
        let events: Vec<Value> = ids
            .iter()
            .map(|id| json!({"type": "note.taken", "source": "kill", "id": id, "data": {"text": text(id)}}))
            .collect();
        let body = json!(events).to_string();
        let positions = loop {
            let url = urls.borrow_and_update().clone();
            let mut request = client.post(format!("{url}/v1/events")).header("content-type", "application/json");
            // Half of them are known again by their request's key, the others by their events' ids.
            if number % 4 < 2 {
                request = request.header("idempotency-key", format!("{number}/{next}"));
            }
            let Ok(response) = request.body(body.clone()).send().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let status = response.status().as_u16();
            let Ok(answer) = response.json::<Value>().await else { continue };
            if status == 503 || status == 429 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            assert!(matches!(status, 200 | 201 | 207), "{status}: {answer}");
            let results = answer["results"].as_array().expect("results").clone();
            break results.iter().map(|result| result["position"].as_u64().expect("a position")).collect::<Vec<_>>();
        };
        for (id, position) in ids.into_iter().zip(positions) {
            let text = text(&id);
            ledger.insert(id, (position, text));
        }
    }
    ledger
}

/// Reads the whole log and every table of events, and compares with what the writers were told.
async fn check(server: &Server, ledger: &Ledger) {
    let (mut after, mut seen) = (0, BTreeMap::new());
    loop {
        let page = server.get(&format!("/v1/events?after_position={after}&limit=1000")).await.expect(200).json;
        let events = page["data"].as_array().expect("events");
        for event in events {
            let position = event["position"].as_u64().expect("a position");
            assert_eq!(position, after + 1, "positions have no gap");
            after = position;
            let id = event["id"].as_str().expect("an id").to_owned();
            let text = event["data"]["text"].as_str().expect("a text").to_owned();
            assert!(seen.insert(id.clone(), (position, text)).is_none(), "{id} is there twice");
        }
        if events.is_empty() || page["next_cursor"].is_null() && events.len() < 1000 {
            break;
        }
    }
    for (id, told) in ledger {
        assert_eq!(seen.get(id), Some(told), "{id}");
    }
    // Every writer went on until its last request was acknowledged, so nothing else can be there.
    assert_eq!(seen.len(), ledger.len(), "the log has what was acknowledged, and no more");
    let rows = server.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM events", after).await;
    assert_eq!(rows, json!([{"n": seen.len(), "ids": seen.len()}]), "the table has what the log has");
    let verified = server::run(&["verify", "--url", &server.url]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
