//! Completes what somebody begins to type, from the titles of documents.

use std::collections::BTreeSet;

use partitura_event::Problem;
use tantivy::Term;
use tantivy::collector::TopDocs;
use tantivy::query::{PhrasePrefixQuery, Query};

use super::index::failed;
use super::tokens;
use super::view::TextView;
use super::visible::Visible;

/// Documents looked at for one answer.
const LOOKED_AT: usize = 200;

impl TextView {
    /// Returns at most `limit` titles that contain the words of `prefix`, the last as a beginning; shortest first.
    pub fn suggest(&self, prefix: &str, visible: &Visible, limit: usize) -> Result<Vec<String>, Problem> {
        let words = tokens::terms(tokens::plain(), super::query::cut(prefix, 256));
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let fields = self.fields();
        let terms: Vec<_> = words.iter().map(|word| Term::from_field_text(fields.complete, word)).collect();
        let query: Box<dyn Query> = Box::new(PhrasePrefixQuery::new(terms));
        let found = self.searcher().search(&query, &TopDocs::with_limit(LOOKED_AT).order_by_score()).map_err(failed)?;
        let mut titles = BTreeSet::new();
        for (_, address) in found {
            let document = self.stored(address)?;
            if let (true, Some(title)) = (visible.sees(document.version.get()), document.title) {
                titles.insert((title.chars().count(), title));
            }
        }
        Ok(titles.into_iter().map(|(_, title)| title).take(limit).collect())
    }
}
