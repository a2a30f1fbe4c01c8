//! `partitura config`: every setting, its value and where it comes from.

use clap::Args;
use partitura_service::Settings;
use serde_json::json;

use crate::args::Shared;
use crate::failure::Outcome;
use crate::{rows, settings_file};

/// Prints every setting.
#[derive(Args, Debug)]
pub struct Config {}

impl Config {
    pub fn run(self, shared: &Shared) -> Outcome {
        let effective = settings_file::resolve(shared)?;
        let docs = Settings::TABLE.iter().map(|setting| setting.doc);
        let list: Vec<_> = effective
            .rows
            .into_iter()
            .zip(docs)
            .map(|((name, value, origin), doc)| {
                let row = json!({"setting": name, "value": value, "origin": origin.name(), "meaning": doc});
                row.as_object().cloned().unwrap_or_default()
            })
            .collect();
        Ok(rows::print(&list, &["setting", "value", "origin", "meaning"], rows::format_or_default(shared.format))?)
    }
}
