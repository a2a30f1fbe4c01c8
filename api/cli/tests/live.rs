//! Following the log: server-sent events, WebSockets, durable subscriptions, webhooks, live queries.

#[path = "door/answer.rs"]
mod answer;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

#[path = "live/sse.rs"]
mod sse;
#[path = "live/world.rs"]
mod world;

#[path = "live/fan_out.rs"]
mod fan_out;
#[path = "live/live_sql.rs"]
mod live_sql;
#[path = "live/stream.rs"]
mod stream;
#[path = "live/subscriptions.rs"]
mod subscriptions;
#[path = "live/webhooks.rs"]
mod webhooks;
#[path = "live/ws.rs"]
mod ws;
