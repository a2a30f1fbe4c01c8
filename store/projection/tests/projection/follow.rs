//! The loop: rows become visible soon after the append, and it stops when it is told.

use std::time::{Duration, Instant};

use partitura_event::{ErrorClass, Position};
use partitura_log::EventLog;
use tokio::sync::oneshot;

use super::world::{Told, World, batches_of, workspace};

fn told(number: u64) -> Told {
    Told {
        source: "test".into(),
        id: format!("e{number}"),
        kind: "task.created".into(),
        time: 1_000_000,
        data: format!(r#"{{"task_id":"t{number}","title":"x"}}"#),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn follows_the_log_until_it_is_stopped() {
    let world = World::new(batches_of(4_096)).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let projector = world.projector.clone();
    let running = tokio::spawn(async move { projector.run(async { drop(stopped.await) }).await });
    let mut waits = Vec::new();
    for number in 1..=50 {
        world.append(&workspace("w"), &[told(number)]).await;
        let position = Position::new(number).expect("a position");
        let appended = Instant::now();
        world.projector.wait_for(position, Duration::from_secs(5)).await.expect("becomes visible");
        waits.push(appended.elapsed());
    }
    waits.sort();
    println!("append to visible: median {:?}, slowest {:?}", waits[25], waits[49]);
    assert_eq!(world.dump(&workspace("w"), &[], false).await["tasks"].len(), 50);
    let progress = world.projector.progress();
    assert_eq!((progress.lag_events(), progress.lag, progress.parked), (0, Duration::ZERO, 0));
    stop.send(()).expect("it still runs");
    running.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_in_vain_tells_why() {
    let world = World::new(batches_of(1)).await;
    world.append(&workspace("w"), &[told(1), told(2)]).await;
    world.projector.step().await.expect("steps");
    let head = world.log.head().expect("events");
    let problem = world.projector.wait_for(head, Duration::from_millis(20)).await.expect_err("nobody follows");
    assert_eq!((problem.class, problem.code), (ErrorClass::Timeout, "projection_lag"));
    assert_eq!(
        problem.detail,
        "position 2 is not visible after 20 ms: the tables are at 1, the log at 2 (1 events wait)"
    );
    let beyond = Position::new(9).expect("a position");
    let problem = world.projector.wait_for(beyond, Duration::from_millis(20)).await.expect_err("there is none");
    assert_eq!(problem.code, "position_unknown");
}
