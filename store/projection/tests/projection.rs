//! The folds through their public door: events in by a log, rows out by a table store.

#[path = "projection/world.rs"]
mod world;

#[path = "projection/random.rs"]
mod random;
#[path = "projection/telemetry.rs"]
mod telemetry;

#[path = "projection/as_of.rs"]
mod as_of;
#[path = "projection/batches.rs"]
mod batches;
#[path = "projection/follow.rs"]
mod follow;
#[path = "projection/kinds.rs"]
mod kinds;
#[path = "projection/order.rs"]
mod order;
#[path = "projection/poison.rs"]
mod poison;
#[path = "projection/rebuild.rs"]
mod rebuild;
#[path = "projection/stories.rs"]
mod stories;
