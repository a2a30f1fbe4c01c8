//! Langfuse's SDKs: scores, and batches of events.

use partitura_event::Problem;
use partitura_ingest::vendor::langfuse::{SCOPE, SOURCE, Scores, Told, batch, scores};

use super::read;
use crate::judgements::Kept;
use crate::principal::Principal;
use crate::service::Service;

/// What became of posted scores.
#[derive(Debug)]
pub struct ScoresKept {
    /// It was one score, not a list of them.
    pub single: bool,
    /// Each, in the order of the body.
    pub items: Vec<Result<Kept, Problem>>,
}

/// What became of one event of a batch: its id, and why it was refused.
pub type Ingested = (String, Result<(), Problem>);

impl Service {
    /// Stores one score or a list of them.
    pub async fn langfuse_scores(&self, principal: &Principal, body: &[u8]) -> Result<ScoresKept, Problem> {
        let Scores { single, items } = read(body, scores)?;
        let items = self.judge_readable(principal, items).await?;
        self.count_refusals(principal, "langfuse.scores", items.iter().filter_map(|item| item.as_ref().err()));
        Ok(ScoresKept { single, items })
    }

    /// Stores a batch of events. After an error it can be sent again: nothing is stored twice.
    pub async fn langfuse_batch(&self, principal: &Principal, body: &[u8]) -> Result<Vec<Ingested>, Problem> {
        let mut answers: Vec<Ingested> = Vec::new();
        let (mut spans, mut of_span, mut judgements, mut of_score) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, told) in read(body, batch)? {
            let refused = match told {
                Ok(Told::Span(span)) => {
                    of_span.push(answers.len());
                    spans.push(*span);
                    Ok(())
                }
                Ok(Told::Score(judgement)) => {
                    of_score.push(answers.len());
                    judgements.push(Ok(judgement));
                    Ok(())
                }
                Ok(Told::Log) => Ok(()),
                Err(problem) => Err(problem),
            };
            answers.push((id, refused));
        }
        if let Err(problem) = self.export_spans(principal, SOURCE, SCOPE, &spans).await? {
            of_span.iter().for_each(|at| answers[*at].1 = Err(problem.clone()));
        }
        let kept = self.judge_readable(principal, judgements).await?;
        for (at, kept) in of_score.into_iter().zip(kept) {
            answers[at].1 = kept.map(|_| ());
        }
        let refused = answers.iter().filter_map(|(_, answer)| answer.as_ref().err());
        self.count_refusals(principal, "langfuse.ingestion", refused);
        Ok(answers)
    }
}
