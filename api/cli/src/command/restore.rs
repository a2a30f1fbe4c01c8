//! `partitura restore`: makes a data folder of a backup; the tables are built from the log at the first start.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::verify::CHECKED;
use crate::args::Shared;
use crate::failure::Outcome;
use crate::{progress, rows, settings_file};

/// Makes a data folder of a backup.
#[derive(Args, Debug)]
pub struct Restore {
    /// Folder of the backup
    from: PathBuf,
}

impl Restore {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let settings = settings_file::resolve(shared)?.settings;
        let bar = progress::step("copying and checking the log");
        let restored = partitura_service::restore(&self.from, &settings.data);
        bar.finish_and_clear();
        Ok(rows::print_one(&json!(restored?), CHECKED, shared.format)?)
    }
}
