//! Bytes that a call sends: counted against the memory of all bodies, before they become messages.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use partitura_event::{ErrorClass, Problem};
use partitura_service::BodyShare;
use tonic::Status;

use crate::status::status;

/// The body of a call and its share of the budget, which is given back when the call has read all of it.
pub struct Upload {
    body: Incoming,
    share: BodyShare,
    counted: u64,
    most: u64,
    beyond: Beyond,
}

/// What happens to a body that is larger than its share may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// It is one message, and too large.
    Refused,
    /// It is a stream of messages of which one is held at a time.
    Streamed,
}

impl Upload {
    /// Counts `body` as long as it comes, up to `most` bytes.
    pub const fn new(body: Incoming, share: BodyShare, most: u64, beyond: Beyond) -> Self {
        Self { body, share, counted: 0, most, beyond }
    }

    fn count(&mut self, bytes: u64) -> Result<(), Status> {
        let more = bytes.min(self.most - self.counted);
        if more < bytes && self.beyond == Beyond::Refused {
            let detail = format!("the call has more than {} bytes", self.most);
            return Err(status(&Problem::new(ErrorClass::TooLarge, detail).code("body_too_large")));
        }
        self.share.grow(more).map_err(|problem| status(&problem))?;
        self.counted += more;
        Ok(())
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => {
                return Poll::Ready(Some(Err(Status::cancelled(format!("the call broke off: {error}")))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
        Poll::Ready(Some(self.count(bytes).map(|()| frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
