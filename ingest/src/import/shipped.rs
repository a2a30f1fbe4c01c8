//! Mappings that ship inside the binary, for formats we know.

/// A mapping by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// What `--map` takes.
    pub name: &'static str,
    /// The mapping file.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(Shipped { name: $name, text: include_str!(concat!("../../mappings/", $name, ".toml")) },)*]
    };
}

const ALL: &[Shipped] =
    shipped!["acr_sweagent_runs", "aider_events", "gitlab_issues", "langfuse_traces", "locomo", "swebench_bashonly",];

/// Returns all of them, by name.
pub fn shipped() -> &'static [Shipped] {
    ALL
}
