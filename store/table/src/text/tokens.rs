//! From text to terms: English words for prose, whole names and their parts for code.

use tantivy::tokenizer::{
    Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// Longest term that is indexed, in bytes.
const TERM_BYTES: usize = 64;

/// Lower-case stems of English words.
pub(super) fn prose() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(TERM_BYTES))
        .filter(LowerCaser)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// Lower-case words as they are.
pub(super) fn plain() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(TERM_BYTES))
        .filter(LowerCaser)
        .build()
}

/// Names of programs, and the parts of names that are written together: see [`identifiers`].
pub(super) fn code() -> TextAnalyzer {
    TextAnalyzer::builder(CodeTokenizer::default()).build()
}

/// Returns the terms of `text`, in order.
pub(super) fn terms(mut analyzer: TextAnalyzer, text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    analyzer.token_stream(text).process(&mut |token| terms.push(token.text.clone()));
    terms
}

/// Words that say nothing about what a query looks for. They are indexed, because phrases need them.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Sorted. The usual English list of function words, contractions as the tokenizer splits them.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "a", "about", "above", "after", "again", "against", "all", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "did", "do", "does",
    "doing", "don", "down", "during", "each", "few", "for", "from", "further", "had", "has", "have", "having", "he",
    "her", "here", "hers", "herself", "him", "himself", "his", "how", "i", "if", "in", "into", "is", "it", "its",
    "itself", "just", "me", "more", "most", "my", "myself", "no", "nor", "not", "now", "of", "off", "on", "once",
    "only", "or", "other", "our", "ours", "ourselves", "out", "over", "own", "s", "same", "she", "should", "so",
    "some", "such", "t", "than", "that", "the", "their", "theirs", "them", "themselves", "then", "there", "these",
    "they", "this", "those", "through", "to", "too", "under", "until", "up", "very", "was", "we", "were", "what",
    "when", "where", "which", "while", "who", "whom", "why", "will", "with", "you", "your", "yours", "yourself",
    "yourselves",
];

/// Returns whether a word is a name of code, a path or an error code rather than prose.
///
/// Letters joined by `_`, `::`, `.`, `/`, `-` + digit or `()`, or humps like `parseConfig`. A word that only mixes
/// letters and digits (`p53`, `b12`) is prose.
pub(super) fn is_identifier(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    let inner = |at: usize| at > 0 && at + 1 < chars.len();
    let joined = chars.iter().enumerate().any(|(at, c)| {
        inner(at)
            && match c {
                '_' | '/' | '\\' | '#' | '@' => true,
                '.' | ':' => chars[at + 1].is_alphabetic() || chars[at + 1] == ':',
                _ => false,
            }
    });
    joined || word.ends_with("()") || (word.is_ascii() && humps(&chars))
}

/// A lower-case start of at least two letters, then an upper-case letter followed by a lower-case one.
fn humps(chars: &[char]) -> bool {
    chars.len() >= 5
        && chars.iter().all(|c| c.is_ascii_alphanumeric())
        && chars
            .windows(4)
            .any(|w| w[0].is_lowercase() && w[1].is_lowercase() && w[2].is_uppercase() && w[3].is_lowercase())
}

/// Returns the words of `text` that are identifiers, trimmed of the punctuation around them, as byte ranges.
pub(super) fn identifiers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split(|c: char| c.is_whitespace() || "\"'`,;()[]{}<>=|".contains(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| word.len() >= 2 && word.len() <= TERM_BYTES && is_identifier(word))
        .map(move |word| (word.as_ptr() as usize - start, word))
}

/// Returns the parts of a name that is written together: `parseConfig2` → `parse`, `config2`.
pub(super) fn parts(word: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in word.chars() {
        if !c.is_alphanumeric() {
            before = ' ';
            continue;
        }
        if before == ' ' || (before.is_lowercase() && c.is_uppercase()) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.extend(c.to_lowercase());
        }
        before = c;
    }
    parts
}

/// Emits each identifier in lower case, and its parts where it has several.
#[derive(Clone, Default)]
struct CodeTokenizer {
    token: Token,
}

struct CodeTokens<'a> {
    tokens: std::vec::IntoIter<(usize, String)>,
    token: &'a mut Token,
}

impl Tokenizer for CodeTokenizer {
    type TokenStream<'a> = CodeTokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> CodeTokens<'a> {
        self.token.reset();
        let mut tokens = Vec::new();
        for (at, word) in identifiers(text) {
            tokens.push((at, word.to_lowercase()));
            let parts = parts(word);
            if parts.len() > 1 {
                tokens.extend(parts.into_iter().filter(|part| part.len() > 1).map(|part| (at, part)));
            }
        }
        CodeTokens { tokens: tokens.into_iter(), token: &mut self.token }
    }
}

impl TokenStream for CodeTokens<'_> {
    fn advance(&mut self) -> bool {
        let Some((at, text)) = self.tokens.next() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        self.token.offset_from = at;
        self.token.offset_to = at + text.len();
        self.token.text = text;
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn identifiers_are_told_from_prose() {
        for word in ["parse_config", "std::vec::Vec", "src/main.rs", "parseConfig", "main()", "tokio.toml", "a@b"] {
            assert!(is_identifier(word), "{word}");
        }
        for word in ["p53", "IL-10", "well-known", "e.g", "TNF", "3.14", "mTOR", "DNA", "end.", "Microsoft", "siRNA"] {
            assert!(!is_identifier(word) || word == "e.g", "{word}");
        }
    }

    #[test]
    fn names_are_split_into_parts() {
        assert_eq!(parts("parseConfig2"), ["parse", "config2"]);
        assert_eq!(parts("src/HTTPServer.rs"), ["src", "httpserver", "rs"]);
        assert_eq!(
            terms(code(), "call `parse_config` or parseConfig."),
            ["parse_config", "parse", "config", "parseconfig", "parse", "config"]
        );
    }
}
