//! The columns of one segment, and where its versions lie.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tantivy::columnar::{Column, StrColumn};
use tantivy::schema::Field;
use tantivy::{DocId, SegmentReader};

use super::schema::COUNTED;
use super::statistics::total_length;
use super::visible::Ends;

/// The columns of one segment. Opening them costs more than reading one, so that they are opened once.
pub(super) struct Segment {
    version: Column<u64>,
    time: Column<i64>,
    seq: Column<i64>,
    counted: Vec<Option<StrColumn>>,
    /// Length of all texts of each field that has one.
    lengths: HashMap<Field, u64>,
    ends: Arc<Ends>,
    /// Documents by version, where a merge has mixed their order.
    order: Option<Vec<DocId>>,
}

impl Segment {
    pub fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let fast = segment.fast_fields();
        let (version, time, seq) = (fast.u64("version")?, fast.i64("time")?, fast.i64("seq")?);
        let counted = COUNTED.iter().map(|column| fast.str(column)).collect::<tantivy::Result<_>>()?;
        let mut lengths = HashMap::new();
        for (field, _) in segment.schema().fields() {
            if let Some(norms) = segment.fieldnorms_readers().get_field(field)? {
                lengths.insert(field, total_length(&norms, segment.max_doc()));
            }
        }
        let docs = 0..segment.max_doc();
        let ends = match fast.column_opt::<i64>("valid_to")? {
            Some(ends) if ends.values.num_vals() > 0 => {
                docs.clone().filter_map(|doc| Some((version.first(doc)?, ends.first(doc)?))).collect()
            }
            _ => Ends::new(),
        };
        let in_order = docs.clone().is_sorted_by_key(|doc| version.first(doc));
        let order = (!in_order).then(|| {
            let mut order: Vec<DocId> = docs.collect();
            order.sort_by_cached_key(|doc| version.first(*doc));
            order
        });
        Ok(Self { version, time, seq, counted, lengths, ends: Arc::new(ends), order })
    }

    /// Returns where a version lies.
    pub fn locate(&self, version: u64) -> Option<DocId> {
        if version < self.version.min_value() || version > self.version.max_value() {
            return None;
        }
        let found = self.doc_at(self.place_of(version))?;
        (self.version(found) == version).then_some(found)
    }

    /// Returns whether all versions were made at or before a position.
    pub fn is_within(&self, position: u64) -> bool {
        self.version.max_value() <= position
    }

    /// Returns how many versions were made at or before a position.
    pub fn made_by(&self, position: u64) -> u64 {
        let all = self.version.num_docs();
        if self.is_within(position) { u64::from(all) } else { u64::from(self.place_of(position.saturating_add(1))) }
    }

    /// Returns the length of all texts of a field.
    pub fn length(&self, field: Field) -> u64 {
        self.lengths.get(&field).copied().unwrap_or(0)
    }

    /// Returns the place, by version, of the first that is not before `version`.
    fn place_of(&self, version: u64) -> u32 {
        let (mut low, mut high) = (0, self.version.num_docs());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.doc_at(middle) {
                Some(doc) if self.version(doc) < version => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    fn doc_at(&self, place: u32) -> Option<DocId> {
        match &self.order {
            Some(order) => order.get(place as usize).copied(),
            None => (place < self.version.num_docs()).then_some(place),
        }
    }

    /// Returns when a document happened, µs since 1970.
    pub fn time(&self, doc: DocId) -> i64 {
        self.time.first(doc).unwrap_or(0)
    }

    /// Returns until when its versions hold, of those that say so.
    pub fn ends(&self) -> &Arc<Ends> {
        &self.ends
    }

    /// Returns the version that a document is.
    pub fn version(&self, doc: DocId) -> u64 {
        self.version.first(doc).unwrap_or(0)
    }

    /// Returns the place of a document in its conversation, where it has one.
    pub fn seq(&self, doc: DocId) -> Option<i64> {
        self.seq.first(doc)
    }

    /// Adds to `counts` how often each value of a counted column occurs in these documents.
    pub fn count(&self, column: usize, docs: &[DocId], counts: &mut BTreeMap<String, u64>) -> std::io::Result<()> {
        let Some(values) = &self.counted[column] else { return Ok(()) };
        let mut ords: BTreeMap<u64, u64> = BTreeMap::new();
        for ord in docs.iter().flat_map(|doc| values.term_ords(*doc)) {
            *ords.entry(ord).or_default() += 1;
        }
        let (sorted, often): (Vec<u64>, Vec<u64>) = ords.into_iter().unzip();
        let mut often = often.into_iter();
        values.dictionary().sorted_ords_to_term_cb(&sorted, |value| {
            let value = String::from_utf8_lossy(value).into_owned();
            *counts.entry(value).or_default() += often.next().unwrap_or(0);
        })?;
        Ok(())
    }
}
