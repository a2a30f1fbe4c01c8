//! [`TextView`]: the index as it was at one position, and what can be asked of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use partitura_event::{Position, Problem};
use tantivy::collector::DocSetCollector;
use tantivy::index::SegmentId;
use tantivy::query::TermSetQuery;
use tantivy::schema::Value;
use tantivy::snippet::SnippetGenerator;
use tantivy::{DocAddress, IndexReader, Searcher, TantivyDocument, Term};

use super::document::Document;
use super::index::{Candidate, failed};
use super::query::TextQuery;
use super::schema::{COUNTED, Fields};
use super::segment::Segment;
use super::statistics::Statistics;
use super::top::Top;
use super::visible::{Closings, Ends, Visible};

/// The index at one position. What is committed later does not change it.
pub struct TextView {
    searcher: Searcher,
    fields: Fields,
    segments: Vec<Arc<Segment>>,
    /// The same by id, for the view that follows.
    known: HashMap<SegmentId, Arc<Segment>>,
    position: Option<Position>,
    closings: Arc<Closings>,
    ends: Arc<[Arc<Ends>]>,
}

impl TextView {
    /// Looks at what `reader` has loaded; takes over what `before` has opened and knows of replaced versions.
    pub(super) fn new(
        reader: &IndexReader,
        fields: Fields,
        position: Option<Position>,
        before: Option<&Self>,
    ) -> Result<Self, Problem> {
        let searcher = reader.searcher();
        let mut known = HashMap::new();
        let mut segments = Vec::new();
        for segment in searcher.segment_readers() {
            let id = segment.segment_id();
            let open = match before.and_then(|before| before.known.get(&id)) {
                Some(open) => open.clone(),
                None => Arc::new(Segment::open(segment).map_err(failed)?),
            };
            segments.push(open.clone());
            known.insert(id, open);
        }
        let closings = before.map_or_else(Arc::default, |before| before.closings.clone());
        let ends = segments.iter().map(|segment| segment.ends()).filter(|ends| !ends.is_empty()).cloned().collect();
        Ok(Self { searcher, fields, segments, known, position, closings, ends })
    }

    /// Returns the position up to which it has followed.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Returns what replaced versions.
    pub fn closings(&self) -> &Arc<Closings> {
        &self.closings
    }

    /// Returns until when versions hold, of those that say so, by segment.
    pub fn ends(&self) -> &Arc<[Arc<Ends>]> {
        &self.ends
    }

    /// Returns how many versions there are.
    pub fn len(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// Returns whether there is no version.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many files hold it.
    pub fn files(&self) -> usize {
        self.searcher.segment_readers().len()
    }

    pub(super) fn searcher(&self) -> &Searcher {
        &self.searcher
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().map(Arc::as_ref)
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Returns the best `limit` visible versions, best first, the newest first among equals.
    pub fn search(&self, query: &TextQuery, visible: &Visible, limit: usize) -> Result<Vec<Candidate>, Problem> {
        if query.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let (query, top) = (query.build(&self.fields), Top::new(limit, visible));
        let statistics = Statistics::new(self, visible.at().get());
        self.searcher.search_with_statistics_provider(query.as_ref(), &top, &statistics).map_err(failed)
    }

    /// Returns where a version lies.
    fn locate(&self, version: u64) -> Option<DocAddress> {
        let places = self.segments.iter().zip(0..);
        places.filter_map(|(segment, ord)| Some(DocAddress::new(ord, segment.locate(version)?))).next()
    }

    /// Returns when a version happened, µs since 1970.
    pub fn time(&self, version: u64) -> Option<i64> {
        let address = self.locate(version)?;
        Some(self.segments[address.segment_ord as usize].time(address.doc_id))
    }

    /// Returns how often each value of a column occurs in these versions; `None` for a column that is not counted.
    pub fn count(&self, versions: &[u64], column: &str) -> Result<Option<BTreeMap<String, u64>>, Problem> {
        let Some(column) = COUNTED.iter().position(|counted| *counted == column) else { return Ok(None) };
        let mut docs = vec![Vec::new(); self.segments.len()];
        for address in versions.iter().filter_map(|version| self.locate(*version)) {
            docs[address.segment_ord as usize].push(address.doc_id);
        }
        let mut counts = BTreeMap::new();
        for (segment, docs) in self.segments.iter().zip(docs) {
            segment.count(column, &docs, &mut counts).map_err(failed)?;
        }
        Ok(Some(counts))
    }

    /// Returns these versions, in their order; what is not here is left out.
    pub fn documents(&self, versions: &[u64]) -> Result<Vec<Document>, Problem> {
        let mut documents = Vec::with_capacity(versions.len());
        for version in versions {
            if let Some(address) = self.locate(*version) {
                documents.push(self.stored(address)?);
            }
        }
        Ok(documents)
    }

    /// Returns the visible version of the document with this key (without regard to case).
    pub fn find(&self, doc_id: &str, visible: &Visible) -> Result<Option<Document>, Problem> {
        let term = Term::from_field_text(self.fields.ids, &doc_id.to_lowercase());
        let found = self.searcher.search(&TermSetQuery::new([term]), &DocSetCollector).map_err(failed)?;
        let mut newest: Option<Document> = None;
        for address in found {
            let document = self.stored(address)?;
            let same = document.doc_id.to_lowercase() == doc_id.to_lowercase();
            if same
                && visible.sees(document.version.get())
                && newest.as_ref().is_none_or(|n| n.version < document.version)
            {
                newest = Some(document);
            }
        }
        Ok(newest)
    }

    /// Returns the versions that were made after position `after`, in no order, each with whether it is of `kind`.
    pub fn versions_after(&self, after: u64, kind: &str) -> Result<Vec<(u64, bool)>, Problem> {
        let mut versions = Vec::new();
        for segment in self.searcher.segment_readers() {
            let fast = segment.fast_fields();
            let column = fast.u64("version").map_err(failed)?;
            if column.max_value() <= after {
                continue;
            }
            let kinds = fast.str("kind").map_err(failed)?;
            let wanted = match &kinds {
                Some(kinds) => kinds.dictionary().term_ord(kind.as_bytes()).map_err(failed)?,
                None => None,
            };
            for doc in segment.doc_ids_alive() {
                let Some(version) = column.first(doc).filter(|version| *version > after) else { continue };
                let ord = kinds.as_ref().and_then(|kinds| kinds.term_ords(doc).next());
                versions.push((version, wanted.is_some() && ord == wanted));
            }
        }
        Ok(versions)
    }

    /// Marks the words of the query in the best part of `text` with `<mark>`; everything else is escaped for HTML.
    pub fn highlight(&self, query: &TextQuery, text: &str, chars: usize) -> Result<Option<String>, Problem> {
        let marks = query.marks(&self.fields);
        let mut generator = SnippetGenerator::create(&self.searcher, &marks, self.fields.body).map_err(failed)?;
        generator.set_max_num_chars(chars);
        let mut snippet = generator.snippet(text);
        snippet.set_snippet_prefix_postfix("<mark>", "</mark>");
        Ok((!snippet.is_empty()).then(|| snippet.to_html()))
    }

    pub(super) fn stored(&self, address: DocAddress) -> Result<Document, Problem> {
        let document: TantivyDocument = self.searcher.doc(address).map_err(failed)?;
        let bytes = document.get_first(self.fields.stored).and_then(|value| value.as_bytes()).unwrap_or_default();
        serde_json::from_slice(bytes).map_err(failed)
    }
}
