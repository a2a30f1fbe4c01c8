//! Which model, and where its files are.

use std::path::{Path, PathBuf};

use partitura_event::{ErrorClass, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::embedder::ModelId;

/// What `scripts/setup.sh model` installs.
pub const DEFAULT_MODEL: &str = "all-MiniLM-L6-v2";

/// How token vectors become the vector of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The mean over all tokens.
    Mean,
    /// The vector of the first token.
    Cls,
}

/// Which model to run. Everything that is `None` is found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// Folder with an ONNX model and its tokenizer; default: the one that setup installed.
    pub dir: Option<PathBuf>,
    /// The ONNX file in it; default `model.onnx`. `model_fp32.onnx` is the full precision of the default model.
    pub file: Option<String>,
    /// `libonnxruntime.so`; default: the one that setup installed.
    pub runtime: Option<PathBuf>,
    /// Default: what `1_Pooling/config.json` says, else the mean.
    pub pooling: Option<Pooling>,
    /// Tokens of one text, marks included; default: what `sentence_bert_config.json` says, else the tokenizer's
    /// limit, at most 512.
    pub window: Option<usize>,
    /// Put before every query (`"query: "` for E5).
    pub query_prefix: String,
    /// Put before every passage (`"passage: "` for E5).
    pub passage_prefix: String,
    /// Sessions for passages, each on one thread; default one per core. Queries have one more.
    pub sessions: Option<usize>,
}

impl ModelSettings {
    /// Fills what is `None` from `ORT_DYLIB_PATH`, `PARTITURA_MODEL_DIR` and the cache folder, as `scripts/env.sh`
    /// does; `env` reads a variable.
    #[must_use]
    pub fn located(mut self, env: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = set("PARTITURA_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("partitura")))
            .or_else(|| set("HOME").map(|home| home.join(".cache/partitura")))
            .unwrap_or_default();
        self.dir =
            self.dir.or_else(|| set("PARTITURA_MODEL_DIR")).or_else(|| Some(cache.join("models").join(DEFAULT_MODEL)));
        self.runtime = self
            .runtime
            .or_else(|| set("ORT_DYLIB_PATH"))
            .or_else(|| Some(cache.join("onnxruntime").join("libonnxruntime.so")));
        self
    }
}

/// The files of a model, read.
#[derive(Clone)]
pub(crate) struct ModelFiles {
    pub id: ModelId,
    pub onnx: Vec<u8>,
    pub tokenizer: Vec<u8>,
    pub config: Vec<u8>,
    pub special_tokens: Vec<u8>,
    pub tokenizer_config: Vec<u8>,
    pub pooling: Pooling,
    pub window: usize,
}

impl ModelFiles {
    /// Reads the files that `settings` name; its folder must be known.
    pub fn read(settings: &ModelSettings) -> Result<Self, Problem> {
        let dir = settings.dir.as_deref().unwrap_or(Path::new(""));
        let file = settings.file.as_deref().unwrap_or("model.onnx");
        let onnx = read(dir, file)?;
        let tokenizer = read(dir, "tokenizer.json")?;
        let tokenizer_config = read(dir, "tokenizer_config.json")?;
        let pooling = settings.pooling.unwrap_or_else(|| declared_pooling(dir));
        let window = settings.window.unwrap_or_else(|| declared_window(dir, &tokenizer_config));
        if window < 16 {
            let detail = format!("the model's window is {window} tokens; at least 16 are needed");
            return Err(Problem::invalid_field("model.window", "too_small", detail));
        }
        let mut hasher = blake3::Hasher::new();
        for part in [&onnx, &tokenizer] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let settings_text = format!("{pooling:?} {window} {:?} {:?}", settings.query_prefix, settings.passage_prefix);
        hasher.update(settings_text.as_bytes());
        let name = dir.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(Self {
            id: ModelId::new(name, &hasher.finalize()),
            onnx,
            tokenizer,
            config: read(dir, "config.json")?,
            special_tokens: read(dir, "special_tokens_map.json")?,
            tokenizer_config,
            pooling,
            window,
        })
    }
}

fn read(dir: &Path, file: &str) -> Result<Vec<u8>, Problem> {
    let path = dir.join(file);
    std::fs::read(&path).map_err(|error| {
        Problem::new(
            ErrorClass::Unavailable,
            format!("the embedding model's file {} is missing: {error}", path.display()),
        )
        .code("model_missing")
        .hint("run `scripts/setup.sh model`, or name a folder with an ONNX model in PARTITURA_MODEL_DIR")
    })
}

fn json(dir: &Path, file: &str) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(dir.join(file)).ok()?).ok()
}

fn declared_pooling(dir: &Path) -> Pooling {
    let cls = json(dir, "1_Pooling/config.json").and_then(|config| config["pooling_mode_cls_token"].as_bool());
    if cls == Some(true) { Pooling::Cls } else { Pooling::Mean }
}

fn declared_window(dir: &Path, tokenizer_config: &[u8]) -> usize {
    let declared = json(dir, "sentence_bert_config.json").and_then(|config| config["max_seq_length"].as_u64());
    let limit = || {
        let config: Value = serde_json::from_slice(tokenizer_config).ok()?;
        config["model_max_length"].as_f64().map(|limit| limit as u64)
    };
    declared.or_else(limit).unwrap_or(512).min(512) as usize
}
