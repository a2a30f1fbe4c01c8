//! How rare a word was and how long texts were at a position, so that BM25 gives the same scores whenever it is asked.
//!
//! Later versions are in the same index, and would make words more common than they were. What counts are the
//! versions made by then, replaced ones too: what replaced them may be of later. Where nothing is later, which is
//! the usual case, everything is known beforehand.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, SegmentReader, TERMINATED, Term};

use super::segment::Segment;
use super::view::TextView;

/// The words of all versions made at or before a position.
pub(super) struct Statistics<'a> {
    view: &'a TextView,
    at: u64,
}

impl<'a> Statistics<'a> {
    pub fn new(view: &'a TextView, at: u64) -> Self {
        Self { view, at }
    }

    fn sum(&self, of: impl Fn(&SegmentReader, &Segment) -> tantivy::Result<u64>) -> tantivy::Result<u64> {
        let segments = self.view.searcher().segment_readers().iter().zip(self.view.segments());
        segments.map(|(reader, segment)| of(reader, segment)).sum()
    }
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        self.sum(|reader, segment| {
            if segment.is_within(self.at) {
                return Ok(segment.length(field));
            }
            let Some(norms) = reader.fieldnorms_readers().get_field(field)? else { return Ok(0) };
            let docs = (0..reader.max_doc()).filter(|doc| segment.version(*doc) <= self.at);
            Ok(docs.map(|doc| u64::from(norms.fieldnorm(doc))).sum())
        })
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        self.sum(|_, segment| Ok(segment.made_by(self.at)))
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.sum(|reader, segment| {
            let index = reader.inverted_index(term.field())?;
            let Some(info) = index.get_term_info(term)? else { return Ok(0) };
            if segment.is_within(self.at) {
                return Ok(u64::from(info.doc_freq));
            }
            let mut postings = index.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
            let mut count = 0;
            while postings.doc() != TERMINATED {
                count += u64::from(segment.version(postings.doc()) <= self.at);
                postings.advance();
            }
            Ok(count)
        })
    }
}

/// Returns the length of all texts of a field, as BM25 knows it: of long texts about.
pub(super) fn total_length(norms: &FieldNormReader, docs: u32) -> u64 {
    (0..docs).map(|doc| u64::from(norms.fieldnorm(doc))).sum()
}
