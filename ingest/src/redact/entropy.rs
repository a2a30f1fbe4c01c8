//! Tells a secret from a word: the guard of the rules that match by context, not by form.

/// Values that stand for a secret in documentation and code.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "example",
    "your",
    "xxxx",
    "****",
    "....",
    "redacted",
    "placeholder",
    "none",
    "null",
    "true",
    "false",
    "undefined",
    "string",
    "os.environ",
    "process.env",
    "getenv",
    "config.",
    "self.",
    "this.",
    "settings.",
    "secrets.",
    "env.",
    "vault",
    "dummy",
];

/// Returns true when `value` looks like a real secret: long enough, not a placeholder, a reference or
/// code, and either mixed of letters and digits or of high entropy.
pub(super) fn looks_secret(value: &str, shortest: usize) -> bool {
    let value = value.trim_start_matches('(').trim_matches(['"', '\'', '`', ',', ';', ')']);
    if value.len() < shortest || value.contains('(') || value.starts_with(['$', '<', '{', '%', '[', '&', ':']) {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.starts_with(word)) || is_reference(value) || is_colour(value) {
        return false;
    }
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    let symbols = value.bytes().any(|byte| !byte.is_ascii_alphanumeric());
    (letters && (digits || symbols)) || bits_per_byte(value) >= 3.2
}

/// Names of variables and their members: `event.deviceToken`.
fn is_reference(value: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    value.contains('.') && value.split('.').all(plain)
}

fn is_colour(value: &str) -> bool {
    value.strip_prefix('#').is_some_and(|hex| hex.len() <= 8 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Returns true when the value stands for one that is not shown: `xxxx`, `****`.
pub(super) fn is_blanked(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b'x' | b'X' | b'*' | b'.'))
}

/// Returns the Shannon entropy of the bytes of `text`.
pub(super) fn bits_per_byte(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let total = text.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum()
}
