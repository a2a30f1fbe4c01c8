//! A running listener: where it answers, and its end within a time.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long connections that are cut off are waited for.
const CUT_MAX: Duration = Duration::from_millis(500);

/// A running listener.
#[derive(Debug)]
pub struct Listening {
    pub(crate) name: &'static str,
    pub(crate) uri: String,
    pub(crate) stop: CancellationToken,
    pub(crate) cut: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl Listening {
    /// Returns the name of its setting.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns where it answers, as clients write it.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Takes no new connections, lets running requests end for `limit`, then cuts them off.
    pub async fn stop(mut self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, &mut self.task).await.is_err() {
            tracing::warn!(door = self.name, limit_ms = limit.as_millis() as u64, "requests were cut off");
            self.cut.cancel();
            // One that does not give way keeps its thread, and ends with the process.
            let _ = tokio::time::timeout(CUT_MAX, &mut self.task).await;
        }
    }
}
