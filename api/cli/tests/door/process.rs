//! A program of a client, run to its end.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest that one may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// Runs a command to its end with `input`. One that takes too long is killed, and fails its test.
#[track_caller]
pub fn finished(command: &mut Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    // One that ends early does not read what it is given.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
    let id = child.id();
    let reader = std::thread::spawn(move || child.wait_with_output());
    let until = Instant::now() + PATIENCE;
    while !reader.is_finished() {
        if Instant::now() > until {
            let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            panic!("{command:?} did not end in {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    reader.join().expect("the reader ends").expect("output can be read")
}
