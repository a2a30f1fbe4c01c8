//! `partitura backup`: a consistent copy of a running server's data, checked before it is called done.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::verify::CHECKED;
use crate::args::Shared;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::{progress, rows};

/// Copies a server's data.
#[derive(Args, Debug)]
pub struct Backup {
    /// New folder for the copy, on the server's machine
    to: PathBuf,
}

impl Backup {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let to = std::path::absolute(&self.to).map_err(|error| Failure::of_file(&self.to, error))?;
        let connection = Connection::open(shared).await?;
        let bar = progress::step("copying and checking the log");
        let body = json!({"to": to});
        let answer = connection.run(async |client| client.json(Method::POST, "/v1/backup", Some(&body)).await).await;
        bar.finish_and_clear();
        Ok(rows::print_one(&answer?, CHECKED, shared.format)?)
    }
}
