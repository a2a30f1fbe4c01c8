//! The messages of OTLP 1: names in JSON, numbers in protobuf, and what their fields may be.

/// A message.
pub(super) struct Message {
    /// Its fields, in the order in which they are written.
    pub fields: &'static [Field],
}

/// A field of a message.
pub(super) struct Field {
    /// Number in protobuf.
    pub number: u32,
    /// Name in JSON.
    pub name: &'static str,
    /// What it may be.
    pub shape: Shape,
    /// It is a list.
    pub many: bool,
    /// Being there says something, even if the value is the default.
    pub explicit: bool,
}

/// What a field may be.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Text.
    Text,
    /// Bytes; base64 in JSON.
    Bytes,
    /// Bytes of an id; hexadecimal in JSON.
    Id,
    /// True or false.
    Bool,
    /// A name of these, by number.
    Enum(&'static [(&'static str, i64)]),
    /// 32 bits, unsigned, varint.
    Uint32,
    /// 32 bits, signed, zigzag.
    Sint32,
    /// 32 bits, unsigned, fixed.
    Fixed32,
    /// 64 bits, unsigned, varint.
    Uint64,
    /// 64 bits, signed, varint.
    Int64,
    /// 64 bits, unsigned, fixed.
    Fixed64,
    /// 64 bits, signed, fixed.
    Sfixed64,
    /// Floating point.
    Double,
    /// Another message.
    Message(&'static Message),
}

use Shape::{Bool, Bytes, Double, Enum, Fixed32, Fixed64, Id, Int64, Sfixed64, Sint32, Text, Uint32, Uint64};

const fn one(number: u32, name: &'static str, shape: Shape) -> Field {
    let explicit = matches!(shape, Shape::Message(_));
    Field { number, name, shape, many: false, explicit }
}

const fn set(number: u32, name: &'static str, shape: Shape) -> Field {
    Field { number, name, shape, many: false, explicit: true }
}

const fn many(number: u32, name: &'static str, shape: Shape) -> Field {
    Field { number, name, shape, many: true, explicit: false }
}

const fn of(message: &'static Message) -> Shape {
    Shape::Message(message)
}

pub(super) static ANY_VALUE: Message = Message {
    fields: &[
        set(1, "stringValue", Text),
        set(2, "boolValue", Bool),
        set(3, "intValue", Int64),
        set(4, "doubleValue", Double),
        set(5, "arrayValue", of(&ARRAY_VALUE)),
        set(6, "kvlistValue", of(&KEY_VALUE_LIST)),
        set(7, "bytesValue", Bytes),
    ],
};
static ARRAY_VALUE: Message = Message { fields: &[many(1, "values", of(&ANY_VALUE))] };
static KEY_VALUE_LIST: Message = Message { fields: &[many(1, "values", of(&KEY_VALUE))] };
pub(super) static KEY_VALUE: Message = Message { fields: &[one(1, "key", Text), one(2, "value", of(&ANY_VALUE))] };

pub(super) static SCOPE: Message = Message {
    fields: &[
        one(1, "name", Text),
        one(2, "version", Text),
        many(3, "attributes", of(&KEY_VALUE)),
        one(4, "droppedAttributesCount", Uint32),
    ],
};
pub(super) static RESOURCE: Message = Message {
    fields: &[
        many(1, "attributes", of(&KEY_VALUE)),
        one(2, "droppedAttributesCount", Uint32),
        many(3, "entityRefs", of(&ENTITY_REF)),
    ],
};
static ENTITY_REF: Message = Message {
    fields: &[
        one(1, "schemaUrl", Text),
        one(2, "type", Text),
        many(3, "idKeys", Text),
        many(4, "descriptionKeys", Text),
    ],
};

pub(super) static SPAN: Message = Message {
    fields: &[
        one(1, "traceId", Id),
        one(2, "spanId", Id),
        one(3, "traceState", Text),
        one(4, "parentSpanId", Id),
        one(16, "flags", Fixed32),
        one(5, "name", Text),
        one(6, "kind", Enum(SPAN_KINDS)),
        one(7, "startTimeUnixNano", Fixed64),
        one(8, "endTimeUnixNano", Fixed64),
        many(9, "attributes", of(&KEY_VALUE)),
        one(10, "droppedAttributesCount", Uint32),
        many(11, "events", of(&SPAN_EVENT)),
        one(12, "droppedEventsCount", Uint32),
        many(13, "links", of(&SPAN_LINK)),
        one(14, "droppedLinksCount", Uint32),
        one(15, "status", of(&STATUS)),
    ],
};
static SPAN_EVENT: Message = Message {
    fields: &[
        one(1, "timeUnixNano", Fixed64),
        one(2, "name", Text),
        many(3, "attributes", of(&KEY_VALUE)),
        one(4, "droppedAttributesCount", Uint32),
    ],
};
static SPAN_LINK: Message = Message {
    fields: &[
        one(1, "traceId", Id),
        one(2, "spanId", Id),
        one(3, "traceState", Text),
        many(4, "attributes", of(&KEY_VALUE)),
        one(5, "droppedAttributesCount", Uint32),
        one(6, "flags", Fixed32),
    ],
};
static STATUS: Message = Message { fields: &[one(2, "message", Text), one(3, "code", Enum(STATUS_CODES))] };

pub(super) static LOG_RECORD: Message = Message {
    fields: &[
        one(1, "timeUnixNano", Fixed64),
        one(11, "observedTimeUnixNano", Fixed64),
        one(2, "severityNumber", Enum(SEVERITIES)),
        one(3, "severityText", Text),
        one(5, "body", of(&ANY_VALUE)),
        many(6, "attributes", of(&KEY_VALUE)),
        one(7, "droppedAttributesCount", Uint32),
        one(8, "flags", Fixed32),
        one(9, "traceId", Id),
        one(10, "spanId", Id),
        one(12, "eventName", Text),
    ],
};

pub(super) static METRIC: Message = Message {
    fields: &[
        one(1, "name", Text),
        one(2, "description", Text),
        one(3, "unit", Text),
        one(5, "gauge", of(&GAUGE)),
        one(7, "sum", of(&SUM)),
        one(9, "histogram", of(&HISTOGRAM)),
        one(10, "exponentialHistogram", of(&EXPONENTIAL_HISTOGRAM)),
        one(11, "summary", of(&SUMMARY)),
        many(12, "metadata", of(&KEY_VALUE)),
    ],
};
static GAUGE: Message = Message { fields: &[many(1, "dataPoints", of(&NUMBER_POINT))] };
static SUM: Message = Message {
    fields: &[
        many(1, "dataPoints", of(&NUMBER_POINT)),
        one(2, "aggregationTemporality", Enum(TEMPORALITIES)),
        one(3, "isMonotonic", Bool),
    ],
};
static HISTOGRAM: Message = Message {
    fields: &[many(1, "dataPoints", of(&HISTOGRAM_POINT)), one(2, "aggregationTemporality", Enum(TEMPORALITIES))],
};
static EXPONENTIAL_HISTOGRAM: Message = Message {
    fields: &[many(1, "dataPoints", of(&EXPONENTIAL_POINT)), one(2, "aggregationTemporality", Enum(TEMPORALITIES))],
};
static SUMMARY: Message = Message { fields: &[many(1, "dataPoints", of(&SUMMARY_POINT))] };
static NUMBER_POINT: Message = Message {
    fields: &[
        many(7, "attributes", of(&KEY_VALUE)),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        set(4, "asDouble", Double),
        set(6, "asInt", Sfixed64),
        many(5, "exemplars", of(&EXEMPLAR)),
        one(8, "flags", Uint32),
    ],
};
static HISTOGRAM_POINT: Message = Message {
    fields: &[
        many(9, "attributes", of(&KEY_VALUE)),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        set(5, "sum", Double),
        many(6, "bucketCounts", Fixed64),
        many(7, "explicitBounds", Double),
        many(8, "exemplars", of(&EXEMPLAR)),
        one(10, "flags", Uint32),
        set(11, "min", Double),
        set(12, "max", Double),
    ],
};
static EXPONENTIAL_POINT: Message = Message {
    fields: &[
        many(1, "attributes", of(&KEY_VALUE)),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        set(5, "sum", Double),
        one(6, "scale", Sint32),
        one(7, "zeroCount", Fixed64),
        one(8, "positive", of(&BUCKETS)),
        one(9, "negative", of(&BUCKETS)),
        one(10, "flags", Uint32),
        many(11, "exemplars", of(&EXEMPLAR)),
        set(12, "min", Double),
        set(13, "max", Double),
        one(14, "zeroThreshold", Double),
    ],
};
static BUCKETS: Message = Message { fields: &[one(1, "offset", Sint32), many(2, "bucketCounts", Uint64)] };
static SUMMARY_POINT: Message = Message {
    fields: &[
        many(7, "attributes", of(&KEY_VALUE)),
        one(2, "startTimeUnixNano", Fixed64),
        one(3, "timeUnixNano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        many(6, "quantileValues", of(&VALUE_AT_QUANTILE)),
        one(8, "flags", Uint32),
    ],
};
static VALUE_AT_QUANTILE: Message = Message { fields: &[one(1, "quantile", Double), one(2, "value", Double)] };
static EXEMPLAR: Message = Message {
    fields: &[
        many(7, "filteredAttributes", of(&KEY_VALUE)),
        one(2, "timeUnixNano", Fixed64),
        set(3, "asDouble", Double),
        set(6, "asInt", Sfixed64),
        one(4, "spanId", Id),
        one(5, "traceId", Id),
    ],
};

const SPAN_KINDS: &[(&str, i64)] = &[
    ("SPAN_KIND_UNSPECIFIED", 0),
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4),
    ("SPAN_KIND_CONSUMER", 5),
];
const STATUS_CODES: &[(&str, i64)] = &[("STATUS_CODE_UNSET", 0), ("STATUS_CODE_OK", 1), ("STATUS_CODE_ERROR", 2)];
const TEMPORALITIES: &[(&str, i64)] = &[
    ("AGGREGATION_TEMPORALITY_UNSPECIFIED", 0),
    ("AGGREGATION_TEMPORALITY_DELTA", 1),
    ("AGGREGATION_TEMPORALITY_CUMULATIVE", 2),
];
const SEVERITIES: &[(&str, i64)] = &[
    ("SEVERITY_NUMBER_UNSPECIFIED", 0),
    ("SEVERITY_NUMBER_TRACE", 1),
    ("SEVERITY_NUMBER_TRACE2", 2),
    ("SEVERITY_NUMBER_TRACE3", 3),
    ("SEVERITY_NUMBER_TRACE4", 4),
    ("SEVERITY_NUMBER_DEBUG", 5),
    ("SEVERITY_NUMBER_DEBUG2", 6),
    ("SEVERITY_NUMBER_DEBUG3", 7),
    ("SEVERITY_NUMBER_DEBUG4", 8),
    ("SEVERITY_NUMBER_INFO", 9),
    ("SEVERITY_NUMBER_INFO2", 10),
    ("SEVERITY_NUMBER_INFO3", 11),
    ("SEVERITY_NUMBER_INFO4", 12),
    ("SEVERITY_NUMBER_WARN", 13),
    ("SEVERITY_NUMBER_WARN2", 14),
    ("SEVERITY_NUMBER_WARN3", 15),
    ("SEVERITY_NUMBER_WARN4", 16),
    ("SEVERITY_NUMBER_ERROR", 17),
    ("SEVERITY_NUMBER_ERROR2", 18),
    ("SEVERITY_NUMBER_ERROR3", 19),
    ("SEVERITY_NUMBER_ERROR4", 20),
    ("SEVERITY_NUMBER_FATAL", 21),
    ("SEVERITY_NUMBER_FATAL2", 22),
    ("SEVERITY_NUMBER_FATAL3", 23),
    ("SEVERITY_NUMBER_FATAL4", 24),
];
