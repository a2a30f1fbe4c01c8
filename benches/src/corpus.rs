//! The corpus of the search bench: texts, vectors and queries that every engine reads from the same files.
//!
//! A million texts cannot be embedded in a bench. So some thousand base texts are embedded by the model; each text of
//! the corpus is a base text with some words replaced, and its vector that base's vector with noise, at a cosine of
//! about 0.85 as texts about one subject have. The texts and the neighbourhoods are plausible, the work is real, and
//! the vectors do not mean exactly what the texts say: this corpus measures speed and recall, never relevance.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, FixedSizeListArray, Float32Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Float32Type, Schema, SchemaRef};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use clap::Args;
use partitura_embed::{Embedder, FastEmbedder, ModelSettings, Purpose};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::{Failure, words};

/// Texts that the model embeds, at most.
const BASES: u64 = 2_048;
/// Rows of one batch in the file.
const BATCH: u64 = 8_192;
/// Words of a base text.
const WORDS: usize = 36;
/// Length of the noise that is added to a vector of length one.
const NOISE: f32 = 0.6;
/// Agents whose texts can be asked for alone.
pub const AGENTS: u64 = 10;

/// What to make.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// How many texts.
    #[arg(long)]
    pub documents: u64,
    /// How many queries.
    #[arg(long, default_value_t = 300)]
    pub queries: u64,
    /// Folder for `corpus.arrow` and `queries.json`.
    #[arg(long)]
    pub out: PathBuf,
}

/// Makes the files.
pub fn run(options: &Options) -> Result<Value, Failure> {
    std::fs::create_dir_all(&options.out)?;
    let model = model()?;
    let count = BASES.min(options.documents / 8).max(1);
    let texts: Vec<String> = (0..count).map(base).collect();
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let bases = model.embed(&borrowed, Purpose::Passage)?;
    let schema = schema(model.dims());
    let mut file = FileWriter::try_new(File::create(options.out.join("corpus.arrow"))?, &schema)?;
    for from in (0..options.documents).step_by(BATCH as usize) {
        let to = (from + BATCH).min(options.documents);
        file.write(&rows(&schema, &bases, from, to)?)?;
    }
    file.finish()?;
    let queries: Vec<String> = (0..options.queries).map(|n| query(n, count)).collect();
    let borrowed: Vec<&str> = queries.iter().map(String::as_str).collect();
    let vectors = model.embed(&borrowed, Purpose::Query)?;
    let agent = |n: usize| format!("agent-{}", n as u64 % AGENTS);
    let lines = queries.iter().zip(vectors).enumerate();
    let list: Vec<Value> = lines.map(|(n, (t, v))| json!({"text": t, "vector": v, "agent_id": agent(n)})).collect();
    std::fs::write(options.out.join("queries.json"), serde_json::to_vec(&list)?)?;
    Ok(json!({"load": "corpus", "documents": options.documents, "queries": options.queries}))
}

/// Opens the model that a server with default settings uses.
pub fn model() -> Result<FastEmbedder, Failure> {
    Ok(FastEmbedder::open(&ModelSettings::default().located(|name| std::env::var(name).ok()))?)
}

/// One text of the corpus.
pub struct Text {
    pub number: u64,
    pub text: String,
    pub agent_id: String,
    pub vector: Vec<f32>,
}

/// Calls `each` with the first `limit` texts of a corpus, batch by batch.
pub fn read(folder: &Path, limit: u64, mut each: impl FnMut(Vec<Text>) -> Result<(), Failure>) -> Result<(), Failure> {
    let file = FileReader::try_new(File::open(folder.join("corpus.arrow"))?, None)?;
    let mut left = limit;
    for batch in file {
        let batch = batch?;
        let texts = decode(&batch.slice(0, batch.num_rows().min(left as usize)))?;
        left -= texts.len() as u64;
        each(texts)?;
        if left == 0 {
            return Ok(());
        }
    }
    Err(format!("the corpus has {left} texts fewer than the {limit} asked for").into())
}

fn base(n: u64) -> String {
    words::about(n % 128, &mut Dice::new(21, n), WORDS)
}

/// A question about the subject of some base text: some of its words in their order, and one of another.
fn query(n: u64, bases: u64) -> String {
    let mut dice = Dice::new(22, n);
    let text = base(dice.below(bases));
    let all: Vec<&str> = text.split(' ').collect();
    let from = dice.below(all.len() as u64 - 8) as usize;
    let stray = words::WORDS[dice.below(words::WORDS.len() as u64) as usize];
    format!("{} {stray}", all[from..from + 7].join(" "))
}

fn rows(schema: &SchemaRef, bases: &[Vec<f32>], from: u64, to: u64) -> Result<RecordBatch, Failure> {
    let numbers = from..to;
    let dims = bases[0].len();
    let mut flat = Vec::with_capacity((to - from) as usize * dims);
    let mut texts = Vec::new();
    for n in numbers.clone() {
        let mut dice = Dice::new(23, n);
        let parent = dice.below(bases.len() as u64);
        texts.push(varied(&base(parent), &mut dice, n));
        let start = flat.len();
        let part = NOISE / (dims as f32).sqrt();
        flat.extend(bases[parent as usize].iter().map(|x| x + part * dice.bell()));
        let norm = flat[start..].iter().map(|x| x * x).sum::<f32>().sqrt();
        flat[start..].iter_mut().for_each(|x| *x /= norm);
    }
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let vectors = FixedSizeListArray::try_new(item, dims as i32, Arc::new(Float32Array::from(flat)), None)?;
    let agents = numbers.clone().map(|n| format!("agent-{}", Dice::new(24, n).below(AGENTS)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from_iter_values(numbers)),
        Arc::new(StringArray::from_iter_values(texts)),
        Arc::new(StringArray::from_iter_values(agents)),
        Arc::new(vectors),
    ];
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

/// Replaces about a third of the words and adds a reference that no other text has.
fn varied(text: &str, dice: &mut Dice, n: u64) -> String {
    let mut varied = String::with_capacity(text.len() + 16);
    for word in text.split(' ') {
        let other = dice.below(3) == 0;
        varied.push_str(if other { words::WORDS[dice.below(words::WORDS.len() as u64) as usize] } else { word });
        varied.push(' ');
    }
    varied.push_str(&format!("ref{n:x}"));
    varied
}

fn schema(dims: usize) -> SchemaRef {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    Arc::new(Schema::new(vec![
        Field::new("number", DataType::UInt64, false),
        Field::new("text", DataType::Utf8, false),
        Field::new("agent_id", DataType::Utf8, false),
        Field::new("vector", DataType::FixedSizeList(item, dims as i32), false),
    ]))
}

fn decode(batch: &RecordBatch) -> Result<Vec<Text>, Failure> {
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| format!("the corpus lacks {name}"));
    let numbers = column("number")?.as_primitive::<arrow::datatypes::UInt64Type>();
    let (texts, agents) = (column("text")?.as_string::<i32>(), column("agent_id")?.as_string::<i32>());
    let vectors = column("vector")?.as_fixed_size_list();
    let text = |row: usize| Text {
        number: numbers.value(row),
        text: texts.value(row).to_owned(),
        agent_id: agents.value(row).to_owned(),
        vector: vectors.value(row).as_primitive::<Float32Type>().values().to_vec(),
    };
    Ok((0..batch.num_rows()).map(text).collect())
}
