//! The task that flushes and maintains, as long as the store lives.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::TableStore;

/// Starts the task. It ends when the store is dropped.
pub(crate) fn spawn(store: &Arc<TableStore>) {
    let (weak, wake, settings) = (Arc::downgrade(store), store.wake.clone(), store.settings.clone());
    let tick = (settings.flush_after / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
    tokio::spawn(async move {
        let mut failures = 0;
        loop {
            let wait = if failures == 0 { tick } else { settings.retry_after * (1 << u32::min(failures - 1, 4)) };
            let woken = tokio::time::timeout(wait, wake.notified()).await.is_ok();
            let Some(failed) = turn(&weak, woken || failures > 0).await else { break };
            failures = if failed { failures + 1 } else { 0 };
        }
    });
}

/// Flushes if it is time, then maintains. Returns whether the flush failed, or `None` without a store.
async fn turn(store: &Weak<TableStore>, woken: bool) -> Option<bool> {
    let store = store.upgrade()?;
    if !woken && !store.is_due().await {
        return Some(false);
    }
    if let Err(problem) = store.flush().await {
        tracing::error!(error = %problem, "flush of the tables failed; it is tried again");
        return Some(true);
    }
    if store.settings.maintain
        && let Err(problem) = store.maintain().await
    {
        tracing::error!(error = %problem, "maintenance of the tables failed; it is tried again after the next flush");
    }
    Some(false)
}

impl TableStore {
    async fn is_due(&self) -> bool {
        let since = self.writer.lock().await.dirty_since;
        since.is_some_and(|since| Instant::now() >= since + self.settings.flush_after)
    }
}
