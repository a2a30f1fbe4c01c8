//! One batch of events of one workspace: from events to the rows of all tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::resume_unwind;
use std::sync::Arc;

use partitura_event::{Position, Problem, Recorded, Workspace};
use partitura_table::schema::TableSpec;
use partitura_table::schema::documents::DOCUMENTS;
use partitura_table::schema::parked::PARKED_EVENTS;
use partitura_table::{Delta, TableStore};

use crate::caught::caught;
use crate::codec;
use crate::data::Data;
use crate::entity::Entity;
use crate::fold::{Effect, Event, Projection};
use crate::parked::Parked;
use crate::rows::{Cells, Rows};
use crate::stamp::Stamp;
use crate::states::{EntityId, States};

/// Fewest events for which a thread is worth starting.
const SHARE: usize = 512;

/// What a batch became.
pub struct Folded {
    /// Rows by table.
    pub deltas: Vec<Delta>,
    /// Events that some fold could not take.
    pub parked: Vec<Parked>,
    /// Entities worth remembering once the rows are applied.
    pub entities: Vec<(EntityId, Entity)>,
}

/// One effect of one event, for one fold.
struct Step<'a> {
    event: &'a Recorded,
    stamp: Arc<Stamp>,
    fold: usize,
    effect: Effect<'a>,
}

/// Folds events of one workspace, in their order.
///
/// Only the folds of the tables in `chosen` are asked. An event that a fold refuses is parked for that
/// fold. Reading an event changes nothing, so most refusals end there; when rows cannot be made of what was
/// read, everything is made again without it.
pub async fn fold(
    projections: &'static [Box<dyn Projection>],
    chosen: &BTreeSet<&'static str>,
    store: &TableStore,
    states: &mut States,
    workspace: &Workspace,
    events: &[&Recorded],
) -> Result<Folded, Problem> {
    let shares: Vec<_> = shares(events).collect();
    let data = side_by_side(shares.iter().map(|events| move || split(events)));
    let reading = shares.iter().zip(&data).map(|(events, data)| move || read(projections, chosen, events, data));
    let (mut steps, mut parked) = (Vec::with_capacity(events.len() * 3), Vec::new());
    for (more, refused) in side_by_side(reading) {
        steps.extend(more);
        parked.extend(refused);
    }
    let places = places(&steps);
    let mut skipped: BTreeSet<(Position, usize)> = BTreeSet::new();
    loop {
        let name = |fold: usize| projections[fold].table().name;
        let entities = states.take(store, workspace, &places.ids, &places.folded, name).await?;
        let last = vec![None; entities.len()];
        let mut making = Making { projections, entities, last, rows: BTreeMap::new() };
        let all = steps.iter().zip(&places.of_steps);
        let mut left = all.filter(|(step, _)| !skipped.contains(&(step.event.position, step.fold)));
        let failed = left.find_map(|(step, place)| {
            let failure = caught(|| making.make(step, *place)).err()?;
            Some((step, failure))
        });
        let Some((step, problem)) = failed else {
            parked.sort_by_key(|parked: &Parked| (parked.position, parked.projection));
            return making.finish(places, parked);
        };
        parked.push(Parked::new(step.event, projections[step.fold].table().name, &problem));
        skipped.insert((step.event.position, step.fold));
    }
}

static NO_DATA: Data<'static> = Data::empty();

/// Cuts a batch into parts of which each is worth a thread. Reading an event asks for no other, so that the
/// parts can be read side by side.
fn shares<'e, 'a>(events: &'e [&'a Recorded]) -> impl Iterator<Item = &'e [&'a Recorded]> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    events.chunks(events.len().div_ceil(threads).max(SHARE))
}

/// Runs all of `work` at once, the first on this thread; returns the results in order.
fn side_by_side<T: Send>(work: impl Iterator<Item = impl FnOnce() -> T + Send>) -> Vec<T> {
    let mut work = work.into_iter();
    let Some(first) = work.next() else { return Vec::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> = work.map(|work| scope.spawn(work)).collect();
        let mut results = vec![first()];
        // Folds are guarded one by one: a panic here is a defect of this file, and ends the batch.
        let joined = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        results.extend(joined);
        results
    })
}

fn split<'a>(events: &[&'a Recorded]) -> Vec<Result<Data<'a>, Problem>> {
    events.iter().map(|event| Data::split(event.data.get())).collect()
}

/// Asks every fold about every event that it wants.
fn read<'a>(
    projections: &'static [Box<dyn Projection>],
    chosen: &BTreeSet<&'static str>,
    events: &[&'a Recorded],
    data: &'a [Result<Data<'a>, Problem>],
) -> (Vec<Step<'a>>, Vec<Parked>) {
    let mut routes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let (mut steps, mut parked) = (Vec::with_capacity(events.len() * 3), Vec::new());
    let mut effects = Vec::new();
    for (recorded, data) in events.iter().zip(data) {
        let wanting = routes.entry(recorded.kind.as_str()).or_insert_with(|| {
            let wants = |fold: &usize| {
                let projection = &projections[*fold];
                chosen.contains(projection.table().name) && projection.wants(recorded.kind.as_str())
            };
            (0..projections.len()).filter(wants).collect()
        });
        let stamp = Stamp::of(recorded);
        for fold in wanting.iter().copied() {
            let projection = &projections[fold];
            let split = match (data, projection.reads_data()) {
                (_, false) => Ok(&NO_DATA),
                (Ok(data), true) => Ok(data),
                (Err(problem), true) => Err(problem.clone()),
            };
            let event = |data| Event { recorded, data, stamp: stamp.clone() };
            match split.and_then(|data| caught(|| projection.read(&event(data), &mut effects))) {
                Ok(()) => {
                    steps.extend(effects.drain(..).map(|effect| match effect {
                        Effect::TouchAt(stamp, key, change) => {
                            Step { event: recorded, stamp, fold, effect: Effect::Touch(key, change) }
                        }
                        effect => Step { event: recorded, stamp: stamp.clone(), fold, effect },
                    }));
                }
                Err(problem) => {
                    effects.clear();
                    parked.push(Parked::new(recorded, projection.table().name, &problem));
                }
            }
        }
    }
    (steps, parked)
}

/// Where the steps find their entities.
struct Places {
    ids: Vec<EntityId>,
    /// Whether the entity consists of more than its last event: then it is worth remembering.
    folded: Vec<bool>,
    /// Place of each step's entity in `ids`; of no use for rows that are appended.
    of_steps: Vec<usize>,
}

fn places(steps: &[Step<'_>]) -> Places {
    let mut known: HashMap<(usize, &str), usize> = HashMap::with_capacity(steps.len());
    let mut places = Places { ids: Vec::new(), folded: Vec::new(), of_steps: Vec::with_capacity(steps.len()) };
    for step in steps {
        let (key, folded) = match &step.effect {
            Effect::Row(_) => {
                places.of_steps.push(usize::MAX);
                continue;
            }
            Effect::Touch(key, _) | Effect::TouchAt(_, key, _) => (key.as_str(), true),
            Effect::Replace(key, _) => (key.as_str(), false),
        };
        let place = *known.entry((step.fold, key)).or_insert_with(|| {
            places.ids.push((step.fold, key.to_owned()));
            places.folded.push(folded);
            places.ids.len() - 1
        });
        places.of_steps.push(place);
    }
    places
}

/// Rows in the making.
struct Making {
    projections: &'static [Box<dyn Projection>],
    entities: Vec<Entity>,
    /// The last row of each entity that has changed.
    last: Vec<Option<usize>>,
    rows: BTreeMap<&'static str, Rows>,
}

impl Making {
    fn make(&mut self, step: &Step<'_>, place: usize) -> Result<(), Problem> {
        let projections = self.projections;
        let projection = &projections[step.fold];
        let table = projection.table();
        match &step.effect {
            Effect::Row(cells) => rows(&mut self.rows, table).append(step.event.position, cells),
            Effect::Replace(key, cells) => self.replace(step, place, key, cells),
            Effect::Touch(key, change) | Effect::TouchAt(_, key, change) => {
                let entity = &mut self.entities[place];
                if !entity.would_change(&step.stamp, change) {
                    return Ok(());
                }
                let before = projection.document(entity).map(owned);
                if !entity.apply(&step.stamp, change) {
                    return Ok(());
                }
                let after = projection.document(entity);
                if let Some((doc_key, cells)) = &after
                    && before.is_none_or(|(_, before)| before != *cells)
                {
                    rows(&mut self.rows, &DOCUMENTS).version(step.event.position, doc_key, cells)?;
                }
                let row = rows(&mut self.rows, table).version(step.event.position, key, &projection.row(entity))?;
                self.last[place] = Some(row);
                Ok(())
            }
        }
    }

    fn replace(&mut self, step: &Step<'_>, place: usize, key: &str, cells: &Cells<'_>) -> Result<(), Problem> {
        if self.entities[place].is_last_word(&step.stamp) {
            let table = self.projections[step.fold].table();
            let row = rows(&mut self.rows, table).version(step.event.position, key, cells)?;
            self.last[place] = Some(row);
        }
        Ok(())
    }

    fn finish(mut self, places: Places, parked: Vec<Parked>) -> Result<Folded, Problem> {
        for ((entity, (fold, _)), last) in self.entities.iter().zip(&places.ids).zip(&self.last) {
            if let Some(row) = last {
                rows(&mut self.rows, self.projections[*fold].table()).set_state(*row, codec::encode(entity));
            }
        }
        for event in &parked {
            rows(&mut self.rows, &PARKED_EVENTS).append(event.position, &event.cells())?;
        }
        let deltas: Result<Vec<_>, Problem> =
            self.rows.into_values().filter_map(|rows| rows.finish().transpose()).collect();
        let known = places.ids.into_iter().zip(self.entities).zip(places.folded);
        let entities = known.filter(|(_, folded)| *folded).map(|(entity, _)| entity).collect();
        Ok(Folded { deltas: deltas?, parked, entities })
    }
}

fn rows<'m>(all: &'m mut BTreeMap<&'static str, Rows>, table: &'static TableSpec) -> &'m mut Rows {
    all.entry(table.name).or_insert_with(|| Rows::new(table))
}

fn owned((key, cells): (String, Cells<'_>)) -> (String, Cells<'static>) {
    (key, cells.into_iter().map(|(column, value)| (column, value.into_owned())).collect())
}

impl Entity {
    /// Makes an event the last word on the entity, unless a later one is.
    fn is_last_word(&mut self, stamp: &Arc<Stamp>) -> bool {
        let word = crate::entity::Cell {
            slot: crate::entity::OWN_SLOTS,
            keep: crate::entity::Keep::Last,
            value: crate::value::Value::Bool(true),
        };
        let change = crate::entity::Change { cells: vec![word], ..crate::entity::Change::default() };
        self.apply(stamp, &change)
    }
}
