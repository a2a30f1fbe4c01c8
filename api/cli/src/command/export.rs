//! `partitura export`: writes tables, a query or all events to files.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::args::Shared;
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::progress;

/// Writes tables or events to files.
#[derive(Args, Debug)]
pub struct Export {
    /// Tables or views to write, `events` too; every table when none is named
    tables: Vec<String>,
    /// Folder for the files
    #[arg(long, short = 'o', default_value = "partitura-export")]
    out: PathBuf,
    /// Kind of the files
    #[arg(long = "as", default_value = "parquet")]
    kind: Kind,
    /// Write the rows of this query instead, to `query.<kind>`
    #[arg(long, conflicts_with = "tables")]
    sql: Option<String>,
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
        let connection = Connection::open(shared).await?;
        connection.run(async |client| self.write(client).await).await
    }

    async fn write(&self, client: &Client) -> Outcome {
        std::fs::create_dir_all(&self.out).map_err(|error| Failure::of_file(&self.out, error))?;
        let kind = self.kind.name();
        if let Some(sql) = &self.sql {
            let request = client.request(Method::POST, "/v1/sql").json(&json!({"sql": sql, "format": kind}));
            return write(client, request, &self.out.join(format!("query.{kind}"))).await;
        }
        let tables = if self.tables.is_empty() { every_table(client).await? } else { self.tables.clone() };
        let bar = progress::count(tables.len() as u64, "tables");
        for table in &tables {
            bar.set_message(table.clone());
            let request = client.request(Method::GET, &format!("/v1/tables/{table}.{kind}"));
            write(client, request, &self.out.join(format!("{table}.{kind}"))).await?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

async fn every_table(client: &Client) -> Result<Vec<String>, Failure> {
    let list = client.json(Method::GET, "/v1/tables?limit=1000", None).await?;
    let tables = list["data"].as_array().into_iter().flatten();
    let stored = tables.filter(|table| table["kind"] == "table");
    Ok(stored.filter_map(|table| table["name"].as_str().map(str::to_owned)).collect())
}

/// Writes beside and renames, so that a file under its name is whole.
async fn write(client: &Client, request: RequestBuilder, path: &Path) -> Outcome {
    let response = client.send(request).await?;
    let beside = path.with_extension("part");
    let file = File::create(&beside).map_err(|error| Failure::of_file(&beside, error))?;
    let mut out = BufWriter::new(file);
    client.copy(response, &mut out).await?;
    drop(out);
    std::fs::rename(&beside, path).map_err(|error| Failure::of_file(path, error))?;
    println!("{}", path.display());
    Ok(())
}
