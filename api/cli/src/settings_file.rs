//! Flag before environment before `partitura.toml` before default: the settings that hold, and why.

use std::collections::BTreeMap;
use std::path::Path;

use partitura_event::{ErrorClass, Problem};
use partitura_service::{ExportSpec, Settings};

use crate::args::Shared;
use crate::settings_args::Origin;

/// The settings and the origin of each.
#[derive(Clone, Debug)]
pub struct Effective {
    pub settings: Settings,
    /// Name, text as given, origin; in the table's order.
    pub rows: Vec<(&'static str, String, Origin)>,
    /// What the server exports by itself; only the file says that.
    pub exports: Vec<ExportSpec>,
}

/// Tables of the file that are no settings.
const EXPORTS: &str = "exports";

/// Puts the layers together. Errors name the file and the key.
pub fn resolve(shared: &Shared) -> Result<Effective, Problem> {
    let file = match &shared.config {
        Some(path) => read(path)?,
        None if Path::new("partitura.toml").exists() => read(Path::new("partitura.toml"))?,
        None => (BTreeMap::new(), Vec::new()),
    };
    let (file, exports) = file;
    let mut settings = Settings::default();
    for (name, text) in &file {
        settings.set(name, text)?;
    }
    let mut rows = Vec::new();
    for setting in Settings::TABLE {
        let (text, origin) = match (shared.settings.0.get(setting.name), file.get(setting.name)) {
            (Some(given), _) => (given.text.clone(), given.origin),
            (None, Some(text)) => (text.clone(), Origin::File),
            (None, None) => (setting.default.to_owned(), Origin::Default),
        };
        if origin != Origin::Default {
            settings.set(setting.name, &text)?;
        }
        rows.push((setting.name, text, origin));
    }
    Ok(Effective { settings, rows, exports })
}

fn read(path: &Path) -> Result<(BTreeMap<String, String>, Vec<ExportSpec>), Problem> {
    let wrong = |what: String| Problem::new(ErrorClass::Invalid, format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
    let exports: Vec<ExportSpec> = match table.remove(EXPORTS) {
        Some(exports) => exports.try_into().map_err(|error| wrong(format!("`[[exports]]`: {error}")))?,
        None => Vec::new(),
    };
    partitura_export::schedule::check(&exports)?;
    let plain = |(name, value): (String, toml::Value)| match value {
        toml::Value::String(text) => Ok((name, text)),
        toml::Value::Integer(_) | toml::Value::Boolean(_) => Ok((name, value.to_string())),
        toml::Value::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(toml::Value::as_str).collect();
            let texts = texts.ok_or_else(|| wrong(format!("`{name}` must be a list of strings")))?;
            Ok((name, texts.join("\n")))
        }
        _ => Err(wrong(format!("`{name}` must be a string, a number, true, false or a list of strings"))),
    };
    Ok((table.into_iter().map(plain).collect::<Result<_, _>>()?, exports))
}
