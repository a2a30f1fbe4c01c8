//! Too much at once: who cannot be served is told when to come back, and nothing that was taken is lost.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;

/// Rounds of requests until one is turned away; the machine decides how soon that is.
const ROUNDS: usize = 200;

/// Sends `bodies` at the same time, round after round, until a status is answered that is not 201.
async fn until_refused(server: &Server, body: impl Fn(usize) -> Value, many: usize) -> (u64, Answer) {
    let mut taken = 0;
    for round in 0..ROUNDS {
        let answers = join_all((0..many).map(|n| {
            let body = body(round * many + n);
            async move { server.post("/v1/events", &body).await }
        }));
        let mut refused = None;
        for answer in answers.await {
            match answer.status {
                201 => taken += answer.json["results"].as_array().map_or(0, Vec::len) as u64,
                _ => refused = Some(answer),
            }
        }
        if let Some(refused) = refused {
            return (taken, refused);
        }
    }
    panic!("{ROUNDS} rounds of {many} requests were all taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_appends_are_told_to_wait() {
    let server = Server::start_with(&["--appends-max", "1"]);
    let note = |n: usize| json!([{"type": "note.taken", "source": "t", "id": n.to_string(), "data": {"n": n}}]);
    let (taken, refused) = until_refused(&server, note, 64).await;
    assert_eq!(refused.header("retry-after"), "1");
    refused.expect_problem(429, "busy");
    let kept = server.rows("SELECT count(*) AS n FROM events", taken).await;
    assert_eq!(kept, json!([{"n": taken}]), "what was acknowledged, no more");
    server.post("/v1/events", &note(usize::MAX)).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_share_one_memory() {
    let server = Server::start_with(&["--body-memory-max", "1MiB"]);
    let text = "x".repeat(300 << 10);
    let note = |n: usize| json!([{"type": "note.taken", "source": "t", "id": n.to_string(), "data": {"t": text}}]);
    let (taken, refused) = until_refused(&server, note, 16).await;
    assert_eq!(refused.header("retry-after"), "1");
    refused.expect_problem(503, "body_memory");
    let kept = server.rows("SELECT count(*) AS n FROM events", taken).await;
    assert_eq!(kept, json!([{"n": taken}]), "what was acknowledged, no more");
}
