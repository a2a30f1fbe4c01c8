//! Which crate may see which: imports point downward, and each heavy library has one home.

use crate::manifest::Member;

/// Every crate with its layer. A crate may depend only on smaller numbers.
const LAYERS: &[(&str, u8)] = &[
    ("partitura-event", 0),
    ("partitura-log", 1),
    ("partitura-table", 1),
    ("partitura-projection", 2),
    ("partitura-embed", 3),
    ("partitura-ingest", 3),
    ("partitura-query", 4),
    ("partitura-service", 5),
    ("partitura-net", 5),
    ("partitura-http", 6),
    ("partitura-mcp", 6),
    ("partitura-flight", 6),
    ("partitura-export", 6),
    ("partitura-pg", 6),
    ("partitura-otlp", 6),
    ("partitura", 7),
    ("partitura-benches", 8),
    ("xtask", 8),
];

/// Libraries that only the named crates may depend on, so that replacing one is a change to its home.
const HOMES: &[(&str, &[&str])] = &[
    ("fjall", &["partitura-log"]),
    ("lance", &["partitura-table"]),
    ("lance-file", &["partitura-table"]),
    ("lance-index", &["partitura-table"]),
    ("lance-io", &["partitura-table"]),
    ("lance-linalg", &["partitura-table"]),
    ("lance-table", &["partitura-table"]),
    ("tantivy", &["partitura-table"]),
    // Table providers take DataFusion's expressions, so the table crate implements its traits.
    ("datafusion", &["partitura-table", "partitura-query"]),
    ("fastembed", &["partitura-embed"]),
    ("ort", &["partitura-embed"]),
    ("tokenizers", &["partitura-embed"]),
    ("axum", &["partitura-http"]),
    ("tower-http", &["partitura-http"]),
    ("rmcp", &["partitura-mcp"]),
    ("tokio-rustls", &["partitura-net"]),
    ("pgwire", &["partitura-pg"]),
    ("arrow-pg", &["partitura-pg"]),
    ("datafusion-pg-catalog", &["partitura-query"]),
    ("arrow-flight", &["partitura-flight"]),
    ("tonic", &["partitura-flight", "partitura-otlp"]),
    ("object_store", &["partitura-export"]),
    ("clap", &["partitura"]),
];

/// Layers that must stay free of a library altogether: the vocabulary does no I/O.
const FORBIDDEN: &[(&str, &[&str])] = &[("partitura-event", &["tokio", "arrow", "futures"])];

fn layer(name: &str) -> Option<u8> {
    LAYERS.iter().find(|(known, _)| *known == name).map(|(_, layer)| *layer)
}

/// Returns a sentence for every dependency that points the wrong way.
pub fn check(members: &[Member]) -> Vec<String> {
    let mut faults = Vec::new();
    for member in members {
        let at = member.folder.join("Cargo.toml");
        let at = at.display();
        let Some(own) = layer(&member.name) else {
            faults.push(format!("{at}: {} has no layer; give it one in xtask/src/layers.rs", member.name));
            continue;
        };
        for dependency in &member.dependencies {
            if let Some(other) = layer(dependency)
                && other >= own
            {
                faults.push(format!("{at}: {} (layer {own}) depends on {dependency} (layer {other})", member.name));
            }
            let home = HOMES.iter().find(|(library, _)| library == dependency);
            if let Some((_, homes)) = home
                && own < 8
                && !homes.contains(&member.name.as_str())
            {
                faults.push(format!("{at}: only {} may name {dependency}", homes.join(", ")));
            }
            let banned =
                FORBIDDEN.iter().any(|(name, list)| *name == member.name && list.contains(&dependency.as_str()));
            if banned {
                faults.push(format!("{at}: {} must not depend on {dependency}", member.name));
            }
        }
    }
    faults
}
