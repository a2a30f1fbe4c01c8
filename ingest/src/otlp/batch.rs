//! Items → records of at most [`RECORD_BYTES`]: one of its own for each span and log record, so that each has a
//! position, by which search names the version of a text. What is above a span goes with it, in short.

use std::borrow::Cow;
use std::collections::HashMap;

use partitura_event::json::Node;
use partitura_event::{
    Draft, ErrorClass, EventId, EventType, Expected, Fingerprint, Payload, Problem, Source, StreamName, Timestamp,
};

use super::redaction::clean;
use super::request::{Group, Raw, ScopeGroup};
use super::schema::{Message, RESOURCE, SCOPE};
use super::shorten::{Whole, fit};
use super::{Export, RECORD_BYTES, Signal};
use crate::context::Context;
use crate::redact::Redactions;

/// Most points of metrics in a record: a row has a number below 256.
const POINTS: usize = 200;
/// Spans above a span that go with it.
const ABOVE: usize = 16;
/// Bytes of them all, and of an attribute's value that is kept of one.
const ABOVE_ROOM: usize = 16 << 10;
const ABOVE_VALUE: usize = 256;
/// Bytes that a resource, a scope and an item may take in a record.
const RESOURCE_ROOM: usize = 32 << 10;
const SCOPE_ROOM: usize = 16 << 10;
const ITEM_ROOM: usize = RECORD_BYTES - RESOURCE_ROOM - SCOPE_ROOM - ABOVE_ROOM - (8 << 10);
/// Most bytes of all records of a request.
const TOTAL_BYTES: usize = 200 << 20;

/// Checks all items and packs them.
pub(super) fn pack(signal: Signal, groups: Vec<Group<'_>>, context: &Context<'_>) -> Result<Export, Problem> {
    let mut packer = Packer { signal, context, export: Export::default(), bytes: 0 };
    for group in groups {
        packer.group(group)?;
    }
    Ok(packer.export)
}

struct Packer<'c> {
    signal: Signal,
    context: &'c Context<'c>,
    export: Export,
    bytes: usize,
}

/// What all records of one resource have in common.
struct Origin {
    source: Source,
    service: Option<String>,
    resource: String,
    schema_url: String,
    /// Hash of the whole resource, where it is shortened.
    shortened: Option<String>,
}

/// One checked item.
struct Item {
    trace: Option<String>,
    /// Ids of the span and of its parent, and the span in short.
    span: Option<(String, String, String)>,
    nanos: u64,
    json: String,
    shortened: Option<String>,
    /// Points of a metric.
    points: usize,
}

/// A record in the making: items of one scope.
struct Record {
    trace: Option<String>,
    /// Ids of the span and of its parent.
    span: Option<(String, String)>,
    nanos: u64,
    /// Number of the scope.
    scope: usize,
    items: Vec<String>,
    shortened: Vec<String>,
    bytes: usize,
    points: usize,
}

/// Parents and short forms of the spans of a resource.
type Known = HashMap<(String, String), (String, String)>;

impl Packer<'_> {
    fn group(&mut self, group: Group<'_>) -> Result<(), Problem> {
        let Group { resource, schema_url, scopes } = group;
        let origin = match self.origin(resource, &schema_url)? {
            Ok(origin) => origin,
            Err(reason) => {
                let items: u64 = scopes.iter().map(|scope| scope.items.len() as u64).sum();
                self.export.items += items;
                self.export.reject("otlp", reason, items);
                return Ok(());
            }
        };
        let mut heads = Vec::with_capacity(scopes.len());
        let mut records: Vec<Record> = Vec::new();
        let mut known = Known::new();
        for scope in scopes {
            let (items, head) = (scope.items.len(), self.scope_head(&scope, &origin)?);
            let Ok((head, shortened)) = head else {
                self.export.items += items as u64;
                self.export.reject(origin.source.as_str(), "whose scope cannot be read", items as u64);
                continue;
            };
            heads.push(head);
            for raw in scope.items {
                self.export.items += 1;
                let items = match self.items(raw, &origin)? {
                    Ok(items) => items,
                    Err(reason) => {
                        self.export.reject(origin.source.as_str(), reason, 1);
                        continue;
                    }
                };
                for item in items {
                    self.place(item, shortened.as_ref(), heads.len() - 1, &mut records, &mut known);
                }
            }
        }
        for record in records {
            self.finish(record, &origin, &heads, &known)?;
        }
        Ok(())
    }

    /// Puts an item into a record: its own, or the last one, if it has room for another metric.
    fn place(
        &self,
        mut item: Item,
        shortened: Option<&String>,
        scope: usize,
        records: &mut Vec<Record>,
        known: &mut Known,
    ) {
        item.shortened = item.shortened.or_else(|| shortened.cloned());
        if let (Some(trace), Some((span, parent, brief))) = (&item.trace, &mut item.span) {
            let brief = std::mem::take(brief);
            known.entry((trace.clone(), span.clone())).or_insert_with(|| (parent.clone(), brief));
        }
        match records.last_mut().filter(|last| self.signal == Signal::Metrics && last.takes(&item, scope)) {
            Some(last) => last.add(item),
            None => records.push(Record::new(item, scope)),
        }
    }

    fn origin(&mut self, resource: Option<Raw<'_>>, schema_url: &str) -> Result<Result<Origin, &'static str>, Problem> {
        let node = resource.map_or(Ok(Node::Object(Vec::new())), |raw| raw.node(&RESOURCE));
        let Ok(mut node) = node else { return Ok(Err("whose resource cannot be read")) };
        let given = service_of(&node).unwrap_or_default();
        let redactor = self.context.redactor;
        let mut found = Redactions::new();
        clean(redactor, &given, &mut node, &RESOURCE, &mut found);
        let service = service_of(&node).filter(|name| Source::new(name.as_str()).is_ok());
        let source = Source::new(service.as_deref().unwrap_or("otlp"))?;
        self.export.redact(source.as_str(), found);
        let (resource, whole) = fit(node, RESOURCE_ROOM);
        let schema_url = short(schema_url);
        let mut origin = Origin { source, service, resource, schema_url, shortened: None };
        if let Some(whole) = whole {
            origin.shortened = Some(self.whole(whole, &origin, 0)?);
        }
        Ok(Ok(origin))
    }

    /// Writes everything of a scope but its items.
    fn scope_head(
        &mut self,
        group: &ScopeGroup<'_>,
        origin: &Origin,
    ) -> Result<Result<(String, Option<String>), ()>, Problem> {
        let Some(raw) = group.scope else { return Ok(Ok((String::new(), None))) };
        let Ok(mut node) = raw.node(&SCOPE) else { return Ok(Err(())) };
        self.clean(&mut node, &SCOPE, origin);
        let (scope, whole) = fit(node, SCOPE_ROOM - (4 << 10));
        let hash = whole.map(|whole| self.whole(whole, origin, 0)).transpose()?;
        let schema = short(&group.schema_url);
        let schema = if schema.is_empty() { String::new() } else { format!("\"schemaUrl\":{},", quoted(&schema)) };
        Ok(Ok((format!("\"scope\":{scope},{schema}"), hash)))
    }

    /// Checks an item; a metric with many points becomes several with some.
    fn items(&mut self, raw: Raw<'_>, origin: &Origin) -> Result<Result<Vec<Item>, &'static str>, Problem> {
        let mut node = match raw.node(self.signal.item()) {
            Ok(node) => node,
            Err(_) if self.signal == Signal::Traces => return Ok(Err("cannot be read as spans")),
            Err(_) => return Ok(Err("cannot be read")),
        };
        let text = |name: &str| node.get(name).and_then(Node::as_text).unwrap_or_default();
        let is_id = |id: &str, digits: usize| id.len() == digits && id.bytes().any(|byte| byte != b'0');
        let (trace, span) = (text("traceId").to_owned(), text("spanId").to_owned());
        match self.signal {
            Signal::Traces if !is_id(&trace, 32) => return Ok(Err("without a trace id of 16 bytes")),
            Signal::Traces if !is_id(&span, 16) => return Ok(Err("without a span id of 8 bytes")),
            Signal::Traces if !matches!(text("parentSpanId").len(), 0 | 16) => {
                return Ok(Err("with a parent's id that has not 8 bytes"));
            }
            Signal::Logs if !matches!((trace.len(), span.len()), (0 | 32, 0 | 16)) => {
                return Ok(Err("with ids of the wrong length"));
            }
            _ => {}
        }
        let nanos = ["endTimeUnixNano", "timeUnixNano", "startTimeUnixNano", "observedTimeUnixNano"];
        let nanos = nanos.iter().find_map(|name| text(name).parse().ok()).unwrap_or_else(|| latest(&node));
        self.clean(&mut node, self.signal.item(), origin);
        let span = (self.signal == Signal::Traces).then(|| {
            let parent = node.get("parentSpanId").and_then(Node::as_text).unwrap_or_default();
            (span, parent.to_owned(), brief(&node).compact())
        });
        let trace = is_id(&trace, 32).then_some(trace);
        let mut items = Vec::new();
        for (node, points) in parts(node) {
            let (json, whole) = fit(node, ITEM_ROOM);
            let shortened = whole.map(|whole| self.whole(whole, origin, nanos)).transpose()?;
            items.push(Item { trace: trace.clone(), span: span.clone(), nanos, json, shortened, points });
        }
        Ok(Ok(items))
    }

    fn clean(&mut self, node: &mut Node<'_>, message: &'static Message, origin: &Origin) {
        let mut found = Redactions::new();
        clean(self.context.redactor, origin.source.as_str(), node, message, &mut found);
        self.export.redact(origin.source.as_str(), found);
    }

    /// Makes the records of an item that is shortened elsewhere; returns its hash.
    fn whole(&mut self, whole: Whole, origin: &Origin, nanos: u64) -> Result<String, Problem> {
        let parts = whole.parts.len();
        for (number, part) in whole.parts.iter().enumerate() {
            let service = origin.service.as_ref().map(|name| format!("\"service\":{},", quoted(name)));
            let data = format!(
                "{{{}\"whole_of\":{},\"part\":{number},\"parts\":{parts},\"text\":{}}}",
                service.unwrap_or_default(),
                quoted(&whole.hash),
                quoted(part)
            );
            self.draft(data, None, origin, nanos)?;
        }
        Ok(whole.hash)
    }

    fn finish(&mut self, record: Record, origin: &Origin, heads: &[String], known: &Known) -> Result<(), Problem> {
        let [resources, scopes, items] = self.signal.names();
        let list = format!("{{{}\"{items}\":[{}]}}", heads[record.scope], record.items.join(","));
        let schema = match origin.schema_url.is_empty() {
            true => String::new(),
            false => format!(",\"schemaUrl\":{}", quoted(&origin.schema_url)),
        };
        let resource = &origin.resource;
        let otlp = format!("{{\"{resources}\":[{{\"resource\":{resource},\"{scopes}\":[{list}]{schema}}}]}}");
        let above = above(&record, known);
        let trace = record.trace;
        let above = if above.is_empty() { above } else { format!("\"above\":[{above}],") };
        let mut data = format!("{{{above}\"otlp\":{otlp}");
        for (name, value) in [("service", &origin.service), ("trace_id", &trace)] {
            if let Some(value) = value {
                data.push_str(&format!(",\"{name}\":{}", quoted(value)));
            }
        }
        let shortened: Vec<_> = record.shortened.iter().chain(&origin.shortened).map(|hash| quoted(hash)).collect();
        if !shortened.is_empty() {
            data.push_str(&format!(",\"shortened\":[{}]", shortened.join(",")));
        }
        data.push('}');
        self.draft(data, trace, origin, record.nanos)
    }

    fn draft(&mut self, data: String, trace: Option<String>, origin: &Origin, nanos: u64) -> Result<(), Problem> {
        self.bytes += data.len();
        if self.bytes > TOTAL_BYTES {
            let detail = format!("the request becomes more than {TOTAL_BYTES} bytes of records");
            return Err(Problem::new(ErrorClass::TooLarge, detail)
                .code("otlp_too_large")
                .hint("export smaller batches"));
        }
        let kind = self.signal.kind();
        let hash = Fingerprint::of(format!("{kind}\n{data}").as_bytes());
        let stream = match (&trace, self.signal, &origin.service) {
            (Some(trace), Signal::Traces, _) => format!("trace/{trace}"),
            (None, Signal::Traces, service) => format!("trace/{}", service.as_deref().unwrap_or("unknown")),
            (_, _, service) => format!("telemetry/{}", service.as_deref().unwrap_or("unknown")),
        };
        let micros = i64::try_from(nanos / 1_000).unwrap_or(i64::MAX);
        self.export.drafts.push(Draft {
            workspace: self.context.workspace.clone(),
            source: origin.source.clone(),
            id: EventId::new(format!("{hash:?}"))?,
            kind: EventType::new(kind)?,
            subject: None,
            stream: StreamName::new(stream)?,
            time: if nanos == 0 { self.context.now } else { Timestamp::clamped(micros) },
            actor: None,
            causation: None,
            correlation: trace,
            traceparent: None,
            data: Payload::trusted(data),
            fingerprint: hash,
            expected: Expected::Any,
        });
        Ok(())
    }
}

impl Record {
    fn new(item: Item, scope: usize) -> Self {
        let Item { trace, span, nanos, json, shortened, points } = item;
        let span = span.map(|(span, parent, _)| (span, parent));
        let bytes = json.len();
        let shortened = shortened.into_iter().collect();
        Self { trace, span, nanos, scope, items: vec![json], shortened, bytes, points }
    }

    fn takes(&self, item: &Item, scope: usize) -> bool {
        self.scope == scope && self.points + item.points <= POINTS && self.bytes + item.json.len() < ITEM_ROOM
    }

    fn add(&mut self, item: Item) {
        self.nanos = self.nanos.max(item.nanos);
        self.bytes += item.json.len() + 1;
        self.points += item.points;
        self.shortened.extend(item.shortened.filter(|hash| !self.shortened.contains(hash)));
        self.items.push(item.json);
    }
}

/// Returns the spans above that of a record, nearest first, as items of a list.
fn above(record: &Record, known: &Known) -> String {
    let mut above = String::new();
    let (Some(trace), Some((span, parent))) = (&record.trace, &record.span) else { return above };
    let (mut seen, mut at) = (vec![span], parent);
    while let Some((next, brief)) = known.get(&(trace.clone(), at.clone())) {
        if seen.contains(&at) || seen.len() > ABOVE || above.len() + brief.len() >= ABOVE_ROOM {
            break;
        }
        above.push_str(if above.is_empty() { "" } else { "," });
        above.push_str(brief);
        seen.push(at);
        at = next;
    }
    above
}

/// Returns a span in short: ids, name, and attributes whose values are short.
fn brief<'a>(span: &Node<'a>) -> Node<'a> {
    let Node::Object(members) = span else { return Node::Null };
    let is_short = |value: &Node<'_>| match value {
        Node::Object(members) => members.iter().all(|(name, value)| match value {
            Node::Text(text) => text.len() <= ABOVE_VALUE,
            _ => name == "boolValue" || name == "doubleValue",
        }),
        _ => false,
    };
    let mut kept = Vec::new();
    for (name, value) in members {
        match (name.as_ref(), value) {
            ("traceId" | "spanId" | "parentSpanId" | "name", value) => kept.push((name.clone(), value.clone())),
            ("attributes", Node::List(all)) => {
                let short = all.iter().filter(|attribute| attribute.get("value").is_some_and(is_short));
                kept.push((name.clone(), Node::List(short.take(64).cloned().collect())));
            }
            _ => {}
        }
    }
    Node::Object(kept)
}

/// Cuts a metric into such with at most [`POINTS`] points; returns how many each has. Other items stay whole.
fn parts<'a>(node: Node<'a>) -> Vec<(Node<'a>, usize)> {
    let Node::Object(members) = &node else { return vec![(node, 0)] };
    let all = members.iter().find_map(|(_, kind)| match kind.get("dataPoints") {
        Some(Node::List(points)) => Some(points),
        _ => None,
    });
    let Some(all) = all else { return vec![(node, 0)] };
    if all.len() <= POINTS {
        let count = all.len();
        return vec![(node, count)];
    }
    let chunks = all.chunks(POINTS).map(|points: &[Node<'a>]| {
        let cut = |(name, member): &(Cow<'a, str>, Node<'a>)| (name.clone(), with_points(member, points));
        (Node::Object(members.iter().map(cut).collect()), points.len())
    });
    chunks.collect()
}

/// Returns what lists points with others in their place; anything else as it is.
fn with_points<'a>(member: &Node<'a>, points: &[Node<'a>]) -> Node<'a> {
    match member {
        Node::Object(kind) if member.get("dataPoints").is_some() => {
            let put = |(name, value): &(Cow<'a, str>, Node<'a>)| {
                let value = if name == "dataPoints" { Node::List(points.to_vec()) } else { value.clone() };
                (name.clone(), value)
            };
            Node::Object(kind.iter().map(put).collect())
        }
        other => other.clone(),
    }
}

/// Returns the latest time of a metric's points.
fn latest(node: &Node<'_>) -> u64 {
    match node {
        Node::Object(members) => {
            let times = members.iter().map(|(name, value)| match (name.as_ref(), value) {
                ("timeUnixNano", Node::Text(text)) => text.parse().unwrap_or_default(),
                ("attributes" | "exemplars", _) => 0,
                (_, value) => latest(value),
            });
            times.max().unwrap_or_default()
        }
        Node::List(items) => items.iter().map(latest).max().unwrap_or_default(),
        _ => 0,
    }
}

fn service_of(resource: &Node<'_>) -> Option<String> {
    let Some(Node::List(attributes)) = resource.get("attributes") else { return None };
    let named =
        attributes.iter().find(|attribute| attribute.get("key").and_then(Node::as_text) == Some("service.name"));
    let text = named?.get("value")?.get("stringValue")?.as_text()?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn short(url: &str) -> String {
    if url.len() <= 512 { url.to_owned() } else { String::new() }
}

fn quoted(text: &str) -> String {
    Node::Text(text.into()).compact()
}
