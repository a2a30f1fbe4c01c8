//! OpenTelemetry in: real exporters and hand-made requests against the real program; what is stored is asked by SQL.

#[path = "door/answer.rs"]
mod answer;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

#[path = "otlp/channel.rs"]
mod channel;
#[path = "otlp/fixture.rs"]
mod fixture;
#[path = "otlp/request.rs"]
mod request;

#[path = "otlp/bad_input.rs"]
mod bad_input;
#[path = "otlp/clients.rs"]
mod clients;
#[path = "otlp/dialects.rs"]
mod dialects;
#[path = "otlp/encodings.rs"]
mod encodings;
#[path = "otlp/frameworks.rs"]
mod frameworks;
#[path = "otlp/grpc.rs"]
mod grpc;
#[path = "otlp/langfuse.rs"]
mod langfuse;
#[path = "otlp/metrics.rs"]
mod metrics;
#[path = "otlp/pressure.rs"]
mod pressure;
#[path = "otlp/records.rs"]
mod records;
#[path = "otlp/sdks.rs"]
mod sdks;
#[path = "otlp/second_port.rs"]
mod second_port;
#[path = "otlp/twins.rs"]
mod twins;
#[path = "otlp/versions.rs"]
mod versions;
#[path = "otlp/work.rs"]
mod work;
