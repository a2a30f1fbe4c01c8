//! `partitura export`: writes tables or a query to files of a folder or an object store.

use clap::{Args, ValueEnum};
use partitura_event::Problem;
use partitura_export::job::{FILE_BYTES, Job, Layout, What, format};
use partitura_export::partition::Partition;
use partitura_export::{Exported, Target, run};
use partitura_service::read_bytes;

use crate::args::Shared;
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::progress;
use crate::remote::Remote;

/// Writes tables or a query to files.
#[derive(Args, Debug)]
pub struct Export {
    /// Tables or views to write, `events` too; every stored table when none is named
    tables: Vec<String>,
    /// Folder for the files, or s3://bucket/prefix with the AWS_… variables of the environment
    #[arg(long, short = 'o', default_value = "partitura-export")]
    out: String,
    /// Kind of the files
    #[arg(long = "as", default_value = "parquet")]
    kind: Kind,
    /// Write the rows of this query instead
    #[arg(long, conflicts_with = "tables")]
    sql: Option<String>,
    /// What the files of the query are called; `query` unless told
    #[arg(long)]
    name: Option<String>,
    /// Make a data set, with folders by column, or by date(…), month(…) or year(…) of one: 'date(time),agent_id'
    #[arg(long, value_name = "LIST")]
    partition_by: Option<String>,
    /// Make a data set, or add to it what is new since the last export; what changed is replaced
    #[arg(long)]
    incremental: bool,
    /// Make a data set, in files of at most this many rows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    file_rows: Option<u64>,
    /// Make a data set, in files that end at this size [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    file_bytes: Option<String>,
    /// Most rows of a Parquet row group [default: 131072]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    row_group_rows: Option<u32>,
    /// Reach the object store without TLS
    #[arg(long)]
    allow_http: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Parquet,
    Arrow,
    Csv,
    Ndjson,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl Export {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let job = self.job()?;
        let connection = Connection::open(shared).await?;
        let target = Target::open(&self.out, self.allow_http)?;
        let exported = connection.run(async |client| write(client, &target, &job).await).await?;
        let Exported { position, tables, files, rows, removed, .. } = exported;
        eprintln!("position {position}: {tables} tables, {files} files with {rows} rows written, {removed} removed");
        Ok(())
    }

    fn job(&self) -> Result<Job, Problem> {
        let what = match (&self.sql, &self.name) {
            (Some(sql), name) => What::Query { name: name.as_deref().unwrap_or("query").to_owned(), sql: sql.clone() },
            (None, None) => What::Tables(self.tables.clone()),
            // Not by clap: it drops what `requires` asks for where that conflicts with the tables that are named.
            (None, Some(_)) => {
                let detail = "`--name` is what the files of a query are called, and there is none; give it with --sql";
                return Err(Problem::invalid_field("name", "query_missing", detail));
            }
        };
        let is_set = self.partition_by.is_some() || self.incremental || self.file_rows.is_some();
        let layout = if is_set || self.file_bytes.is_some() {
            let file_bytes = self.file_bytes.as_deref().map(|text| read_bytes("file_bytes", text)).transpose()?;
            Layout::DataSet {
                partition_by: Partition::parse_list(self.partition_by.as_deref().unwrap_or_default())?,
                file_rows: self.file_rows,
                file_bytes: file_bytes.unwrap_or(FILE_BYTES),
                incremental: self.incremental,
            }
        } else {
            Layout::Files
        };
        let row_group_rows = self.row_group_rows.map(|rows| rows as usize);
        Ok(Job { what, format: format(self.kind.name())?, layout, row_group_rows })
    }
}

async fn write(client: &Client, target: &Target, job: &Job) -> Result<Exported, Failure> {
    let bar = progress::step("exporting");
    let tell = |file: &str| {
        bar.set_message(file.to_owned());
        println!("{file}");
    };
    let exported = run(&Remote(client), target, job, &tell).await;
    bar.finish_and_clear();
    Ok(exported?)
}
