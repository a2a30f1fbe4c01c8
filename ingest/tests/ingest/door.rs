//! The door as tests open it: fixed clock, ids and settings.

use partitura_event::{Problem, Source, Timestamp, Workspace};
use partitura_ingest::{
    Accepted, ContentType, Context, Decoded, IdGenerator, Limits, RedactSettings, Redactor, decode,
};

/// All that a [`Context`] borrows.
pub struct Door {
    pub workspace: Workspace,
    pub source: Source,
    pub ids: IdGenerator,
    pub redactor: Redactor,
    pub limits: Limits,
    pub strict: bool,
    pub idempotent: bool,
}

impl Door {
    pub fn new() -> Self {
        Self::with(RedactSettings::default())
    }

    pub fn with(settings: RedactSettings) -> Self {
        Self {
            workspace: Workspace::local(),
            source: Source::new("local").expect("a source"),
            ids: IdGenerator::new(|| [7; 10]),
            redactor: Redactor::new(settings).expect("rules"),
            limits: Limits::default(),
            strict: false,
            idempotent: false,
        }
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            workspace: &self.workspace,
            source: &self.source,
            now: Timestamp::from_micros(1_767_607_200_000_000).expect("2026-01-05T10:00:00Z"),
            ids: &self.ids,
            redactor: &self.redactor,
            limits: self.limits,
            strict: self.strict,
            idempotent: self.idempotent,
        }
    }

    pub fn json(&self, body: &str) -> Result<Decoded, Problem> {
        decode(ContentType::Json, &[], body.as_bytes(), &self.context())
    }

    /// Decodes one event that must be taken.
    pub fn one(&self, body: &str) -> Accepted {
        let decoded = self.json(body).unwrap_or_else(|problem| panic!("{body}: {problem}"));
        let item = decoded.items.into_iter().next().expect("one event");
        item.unwrap_or_else(|rejected| panic!("{body}: {}", rejected.problem))
    }

    /// Decodes one event that must be refused.
    pub fn refused(&self, body: &str) -> Problem {
        match self.json(body) {
            Err(problem) => problem,
            Ok(decoded) => decoded.items.into_iter().next().expect("one event").expect_err(body).problem,
        }
    }
}

/// Returns everything that a problem tells, as one text.
pub fn whole(problem: &Problem) -> String {
    let issues: Vec<String> = problem.issues.iter().map(|issue| format!("{}: {}", issue.path, issue.message)).collect();
    format!("{problem}\n{}", issues.join("\n"))
}
