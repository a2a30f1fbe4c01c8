//! Events that break a fold are parked: shown with position and error, taken by all other folds.

use partitura_event::Problem;
use partitura_projection::entity::Entity;
use partitura_projection::rows::Cells;
use partitura_projection::{Effect, Event, Projection, builtin};
use partitura_table::TableSpec;

use super::world::{Told, World, batches_of, workspace};

fn told(number: usize, kind: &str, data: &str) -> Told {
    Told { source: "test".into(), id: format!("e{number}"), kind: kind.into(), time: 1_000_000, data: data.into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_of_the_wrong_type_is_parked_where_it_matters() {
    let world = World::new(batches_of(1_000)).await;
    let name = workspace("w");
    let events = [
        told(
            1,
            "interaction.recorded",
            r#"{"interaction_id":"i1","kind":"llm","task_id":"t1","tokens_in":"many","input":"x"}"#,
        ),
        told(2, "interaction.recorded", r#"{"interaction_id":"i2","kind":"llm","task_id":"t1","tokens_in":3}"#),
        told(3, "task.created", r#"["not","an","object"]"#),
        told(4, "task.completed", r#"{"task_id":"t1","agent_id":"claude"}"#),
        told(5, "charge.recorded", r#"{"charge_id":"c","amount":"1","currency":"EUR","period":"whenever"}"#),
    ];
    world.append(&name, &events).await;
    world.projector.catch_up().await.expect("catches up");
    let tables = world.dump(&name, &["recorded_at", "_ord", "_pos"], false).await;
    assert_eq!(tables["events"].len(), 5);
    assert_eq!(tables["interactions"].len(), 1);
    assert_eq!(tables["tasks"].len(), 1, "the mention by the broken call counts: {:?}", tables["tasks"]);
    assert_eq!(tables["documents"].len(), 1);
    let parked: Vec<_> =
        world.projector.progress().latest_parked.iter().map(|p| (p.position.get(), p.projection, p.code)).collect();
    assert_eq!(parked, [(1, "interactions", "invalid"), (3, "tasks", "data_unreadable"), (5, "charges", "invalid")]);
    assert_eq!(tables["parked_events"].len(), 3);
    assert!(
        tables["parked_events"][0].contains("`tokens_in` = \"many\" is not a whole number"),
        "{:?}",
        tables["parked_events"]
    );
}

/// A fold that panics when it meets a certain task.
struct Fragile(&'static dyn Projection, When);

#[derive(PartialEq)]
enum When {
    Reading,
    MakingRows,
}

impl Projection for Fragile {
    fn table(&self) -> &'static TableSpec {
        self.0.table()
    }

    fn wants(&self, kind: &str) -> bool {
        self.0.wants(kind)
    }

    fn read<'a>(&'static self, event: &Event<'a>, out: &mut Vec<Effect<'a>>) -> Result<(), Problem> {
        self.0.read(event, out)?;
        assert!(self.1 != When::Reading || event.recorded.id.as_str() != "e3", "cannot read this");
        Ok(())
    }

    fn row<'e>(&self, entity: &'e Entity) -> Cells<'e> {
        let cells = self.0.row(entity);
        let boom = cells.iter().any(|(_, value)| value.as_text() == Some("boom"));
        assert!(self.1 != When::MakingRows || !boom, "cannot make this row");
        cells
    }
}

/// Returns the fold of tasks, made to panic over the story's third event.
pub fn fragile_tasks() -> &'static [Box<dyn Projection>] {
    fragile(When::MakingRows)
}

/// Two tasks; the update of the first one is what fragile folds cannot take.
pub fn story() -> [Told; 5] {
    [
        told(1, "task.created", r#"{"task_id":"t1","title":"first"}"#),
        told(2, "task.assigned", r#"{"task_id":"t1","agent_id":"claude"}"#),
        told(3, "task.updated", r#"{"task_id":"t1","title":"boom"}"#),
        told(4, "task.completed", r#"{"task_id":"t1"}"#),
        told(5, "task.created", r#"{"task_id":"t2","title":"second"}"#),
    ]
}

fn fragile(when: When) -> &'static [Box<dyn Projection>] {
    let tasks = builtin::all().iter().find(|fold| fold.table().name == "tasks").expect("the fold of tasks");
    let fragile: Vec<Box<dyn Projection>> = vec![Box::new(Fragile(tasks.as_ref(), when))];
    fragile.leak()
}

async fn panics(when: When) {
    let fragile = fragile(when);
    for size in [1, 2, 1_000] {
        let world = World::with(batches_of(size), fragile).await;
        let name = workspace("w");
        world.append(&name, &story()).await;
        world.projector.catch_up().await.expect("catches up");
        let tables = world.dump(&name, &[], false).await;
        assert_eq!(tables["tasks"].len(), 2);
        assert!(tables["tasks"][0].contains("title=first") && tables["tasks"][0].contains("status=completed"));
        let parked = world.projector.progress().latest_parked;
        let parked: Vec<_> = parked.iter().map(|parked| (parked.position.get(), parked.code)).collect();
        assert_eq!(parked, [(3, "panic")], "batches of {size}");
        assert_eq!(tables["parked_events"].len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_while_reading_parks_the_event() {
    panics(When::Reading).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_while_making_rows_parks_the_event_and_leaves_no_trace() {
    panics(When::MakingRows).await;
}
