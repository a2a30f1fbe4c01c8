//! [`FastEmbedder`]: a model on ONNX Runtime, through fastembed.
//!
//! A pool of sessions, each on one thread, each given one text at a time: that is as fast as batches
//! for int8 (measured, `docs/adr/0051-one-text-at-a-time.md`), and a text's vector cannot depend on
//! what else was in its batch. Queries have a session of their own and borrow idle ones, so that a search
//! never waits for the backlog; and the threads of the backlog give way to all others. The sessions of the
//! backlog are made when there is one: each takes some 45 MB that an idle server has no use for.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fastembed::{
    InitOptionsUserDefined, Pooling as FastPooling, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};
use ort::environment::Environment;
use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem};
use tokenizers::Tokenizer;

use crate::embedder::{Embedder, ModelId, Purpose};
use crate::model::{ModelFiles, ModelSettings, Pooling};
use crate::session_pool::SessionPool;

/// How far the threads that embed passages stand behind others: at 5, one gets about a quarter of a core that
/// somebody else wants, and all of one that nobody wants.
#[cfg(target_os = "linux")]
const NICE: libc::c_int = 5;

/// A model on ONNX Runtime.
pub struct FastEmbedder {
    id: ModelId,
    dims: usize,
    window: usize,
    tokenizer: Tokenizer,
    query_prefix: String,
    passage_prefix: String,
    passages: SessionPool,
    queries: SessionPool,
}

impl FastEmbedder {
    /// Loads the runtime and the model. Reads about 25 MB and takes about a tenth of a second.
    ///
    /// The runtime is loaded once per process: a second call with another `runtime` uses the first.
    pub fn open(settings: &ModelSettings) -> Result<Self, Problem> {
        let environment = environment(settings.runtime.as_deref().unwrap_or(Path::new("")))?;
        let files = ModelFiles::read(settings)?;
        let mut tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(broken)?;
        tokenizer.with_padding(None).with_truncation(None).map_err(broken)?;
        let marks = tokenizer.encode("", true).map_err(broken)?.len();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let sessions = settings.sessions.unwrap_or(cores).max(1);
        let queries = SessionPool::of(session(&files, &environment)?);
        let (again, id) = (settings.clone(), files.id.clone());
        // The files are read again then, so that nothing of them is kept until then.
        let make = move || {
            let files = ModelFiles::read(&again)?;
            if files.id != id {
                return Err(broken("its files have changed; restart the server to use them"));
            }
            session(&files, &environment)
        };
        let mut embedder = Self {
            dims: 0,
            window: files.window - marks.min(files.window - 1),
            tokenizer,
            query_prefix: settings.query_prefix.clone(),
            passage_prefix: settings.passage_prefix.clone(),
            passages: SessionPool::of_up_to(sessions, Box::new(make)),
            queries,
            id: files.id,
        };
        embedder.dims = embedder.run(&embedder.queries, "dimensions")?.len();
        Ok(embedder)
    }

    fn run(&self, pool: &SessionPool, text: &str) -> Result<Vec<f32>, Problem> {
        self.computed(pool.with(|session| session.embed([text], None))?)
    }

    /// Embeds on whichever session is free, first those for queries.
    fn run_soon(&self, text: &str) -> Result<Vec<f32>, Problem> {
        let free = self.queries.take().map(|session| (&self.queries, session));
        let free = free.or_else(|| self.passages.take().map(|session| (&self.passages, session)));
        match free {
            Some((pool, session)) => self.computed(pool.lend(session, |session| session.embed([text], None))),
            None => self.run(&self.queries, text),
        }
    }

    fn computed(&self, vectors: fastembed::Result<Vec<Vec<f32>>>) -> Result<Vec<f32>, Problem> {
        let vector = vectors.map_err(broken)?.pop().unwrap_or_default();
        if vector.iter().any(|x| !x.is_finite()) {
            return Err(broken("it gave a vector with numbers that are not finite"));
        }
        Ok(vector)
    }
}

impl Embedder for FastEmbedder {
    fn model(&self) -> &ModelId {
        &self.id
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn window(&self) -> usize {
        self.window
    }

    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, Problem> {
        let encoding = self.tokenizer.encode(text, false).map_err(broken)?;
        Ok(encoding.get_offsets().iter().map(|(start, end)| *start..*end).collect())
    }

    fn embed(&self, texts: &[&str], purpose: Purpose) -> Result<Vec<Vec<f32>>, Problem> {
        if purpose == Purpose::Query {
            return texts.iter().map(|text| self.run_soon(&prefixed(&self.query_prefix, text))).collect();
        }
        let one = |text: &str| self.run(&self.passages, &prefixed(&self.passage_prefix, text));
        let threads = self.passages.size.min(texts.len());
        let next = AtomicUsize::new(0);
        let work = || {
            give_way();
            let mut done = Vec::new();
            while let Some((at, text)) = claim(&next, texts) {
                done.push((at, one(text)?));
            }
            Ok::<_, Problem>(done)
        };
        let mut all = Vec::with_capacity(texts.len());
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                all.extend(worker.join().map_err(|_| broken("a worker of the model stopped"))??);
            }
            Ok::<_, Problem>(())
        })?;
        all.sort_unstable_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, vector)| vector).collect())
    }
}

fn prefixed<'a>(prefix: &str, text: &'a str) -> Cow<'a, str> {
    if prefix.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{prefix}{text}")) }
}

/// Lets all other threads of the machine run before this one. Where that is not possible, it goes on as it was.
fn give_way() {
    #[cfg(target_os = "linux")]
    // SAFETY: it takes numbers only; 0 is the calling thread.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICE);
    }
}

fn claim<'a>(next: &AtomicUsize, texts: &[&'a str]) -> Option<(usize, &'a str)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    texts.get(at).map(|text| (at, *text))
}

fn session(files: &ModelFiles, environment: &Environment) -> Result<TextEmbedding, Problem> {
    let tokenizer = TokenizerFiles {
        tokenizer_file: files.tokenizer.clone(),
        config_file: files.config.clone(),
        special_tokens_map_file: files.special_tokens.clone(),
        tokenizer_config_file: files.tokenizer_config.clone(),
    };
    let pooling = match files.pooling {
        Pooling::Mean => FastPooling::Mean,
        Pooling::Cls => FastPooling::Cls,
    };
    // `Dynamic` makes fastembed itself refuse to split a call into batches, whatever the model's precision.
    let model = UserDefinedEmbeddingModel::new(files.onnx.clone(), tokenizer)
        .with_pooling(pooling)
        .with_quantization(QuantizationMode::Dynamic);
    let options = InitOptionsUserDefined::new()
        .with_environment(environment.clone())
        .with_max_length(files.window)
        .with_intra_threads(1);
    TextEmbedding::try_new_from_user_defined(model, options).map_err(broken)
}

/// Loads ONNX Runtime from `path`, once per process.
fn environment(path: &Path) -> Result<Environment, Problem> {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    static LOADING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = LOADING.lock();
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment.clone());
    }
    let missing = |error: String| {
        Problem::new(
            ErrorClass::Unavailable,
            format!("ONNX Runtime could not be loaded from {}: {error}", path.display()),
        )
        .code("runtime_missing")
        .hint("run `scripts/setup.sh onnxruntime`, or name libonnxruntime.so in ORT_DYLIB_PATH")
    };
    if !path.is_file() {
        return Err(missing("no such file".to_owned()));
    }
    let builder = ort::init_from(path).map_err(|error| missing(error.to_string()))?;
    let environment = builder.with_name("partitura").with_telemetry(false).build();
    let environment = environment.map_err(|error| missing(error.to_string()))?;
    Ok(ENVIRONMENT.get_or_init(|| environment).clone())
}

fn broken(error: impl std::fmt::Display) -> Problem {
    Problem::new(ErrorClass::Unavailable, format!("the embedding model does not work: {error}"))
        .code("model_broken")
        .hint("text search still answers; check the model's folder with `partitura doctor`")
}
