//! `partitura import`: turns files into events by a mapping and appends them; run twice, nothing doubles.
//!
//! `docs/import.md` is its manual.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use partitura_event::{Clock, Problem, Source, SystemClock, Workspace};
use partitura_ingest::import::{Mapping, Reject, Row, open_rows, shipped};
use partitura_ingest::{ContentType, Context, IdGenerator, Limits, RedactSettings, Redactor, decode};
use serde_json::json;

use crate::args::Shared;
use crate::batches::{Batches, Refused, Tally};
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{Failure, Outcome};
use crate::rejects::Rejects;
use crate::{progress, rows};

/// Imports files.
#[derive(Args, Debug)]
pub struct Import {
    /// Files of JSON, JSON lines, CSV or Parquet
    #[arg(required_unless_present = "list")]
    files: Vec<PathBuf>,
    /// The mapping: the name of a shipped one, or a TOML file
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "list")]
    map: Option<String>,
    /// Print the events and what is wrong with them, append nothing
    #[arg(long)]
    dry_run: bool,
    /// Where rows that became no event are written, with the reason
    #[arg(long, value_name = "FILE", default_value = "rejects.jsonl")]
    rejects: PathBuf,
    /// List the mappings that ship
    #[arg(long)]
    list: bool,
}

impl Import {
    pub async fn run(self, shared: &Shared) -> Outcome {
        if self.list {
            return list(shared);
        }
        let mapping = self.mapping()?;
        let redactor = Redactor::new(RedactSettings::default())?;
        let rejects = Rejects::new(self.rejects.clone());
        let tally = if self.dry_run {
            self.rehearse(&mapping, &redactor, &rejects)?
        } else {
            let connection = Connection::open_or_create(shared).await?;
            connection.run(async |client| self.send(client, &mapping, &redactor, &rejects).await).await?
        };
        rejects.finish()?;
        tally.tell_redactions();
        let mut row = tally.row().as_object().cloned().unwrap_or_default();
        row.insert("rejected".into(), json!(rejects.written.get()));
        if self.dry_run {
            eprintln!("{} events; nothing was written", tally.new);
        } else {
            let columns = ["position", "new", "duplicates", "rejected"];
            rows::print(&[row], &columns, rows::format_or_default(shared.format))?;
        }
        match rejects.written.get() {
            0 => Ok(()),
            n => Err(Failure::usage(format!("{n} rows became no event; see {}", self.rejects.display()))),
        }
    }

    fn mapping(&self) -> Result<Mapping, Failure> {
        let name = self.map.as_deref().unwrap_or_default();
        if let Some(found) = shipped().iter().find(|shipped| shipped.name == name) {
            return Ok(Mapping::parse(found.text)?);
        }
        if !Path::new(name).exists() {
            let known = shipped().iter().map(|shipped| shipped.name);
            let problem = Problem::invalid_field("map", "unknown_mapping", format!("there is no mapping `{name}`"))
                .suggest(name, known)
                .hint("name a TOML file, or one of `partitura import --list`");
            return Err(problem.into());
        }
        let text = std::fs::read_to_string(name).map_err(|error| Failure::of_file(Path::new(name), error))?;
        Mapping::parse(&text).map_err(|problem| Failure::of_file(Path::new(name), problem))
    }

    async fn send(
        &self,
        client: &Client,
        mapping: &Mapping,
        redactor: &Redactor,
        rejects: &Rejects,
    ) -> Result<Tally, Failure> {
        let mut total = Tally::default();
        for path in &self.files {
            let mut input = self.open(path, mapping)?;
            let bar = progress::bytes(input.total_bytes, &path.display().to_string());
            let file = input.file().to_owned();
            let hear = |found: Refused<'_>| {
                let reason = found.error["detail"].as_str().unwrap_or("refused");
                rejects.add(&Reject::of_event(&file, found.tag, found.event, reason, redactor));
            };
            let mut batches = Batches::new(client, "", hear);
            while let Some(row) = input.next() {
                let row = match row {
                    Ok(row) => row,
                    Err(bad) => {
                        rejects.add(&Reject::of_bad_row(&file, &bad, redactor));
                        continue;
                    }
                };
                for event in mapping.events(&row) {
                    match event {
                        Ok(event) => batches.push(row.number, &event.text()).await?,
                        Err(problem) => rejects.add(&Reject::of_row(&row, &problem, redactor)),
                    }
                }
                bar.set_position(input.read_bytes());
            }
            total.add(&batches.finish().await?);
            bar.finish_and_clear();
        }
        Ok(total)
    }

    /// Maps and checks every row as the server would, and counts the events by type.
    fn rehearse(&self, mapping: &Mapping, redactor: &Redactor, rejects: &Rejects) -> Result<Tally, Failure> {
        let (mut total, mut types) = (Tally::default(), BTreeMap::<String, u64>::new());
        let ids = IdGenerator::system();
        let (workspace, source) = (Workspace::local(), Source::new("import")?);
        for path in &self.files {
            let mut input = self.open(path, mapping)?;
            let bar = progress::bytes(input.total_bytes, &path.display().to_string());
            let file = input.file().to_owned();
            while let Some(row) = input.next() {
                let row = match row {
                    Ok(row) => row,
                    Err(bad) => {
                        rejects.add(&Reject::of_bad_row(&file, &bad, redactor));
                        continue;
                    }
                };
                let context = Context {
                    workspace: &workspace,
                    source: &source,
                    now: SystemClock.now(),
                    ids: &ids,
                    redactor,
                    limits: Limits::default(),
                    strict: false,
                    idempotent: true,
                };
                for problem in checked(mapping, &row, &context, &mut types, &mut total) {
                    rejects.add(&Reject::of_row(&row, &problem, redactor));
                }
                bar.set_position(input.read_bytes());
            }
            bar.finish_and_clear();
        }
        for (kind, n) in &types {
            eprintln!("{n:>10}  {kind}");
        }
        total.new = types.values().sum();
        Ok(total)
    }

    fn open(&self, path: &Path, mapping: &Mapping) -> Result<partitura_ingest::import::Rows, Failure> {
        let input = open_rows(path, &mapping.input)?;
        if !mapping.reads(input.file()) {
            let names = mapping.files().join(", ");
            return Err(Failure::usage(format!("{}: the mapping {} reads {names}", path.display(), mapping.name)));
        }
        Ok(input)
    }
}

fn checked(
    mapping: &Mapping,
    row: &Row,
    context: &Context<'_>,
    types: &mut BTreeMap<String, u64>,
    total: &mut Tally,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for event in mapping.events(row) {
        if let Ok(event) = &event {
            println!("{}", context.redactor.shown_json(&event.text()));
        }
        let decoded = event.and_then(|event| decode(ContentType::Json, &[], event.text().as_bytes(), context));
        match decoded {
            Err(problem) => problems.push(problem),
            Ok(decoded) => {
                decoded.redactions.iter().for_each(|(rule, n)| total.redact(rule, *n));
                for item in decoded.items {
                    match item {
                        Ok(accepted) => *types.entry(accepted.draft.kind.as_str().to_owned()).or_default() += 1,
                        Err(rejected) => problems.push(rejected.problem),
                    }
                }
            }
        }
    }
    problems
}

fn list(shared: &Shared) -> Outcome {
    let mut list = Vec::new();
    for found in shipped() {
        let mapping = Mapping::parse(found.text)?;
        let row = json!({"name": found.name, "about": mapping.about, "files": mapping.files()});
        list.extend(row.as_object().cloned());
    }
    Ok(rows::print(&list, &["name", "about", "files"], rows::format_or_default(shared.format))?)
}
