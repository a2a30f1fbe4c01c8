//! The last turns of a conversation: what a turn that comes next is about.

use std::cmp::Reverse;

use partitura_event::Problem;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocSet, TERMINATED, Term};

use super::document::Document;
use super::index::failed;
use super::view::TextView;
use super::visible::Visible;

impl TextView {
    /// Returns the last `count` turns of a conversation that are seen, in the order in which they were said.
    pub fn last_turns(&self, conversation: &str, visible: &Visible, count: usize) -> Result<Vec<Document>, Problem> {
        let term = Term::from_field_text(self.fields().ids, &conversation.to_lowercase());
        let mut said: Vec<(i64, DocAddress)> = Vec::new();
        let readers = self.searcher().segment_readers().iter().zip(0..);
        for ((segment, ord), columns) in readers.zip(self.segments()) {
            let index = segment.inverted_index(self.fields().ids).map_err(failed)?;
            let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic).map_err(failed)? else {
                continue;
            };
            while postings.doc() != TERMINATED {
                let doc = postings.doc();
                if let Some(seq) = columns.seq(doc).filter(|_| visible.sees(columns.version(doc))) {
                    said.push((seq, DocAddress::new(ord, doc)));
                }
                postings.advance();
            }
        }
        said.sort_unstable_by_key(|(seq, _)| Reverse(*seq));
        let mut turns: Vec<Document> = Vec::new();
        for (seq, address) in said {
            // Turns of the same moment are all read, because their keys order them.
            if turns.len() >= count && turns.last().is_some_and(|last| last.seq > Some(seq)) {
                break;
            }
            let document = self.stored(address)?;
            if document.conversation_id.as_deref() == Some(conversation) {
                turns.push(document);
            }
        }
        turns.sort_by(|a, b| (a.seq, &a.doc_id).cmp(&(b.seq, &b.doc_id)));
        turns.drain(..turns.len().saturating_sub(count));
        Ok(turns)
    }
}
