//! The files of one table: begun, filled, ended at their limits, and left out when they are there already.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use object_store::buffered::BufWriter;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{Encoder, Format, SqlStats};
use tokio::io::AsyncWriteExt;

use crate::manifest::File;
use crate::partition::Piece;
use crate::target::{Target, of_store};

/// How files are made.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub format: Format,
    pub row_group_rows: Option<usize>,
    pub file_rows: Option<u64>,
    pub file_bytes: u64,
}

/// How files are called.
#[derive(Clone, Debug)]
pub enum Name {
    /// One file, as it stands.
    One(String),
    /// In the partitions of this folder, numbered, with the position of the export.
    Numbered { folder: String, position: u64 },
}

impl Name {
    fn path(&self, partition: &str, number: usize, format: Format) -> String {
        match self {
            Self::One(path) => path.clone(),
            Self::Numbered { folder, position } => {
                format!("{}/{position:020}-{number:04}.{}", in_folder(folder, partition), format.name())
            }
        }
    }
}

fn in_folder(folder: &str, partition: &str) -> String {
    if partition.is_empty() { folder.to_owned() } else { format!("{folder}/{partition}") }
}

/// Returns whether an exporter may have written the file: those it names alone it removes.
pub fn is_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let digits = |text: &str, least: usize| text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit());
    stem.split_once('-')
        .is_some_and(|(position, number)| position.len() == 20 && digits(position, 20) && digits(number, 4))
}

/// Writes the files of one table.
pub struct Files<'a> {
    target: &'a Target,
    shape: Shape,
    name: Name,
    schema: SchemaRef,
    /// What is there: a file that would have the same bytes is not written again.
    before: &'a [File],
    open: Option<Open>,
    /// Numbers given in the partition that came last.
    last: (String, usize),
    /// The files that make up the table now.
    pub files: Vec<File>,
    /// Those of them that are new.
    pub new: Vec<File>,
}

struct Open {
    path: String,
    partition: String,
    out: BufWriter,
    encoder: Box<dyn Encoder>,
    hash: blake3::Hasher,
    rows: u64,
    bytes: u64,
}

impl<'a> Files<'a> {
    /// Starts without a file.
    pub fn new(target: &'a Target, shape: Shape, name: Name, schema: SchemaRef, before: &'a [File]) -> Self {
        let last = (String::new(), 0);
        Self { target, shape, name, schema, before, open: None, last, files: Vec::new(), new: Vec::new() }
    }

    /// Writes the rows of one partition, which come one partition after the other.
    pub async fn push(&mut self, piece: Piece) -> Result<(), Problem> {
        if self.open.as_ref().is_some_and(|open| open.partition != piece.folder) {
            self.end().await?;
        }
        let mut rest = piece.rows;
        while rest.num_rows() > 0 {
            let open = match self.open.take() {
                Some(open) => open,
                None => self.begin(&piece.folder).await?,
            };
            let left = self.shape.file_rows.map_or(u64::MAX, |max| max.max(1).saturating_sub(open.rows));
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(rest.num_rows());
            let open = self.open.insert(open);
            open.write(&rest.slice(0, now), self.target).await?;
            rest = rest.slice(now, rest.num_rows() - now);
            let full = self.shape.file_rows.is_some_and(|max| open.rows >= max) || open.bytes >= self.shape.file_bytes;
            if full {
                self.end().await?;
            }
        }
        Ok(())
    }

    /// Ends the table. One without rows gets a file with its columns, where it has only one.
    pub async fn finish(&mut self) -> Result<(), Problem> {
        if self.open.is_none() && matches!(self.name, Name::One(_)) && self.files.is_empty() {
            let open = self.begin("").await?;
            self.open = Some(open);
        }
        self.end().await
    }

    /// Gives up the file that is open: nothing of it stays.
    pub async fn abort(&mut self) {
        if let Some(mut open) = self.open.take()
            && let Err(error) = open.out.abort().await
        {
            tracing::debug!(%error, "an unfinished file of an export stays in the store");
        }
    }

    async fn begin(&mut self, partition: &str) -> Result<Open, Problem> {
        let mut number = if self.last.0 == partition { self.last.1 } else { 0 };
        let mut path = self.name.path(partition, number, self.shape.format);
        // A file that counts is never written over: until the manifest is there, it is the one before that counts.
        while matches!(self.name, Name::Numbered { .. }) && self.before.iter().any(|known| known.path == path) {
            number += 1;
            path = self.name.path(partition, number, self.shape.format);
        }
        self.last = (partition.to_owned(), number + 1);
        let mut open = Open {
            out: self.target.writer(&path)?,
            path,
            partition: partition.to_owned(),
            encoder: self.shape.format.encoder_of(self.shape.row_group_rows),
            hash: blake3::Hasher::new(),
            rows: 0,
            bytes: 0,
        };
        let mut head = Vec::new();
        open.encoder.begin(&self.schema, &mut head).map_err(|error| unwritable(&error))?;
        open.put(head, self.target).await?;
        Ok(open)
    }

    async fn end(&mut self) -> Result<(), Problem> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let mut tail = Vec::new();
        open.encoder.end(&SqlStats::default(), &mut tail).map_err(|error| unwritable(&error))?;
        open.put(tail, self.target).await?;
        let hash = open.hash.finalize().to_hex().to_string();
        let file = File { path: open.path, rows: open.rows, bytes: open.bytes, hash };
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let same = |known: &&File| known.hash == file.hash && folder(&known.path) == folder(&file.path);
        if let Some(known) = self.before.iter().find(same).filter(|known| !self.files.contains(known)) {
            self.files.push(known.clone());
            return open.out.abort().await.map_err(|error| of_store(&self.target.location(&file.path), &error));
        }
        open.out.shutdown().await.map_err(|error| of_io(&self.target.location(&file.path), error))?;
        self.files.push(file.clone());
        self.new.push(file);
        Ok(())
    }
}

impl Open {
    async fn write(&mut self, rows: &RecordBatch, target: &Target) -> Result<(), Problem> {
        let mut bytes = Vec::new();
        self.encoder.batch(rows, &mut bytes).map_err(|error| unwritable(&error))?;
        self.rows += rows.num_rows() as u64;
        self.put(bytes, target).await
    }

    async fn put(&mut self, bytes: Vec<u8>, target: &Target) -> Result<(), Problem> {
        self.hash.update(&bytes);
        self.bytes += bytes.len() as u64;
        self.out.put(Bytes::from(bytes)).await.map_err(|error| of_store(&target.location(&self.path), &error))
    }
}

fn unwritable(error: &arrow::error::ArrowError) -> Problem {
    Problem::new(ErrorClass::Internal, format!("rows cannot be written: {error}"))
}

/// The writer wraps what the store said.
fn of_io(at: &str, error: std::io::Error) -> Problem {
    match error.downcast::<object_store::Error>() {
        Ok(error) => of_store(at, &error),
        Err(error) => Problem::new(ErrorClass::Unavailable, format!("{at}: {error}")).code("export_target"),
    }
}
