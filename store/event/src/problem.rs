//! The one error that users meet: a class, a stable code, a sentence and the next step.
//!
//! Every crate turns its errors into a [`Problem`]; every door turns a `Problem` into its protocol by
//! the one table in [`ErrorClass`]. HTTP renders it as RFC 9457 `application/problem+json`.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

macro_rules! error_classes {
    ($($(#[$doc:meta])* $name:ident: $code:literal, $title:literal, $http:literal, $grpc:literal, $sqlstate:literal, $rpc:literal, $exit:literal;)*) => {
        /// What the caller should do about it. The doc of each class says that.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorClass {
            $($(#[$doc])* $name,)*
        }

        impl ErrorClass {
            /// All classes, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the class's own code, used where no finer one is given.
            pub const fn code(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// Returns the title, the same for every problem of the class.
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title,)* } }
            /// Returns the HTTP status.
            pub const fn http(self) -> u16 { match self { $(Self::$name => $http,)* } }
            /// Returns the gRPC status code (`google.rpc.Code`).
            pub const fn grpc(self) -> i32 { match self { $(Self::$name => $grpc,)* } }
            /// Returns the SQLSTATE.
            pub const fn sqlstate(self) -> &'static str { match self { $(Self::$name => $sqlstate,)* } }
            /// Returns the JSON-RPC error code, for MCP.
            pub const fn json_rpc(self) -> i32 { match self { $(Self::$name => $rpc,)* } }
            /// Returns the exit code of the command line.
            pub const fn exit(self) -> u8 { match self { $(Self::$name => $exit,)* } }
        }
    };
}

error_classes! {
    /// Fix the bytes: they are not what the content type says.
    Malformed: "malformed", "Malformed request", 400, 3, "22P02", -32700, 2;
    /// Fix the SQL.
    Syntax: "sql_syntax", "SQL not understood", 400, 3, "42601", -32602, 2;
    /// Send a valid key.
    Unauthenticated: "unauthenticated", "A valid key is needed", 401, 16, "28000", -32001, 6;
    /// Ask for a key with the scope that is named.
    Forbidden: "forbidden", "Not allowed with this key", 403, 7, "42501", -32001, 6;
    /// Look elsewhere; near names are suggested.
    NotFound: "not_found", "Not found", 404, 5, "42P01", -32002, 4;
    /// Use another method on this path.
    MethodNotAllowed: "method_not_allowed", "Method not allowed", 405, 12, "0A000", -32601, 2;
    /// Ask for a supported format.
    NotAcceptable: "not_acceptable", "Format not supported", 406, 3, "22023", -32602, 2;
    /// The id or key was used with another body, or the slot is taken.
    Conflict: "conflict", "Conflict", 409, 6, "23505", -32000, 5;
    /// It was erased, or the cursor's snapshot is gone: start again.
    Gone: "gone", "Gone", 410, 9, "02000", -32002, 4;
    /// Read the current revision, decide again.
    RevisionMismatch: "revision_mismatch", "The stream has moved", 412, 9, "40001", -32000, 5;
    /// Read the file again from its beginning.
    FileChanged: "file_changed", "The file has changed", 412, 9, "40001", -32000, 5;
    /// Send less.
    TooLarge: "too_large", "Too large", 413, 8, "54000", -32602, 2;
    /// Send a supported content type.
    UnsupportedMedia: "unsupported_media_type", "Content type not supported", 415, 3, "22023", -32602, 2;
    /// Ask for a part that the file has; its length is told.
    RangeNotSatisfiable: "range_not_satisfiable", "The file has no such part", 416, 11, "22003", -32602, 2;
    /// Fix the named fields.
    Invalid: "invalid", "Invalid request", 422, 3, "22023", -32602, 2;
    /// Slow down; wait for `Retry-After`.
    Busy: "busy", "Too many requests", 429, 8, "53000", -32000, 7;
    /// The query used up its memory, rows or bytes: narrow it or raise the limit.
    ResourcesExhausted: "resources_exhausted", "The query is over its limit", 422, 8, "53200", -32000, 7;
    /// Wait and try again.
    Unavailable: "unavailable", "Not available now", 503, 14, "57P03", -32000, 8;
    /// It took longer than allowed, or the data is not there yet.
    Timeout: "timeout", "Timed out", 504, 4, "57014", -32000, 8;
    /// Free space, then try again; nothing was written.
    StorageFull: "storage_full", "Disk full", 507, 8, "53100", -32000, 8;
    /// Stop: stored bytes are damaged. Restore from a backup.
    Corrupt: "corrupt", "Stored data is damaged", 500, 15, "XX001", -32603, 70;
    /// A defect of ours; please report it.
    Internal: "internal", "Internal error", 500, 13, "XX000", -32603, 70;
}

/// One fault of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// JSON pointer-like path: `data.tokens_in`, `events[3].time`.
    pub path: String,
    /// Stable word for the fault.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// An error as the user sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What to do about it.
    pub class: ErrorClass,
    /// Stable code, finer than the class.
    pub code: &'static str,
    /// What happened, with the names and numbers of this case.
    pub detail: String,
    /// The next step.
    pub hint: Option<String>,
    /// Nearest valid names, best first.
    pub suggestions: Vec<String>,
    /// Faults by field.
    pub issues: Vec<Issue>,
    /// How long to wait before a retry.
    pub retry_after: Option<Duration>,
    /// The stream's revision now, for [`ErrorClass::RevisionMismatch`] (0 = no event).
    pub current_revision: Option<u64>,
}

impl Problem {
    /// Makes a problem with the class's own code.
    pub fn new(class: ErrorClass, detail: impl Into<String>) -> Self {
        Self {
            class,
            code: class.code(),
            detail: detail.into(),
            hint: None,
            suggestions: Vec::new(),
            issues: Vec::new(),
            retry_after: None,
            current_revision: None,
        }
    }

    /// Makes the problem of one invalid field.
    pub fn invalid_field(path: &str, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let issue = Issue { path: path.to_owned(), code: code.to_owned(), message: detail.clone() };
        Self { issues: vec![issue], ..Self::new(ErrorClass::Invalid, detail) }
    }

    /// Sets the finer code.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// Sets the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Suggests the names of `known` that are nearest to `given`, at most three.
    #[must_use]
    pub fn suggest<'a>(mut self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.suggestions = nearest(given, known, 3);
        self
    }

    /// Sets how long to wait.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        if !self.suggestions.is_empty() {
            write!(f, " (did you mean {}?)", self.suggestions.join(" or "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// Longest name that others are compared with: what is longer is no misspelling, and comparing costs its square.
const MAX_COMPARED_BYTES: usize = 80;

/// Returns at most `limit` of `known` that resemble `given`, best first, ties by name.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<String> {
    if given.len() > MAX_COMPARED_BYTES {
        return Vec::new();
    }
    let given = given.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .filter(|name| name.len() <= MAX_COMPARED_BYTES)
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase()), name))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(limit).map(|(_, name)| name.to_owned()).collect()
}
