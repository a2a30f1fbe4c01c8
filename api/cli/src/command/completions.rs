//! `partitura completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::Outcome;

/// Prints completions.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Outcome {
        clap_complete::generate(self.shell, &mut Cli::command(), "partitura", &mut std::io::stdout());
        Ok(())
    }
}
