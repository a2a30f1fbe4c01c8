//! Carries out the exports of `partitura.toml` when they are due, one after the other.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{ExportDone, ExportSpec, Service, read_bytes};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::job::{self, FILE_BYTES, Job, Layout, What};
use crate::partition::Partition;
use crate::run::run;
use crate::served::Served;
use crate::target::Target;

/// Longest sleep: the service's clock may be set.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// Reads an export of `partitura.toml`.
pub fn job(spec: &ExportSpec) -> Result<Job, Problem> {
    let what = match &spec.sql {
        Some(sql) => {
            job::check_name(&spec.name)?;
            What::Query { name: spec.name.clone(), sql: sql.clone() }
        }
        None => What::Tables(spec.tables.clone()),
    };
    let file_bytes = spec.file_bytes.as_deref().map(|text| read_bytes("file_bytes", text)).transpose()?;
    let layout = Layout::DataSet {
        partition_by: Partition::parse_list(&spec.partition_by)?,
        file_rows: spec.file_rows,
        file_bytes: file_bytes.unwrap_or(FILE_BYTES),
        incremental: spec.incremental,
    };
    Ok(Job { what, format: job::format(&spec.format)?, layout, row_group_rows: spec.row_group_rows })
}

/// Refuses exports that could never run, before a server starts with them.
pub fn check(specs: &[ExportSpec]) -> Result<(), Problem> {
    for spec in specs {
        job(spec).map_err(|problem| {
            let detail = format!("the export `{}`: {}", spec.name, problem.detail);
            Problem { detail, ..problem }
        })?;
    }
    Ok(())
}

/// The running schedule.
#[derive(Debug)]
pub struct Schedule {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Schedule {
    /// Starts it; without exports there is none.
    pub fn start(service: &Arc<Service>) -> Option<Self> {
        if service.exports().is_empty() {
            return None;
        }
        let stop = CancellationToken::new();
        let task = tokio::spawn(follow(Arc::clone(service), stop.clone()));
        Some(Self { stop, task })
    }

    /// Ends it. An export that is under way breaks off; what counts is what its manifest said before.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::warn!("the schedule of exports ended by a panic");
        }
    }
}

async fn follow(service: Arc<Service>, stop: CancellationToken) {
    loop {
        let now = service.now();
        if let Some(spec) = service.exports().begin_due(now) {
            tokio::select! {
                () = stop.cancelled() => return,
                () = carry_out(&service, &spec) => {}
            }
            continue;
        }
        let due = service.exports().next_due(now).map(|at| at.micros().saturating_sub(now.micros()));
        let sleep =
            due.map_or(SLEEP_MAX, |micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(SLEEP_MAX));
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.exports().asked() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

async fn carry_out(service: &Arc<Service>, spec: &ExportSpec) {
    let caught = std::panic::AssertUnwindSafe(export(service, spec)).catch_unwind().await;
    let outcome = caught.unwrap_or_else(|_| Err(Problem::new(ErrorClass::Internal, "the export met a defect")));
    match &outcome {
        Ok(done) => tracing::info!(export = spec.name, files = done.files, rows = done.rows, "exported"),
        Err(problem) => {
            let detail = service.loggable(&problem.to_string());
            tracing::warn!(export = spec.name, code = problem.code, detail, "export failed; it will be tried again");
        }
    }
    let told = service.exports().end(&spec.name, service.now(), outcome.as_ref().copied());
    if let Err(problem) = told {
        tracing::error!(detail = problem.detail, "what was exported is not written down");
    }
}

async fn export(service: &Arc<Service>, spec: &ExportSpec) -> Result<ExportDone, Problem> {
    let job = job(spec)?;
    let (at, allow_http) = (spec.target.clone(), spec.allow_http);
    let target = tokio::task::spawn_blocking(move || Target::open(&at, allow_http)).await;
    let target = target.map_err(|error| Problem::new(ErrorClass::Internal, error.to_string()))??;
    let source = Served { service: Arc::clone(service), workspace: spec.workspace.clone() };
    let exported = run(&source, &target, &job, &|_| {}).await?;
    Ok(ExportDone { position: exported.position, files: exported.files, rows: exported.rows, bytes: exported.bytes })
}
