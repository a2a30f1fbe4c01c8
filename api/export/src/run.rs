//! One export, from its first question to the removal of what counts no more.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use futures::StreamExt;
use partitura_event::{ErrorClass, Problem};
use serde::Serialize;

use crate::files::{Files, Name, Shape, is_ours};
use crate::job::{Job, Layout, What, check_name};
use crate::manifest::{self, File, Manifest, Written};
use crate::partition::{self, Partition};
use crate::source::{Catalog, Source, Table};
use crate::target::Target;

/// What an export did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The position that it is of.
    pub position: u64,
    /// Tables looked at.
    pub tables: u64,
    /// Files written.
    pub files: u64,
    /// Rows in these.
    pub rows: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Files removed, because others have their rows now.
    pub removed: u64,
}

/// One table or query of an export.
struct Item {
    /// Of its folder or file.
    name: String,
    /// What rows come from, as SQL: a table's name, or a query in brackets.
    from: String,
    /// What rows are ordered by within a partition, so that the same rows make the same bytes.
    order: Vec<String>,
    /// The column of positions, where rows stay as they are.
    appended_by: Option<String>,
}

/// Carries out a job. `tell` hears of each new file when it is whole.
pub async fn run(
    source: &dyn Source,
    target: &Target,
    job: &Job,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Exported, Problem> {
    let catalog = source.catalog().await?;
    let items = items(&job.what, &catalog)?;
    let run = Run { source, target, job, position: catalog.position, tell };
    match &job.layout {
        Layout::Files => run.files(items).await,
        Layout::DataSet { partition_by, file_rows, file_bytes, incremental } => {
            let shape = Shape {
                format: job.format,
                row_group_rows: job.row_group_rows,
                file_rows: *file_rows,
                file_bytes: *file_bytes,
            };
            run.data_set(items, partition_by, shape, *incremental).await
        }
    }
}

fn items(what: &What, catalog: &Catalog) -> Result<Vec<Item>, Problem> {
    let tables: Vec<&Table> = match what {
        What::Query { name, sql } => {
            check_name(name)?;
            // A line comment at the end must not hide the bracket.
            let from = format!("({}\n) AS exported", sql.trim().trim_end_matches(';'));
            return Ok(vec![Item { name: name.clone(), from, order: Vec::new(), appended_by: None }]);
        }
        What::Tables(names) if names.is_empty() => catalog.tables.iter().filter(|table| table.stored).collect(),
        What::Tables(names) => names.iter().map(|name| find(catalog, name)).collect::<Result<_, _>>()?,
    };
    Ok(tables.into_iter().map(of_table).collect())
}

fn find<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c Table, Problem> {
    catalog.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        Problem::new(ErrorClass::NotFound, format!("there is no table `{name:.80}`"))
            .code("unknown_table")
            .suggest(name, catalog.tables.iter().map(|table| table.name.as_str()))
    })
}

fn of_table(table: &Table) -> Item {
    let quoted = |name: &str| format!("\"{name}\"");
    let from = table.name.split('.').map(quoted).collect::<Vec<_>>().join(".");
    let order = match &table.appended_by {
        Some(column) => [column].into_iter().chain(&table.key).map(|name| quoted(name)).collect(),
        None => table.key.iter().map(|name| quoted(name)).collect(),
    };
    Item { name: table.name.clone(), from, order, appended_by: table.appended_by.clone() }
}

struct Run<'a> {
    source: &'a dyn Source,
    target: &'a Target,
    job: &'a Job,
    position: u64,
    tell: &'a (dyn Fn(&str) + Sync),
}

impl Run<'_> {
    /// One file for each table.
    async fn files(&self, items: Vec<Item>) -> Result<Exported, Problem> {
        let mut exported = Exported { position: self.position, ..Exported::default() };
        let shape = Shape {
            format: self.job.format,
            row_group_rows: self.job.row_group_rows,
            file_rows: None,
            file_bytes: u64::MAX,
        };
        for item in items {
            let sql = format!("SELECT * FROM {}", item.from);
            let name = Name::One(format!("{}.{}", item.name, self.job.format.name()));
            let (_, new, _) = self.write(&sql, &[], shape, name, Before::default()).await?;
            exported.add(&new);
        }
        Ok(exported)
    }

    /// A folder for each table, and the manifest.
    async fn data_set(
        &self,
        items: Vec<Item>,
        partition_by: &[Partition],
        shape: Shape,
        incremental: bool,
    ) -> Result<Exported, Problem> {
        let mut manifest = match self.target.read(manifest::NAME).await? {
            Some(bytes) => Manifest::read(&bytes, self.target.shown())?,
            None => Manifest::default(),
        };
        manifest.check_position(self.position, self.target.shown())?;
        let mut exported = Exported { position: self.position, ..Exported::default() };
        if self.position == 0 {
            // There is no position to read at yet: what comes meanwhile would be taken now, and again the next time.
            return Ok(exported);
        }
        let mut gone = Vec::new();
        for item in items {
            let before = manifest.tables.get(&item.name).cloned().unwrap_or_default();
            gone.extend(self.left_over(&item.name, &before).await?);
            let (written, new) = self.table(&item, partition_by, shape, (&before, incremental)).await?;
            let kept: BTreeSet<&str> = written.files.iter().map(|file| file.path.as_str()).collect();
            let replaced = before.files.iter().filter(|file| !kept.contains(file.path.as_str()));
            gone.extend(replaced.map(|file| file.path.clone()));
            exported.add(&new);
            manifest.tables.insert(item.name, written);
        }
        // One that broke off at this position may have left a file of the same name, which is written anew.
        let counts: BTreeSet<&str> =
            manifest.tables.values().flat_map(|table| &table.files).map(|file| file.path.as_str()).collect();
        gone.retain(|path| !counts.contains(path.as_str()));
        manifest.position = self.position;
        self.target.put(manifest::NAME, manifest.to_bytes()).await?;
        // Only now: until here the files of before were those that counted.
        for path in &gone {
            self.target.remove(path).await?;
        }
        exported.removed = gone.len() as u64;
        Ok(exported)
    }

    /// Returns files in a table's folder that an export wrote which broke off.
    async fn left_over(&self, table: &str, before: &Written) -> Result<Vec<String>, Problem> {
        let listed = self.target.list(table).await?;
        let known = |path: &String| before.files.iter().any(|file| file.path == *path);
        Ok(listed.into_iter().filter(|path| is_ours(path) && !known(path)).collect())
    }

    async fn table(
        &self,
        item: &Item,
        partition_by: &[Partition],
        shape: Shape,
        (before, incremental): (&Written, bool),
    ) -> Result<(Written, Vec<File>), Problem> {
        let levels: Vec<String> = partition_by.iter().map(ToString::to_string).collect();
        let asked = format!("{} by {} from {}", shape.format.name(), levels.join(","), item.from);
        let name = Name::Numbered { folder: item.name.clone(), position: self.position };
        let select = format!("SELECT *{} FROM {}", partition::select(partition_by), item.from);
        let order = partition::order(partition_by).into_iter().chain(item.order.iter().cloned()).collect::<Vec<_>>();
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        if incremental
            && let Some(column) = &item.appended_by
            && before.asked.starts_with(&format!("{asked} with "))
        {
            let sql = format!("{select} WHERE \"{column}\" > {}{order}", before.position);
            let kept = Before { asked: Some(&before.asked), files: &[] };
            let (columns, new, files) = self.write(&sql, partition_by, shape, name.clone(), kept).await?;
            if let Some(files) = files {
                let mut all = before.files.clone();
                all.extend(files);
                all.sort_by(|a, b| a.path.cmp(&b.path));
                return Ok((
                    Written { asked: format!("{asked} with {columns}"), position: self.position, files: all },
                    new,
                ));
            }
        }
        let known = Before { asked: None, files: &before.files };
        let (columns, new, files) = self.write(&format!("{select}{order}"), partition_by, shape, name, known).await?;
        let mut files = files.unwrap_or_default();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((Written { asked: format!("{asked} with {columns}"), position: self.position, files }, new))
    }

    /// Writes the rows of a query. Returns its columns, the new files, and all files that hold its rows: none when
    /// the columns are others than those of the files before.
    async fn write(
        &self,
        sql: &str,
        partition_by: &[Partition],
        shape: Shape,
        name: Name,
        before: Before<'_>,
    ) -> Result<(String, Vec<File>, Option<Vec<File>>), Problem> {
        let as_of = (self.position > 0).then_some(self.position);
        let mut rows = self.source.rows(sql, as_of).await?;
        let schema = partition::without(&RecordBatch::new_empty(rows.schema.clone()), partition_by)?.schema();
        let columns: Vec<String> =
            schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
        let columns = columns.join(", ");
        if before.asked.is_some_and(|asked| !asked.ends_with(&format!(" with {columns}"))) {
            return Ok((columns, Vec::new(), None));
        }
        let mut files = Files::new(self.target, shape, name, schema, before.files);
        let written = async {
            while let Some(batch) = rows.batches.next().await {
                for piece in partition::cut(&batch?, partition_by)? {
                    files.push(piece).await?;
                }
            }
            files.finish().await
        };
        if let Err(problem) = written.await {
            files.abort().await;
            return Err(problem);
        }
        let paths: Vec<String> = files.new.iter().map(|file| file.path.clone()).collect();
        self.target.settle(&paths).await?;
        paths.iter().for_each(|path| (self.tell)(&self.target.location(path)));
        Ok((columns, files.new, Some(files.files)))
    }
}

/// What is there of a table.
#[derive(Default)]
struct Before<'a> {
    /// How the files to which others are added were asked for.
    asked: Option<&'a str>,
    /// Files that need not be written again when their bytes are the same.
    files: &'a [File],
}

impl Exported {
    fn add(&mut self, new: &[File]) {
        self.tables += 1;
        self.files += new.len() as u64;
        self.rows += new.iter().map(|file| file.rows).sum::<u64>();
        self.bytes += new.iter().map(|file| file.bytes).sum::<u64>();
    }
}
