//! An answer on its way to a client that may stop reading.

use std::time::Duration;

use futures::{Stream, StreamExt};
use partitura_event::{ErrorClass, Problem};
use tokio::sync::mpsc;

/// One piece of an answer on its way, or its proper end.
type Piece<T> = Option<Result<T, Problem>>;

/// Reads the rest in a task of its own, and gives `hold` back when it ends: a client that stops reading for `pause`
/// loses the query, so that a few of them cannot keep every place of the running ones.
pub fn pumped<T: Send + 'static>(
    rest: impl Stream<Item = Result<T, Problem>> + Send + 'static,
    hold: impl Send + 'static,
    pause: Duration,
) -> impl Stream<Item = Result<T, Problem>> + Send + 'static {
    let (sender, receiver) = mpsc::channel::<Piece<T>>(1);
    tokio::spawn(async move {
        let _hold = hold;
        let mut rest = Box::pin(rest);
        loop {
            let piece = tokio::select! {
                () = sender.closed() => return,
                piece = rest.next() => piece,
            };
            let last = !matches!(piece, Some(Ok(_)));
            let sent = tokio::time::timeout(pause, sender.send(piece)).await;
            if last || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    });
    futures::stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Some(Ok(piece))) => Some((Ok(piece), Some(receiver))),
            Some(Some(Err(problem))) => Some((Err(problem), None)),
            Some(None) => None,
            // The pump gave up: the answer must not look like a whole one.
            None => Some((Err(Problem::new(ErrorClass::Timeout, "the client stopped reading")), None)),
        }
    })
}
