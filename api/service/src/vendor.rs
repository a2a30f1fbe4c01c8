//! What SDKs of other platforms send besides OTLP: spans become telemetry, scores become outcomes.

mod langfuse;
mod openai_agents;
mod phoenix;

use partitura_event::{ErrorClass, Problem};
use partitura_ingest::otlp::{Encoding, Signal};
use partitura_ingest::vendor::{Judgement, Span, request};

use crate::judgements::Kept;
use crate::otlp::OtlpCall;
use crate::principal::Principal;
use crate::service::Service;
pub use langfuse::{Ingested, ScoresKept};
pub use partitura_ingest::vendor::phoenix::Target;

/// Bodies up to this size are read where they arrive.
const INLINE_MAX: usize = 256 << 10;

/// Reads a body. A large one keeps a thread busy for long: the others must go on meanwhile.
fn read<T>(body: &[u8], how: impl FnOnce(&[u8]) -> T) -> T {
    match body.len() {
        0..=INLINE_MAX => how(body),
        _ => tokio::task::block_in_place(|| how(body)),
    }
}

impl Service {
    /// Exports spans as telemetry of a service. An error of the result says why spans were refused for good.
    async fn export_spans(
        &self,
        principal: &Principal,
        service: &str,
        scope: &str,
        spans: &[Span],
    ) -> Result<Result<(), Problem>, Problem> {
        if spans.is_empty() {
            return Ok(Ok(()));
        }
        let body = request(service, scope, spans);
        let call = OtlpCall { signal: Signal::Traces, encoding: Encoding::Json, body: &body };
        let taken = self.export_otlp(principal, call).await?;
        let refused = taken.rejected > 0;
        Ok(if refused { Err(Problem::new(ErrorClass::Invalid, taken.message).code("spans_refused")) } else { Ok(()) })
    }

    /// Stores the scores that could be read; answers each.
    async fn judge_readable(
        &self,
        principal: &Principal,
        items: Vec<Result<Judgement, Problem>>,
    ) -> Result<Vec<Result<Kept, Problem>>, Problem> {
        let readable: Vec<_> = items.iter().filter_map(|item| item.as_ref().ok().cloned()).collect();
        let mut kept =
            if readable.is_empty() { Vec::new() } else { self.judge(principal, readable).await? }.into_iter();
        let missing = || Problem::new(ErrorClass::Internal, "a score got no answer");
        Ok(items.into_iter().map(|item| item.and_then(|_| kept.next().unwrap_or_else(|| Err(missing())))).collect())
    }

    /// Counts what was refused, for `/v1/ingest/health`.
    fn count_refusals<'p>(
        &self,
        principal: &Principal,
        kind: &'static str,
        refused: impl IntoIterator<Item = &'p Problem>,
    ) {
        for problem in refused {
            self.intake().refuse(&principal.workspace, &principal.source, kind, problem);
        }
    }
}
