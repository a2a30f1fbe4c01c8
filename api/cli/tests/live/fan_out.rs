//! A thousand clients: each gets every event once, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

use crate::server::Server;
use crate::world::{PATIENCE, append, until_metric};

const CLIENTS: usize = 1_000;

/// What one run is.
#[derive(Clone, Copy)]
struct Load {
    events: u64,
    /// Events of one request.
    batch: u64,
    /// Time between two requests.
    every: Duration,
}

/// What one run showed.
#[derive(Debug)]
#[expect(dead_code, reason = "printed, for `--nocapture`")]
struct Seen {
    seconds: f64,
    /// From the request until the last client had its last event, the longest and the median.
    lag_ms_max: u64,
    lag_ms_median: u64,
    server_mib: u64,
}

fn event(n: u64) -> Value {
    json!({"type": "task.progressed", "source": "load", "id": n.to_string(), "subject": format!("task/{}", n % 50),
        "data": {"task_id": (n % 50).to_string(), "percent": n % 100, "note": "as an agent reports it, in a sentence"}})
}

/// Follows until the last event. HTTP/1.0, so that the body comes as it is.
async fn follow(server: Arc<Server>, last: u64, ready: Arc<Barrier>, done: Arc<AtomicU64>) {
    let mut socket = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("it listens");
    let head = "GET /v1/events/stream?after_position=now HTTP/1.0\r\nHost: localhost\r\n\r\n";
    socket.write_all(head.as_bytes()).await.expect("it reads");
    let (mut buffer, mut held, mut next, mut is_ready) = (vec![0; 64 << 10], Vec::new(), 1_u64, false);
    while next <= last {
        let read = tokio::time::timeout(PATIENCE, socket.read(&mut buffer)).await.expect("something comes");
        let read = read.expect("the stream goes on");
        assert!(read > 0, "the server ended the stream before {next}");
        held.extend_from_slice(&buffer[..read]);
        let whole = held.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in held[..whole].split(|byte| *byte == b'\n') {
            if line == b"event: caught_up" && !is_ready {
                is_ready = true;
                ready.wait().await;
            }
            // The data names the position again: what comes under an id is the event of that id.
            let Some(data) = line.strip_prefix(b"data: {\"position\":") else { continue };
            let digits = data.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let position: u64 = std::str::from_utf8(&data[..digits]).expect("digits").parse().expect("a position");
            if data[digits..].starts_with(b",\"id\"") {
                assert_eq!(position, next, "each event once, in order");
                next += 1;
            }
        }
        held.drain(..whole);
    }
    done.fetch_add(1, Ordering::Relaxed);
}

async fn run(load: Load) -> Seen {
    partitura_service::raise_file_limit();
    let server = Arc::new(Server::start());
    let (ready, done) = (Arc::new(Barrier::new(CLIENTS + 1)), Arc::new(AtomicU64::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(follow(Arc::clone(&server), load.events, Arc::clone(&ready), Arc::clone(&done)));
    }
    ready.wait().await;
    until_metric(&server, &format!("partitura_listeners {CLIENTS}")).await;
    let started = Instant::now();
    let (mut sent, mut next) = (0, Instant::now());
    while sent < load.events {
        let batch: Vec<_> = (sent..load.events.min(sent + load.batch)).map(event).collect();
        sent += batch.len() as u64;
        append(&server, &batch).await;
        next += load.every;
        tokio::time::sleep_until(next.into()).await;
    }
    let last_sent = Instant::now();
    let mut lags = Vec::with_capacity(CLIENTS);
    while let Some(ended) = clients.join_next().await {
        ended.expect("each client saw every event once, in order");
        lags.push(u64::try_from(last_sent.elapsed().as_millis()).expect("a short time"));
    }
    assert_eq!(done.load(Ordering::Relaxed), CLIENTS as u64);
    let metrics = server.get("/metrics").await.text;
    let delivered = format!("partitura_live_events_total {}", load.events * CLIENTS as u64);
    assert!(metrics.lines().any(|line| line == delivered), "each was handed over once: {delivered}");
    let memory = metrics.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    Seen {
        seconds: started.elapsed().as_secs_f64(),
        lag_ms_max: lags.last().copied().unwrap_or(0),
        lag_ms_median: lags[lags.len() / 2],
        server_mib: memory.and_then(|bytes| bytes.parse::<f64>().ok()).map_or(0, |bytes| bytes as u64 >> 20),
    }
}

/// 500 events a second, by many small requests as agents send them. `PARTITURA_FAN_OUT` says for how many events, as in
/// `PARTITURA_FAN_OUT=10000 cargo test --workspace --test live thousand -- --nocapture`, which prints what it saw.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clients_get_every_event_once_in_order() {
    let events = std::env::var("PARTITURA_FAN_OUT").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let seen = run(Load { events, batch: 10, every: Duration::from_millis(20) }).await;
    println!("{CLIENTS} clients, {events} events at 500/s: {seen:?}");
}
