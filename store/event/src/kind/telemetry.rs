//! Telemetry: what OpenTelemetry exporters send, raw. Its translation to interactions is a projection.

use serde_json::{Map, Value};

use crate::field::{Name, shape};

shape! {
    /// Part of one export request, at most 1 MiB; or a part of the text of an item that is larger.
    OtlpRecord {
        /// The part, as a request of its own in OTLP/JSON: `resourceSpans`, `resourceLogs` or `resourceMetrics`.
        otlp: Option<Map<String, Value>>,
        /// The spans above those of `otlp`, as far as the request held them: ids, name and short attributes only.
        above: Option<Vec<Map<String, Value>>>,
        /// `service.name` of the resource.
        service: Option<Name>,
        /// The trace that all of it belongs to; absent where it is of several or none.
        trace_id: Option<Name>,
        /// Hashes of the items that are shortened in `otlp`; their whole texts are in records with this `whole_of`.
        shortened: Option<Vec<Name>>,
        /// Hash of the item of which `text` is a part.
        whole_of: Option<Name>,
        /// Number of the part, from 0.
        part: Option<u64>,
        /// How many parts there are.
        parts: Option<u64>,
        /// The part: all of them in a row are the item in OTLP/JSON.
        text: Option<String>,
    }
}
