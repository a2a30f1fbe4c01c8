//! Bytes of a connection: whole messages in, within a limit; messages out, gathered until there is enough of them.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{BodyShare, Service};
use pgwire::messages::PgWireBackendMessage;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::problem::protocol;

/// Sent when so many bytes wait.
const GATHERED: usize = 64 << 10;
/// Bytes that a client may send ahead while a query runs.
const AHEAD: usize = 64 << 10;
/// A message of so many bytes is read past, and refused; what says it is longer ends the connection.
const SKIPPED_MAX: usize = 64 << 20;
/// Messages of fewer bytes are not counted against the memory of all bodies.
const UNCOUNTED: usize = 8 << 10;

/// A stream, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Why a message was not read.
pub enum Unread {
    /// It was read past; the connection goes on.
    Refused { tag: u8, problem: Problem },
    /// It makes no sense; what follows would not either.
    Broken(Problem),
    /// Nobody is there any more.
    Gone(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

/// One message of a client.
pub struct Frame {
    /// Its first byte.
    pub tag: u8,
    /// What follows its length.
    pub body: Bytes,
    _share: Option<BodyShare>,
}

/// One connection.
pub struct Wire {
    io: Box<dyn Stream>,
    inbound: BytesMut,
    outbound: BytesMut,
    stall: Duration,
}

impl Wire {
    /// Takes over a stream; a client that does not read for `stall` loses it.
    pub fn new(io: Box<dyn Stream>, stall: Duration) -> Self {
        Self { io, inbound: BytesMut::new(), outbound: BytesMut::new(), stall }
    }

    /// Returns the stream, if nothing was read of it that nobody asked for.
    pub fn into_stream(self) -> Option<Box<dyn Stream>> {
        self.inbound.is_empty().then_some(self.io)
    }

    /// Reads until `count` bytes are there, and returns them.
    pub async fn exactly(&mut self, count: usize) -> io::Result<Bytes> {
        while self.inbound.len() < count {
            self.more().await?;
        }
        Ok(self.inbound.split_to(count).freeze())
    }

    /// Reads the next message of at most `most` bytes; `None` when the client has gone.
    pub async fn frame(&mut self, service: &Service, most: usize) -> Result<Option<Frame>, Unread> {
        while self.inbound.len() < 5 {
            match self.more().await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.inbound.is_empty() => {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let tag = self.inbound[0];
        let length = (&self.inbound[1..5]).get_u32() as usize;
        if !(4..=SKIPPED_MAX).contains(&length) {
            return Err(Unread::Broken(protocol(format!("a message says that it is {length} bytes long"))));
        }
        self.inbound.advance(5);
        let length = length - 4;
        if length > most {
            self.skip(length).await?;
            let detail = format!("the message has {length} bytes; at most {most} are read");
            let problem = Problem::new(ErrorClass::TooLarge, detail).code("body_too_large");
            return Err(Unread::Refused { tag, problem });
        }
        let share = match self.share(service, length) {
            Ok(share) => share,
            Err(problem) => {
                self.skip(length).await?;
                return Err(Unread::Refused { tag, problem });
            }
        };
        let body = self.exactly(length).await?;
        Ok(Some(Frame { tag, body, _share: share }))
    }

    fn share(&self, service: &Service, length: usize) -> Result<Option<BodyShare>, Problem> {
        if length < UNCOUNTED {
            return Ok(None);
        }
        let mut share = service.body_share();
        share.grow(length as u64)?;
        Ok(Some(share))
    }

    async fn skip(&mut self, mut length: usize) -> io::Result<()> {
        loop {
            let here = length.min(self.inbound.len());
            self.inbound.advance(here);
            length -= here;
            if length == 0 {
                return Ok(());
            }
            self.more().await?;
        }
    }

    /// Waits until the client has gone. What it sends meanwhile is kept, up to a limit.
    pub async fn gone(&mut self) -> io::Error {
        loop {
            if self.inbound.len() >= AHEAD {
                // It will be seen when the rows that it does not read are written.
                return std::future::pending().await;
            }
            if let Err(error) = self.more().await {
                return error;
            }
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.io.read_buf(&mut self.inbound).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Adds a message to what is sent.
    pub async fn send(&mut self, message: PgWireBackendMessage) -> io::Result<()> {
        message.encode(&mut self.outbound).map_err(io::Error::other)?;
        if self.outbound.len() < GATHERED {
            return Ok(());
        }
        self.flush().await
    }

    /// Sends what waits.
    pub async fn flush(&mut self) -> io::Result<()> {
        let sent = timeout(self.stall, async {
            self.io.write_all_buf(&mut self.outbound).await?;
            self.io.flush().await
        });
        sent.await.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
    }

    /// Sends what waits, and says that nothing follows.
    pub async fn close(mut self) {
        if self.flush().await.is_ok() {
            let _ = timeout(self.stall, self.io.shutdown()).await;
        }
    }
}
