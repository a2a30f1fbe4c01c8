//! `partitura verify`: reads every stored event and checks checksums, order and hash chain.

use clap::Args;
use reqwest::Method;

use crate::args::Shared;
use crate::connection::Connection;
use crate::failure::Outcome;
use crate::{progress, rows};

/// What a check went through.
pub const CHECKED: &[&str] = &["events", "position", "frames", "segments", "bytes", "chain"];

/// Checks the whole log.
#[derive(Args, Debug)]
pub struct Verify {}

impl Verify {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let connection = Connection::open(shared).await?;
        let bar = progress::step("reading the whole log");
        let answer = connection.run(async |client| client.json(Method::POST, "/v1/verify", None).await).await;
        bar.finish_and_clear();
        Ok(rows::print_one(&answer?, CHECKED, shared.format)?)
    }
}
