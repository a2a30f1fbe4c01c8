//! How much of an answer is given: tokens of its text, bytes of its structured content.

use serde_json::{Map, Value, json};

/// Tokens of a text when the caller names none.
pub const TOKENS: usize = 4_000;
/// Most tokens that a caller may ask for.
pub const TOKENS_MAX: usize = 50_000;

/// Characters that count as one token, whichever model reads them.
const CHARS_PER_TOKEN: usize = 4;
/// A text is never cut shorter than this to make a row fit, in bytes.
const TEXT_MIN: usize = 64;

/// Returns about how many tokens a text has.
pub fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(CHARS_PER_TOKEN)
}

/// Returns the beginning of a text within so many tokens, and says that it was cut.
pub fn cut(text: &str, tokens: usize) -> String {
    match text.char_indices().nth(tokens * CHARS_PER_TOKEN) {
        Some((end, _)) => format!("{} […]", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Keeps as many rows, from the first, as have at most `bytes` as JSON. Long texts are cut before a row is left out.
/// Returns them, and whether anything is missing.
pub fn fit(rows: Vec<Value>, bytes: u64) -> (Vec<Value>, bool) {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let (mut left, mut cut) = (bytes, false);
    let mut kept = Vec::new();
    for mut row in rows {
        // One long text does not take the place of all rows that follow.
        cut |= shorten(&mut row, (bytes / 8).max(TEXT_MIN));
        let mut size = row.to_string().len() + 1;
        let mut longest = bytes / 8;
        while size > left && kept.is_empty() && longest > TEXT_MIN {
            longest /= 2;
            cut |= shorten(&mut row, longest.max(TEXT_MIN));
            size = row.to_string().len() + 1;
        }
        if size > left {
            return (kept, true);
        }
        left -= size;
        kept.push(row);
    }
    (kept, cut)
}

/// Cuts the list under `name` of an object as [`fit`] does, and says in `truncated` whether anything is missing.
pub fn fit_list(object: &mut Map<String, Value>, name: &str, bytes: u64) {
    let Some(Value::Array(rows)) = object.get_mut(name).map(Value::take) else { return };
    let (kept, cut) = fit(rows, bytes);
    object.insert(name.to_owned(), Value::Array(kept));
    object.insert("truncated".to_owned(), json!(cut));
}

/// Cuts every text within `value` that is longer than `bytes`. Returns whether there was one.
fn shorten(value: &mut Value, bytes: usize) -> bool {
    match value {
        Value::String(text) if text.len() > bytes => {
            let marker = format!(" […{} bytes in all]", text.len());
            text.truncate(text.floor_char_boundary(bytes.saturating_sub(marker.len())));
            text.push_str(&marker);
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |cut, item| shorten(item, bytes) | cut),
        Value::Object(members) => members.values_mut().fold(false, |cut, member| shorten(member, bytes) | cut),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_into_their_bytes() {
        let rows = |n: usize, len: usize| (0..n).map(|i| json!({"n": i, "text": "ü".repeat(len)})).collect::<Vec<_>>();
        for (n, len, limit) in [(3, 4, 1 << 20), (1_000, 100, 4_096), (5, 100_000, 4_096), (1, 5_000_000, 1_024)] {
            let (kept, cut) = fit(rows(n, len), limit);
            let size = json!(kept).to_string().len() as u64;
            assert!(size <= limit + 2 && !kept.is_empty(), "{n} {len}: {} rows, {size} bytes", kept.len());
            assert_eq!(cut, n * len > 1_000, "{n} {len}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_made_small_is_left_out() {
        let wide = json!((0..1_000).collect::<Vec<_>>());
        assert_eq!(fit(vec![wide], 100), (Vec::new(), true));
    }

    #[test]
    fn texts_are_cut_at_characters() {
        assert_eq!(cut("ééééé", 1), "éééé […]");
        assert_eq!(cut("abcd", 1), "abcd");
        assert_eq!(tokens("abcde"), 2);
    }
}
