//! Where the embedding model and ONNX Runtime are looked for, and what to do when they are missing.

use std::path::PathBuf;

use partitura_embed::model::DEFAULT_MODEL;
use partitura_embed::{KnownModel, ModelSettings};
use partitura_event::{ErrorClass, Problem};

use crate::settings::Settings;

/// Where the ONNX file of a model lies, when it is not `model.onnx`.
const PUBLISHED_FILE: &str = "onnx/model.onnx";

/// Returns which model to run and where its files are. Errors when it is switched off.
pub fn model_settings(settings: &Settings) -> Result<ModelSettings, Problem> {
    if settings.model == "off" {
        return Err(Problem::new(ErrorClass::Unavailable, "the setting `model` is off")
            .code("model_off")
            .hint("search goes by words; start with `--model all-MiniLM-L6-v2` for meaning too"));
    }
    let sessions = (settings.embed_threads > 0).then_some(settings.embed_threads);
    let asked = ModelSettings {
        dir: own_folder(settings),
        file: Some(settings.model_file.clone()).filter(|file| !file.is_empty()),
        query_prefix: settings.query_prefix.clone(),
        passage_prefix: settings.passage_prefix.clone(),
        sessions,
        ..ModelSettings::default()
    };
    let mut found = asked.located(|name| std::env::var(name).ok());
    // The default model is where setup put it; it says by its files how it wants to be run.
    if settings.model == DEFAULT_MODEL {
        return Ok(found);
    }
    let known = KnownModel::find(&settings.model);
    if own_folder(settings).is_none()
        && let Some(models) = found.dir.as_ref().and_then(|dir| dir.parent())
    {
        let folder = known.as_ref().map_or(&settings.model, |known| &known.folder);
        found.dir = Some(models.join(folder));
    }
    if let Some(dir) = found.dir.as_ref().filter(|_| found.file.is_none()) {
        let published = known.as_ref().map_or(PUBLISHED_FILE, |known| &known.file);
        let is_there = |file: &&str| dir.join(file).is_file();
        found.file = ["model.onnx", published].into_iter().find(is_there).map(str::to_owned);
    }
    found.pooling = known.map(|known| known.pooling);
    Ok(found)
}

/// Returns the folder that was set for this model. `scripts/env.sh` names that of the default model, which is not meant
/// for another one.
fn own_folder(settings: &Settings) -> Option<PathBuf> {
    let is_other = |dir: &PathBuf| settings.model != DEFAULT_MODEL && dir.ends_with(DEFAULT_MODEL);
    settings.model_dir.clone().filter(|dir| !is_other(dir))
}

/// Returns ONNX Runtime's library, or what to do when it is missing.
pub fn onnx_runtime(settings: &Settings) -> Result<PathBuf, Problem> {
    let path = model_settings(settings)?.runtime.unwrap_or_default();
    if path.is_file() {
        return Ok(path);
    }
    let detail = format!("ONNX Runtime is not at {}", path.display());
    Err(missing(detail).hint("run `make setup`, or name it in ORT_DYLIB_PATH; search goes by words until then"))
}

/// Returns the model's folder, or what to do when it is missing.
pub fn model_folder(settings: &Settings) -> Result<PathBuf, Problem> {
    let path = model_settings(settings)?.dir.unwrap_or_default();
    if path.join("tokenizer.json").is_file() {
        return Ok(path);
    }
    let absent = missing(format!("the model is not at {}", path.display()));
    if settings.model == DEFAULT_MODEL || own_folder(settings).is_some() {
        return Err(absent.hint("run `make setup`, or set `model_dir`; search goes by words until then"));
    }
    let Some(known) = KnownModel::find(&settings.model) else {
        let names = KnownModel::names();
        let hint = "name a model that fastembed knows, or a folder with an ONNX model in `model_dir`";
        return Err(absent.suggest(&settings.model, names.iter().map(String::as_str)).hint(hint));
    };
    // Nothing is downloaded: the server works without a network, and says what it needs instead.
    Err(absent.hint(format!(
        "the server downloads nothing: put {}, tokenizer.json, config.json, special_tokens_map.json and \
         tokenizer_config.json of {} there; search goes by words until then",
        known.file, known.code
    )))
}

fn missing(detail: String) -> Problem {
    Problem::new(ErrorClass::Unavailable, detail).code("model_missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(model: &str, dir: Option<&str>) -> Settings {
        Settings { model: model.to_owned(), model_dir: dir.map(PathBuf::from), ..Settings::default() }
    }

    #[test]
    fn a_model_is_looked_for_by_its_name_or_folder() {
        let default = "/cache/models/all-MiniLM-L6-v2";
        for (model, dir, expected) in
            [(DEFAULT_MODEL, Some(default), default), ("BGESmallENV15", Some("/my/model"), "/my/model")]
        {
            let found = model_settings(&settings(model, dir)).expect("it is not off");
            assert_eq!(found.dir, Some(PathBuf::from(expected)), "{model}");
        }
        let found = model_settings(&settings("BGESmallENV15", Some(default))).expect("it is not off");
        assert!(found.dir.expect("a folder").ends_with("bge-small-en-v1.5"));
        assert_eq!(found.pooling, Some(partitura_embed::Pooling::Cls));
    }

    #[test]
    fn a_missing_model_says_what_to_bring() {
        for (model, dir, part) in [
            ("BGESmallENV15", None, "put onnx/model.onnx, tokenizer.json"),
            ("bge-smal-en-v1.5", None, "name a model that fastembed knows"),
            ("mine", Some("/nowhere/mine"), "set `model_dir`"),
        ] {
            let problem = model_folder(&settings(model, dir)).expect_err("it is not there");
            assert_eq!(problem.code, "model_missing");
            assert!(problem.hint.as_ref().is_some_and(|hint| hint.contains(part)), "{model}: {problem:?}");
        }
        let near = model_folder(&settings("bge-smal-en-v1.5", None)).expect_err("there is none");
        assert_eq!(near.suggestions.first().map(String::as_str), Some("bge-small-en-v1.5"));
    }
}
