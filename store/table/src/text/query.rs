//! From what a user typed to a tantivy query: words, "phrases", names of code, ids.

use tantivy::Term;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, PhraseQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

use super::schema::Fields;
use super::tokens;

/// Longest text of a query that is looked at, in bytes.
pub const QUERY_BYTES: usize = 4 << 10;
/// Most distinct terms of a query.
const TERMS: usize = 128;

/// What a word in the title adds, beside what it counts in the text. Tuned on SciFact and Cranfield.
const TITLE: f32 = 0.25;
/// What a word in the turns before adds. Tuned on LoCoMo.
const CONTEXT: f32 = 0.5;
/// What a name of code adds where it stands as it is.
const CODE: f32 = 2.0;
/// What an id adds: more than any text.
const ID: f32 = 50.0;

/// A query, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextQuery {
    words: Vec<String>,
    phrases: Vec<Vec<String>>,
    identifiers: Vec<String>,
    whole: String,
}

impl TextQuery {
    /// Reads what a user typed. Never fails: quotes without a partner are punctuation, and a query of
    /// stop words alone looks for these.
    pub fn parse(text: &str) -> Self {
        let text = cut(text, QUERY_BYTES);
        let (quoted, rest) = split_quotes(text);
        let phrases: Vec<_> =
            quoted.into_iter().map(|phrase| tokens::terms(tokens::prose(), phrase)).filter(|p| !p.is_empty()).collect();
        let identifiers: Vec<_> = tokens::identifiers(text).map(|(_, word)| word.to_owned()).collect();
        let plain = tokens::terms(tokens::plain(), &rest);
        let humps = identifiers.iter().flat_map(|word| tokens::parts(word)).filter(|part| part.len() > 1);
        let mut said: Vec<String> = plain.iter().filter(|word| !tokens::is_stop_word(word)).cloned().collect();
        if said.is_empty() && phrases.is_empty() {
            said = plain;
        }
        let missing: Vec<_> = humps.filter(|part| !said.contains(part)).collect();
        said.extend(missing);
        let words = said.iter().flat_map(|word| tokens::terms(tokens::prose(), word)).collect();
        Self { words, phrases, identifiers, whole: text.trim().to_lowercase() }
    }

    /// Returns whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty()
    }

    /// Returns whether a part of it stands in quotes.
    pub fn has_phrases(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// Returns whether it asks for names or phrases as they stand, rather than for a meaning.
    pub fn is_literal(&self) -> bool {
        let names: usize = self.identifiers.iter().map(|word| tokens::parts(word).len()).sum();
        !self.phrases.is_empty() || (names > 0 && names * 2 >= self.words.len())
    }

    /// Returns whether it consists of names and phrases only.
    pub fn is_only_literal(&self) -> bool {
        let names: usize = self.identifiers.iter().map(|word| tokens::parts(word).len()).sum();
        self.is_literal() && self.words.len() <= names
    }

    /// Returns the tantivy query.
    pub(super) fn build(&self, fields: &Fields) -> Box<dyn Query> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (word, count) in counted(&self.words) {
            for (field, weight) in [(fields.body, 1.0), (fields.title, TITLE), (fields.context, CONTEXT)] {
                clauses.push((Occur::Should, term(field, word, weight * count as f32)));
            }
        }
        for (name, _) in counted(&self.identifiers) {
            clauses.push((Occur::Should, term(fields.code, &name.to_lowercase(), CODE)));
            clauses.push((Occur::Should, term(fields.ids, &name.to_lowercase(), ID)));
        }
        if !self.whole.is_empty() {
            clauses.push((Occur::Should, term(fields.ids, &self.whole, ID)));
        }
        for phrase in &self.phrases {
            let terms: Vec<_> = phrase.iter().map(|word| Term::from_field_text(fields.body, word)).collect();
            let query: Box<dyn Query> = match terms.as_slice() {
                [one] => Box::new(TermQuery::new(one.clone(), IndexRecordOption::WithFreqs)),
                _ => Box::new(PhraseQuery::new(terms)),
            };
            clauses.push((Occur::Must, query));
        }
        Box::new(BooleanQuery::new(clauses))
    }

    /// Returns the part of the query that finds words of the text, to mark them.
    pub(super) fn marks(&self, fields: &Fields) -> Box<dyn Query> {
        let words = self.words.iter().chain(self.phrases.iter().flatten());
        let clauses = words.take(TERMS).map(|word| (Occur::Should, term(fields.body, word, 1.0))).collect();
        Box::new(BooleanQuery::new(clauses))
    }
}

fn term(field: Field, word: &str, weight: f32) -> Box<dyn Query> {
    let query = TermQuery::new(Term::from_field_text(field, word), IndexRecordOption::WithFreqs);
    if weight == 1.0 { Box::new(query) } else { Box::new(BoostQuery::new(Box::new(query), weight)) }
}

/// Returns the distinct words in the order of their first place, with how often each occurs.
fn counted(words: &[String]) -> Vec<(&str, usize)> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for word in words {
        match counted.iter().position(|(known, _)| known == word) {
            Some(at) => counted[at].1 += 1,
            None if counted.len() < TERMS => counted.push((word, 1)),
            None => {}
        }
    }
    counted
}

/// Splits off what stands between two double quotes; an odd quote at the end is left to the rest.
fn split_quotes(text: &str) -> (Vec<&str>, String) {
    let parts: Vec<&str> = text.split('"').collect();
    let pairs = (parts.len() - 1) / 2;
    let quoted = |at: usize| at % 2 == 1 && at < 2 * pairs + 1;
    let phrases = parts.iter().enumerate().filter(|(at, _)| quoted(*at)).map(|(_, part)| *part).collect();
    let rest: Vec<&str> = parts.iter().enumerate().filter(|(at, _)| !quoted(*at)).map(|(_, part)| *part).collect();
    (phrases, rest.join(" "))
}

/// Returns at most `limit` bytes of `text`, cut at a character.
pub fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_understood() {
        for (text, words, phrases, literal) in [
            ("", 0, 0, false),
            ("the of", 2, 0, false),
            ("what is the schema of the table", 2, 0, false),
            ("\"schema migration\" fails", 1, 1, true),
            ("\"unbalanced quote", 2, 0, false),
            ("a \"b c\" \"d", 1, 1, true),
            ("parse_config", 2, 0, true),
            ("why does parseConfig fail on windows machines", 6, 0, false),
            ("\"\" \"\"", 0, 0, false),
        ] {
            let query = TextQuery::parse(text);
            assert_eq!((query.words.len(), query.phrases.len()), (words, phrases), "{text}: {query:?}");
            assert_eq!(query.is_literal(), literal, "{text}: {query:?}");
        }
    }

    #[test]
    fn long_queries_are_cut_at_a_character() {
        assert_eq!(cut("größe", 3), "gr");
        assert!(TextQuery::parse(&"größe ".repeat(20_000)).words.len() <= 1_000);
    }
}
