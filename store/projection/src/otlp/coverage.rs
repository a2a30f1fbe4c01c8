//! [`Coverage`]: how much of what a source sends the translation understands, for those who connect it.

use std::collections::BTreeMap;

use super::common::common;
use super::dialect::Reading;
use super::point::points;
use super::record::Record;
use super::subject::Subject;
use super::translator::CURRENT;

/// What became of items, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Items looked at.
    pub items: u64,
    /// Calls and parts of calls, by convention.
    pub recognised: BTreeMap<&'static str, u64>,
    /// Items that a convention knows, and that are no calls or are told by others.
    pub no_calls: u64,
    /// Items of no convention.
    pub unknown: u64,
    /// Names of items of no convention.
    pub unknown_names: BTreeMap<String, u64>,
    /// Attributes of calls that fill a column.
    pub attributes_read: BTreeMap<String, u64>,
    /// Attributes of calls that no column holds.
    pub attributes_unread: BTreeMap<String, u64>,
    /// Attributes that exporters dropped before they sent.
    pub attributes_dropped: u64,
    /// Events of spans that they dropped.
    pub events_dropped: u64,
    /// Links of spans that they dropped.
    pub links_dropped: u64,
    /// Points of metrics.
    pub points: u64,
    /// Points, by name of the metric.
    pub metrics: BTreeMap<String, u64>,
}

/// Counts what becomes of the items of a record.
pub fn coverage(record: &Record, into: &mut Coverage) {
    for resource in &record.resource_spans {
        for (scope, span) in
            resource.scope_spans.iter().flat_map(|list| list.spans.iter().map(|span| (&list.scope, span)))
        {
            into.attributes_dropped += span.dropped_attributes_count;
            into.events_dropped += span.dropped_events_count;
            into.links_dropped += span.dropped_links_count;
            into.count(&Subject::of_span(&resource.resource, scope, span));
        }
    }
    for resource in &record.resource_logs {
        for (scope, log) in
            resource.scope_logs.iter().flat_map(|list| list.log_records.iter().map(|log| (&list.scope, log)))
        {
            into.attributes_dropped += log.dropped_attributes_count;
            into.count(&Subject::of_log(&resource.resource, scope, log));
        }
    }
    for point in points(record, 0) {
        into.points += 1;
        *into.metrics.entry(point.name).or_default() += 1;
    }
}

impl Coverage {
    fn count(&mut self, subject: &Subject<'_>) {
        self.items += 1;
        match CURRENT.recognise(subject) {
            None => {
                self.unknown += 1;
                *self.unknown_names.entry(subject.name.chars().take(80).collect()).or_default() += 1;
            }
            Some((_, Reading::NoCall | Reading::Unknown)) => self.no_calls += 1,
            Some((convention, Reading::Message(_))) => *self.recognised.entry(convention).or_default() += 1,
            Some((convention, Reading::Call(sort))) => {
                *self.recognised.entry(convention).or_default() += 1;
                let _ = common(subject, &sort, convention);
                let unread: Vec<&str> = subject.unread().map(|(name, _)| name).collect();
                for (name, _) in subject.attributes.all() {
                    let side =
                        if unread.contains(&name) { &mut self.attributes_unread } else { &mut self.attributes_read };
                    *side.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
    }
}
