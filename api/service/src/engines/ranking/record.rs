//! The file that says which embedding model answers, so that another one can be made ready beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use partitura_embed::{Embedder, FastEmbedder, ModelId, ModelSettings};
use partitura_event::{ErrorClass, Problem};
use serde::{Deserialize, Serialize};

use crate::durable_file;

/// What the file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// `name@hash`.
    model: String,
    /// How it was opened.
    settings: ModelSettings,
}

impl Record {
    pub fn new(model: &ModelId, settings: &ModelSettings) -> Self {
        Self { model: model.to_string(), settings: settings.clone() }
    }

    /// Reads the file; one that cannot be read is as good as none.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Writes the file, durably.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            Problem::new(ErrorClass::Unavailable, format!("{} cannot be written: {error}", path.display()))
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(&error))?;
        durable_file::replace(path, &text).map_err(|error| failed(&error))
    }

    /// Returns the model's `name@hash`.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns whether it names this model.
    pub fn is_of(&self, model: &ModelId) -> bool {
        self.model == model.to_string()
    }

    /// Opens the model again, with one session: it answers questions and follows what comes in. `None` when its
    /// files are gone or others.
    pub fn open(&self, runtime: Option<PathBuf>) -> Option<Arc<dyn Embedder>> {
        let settings = ModelSettings { sessions: Some(1), runtime, ..self.settings.clone() };
        let embedder = FastEmbedder::open(&settings).ok()?;
        self.is_of(embedder.model()).then(|| Arc::new(embedder) as Arc<dyn Embedder>)
    }
}
