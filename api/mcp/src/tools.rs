//! Every tool, one file per noun; in the order in which they are listed.

mod catalog;
mod context;
mod memory;
mod record;
mod search;
mod sql;

use std::sync::LazyLock;

use partitura_event::{ErrorClass, Problem};

use crate::tool::Tool;
pub use catalog::short;
pub use memory::shown as piece;

static ALL: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let nouns = [memory::tools(), search::tools(), context::tools(), record::tools(), sql::tools(), catalog::tools()];
    nouns.into_iter().flatten().collect()
});

/// Returns all tools.
pub fn all() -> &'static [Tool] {
    &ALL
}

/// Finds a tool. Errors with near names.
pub fn find(name: &str) -> Result<&'static Tool, Problem> {
    all().iter().find(|tool| tool.name == name).ok_or_else(|| {
        Problem::new(ErrorClass::Invalid, format!("there is no tool `{name:.60}`"))
            .code("unknown_tool")
            .suggest(name, all().iter().map(|tool| tool.name))
            .hint("tools/list names every tool")
    })
}
