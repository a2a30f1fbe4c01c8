//! [`Serving`]: which model answers questions, and how another one takes its place.
//!
//! Vectors of two models are never compared. So a new model first embeds everything beside the old one, which
//! goes on answering and goes on embedding what comes in; when nothing is missing any more, questions go to the
//! new one. A search that has begun ends with the model it began with.

use std::sync::Arc;

use parking_lot::RwLock;
use partitura_event::Problem;

use crate::embedder::Embedder;
use crate::follow::VectorFollower;

/// The model that answers. Clones share it.
#[derive(Clone, Default)]
pub struct Serving(Arc<RwLock<Option<Arc<dyn Embedder>>>>);

impl Serving {
    /// Answers with `embedder` from the start; with none, only words answer.
    pub fn new(embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self(Arc::new(RwLock::new(embedder)))
    }

    /// Returns the model that answers now.
    pub fn embedder(&self) -> Option<Arc<dyn Embedder>> {
        self.0.read().clone()
    }

    /// Hands over to the model of `follower` if its vectors are complete. Returns whether it answers now.
    pub fn hand_over(&self, follower: &VectorFollower) -> Result<bool, Problem> {
        let successor = follower.embedder();
        if self.embedder().is_some_and(|serving| serving.model() == successor.model()) {
            return Ok(true);
        }
        let is_complete = follower.is_complete()?;
        if is_complete {
            *self.0.write() = Some(successor.clone());
        }
        Ok(is_complete)
    }
}
