//! Telemetry: an export request becomes raw records, in one atomic append.

mod health;

use std::sync::atomic::Ordering;
use std::time::Instant;

use partitura_event::{ErrorClass, Position, Problem};
use partitura_ingest::Context;
pub use partitura_ingest::otlp::{Encoding, Signal, reply};
use partitura_ingest::otlp::{Export, decode};
use partitura_log::{AppendRequest, ItemResult};

pub use health::Refusals;

use crate::principal::Principal;
use crate::service::Service;

/// Bodies up to this size are read where they arrive.
const INLINE_MAX: usize = 256 << 10;

/// An export request, as its door received it.
#[derive(Clone, Copy, Debug)]
pub struct OtlpCall<'a> {
    /// What it carries.
    pub signal: Signal,
    /// How it is encoded.
    pub encoding: Encoding,
    /// The inflated body.
    pub body: &'a [u8],
}

/// The answer to an export that was taken.
#[derive(Clone, Debug, Default)]
pub struct OtlpTaken {
    /// Items that were refused for good.
    pub rejected: u64,
    /// Why; empty if nothing was refused.
    pub message: String,
    /// The log's position.
    pub position: Option<Position>,
}

impl Service {
    /// Stores an export request. All of it is durable when this returns, but for items that can never be taken;
    /// after an error nothing is. Sent again, it is stored once.
    #[tracing::instrument(level = "debug", skip_all, fields(workspace = %principal.workspace, bytes = call.body.len()))]
    pub async fn export_otlp(&self, principal: &Principal, call: OtlpCall<'_>) -> Result<OtlpTaken, Problem> {
        self.accepting()?;
        let _pass = self.append_gate().enter().await?;
        let read = || {
            let context = Context {
                workspace: &principal.workspace,
                source: &principal.source,
                now: self.clock().now(),
                ids: self.ids(),
                redactor: self.redactor(),
                limits: self.ingest_limits(),
                strict: false,
                idempotent: true,
            };
            decode(call.signal, call.encoding, call.body, &context)
        };
        let export = match call.body.len() {
            0..=INLINE_MAX => read(),
            // A large body keeps a thread busy for long: the others must go on meanwhile.
            _ => tokio::task::block_in_place(read),
        };
        let export = export.inspect_err(|_| self.count_refused_items(1))?;
        self.metrics().redacted(export.redactions.iter().map(|(rule, n)| (rule.as_str(), *n)));
        self.count_refused_items(export.rejected());
        self.refusals().add(&principal.workspace, call.signal.kind(), &export.rejected);
        let (rejected, message) = (export.rejected(), self.loggable(&export.message(call.signal)));
        let position = self.append_records(principal, export).await?;
        Ok(OtlpTaken { rejected, message, position })
    }

    async fn append_records(&self, principal: &Principal, export: Export) -> Result<Option<Position>, Problem> {
        if export.drafts.is_empty() {
            return Ok(self.head());
        }
        let started = Instant::now();
        let mut request = AppendRequest::new(principal.workspace.clone(), export.drafts);
        request.atomic = true;
        let reply = self.log().append(request).await.map_err(|error| self.failed_append(error))?;
        self.metrics().append.observe(started.elapsed());
        let number = |wanted: fn(&ItemResult) -> bool| reply.results.iter().filter(|item| wanted(item)).count() as u64;
        let new = number(|item| matches!(item, ItemResult::Appended { .. }));
        let old = number(|item| matches!(item, ItemResult::Duplicate { .. }));
        self.metrics().appended.fetch_add(new, Ordering::Relaxed);
        self.metrics().duplicates.fetch_add(old, Ordering::Relaxed);
        if new + old < reply.results.len() as u64 {
            let detail = "an event of another producer has the id of one of these records";
            return Err(Problem::new(ErrorClass::Conflict, detail).code("id_reused"));
        }
        tracing::debug!(new, duplicates = old, "exported");
        Ok(reply.head)
    }

    fn count_refused_items(&self, refused: u64) {
        self.metrics().refused.fetch_add(refused, Ordering::Relaxed);
    }
}
