//! Standard input and output by lines, each on a thread of its own: both may block for as long as they like.

use std::io::{BufRead, BufReader, Read, Write};
use std::thread::JoinHandle;

use partitura_event::{ErrorClass, Problem};
use tokio::sync::mpsc;

use crate::failure::{Failure, Outcome};

/// Longest message; above what a server takes by default.
const LINE_MAX: usize = 16 << 20;
/// Lines that wait to be handled, or to be written.
const QUEUE: usize = 16;

/// Lines of the input.
pub struct Lines(mpsc::Receiver<Result<Vec<u8>, Problem>>);

impl Lines {
    /// Starts to read.
    pub fn of_stdin() -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        std::thread::spawn(move || {
            let mut input = BufReader::new(std::io::stdin());
            while let Some(line) = read_line(&mut input, LINE_MAX) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// Returns the next line; none at the end.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Problem>> {
        self.0.recv().await
    }
}

/// Reads a line without its end. One that is too long is passed over and told.
fn read_line(input: &mut impl BufRead, max: usize) -> Option<Result<Vec<u8>, Problem>> {
    let mut line = Vec::new();
    let n = input.by_ref().take(max as u64 + 1).read_until(b'\n', &mut line).ok()?;
    if n == 0 {
        return None;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Some(Ok(line));
    }
    if n <= max {
        // The input ended without a last line break.
        return Some(Ok(line));
    }
    while !line.ends_with(b"\n") {
        line.clear();
        if input.by_ref().take(max as u64).read_until(b'\n', &mut line).ok()? == 0 {
            break;
        }
    }
    let detail = format!("a message has more than {max} bytes");
    Some(Err(Problem::new(ErrorClass::TooLarge, detail).code("message_too_large")))
}

/// The output.
pub struct Sink {
    sender: mpsc::Sender<Vec<u8>>,
    writer: JoinHandle<std::io::Result<()>>,
}

impl Sink {
    /// Starts to write.
    pub fn to_stdout() -> Self {
        let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(QUEUE);
        let writer = std::thread::spawn(move || {
            let mut out = std::io::stdout().lock();
            while let Some(mut line) = receiver.blocking_recv() {
                line.push(b'\n');
                out.write_all(&line)?;
                out.flush()?;
            }
            Ok(())
        });
        Self { sender, writer }
    }

    /// Returns where lines to be written are sent.
    pub fn sender(&self) -> mpsc::Sender<Vec<u8>> {
        self.sender.clone()
    }

    /// Waits until everything is written; all other senders must be gone.
    pub async fn finish(self) -> Outcome {
        let Self { sender, writer } = self;
        drop(sender);
        let joined = tokio::task::spawn_blocking(move || writer.join()).await;
        match joined {
            Ok(Ok(written)) => Ok(written?),
            _ => Err(Failure::found("the output broke")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_passed_over() {
        let mut input = &b"short\n0123456789abcdef\n\nlast"[..];
        let mut read = || read_line(&mut input, 8);
        assert_eq!(read().and_then(Result::ok), Some(b"short".to_vec()));
        assert_eq!(read().and_then(Result::err).map(|problem| problem.code), Some("message_too_large"));
        assert_eq!(read().and_then(Result::ok), Some(Vec::new()));
        assert_eq!(read().and_then(Result::ok), Some(b"last".to_vec()));
        assert!(read().is_none());
    }
}
