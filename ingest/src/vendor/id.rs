//! Ids of other platforms → ids of OpenTelemetry: what has their form is kept, anything else is hashed.

use partitura_event::Fingerprint;

/// Returns 32 hexadecimal digits for the id of a trace.
pub fn trace_id(text: &str) -> String {
    digits(text.strip_prefix("trace_").unwrap_or(text), 32)
}

/// Returns 16 hexadecimal digits for the id of a span.
pub fn span_id(text: &str) -> String {
    digits(text, 16)
}

/// Returns the id of the call that a span is, as its translation names it.
pub fn interaction_id(trace: &str, span: &str) -> String {
    format!("{}-{}", trace_id(trace), span_id(span))
}

fn digits(text: &str, count: usize) -> String {
    // A UUID is 32 digits with dashes between them.
    let plain: String = text.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
    let is_id =
        plain.len() == count && plain.bytes().all(|b| b.is_ascii_hexdigit()) && plain.bytes().any(|b| b != b'0');
    if is_id { plain } else { format!("{:?}", Fingerprint::of(text.as_bytes()))[..count].to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{interaction_id, span_id, trace_id};

    #[test]
    fn ids_of_the_right_form_are_kept_and_others_are_hashed_alike() {
        assert_eq!(trace_id("4BF92F3577B34DA6A3CE929D0E0E4736"), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace_id("4bf92f35-77b3-4da6-a3ce-929d0e0e4736"), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace_id("trace_4bf92f3577b34da6a3ce929d0e0e4736"), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span_id("00f067aa0ba902b7"), "00f067aa0ba902b7");
        for odd in ["order 7", "", "0000000000000000", "span_0123456789abcdef01234567", "é"] {
            let (span, trace) = (span_id(odd), trace_id(odd));
            assert_eq!((span.len(), trace.len()), (16, 32), "{odd}");
            assert!(span.bytes().chain(trace.bytes()).all(|b| b.is_ascii_hexdigit()), "{odd}");
            assert_eq!(span, span_id(odd));
        }
        assert_ne!(span_id("a"), span_id("b"));
        assert_eq!(
            interaction_id("4BF92F3577B34DA6A3CE929D0E0E4736", "00f067aa0ba902b7"),
            "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
        );
    }
}
