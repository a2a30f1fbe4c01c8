//! The same question has the same bytes: again, after a flush, a restart, a rebuild.

use partitura_event::{Fingerprint, Position};
use partitura_query::Format;

use super::world::{World, run};

const QUESTIONS: &[&str] = &[
    "SELECT * FROM tasks ORDER BY task_id",
    "SELECT * FROM attempts ORDER BY attempt_id",
    "SELECT * FROM attempt_facts ORDER BY attempt_id",
    "SELECT * FROM task_facts ORDER BY task_id",
    "SELECT * FROM costs ORDER BY interaction_id",
    "SELECT * FROM project_health ORDER BY project_id",
    "SELECT status, sum(points) AS p, avg(points) AS a FROM tasks GROUP BY status ORDER BY status",
    "SELECT sum(latency_ms) AS s, avg(latency_ms) AS a, stddev(latency_ms) AS d, var_pop(latency_ms) AS v FROM interactions",
    "SELECT now() AS n, current_date AS d, position, type FROM events ORDER BY position",
];

/// Returns a hash for each question and format.
async fn answers(world: &World) -> Vec<(String, Fingerprint)> {
    let mut all = Vec::new();
    for (question, format) in QUESTIONS.iter().flat_map(|q| [(q, Format::Json), (q, Format::Arrow)]) {
        let asked = world.ask_bytes(question, format, |request| request.as_of = Position::new(37)).await;
        let bytes = asked.unwrap_or_else(|problem| panic!("{question}: {problem}")).0;
        all.push((format!("{}: {question}", format.name()), Fingerprint::of(&bytes)));
    }
    all
}

#[test]
fn bytes_are_the_same_after_flush_restart_and_rebuild() {
    run(async {
        let world = World::open().await;
        let first = answers(&world).await;
        assert_eq!(answers(&world).await, first, "asked again");
        world.store.flush().await.expect("flushed");
        assert_eq!(answers(&world).await, first, "after a flush");
        world.store.maintain().await.expect("maintained");
        assert_eq!(answers(&world).await, first, "after maintenance");
        let world = world.restart(false).await;
        assert_eq!(answers(&world).await, first, "after a restart");
        let world = world.restart(true).await;
        assert_eq!(answers(&world).await, first, "after a rebuild");
    });
}

#[test]
fn sums_of_floats_do_not_depend_on_the_order_of_rows() {
    run(async {
        let world = World::open().await;
        let values = "SELECT value AS k, (CASE value % 3 WHEN 0 THEN 1e16 WHEN 1 THEN 1.1 ELSE -1e16 END) + sin(value) AS x \
                      FROM generate_series(1, 60000)";
        let measures = "sum(x) AS s, avg(x) AS a, stddev(x) AS d, var_pop(x) AS v, \
                        approx_percentile_cont(x, 0.95) AS p, approx_median(x) AS m";
        let mut seen = Vec::new();
        for order in ["k", "k DESC", "x, k", "k % 17, k"] {
            let ordered = format!("SELECT {measures} FROM (SELECT * FROM ({values}) ORDER BY {order} LIMIT 1000000)");
            seen.push(world.ask(&ordered).await.expect("answered"));
            let grouped = format!(
                "SELECT {measures} FROM (SELECT * FROM ({values}) ORDER BY {order} LIMIT 1000000) GROUP BY k > 0"
            );
            seen.push(world.ask(&grouped).await.expect("answered"));
        }
        assert!(seen.iter().all(|text| text == &seen[0]), "{seen:#?}");
    });
}
