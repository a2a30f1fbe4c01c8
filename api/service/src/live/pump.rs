//! A task that speaks to a client who may stop listening: a place is not kept for who reads nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// The speaking end.
pub struct Speaker<T> {
    sender: mpsc::Sender<T>,
    /// How long the reader may let it wait.
    pause: Duration,
}

impl<T> Speaker<T> {
    /// Returns whether there is still somebody who listens. Errors when they take nothing for too long.
    pub async fn say(&self, what: T) -> Result<bool, Problem> {
        match tokio::time::timeout(self.pause, self.sender.send(what)).await {
            Ok(sent) => Ok(sent.is_ok()),
            Err(_) => {
                let detail = format!("the client read nothing for {} ms", self.pause.as_millis());
                Err(Problem::new(ErrorClass::Timeout, detail)
                    .code("slow_client")
                    .hint("open the stream again after `position`, and read it as it comes"))
            }
        }
    }

    /// Returns when nobody listens any more.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// Runs `task` and returns what it says. Its result is the last word: it waits for the reader without holding the task,
/// so one who was given up for reading nothing still finds it, should they read on.
pub fn spoken<T, F, Fut>(pause: Duration, task: F) -> impl Stream<Item = T> + Send + use<T, F, Fut>
where
    T: Send + 'static,
    F: FnOnce(Speaker<T>) -> Fut,
    Fut: Future<Output = Option<T>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let last = Arc::new(Mutex::new(None));
    let (told, open) = (Arc::clone(&last), sender.clone());
    let task = task(Speaker { sender, pause });
    tokio::spawn(async move {
        let word = task.await;
        *told.lock() = word;
        // The channel closes when the last word is in its place.
        drop(open);
    });
    // Asked for only when the channel has closed.
    let last = futures::stream::once(async move { last.lock().take() }).filter_map(std::future::ready);
    ReceiverStream::new(receiver).chain(last)
}

/// Returns why a stream ends when the server does.
pub fn stopping() -> Problem {
    Problem::new(ErrorClass::Unavailable, "the server is stopping")
        .code("shutting_down")
        .hint("open the stream again after `position`")
        .retry_after(Duration::from_secs(1))
}
