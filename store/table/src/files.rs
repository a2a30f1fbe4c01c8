//! Where the tables lie, and the caches that all of them share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lance::cache::{CacheBackend, QuickCacheBackend};
use lance::session::Session;
use partitura_event::Workspace;

use crate::settings::TableSettings;

/// The folder of all tables and the one Lance session.
pub(crate) struct Files {
    root: PathBuf,
    pub session: Arc<Session>,
    index_cache: Arc<QuickCacheBackend>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Files {
    /// Takes the folder and makes caches of the size that is set (Lance's own default is 7 GiB).
    pub fn new(root: &Path, settings: &TableSettings) -> Self {
        let index_cache = Arc::new(QuickCacheBackend::with_capacity(settings.index_cache_bytes));
        let session =
            Session::with_index_cache_backend(index_cache.clone(), settings.metadata_cache_bytes, Arc::default());
        Self { root: root.to_owned(), session: Arc::new(session), index_cache }
    }

    /// Empties the caches. Lance keeps what it knows of a version under the version's number, and after
    /// a roll-back the number is given to another version.
    pub async fn forget(&self) {
        self.index_cache.clear().await;
        self.session.file_metadata_cache().clear().await;
    }

    /// Returns the folder of all tables.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the full path of a table's folder.
    pub fn full(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

/// Returns the folder of a table, relative to that of all tables.
///
/// A workspace's name is made of lower-case letters, digits, `-` and `_`, so it is a folder's name too.
pub(crate) fn table_path(workspace: &Workspace, table: &str, generation: u64) -> String {
    format!("{workspace}/{table}-{generation}.lance")
}
