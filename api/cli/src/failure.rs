//! How a command fails: a sentence on stderr and an exit code from the one error table.

use std::fmt;
use std::process::ExitCode;

use partitura_event::{ErrorClass, Problem};
use serde_json::Value;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    text: String,
    exit: u8,
}

/// What commands return.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// Reads a server's problem; `status` and `body` as they came.
    pub fn of_answer(status: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let class = ErrorClass::ALL
            .iter()
            .find(|class| text("title") == Some(class.title()))
            .or_else(|| ErrorClass::ALL.iter().find(|class| class.http() == status));
        let mut said = text("detail").map_or_else(|| format!("the server answered {status}"), str::to_owned);
        let near: Vec<_> = body["suggestions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !near.is_empty() {
            said += &format!(" (did you mean {}?)", near.join(" or "));
        }
        if let Some(hint) = text("hint") {
            said += &format!("\n  {hint}");
        }
        for issue in body["issues"].as_array().into_iter().flatten().skip(1) {
            said +=
                &format!("\n  {}: {}", issue["path"].as_str().unwrap_or("?"), issue["message"].as_str().unwrap_or(""));
        }
        Self { text: said, exit: class.map_or(1, |class| class.exit()) }
    }

    /// Makes a failure of the wrong use of a command.
    pub fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit: 2 }
    }

    /// Makes a failure of a file, with its name.
    pub fn of_file(path: &std::path::Path, error: impl fmt::Display) -> Self {
        Self { text: format!("{}: {error}", path.display()), exit: 1 }
    }

    /// Makes a failure of something that was found wrong.
    pub fn found(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit: 1 }
    }

    /// Makes the failure of a command that was told to stop before its end.
    pub fn interrupted() -> Self {
        Self { text: "interrupted; what was acknowledged is kept".into(), exit: 130 }
    }

    /// Returns it as a problem with the same exit code, for those who know nothing of commands.
    pub fn into_problem(self) -> Problem {
        let class = ErrorClass::ALL.iter().find(|class| class.exit() == self.exit);
        Problem::new(class.copied().unwrap_or(ErrorClass::Unavailable), self.text)
    }

    /// Prints it and returns the exit code.
    pub fn report(&self) -> ExitCode {
        if self.exit != 0 {
            eprintln!("partitura: {}", self.text);
        }
        ExitCode::from(self.exit)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { text: problem.to_string(), exit: problem.class.exit() }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let class = ErrorClass::Unavailable;
        let url = error.url().map(|url| format!(" {url}")).unwrap_or_default();
        let text = if error.is_connect() {
            format!("nothing answers at{url}; start a server with `partitura serve`, or name one with --url")
        } else if error.is_timeout() {
            format!("no answer in time from{url}")
        } else {
            format!("the answer broke off: {error}")
        };
        Self { text, exit: class.exit() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A closed pipe is how `head` says that it has seen enough.
        let exit = if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 };
        Self { text: error.to_string(), exit }
    }
}
