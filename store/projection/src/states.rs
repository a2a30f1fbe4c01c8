//! [`States`]: the entities that a batch needs, from memory or from the rows that they produced.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use lru::LruCache;
use partitura_event::{Problem, Workspace};
use partitura_table::TableStore;

use crate::codec;
use crate::entity::Entity;

/// Which entity: the number of the fold, and the key.
pub type EntityId = (usize, String);

/// Remembers entities between batches, so that few states are read back.
///
/// What is taken out for a batch is given back when the batch is applied. If it never is, the entities
/// are read from the store again: memory never holds more than the tables do.
pub struct States {
    known: LruCache<(Workspace, EntityId), Entity>,
}

impl States {
    /// Makes an empty memory of at most `capacity` entities.
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { known: LruCache::new(capacity) }
    }

    /// Returns the entities in the order of `wanted`, new ones empty. Only those that are `remembered` can be in
    /// memory. `table` names the table of a fold.
    pub async fn take(
        &mut self,
        store: &TableStore,
        workspace: &Workspace,
        wanted: &[EntityId],
        remembered: &[bool],
        table: impl Fn(usize) -> &'static str,
    ) -> Result<Vec<Entity>, Problem> {
        let mut entities = vec![Entity::default(); wanted.len()];
        let mut missing: BTreeMap<usize, (Vec<usize>, Vec<String>)> = BTreeMap::new();
        for (place, (id, remembered)) in wanted.iter().zip(remembered).enumerate() {
            let known = if *remembered { self.known.pop(&(workspace.clone(), id.clone())) } else { None };
            match known {
                Some(entity) => entities[place] = entity,
                None => {
                    let (places, keys) = missing.entry(id.0).or_default();
                    places.push(place);
                    keys.push(id.1.clone());
                }
            }
        }
        for (fold, (places, keys)) in missing {
            let states = store.states(workspace, table(fold), &keys).await?;
            for (place, state) in places.into_iter().zip(states) {
                if let Some(bytes) = state {
                    entities[place] = codec::decode(&bytes)?;
                }
            }
        }
        Ok(entities)
    }

    /// Remembers the entities of a batch that was applied.
    pub fn give_back(&mut self, workspace: &Workspace, entities: Vec<(EntityId, Entity)>) {
        for (id, entity) in entities {
            self.known.put((workspace.clone(), id), entity);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}
