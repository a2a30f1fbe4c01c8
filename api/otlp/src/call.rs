//! What is called: the three services of OTLP, and gRPC's own for health.

use partitura_event::{ErrorClass, Problem};
use partitura_service::otlp::Signal;

/// A call, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Take what was exported.
    Export(Signal),
    /// Say whether exports are taken.
    Health,
    /// Nothing that is served.
    Unknown,
}

/// Paths of what is served; they are labels of metrics too.
const PATHS: &[(&str, Call)] = &[
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", Call::Export(Signal::Traces)),
    ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", Call::Export(Signal::Logs)),
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", Call::Export(Signal::Metrics)),
    ("/grpc.health.v1.Health/Check", Call::Health),
];

impl Call {
    /// Finds a call.
    pub fn of(path: &str) -> Self {
        PATHS.iter().find(|(known, _)| *known == path).map_or(Self::Unknown, |(_, call)| *call)
    }

    /// Returns its path.
    pub fn path(self) -> &'static str {
        PATHS.iter().find(|(_, call)| *call == self).map_or("unknown", |(path, _)| path)
    }

    /// Returns whether a service of this name is served; health is asked of services.
    pub fn is_service(name: &str) -> bool {
        PATHS.iter().any(|(path, _)| path[1..].split('/').next() == Some(name))
    }
}

/// Refuses what is not served.
pub fn unknown(path: &str) -> Problem {
    let detail = format!("there is no {path:.120}");
    Problem::new(ErrorClass::MethodNotAllowed, detail)
        .code("unknown_call")
        .suggest(path, PATHS.iter().map(|(path, _)| *path))
        .hint("traces, logs and metrics are taken in OTLP's version 1")
}
