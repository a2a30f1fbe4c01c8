//! What the targets of events share: a way in that is made once, as a server makes it.

use std::sync::LazyLock;

use partitura_event::{Source, Timestamp, Workspace};
use partitura_ingest::{ContentType, Context, IdGenerator, Limits, RedactSettings, Redactor, decode};

/// The redactor with its default rules. Compiling them takes longer than a thousand runs.
pub static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(RedactSettings::default()).expect("the default rules are right"));
static SOURCE: LazyLock<Source> = LazyLock::new(|| Source::new("fuzz").expect("a source"));
static IDS: LazyLock<IdGenerator> = LazyLock::new(|| IdGenerator::new(|| [0; 10]));
static WORKSPACE: LazyLock<Workspace> = LazyLock::new(Workspace::local);

/// Calls `work` with the context of a request.
pub fn with_context<T>(work: impl FnOnce(&Context<'_>) -> T) -> T {
    work(&Context {
        workspace: &WORKSPACE,
        source: &SOURCE,
        now: Timestamp::MIN,
        ids: &IDS,
        redactor: &REDACTOR,
        limits: Limits::default(),
        strict: false,
        idempotent: true,
    })
}

/// Decodes a body; what is taken must be sound.
pub fn take(content: ContentType, headers: &[(&str, &str)], body: &[u8]) {
    let decoded = with_context(|context| decode(content, headers, body, context));
    for item in decoded.into_iter().flat_map(|decoded| decoded.items).flatten() {
        assert!(item.draft.data.get().starts_with('{'));
    }
}
