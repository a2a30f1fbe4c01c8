//! SDKs of other platforms, pointed at Partitura by their address alone; what is stored is asked by SQL.
//!
//! `scripts/setup.sh clients` installs the SDKs; `scripts/env.sh` says where they are.

#[path = "door/answer.rs"]
mod answer;
#[path = "door/server.rs"]
#[expect(dead_code, reason = "shared with the other stories")]
mod server;

#[path = "vendor/sdk.rs"]
mod sdk;

#[path = "vendor/langfuse_batch.rs"]
mod langfuse_batch;
#[path = "vendor/langfuse_scores.rs"]
mod langfuse_scores;
#[path = "vendor/langfuse_sdk.rs"]
mod langfuse_sdk;
#[path = "vendor/openai_agents.rs"]
mod openai_agents;
#[path = "vendor/phoenix.rs"]
mod phoenix;
