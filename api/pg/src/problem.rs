//! Turns a `Problem` into an error of the wire: SQLSTATE of the one error table, finer where Postgres' clients look for it.

use partitura_event::{ErrorClass, Problem};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

/// Faults of fields that are told one by one.
const ISSUES_MAX: usize = 5;

/// Codes of ours for which Postgres has a state of its own, by which clients decide what to do.
const STATES: &[(&str, &str)] = &[
    ("pg_message", "08P01"),
    ("encryption_needed", "28000"),
    ("invalid_key", "28P01"),
    ("key_needed", "28P01"),
    ("key_ended", "57P01"),
    ("shutting_down", "57P01"),
    ("session_idle", "57P05"),
    ("too_many_connections", "53300"),
    ("unknown_database", "3D000"),
    ("invalid_utf8", "22021"),
    ("sql_read_only", "25006"),
    ("sql_not_supported", "0A000"),
    ("sql_cancelled", "57014"),
    ("sql_unknown_table", "42P01"),
    ("sql_unknown_column", "42703"),
    ("sql_ambiguous_column", "42702"),
    ("sql_unknown_function", "42883"),
    ("sql_parameter_missing", "42P02"),
    ("sql_parameter_type", "22P02"),
    ("sql_too_complex", "54001"),
    ("unknown_setting", "42704"),
    ("setting_fixed", "55P02"),
    ("transaction_failed", "25P02"),
    ("transaction_missing", "25P01"),
    ("unknown_savepoint", "3B001"),
    ("unknown_statement", "26000"),
    ("unknown_portal", "34000"),
    ("portal_taken", "42P03"),
    ("portal_spent", "55000"),
    ("statement_taken", "42P05"),
    ("too_many_statements", "53400"),
];

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The statement failed.
    Error,
    /// The connection ends.
    Fatal,
}

/// The text of a message and where in it the statement begins that failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// All that the client sent.
    pub text: &'a str,
    /// Byte at which the SQL begins that the engine was asked.
    pub from: usize,
}

/// Returns the SQLSTATE of a problem.
pub fn sqlstate(problem: &Problem) -> &'static str {
    let finer = STATES.iter().find(|(code, _)| *code == problem.code).map(|(_, state)| *state);
    finer.unwrap_or_else(|| problem.class.sqlstate())
}

/// Returns the message of a problem.
pub fn error(problem: &Problem, severity: Severity, place: Place<'_>) -> PgWireBackendMessage {
    if problem.class.http() >= 500 {
        tracing::warn!(code = problem.code, "request failed");
    }
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    let found = position(&problem.detail, place);
    let mut text = found.map_or(problem.detail.as_str(), |(_, rest)| rest).to_owned();
    if !problem.suggestions.is_empty() {
        text.push_str(&format!(" (did you mean {}?)", problem.suggestions.join(" or ")));
    }
    for issue in problem.issues.iter().filter(|issue| issue.message != problem.detail).take(ISSUES_MAX) {
        text.push_str(&format!("; {}: {}", issue.path, issue.message));
    }
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', sqlstate(problem).to_owned()),
        (b'M', text),
        // Postgres names its source here; ours is the stable code.
        (b'R', problem.code.to_owned()),
    ];
    fields.extend(hint(problem).map(|hint| (b'H', hint)));
    fields.extend(found.map(|(position, _)| (b'P', position.to_string())));
    PgWireBackendMessage::ErrorResponse(ErrorResponse::new(
        fields.into_iter().map(|(field, text)| (field, clean(text))).collect(),
    ))
}

/// Returns a message that is no error.
pub fn notice(state: &str, text: &str) -> PgWireBackendMessage {
    let fields = [(b'S', "WARNING"), (b'V', "WARNING"), (b'C', state), (b'M', text)];
    PgWireBackendMessage::NoticeResponse(NoticeResponse::new(
        fields.map(|(field, text)| (field, text.to_owned())).to_vec(),
    ))
}

/// Reports what is no message of the protocol.
pub fn protocol(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorClass::Malformed, detail).code("pg_message").hint("speak version 3 of the Postgres protocol")
}

fn hint(problem: &Problem) -> Option<String> {
    let hint = problem.hint.as_deref();
    if problem.code == "sql_read_only" {
        let writes = "events are written through POST /v1/events, OTLP or Flight SQL ingest";
        return Some(hint.map_or_else(|| writes.to_owned(), |hint| format!("{hint}; {writes}")));
    }
    hint.map(str::to_owned)
}

/// A text ends at its first NUL on the wire.
fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

/// Reads `line 1, column 8: what`, and counts characters up to there from the beginning of what the client sent.
fn position<'d>(detail: &'d str, place: Place<'_>) -> Option<(usize, &'d str)> {
    let (line, rest) = detail.strip_prefix("line ")?.split_once(", column ")?;
    let (column, rest) = rest.split_once(": ")?;
    let (line, column) = (line.parse::<usize>().ok()?, column.parse::<usize>().ok()?);
    let (before, sql) = place.text.split_at_checked(place.from)?;
    let lines = sql.split_inclusive('\n').take(line.checked_sub(1)?);
    let above: usize = lines.map(|line| line.chars().count()).sum();
    Some((before.chars().count() + above + column, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_of_the_whole_message() {
        let place = |text, from| Place { text, from };
        let said = "line 2, column 3: there is no column `b`";
        assert_eq!(position(said, place("é;SELECT\n  b", 3)), Some((12, "there is no column `b`")));
        assert_eq!(position("no place", place("SELECT 1", 0)), None);
        assert_eq!(position("line 0, column 1: x", place("", 0)), None);
    }

    #[test]
    fn every_class_has_a_state_and_finer_ones_come_first() {
        for class in ErrorClass::ALL {
            assert_eq!(sqlstate(&Problem::new(*class, "x")).len(), 5, "{class:?}");
        }
        assert_eq!(sqlstate(&Problem::new(ErrorClass::Invalid, "x").code("sql_read_only")), "25006");
    }
}
