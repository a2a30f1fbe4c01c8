//! What tasks are about: projects, parts, troubles and remedies, so that searching finds something.

/// Projects with their team and repository.
pub const PROJECTS: &[(&str, &str, &str)] = &[
    ("billing", "payments", "acme/billing"),
    ("checkout", "payments", "acme/checkout"),
    ("search-api", "discovery", "acme/search-api"),
    ("mobile-app", "clients", "acme/mobile-app"),
    ("data-platform", "data", "acme/data-platform"),
];

/// Parts of systems.
pub const PARTS: &[&str] = &[
    "connection pool",
    "retry queue",
    "invoice export",
    "session cache",
    "rate limiter",
    "webhook dispatcher",
    "schema migration",
    "login form",
    "price calculator",
    "index rebuild",
    "image resizer",
    "audit log",
    "feature flags",
    "search ranking",
    "nightly batch",
    "CSV import",
    "push notifications",
    "access tokens",
];

/// What goes wrong with them.
pub const TROUBLES: &[&str] = &[
    "is exhausted after deploy",
    "times out under load",
    "loses the last row",
    "returns stale results",
    "fails when the clock changes to summer time",
    "leaks memory over a weekend",
    "rounds amounts wrongly",
    "deadlocks with two workers",
    "breaks on names with umlauts",
    "is not covered by any test",
    "retries forever on a 404",
    "ignores the tenant of the request",
    "blocks the main thread",
];

/// What helped.
pub const REMEDIES: &[&str] = &[
    "closed connections in a finally block and capped the pool at 40",
    "added an index on (tenant_id, created_at) and a statement timeout",
    "moved the calculation to decimals and added a property test",
    "invalidated the cache key when the record changes",
    "made the job idempotent by a key of the batch",
    "replaced the lock by a queue with one consumer",
    "used the time zone of the tenant instead of the server's",
    "added jitter and a limit of five attempts",
    "streamed the file instead of reading it whole",
];

/// Titles by task type: what comes before and after the part.
pub const TITLES: &[(&str, &str)] = &[
    ("Fix: the", ""),
    ("Add a setting for the", ""),
    ("Simplify the", ""),
    ("Describe the", " in the handbook"),
    ("Cover the", " with tests"),
    ("Move the", " to the new schema"),
];

/// Tools that agents call.
pub const TOOLS: &[&str] = &["read_file", "search_code", "edit_file", "run_tests", "shell", "fetch_url"];

/// What fails.
pub const ERRORS: &[&str] = &["tests_failed", "wrong_file", "context_too_long", "tool_error", "timeout"];

/// Notes that everybody should know.
pub const FACTS: &[&str] = &[
    "The staging database is reset every Monday at 06:00 UTC.",
    "Deploys to production are frozen from Friday noon to Monday morning.",
    "The payments team reviews every change to rounding.",
    "Feature flags are read once per request, never in a loop.",
    "Search ranking is tested against the golden queries in fixtures/golden.json.",
    "Mobile builds need the certificate that expires in March.",
];

/// What tools answer.
pub const FINDINGS: &[&str] = &[
    "thread panicked: index out of bounds: the len is 3 but the index is 3",
    "error[E0502]: cannot borrow `state` as mutable because it is also borrowed as immutable",
    "TimeoutError: QueuePool limit of size 20 overflow 10 reached",
    "deadlock detected: process 4121 waits for ShareLock on transaction 88123",
    "AssertionError: expected 12.30 but was 12.299999999999999",
    "TypeError: Cannot read properties of undefined (reading 'tenantId')",
    "duplicate key value violates unique constraint \"invoices_pkey\"",
    "429 Too Many Requests, Retry-After: 30",
    "all 214 tests passed in 8.3 s",
    "no match found",
    "the lock is held while the response is awaited",
    "the cache key does not contain the tenant",
    "retries without a limit and without jitter",
    "x509: certificate has expired or is not yet valid",
];

/// What a task waits for.
pub const OBSTACLES: &[&str] = &[
    "the staging database is being restored",
    "the product owner has to decide about rounding",
    "the API key of the sandbox has expired",
    "the change to the schema has to be deployed first",
    "the build queue is full",
];

/// What reviewers like.
pub const PRAISE: &[&str] = &[
    "small change, well tested.",
    "the cause is explained, not only the symptom.",
    "the benchmark shows that it is faster.",
    "reads well; merge it.",
];

/// What reviewers do not like.
pub const OBJECTIONS: &[&str] = &[
    "it hides the error instead of fixing it.",
    "the test passes without the change.",
    "it breaks the older clients of the API.",
    "the migration cannot be rolled back.",
    "it changes far more than was asked for.",
];
