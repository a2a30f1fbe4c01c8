//! Settings of a session that Postgres clients know, and our own.

use partitura_service::PG_VERSION;

/// What may be done with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Kept and told, without effect on answers that only read.
    Kept,
    /// Told, never changed.
    Fixed,
    /// `on` and `off` alone.
    Switch,
    /// Only this value, however it is spelled.
    Only(&'static str),
    /// Milliseconds, or a number with a unit.
    Time,
    /// A zone by its IANA name.
    TimeZone,
    /// A level of isolation.
    Isolation,
    /// A position, a time or `now-7d`; empty for the newest.
    AsOf,
    /// A whole number; empty for none.
    Number,
}

/// One setting.
pub struct Known {
    /// Its name as Postgres writes it.
    pub name: &'static str,
    pub default: &'static str,
    pub rule: Rule,
    /// Clients are told of each change.
    pub told: bool,
}

const fn known(name: &'static str, default: &'static str, rule: Rule) -> Known {
    Known { name, default, rule, told: false }
}

const fn told(name: &'static str, default: &'static str, rule: Rule) -> Known {
    Known { name, default, rule, told: true }
}

/// Position at which all statements of a session read.
pub const AS_OF: &str = "partitura.as_of";
/// Position that an answer must know, and how long to wait for it.
pub const MIN_POSITION: &str = "partitura.min_position";
pub const WAIT_MS: &str = "partitura.wait_ms";
/// Most rows of an answer.
pub const LIMIT: &str = "partitura.limit";
/// The workspace, chosen when the connection starts.
pub const WORKSPACE: &str = "partitura.workspace";

/// All of them.
pub const KNOWN: &[Known] = &[
    told("application_name", "", Rule::Kept),
    told("client_encoding", "UTF8", Rule::Only("UTF8")),
    told("DateStyle", "ISO, MDY", Rule::Only("ISO")),
    told("default_transaction_read_only", "on", Rule::Switch),
    told("in_hot_standby", "off", Rule::Fixed),
    told("integer_datetimes", "on", Rule::Fixed),
    told("IntervalStyle", "postgres", Rule::Only("postgres")),
    told("is_superuser", "off", Rule::Fixed),
    told("server_encoding", "UTF8", Rule::Fixed),
    told("server_version", PG_VERSION, Rule::Fixed),
    told("standard_conforming_strings", "on", Rule::Only("on")),
    told("TimeZone", "UTC", Rule::TimeZone),
    known("array_nulls", "on", Rule::Switch),
    known("backslash_quote", "safe_encoding", Rule::Kept),
    known("block_size", "8192", Rule::Fixed),
    known("bytea_output", "hex", Rule::Only("hex")),
    known("check_function_bodies", "on", Rule::Switch),
    known("client_min_messages", "notice", Rule::Kept),
    known("cursor_tuple_fraction", "0.1", Rule::Kept),
    known("data_checksums", "on", Rule::Fixed),
    known("default_tablespace", "", Rule::Kept),
    known("default_transaction_deferrable", "off", Rule::Switch),
    known("default_transaction_isolation", "read committed", Rule::Isolation),
    known("enable_hashjoin", "on", Rule::Switch),
    known("enable_indexscan", "on", Rule::Switch),
    known("enable_mergejoin", "on", Rule::Switch),
    known("enable_nestloop", "on", Rule::Switch),
    known("enable_seqscan", "on", Rule::Switch),
    known("escape_string_warning", "on", Rule::Switch),
    known("extra_float_digits", "1", Rule::Kept),
    known("from_collapse_limit", "8", Rule::Kept),
    known("geqo", "on", Rule::Switch),
    known("idle_in_transaction_session_timeout", "0", Rule::Time),
    known("idle_session_timeout", "0", Rule::Time),
    known("jit", "off", Rule::Switch),
    known("join_collapse_limit", "8", Rule::Kept),
    known("lc_collate", "C.UTF-8", Rule::Fixed),
    known("lc_ctype", "C.UTF-8", Rule::Fixed),
    known("lc_messages", "C", Rule::Kept),
    known("lc_monetary", "C", Rule::Kept),
    known("lc_numeric", "C", Rule::Kept),
    known("lc_time", "C", Rule::Kept),
    known("lo_compat_privileges", "off", Rule::Switch),
    known("lock_timeout", "0", Rule::Time),
    known("log_min_messages", "warning", Rule::Kept),
    known("log_statement", "none", Rule::Kept),
    known("maintenance_work_mem", "65536", Rule::Kept),
    known("max_identifier_length", "63", Rule::Fixed),
    known("max_index_keys", "32", Rule::Fixed),
    known("max_parallel_workers_per_gather", "0", Rule::Kept),
    known("optimize_bounded_sort", "on", Rule::Switch),
    known("plan_cache_mode", "auto", Rule::Kept),
    known("quote_all_identifiers", "off", Rule::Switch),
    known("random_page_cost", "4", Rule::Kept),
    known("role", "none", Rule::Only("none")),
    known("row_security", "on", Rule::Switch),
    known("search_path", "\"$user\", public", Rule::Kept),
    known("seq_page_cost", "1", Rule::Kept),
    known("server_version_num", "160006", Rule::Fixed),
    known("session_replication_role", "origin", Rule::Kept),
    known("ssl", "off", Rule::Fixed),
    known("ssl_renegotiation_limit", "0", Rule::Kept),
    known("statement_timeout", "0", Rule::Time),
    known("synchronize_seqscans", "on", Rule::Switch),
    known("synchronous_commit", "on", Rule::Kept),
    known("tcp_keepalives_idle", "0", Rule::Kept),
    known("tcp_keepalives_interval", "0", Rule::Kept),
    known("transaction_deferrable", "off", Rule::Switch),
    known("transaction_isolation", "read committed", Rule::Isolation),
    known("transaction_read_only", "on", Rule::Switch),
    known("transaction_timeout", "0", Rule::Time),
    known("transform_null_equals", "off", Rule::Switch),
    known("work_mem", "4096", Rule::Kept),
    known("xmlbinary", "base64", Rule::Kept),
    known("xmloption", "content", Rule::Kept),
    known(AS_OF, "", Rule::AsOf),
    known(LIMIT, "", Rule::Number),
    known(MIN_POSITION, "", Rule::Number),
    known(WAIT_MS, "", Rule::Number),
    known(WORKSPACE, "", Rule::Fixed),
];

/// Returns the setting of a name, whatever its capitals.
pub fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}
