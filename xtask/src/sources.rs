//! Finds the files that are ours: tracked by git or new, never ignored.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository.
pub struct Source {
    /// Path relative to the root.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Returns whether it is a test, an example or a bench: the rules for calls are laxer there.
    pub fn is_test(&self) -> bool {
        let test = |part: &str| matches!(part, "tests" | "tests.rs" | "benches" | "examples" | "fuzz");
        self.path.iter().any(|part| part.to_str().is_some_and(test))
    }
}

/// Returns all text files with the ending, in order of their paths.
pub fn with_ending(root: &Path, ending: &str) -> Vec<Source> {
    let pattern = format!("*.{ending}");
    let listed = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--", &pattern])
        .output()
        .expect("git lists the files");
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let read = |name: &str| fs::read_to_string(root.join(name)).ok().map(|text| Source { path: name.into(), text });
    names.lines().filter_map(read).collect()
}
