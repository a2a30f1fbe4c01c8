//! Accepts connections until it is told to stop: so many at once, each ended gracefully or cut off.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bound::Bound;
use crate::listening::Listening;

/// Pause after the system refused a connection, most often because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What is spoken on the connections of a listener.
pub trait Protocol: Send + Sync + 'static {
    /// Serves one connection to its end; once `stop` is cancelled it finishes what it does and takes nothing new.
    fn serve(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) -> impl Future<Output = ()> + Send;

    /// Says that `max` connections are open. A protocol that has no words before the client's hangs up.
    fn turn_away(self: Arc<Self>, _stream: TcpStream, max: usize) -> impl Future<Output = ()> + Send {
        async move { tracing::debug!(max, "a connection was closed: `connections_max` are open") }
    }
}

/// Serves `protocol` on a bound address; `uri` is how clients write it. Cancelling `stop` is the first half of
/// [`Listening::stop`], for handlers that wait for something to happen.
pub fn serve<P: Protocol>(
    bound: Bound,
    uri: String,
    protocol: P,
    connections_max: usize,
    stop: CancellationToken,
) -> Listening {
    let (cut, max) = (CancellationToken::new(), connections_max.clamp(1, Semaphore::MAX_PERMITS));
    let accept = Accept {
        protocol: Arc::new(protocol),
        places: Arc::new(Semaphore::new(max)),
        max,
        stop: stop.clone(),
        cut: cut.clone(),
        open: TaskTracker::new(),
    };
    let task = tokio::spawn(accept.run(bound.socket));
    Listening { name: bound.name, uri, stop, cut, task }
}

struct Accept<P> {
    protocol: Arc<P>,
    places: Arc<Semaphore>,
    max: usize,
    /// Cancelled: no new connections, and those that are idle end.
    stop: CancellationToken,
    /// Cancelled: what still runs is cut off.
    cut: CancellationToken,
    open: TaskTracker,
}

impl<P: Protocol> Accept<P> {
    /// Returns when the last connection has ended.
    async fn run(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.open(stream),
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "connections cannot be accepted; trying again");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        self.open.close();
        self.open.wait().await;
    }

    fn open(&self, stream: TcpStream) {
        let protocol = Arc::clone(&self.protocol);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.open.spawn(protocol.turn_away(stream, self.max));
            return;
        };
        // An answer is written whole; waiting for more to send with it would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        let (stop, cut) = (self.stop.clone(), self.cut.clone());
        self.open.spawn(async move {
            let _place = place;
            tokio::select! {
                () = protocol.serve(stream, stop) => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

/// A client that was gone before it was served is no fault of ours.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
