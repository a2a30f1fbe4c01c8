//! Bytes of the protocol, sent and read by hand.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::Server;
use crate::world::address;

/// Longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection without a driver.
pub struct Raw(TcpStream);

/// Type and body of each message of the server.
pub type Said = Vec<(u8, Vec<u8>)>;

impl Raw {
    /// Connects, and says nothing yet.
    pub fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(address(server)).expect("the door is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time limit");
        Self(stream)
    }

    /// Connects and is let in.
    pub fn session(server: &Server) -> Self {
        let mut raw = Self::open(server);
        raw.send(&startup(196_608, b"user\0ada\0database\0partitura\0\0"));
        let said = raw.until(b'Z');
        assert!(said.iter().any(|(tag, _)| *tag == b'K'), "{said:?}");
        raw
    }

    /// Sends bytes. A server that hung up does not take them.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Reads messages up to one of a type, or to the end.
    pub fn until(&mut self, last: u8) -> Said {
        let mut said = Vec::new();
        loop {
            let mut head = [0; 5];
            match self.0.read_exact(&mut head) {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    panic!("no answer in {} s: {said:?}", PATIENCE.as_secs())
                }
                Err(_) => return said,
            }
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let mut body = vec![0; length - 4];
            self.0.read_exact(&mut body).expect("a whole message");
            said.push((head[0], body));
            if head[0] == last {
                return said;
            }
        }
    }

    /// Sends a simple query and reads the answer.
    pub fn ask(&mut self, sql: &[u8]) -> Said {
        self.send(&message(b'Q', &[sql, b"\0"].concat()));
        self.until(b'Z')
    }

    /// Says that nothing more is sent.
    pub fn finish(&mut self) {
        let _ = self.0.shutdown(std::net::Shutdown::Write);
    }
}

/// Makes a message.
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a message");
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// Makes a first message.
pub fn startup(code: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("a message");
    [&length.to_be_bytes()[..], &code.to_be_bytes(), body].concat()
}

/// Returns SQLSTATE and text of the first error.
pub fn error(said: &Said) -> Option<(String, String)> {
    let (_, body) = said.iter().find(|(tag, _)| *tag == b'E')?;
    let field = |wanted: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&wanted));
        String::from_utf8_lossy(&found.unwrap_or_default()[1..]).into_owned()
    };
    Some((field(b'C'), field(b'M')))
}

/// Returns the cells of the rows.
pub fn rows(said: &Said) -> Vec<Vec<u8>> {
    said.iter().filter(|(tag, _)| *tag == b'D').map(|(_, body)| body[6..].to_vec()).collect()
}
