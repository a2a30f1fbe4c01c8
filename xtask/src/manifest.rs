//! Reads the manifests of the workspace's crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// One crate of the workspace.
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the root.
    pub folder: PathBuf,
    /// Names of `[dependencies]`.
    pub dependencies: BTreeSet<String>,
    /// Names of `[dev-dependencies]`.
    pub dev_dependencies: BTreeSet<String>,
    /// Names of `[features]` with the number of things each switches on.
    pub features: BTreeSet<String>,
    /// The whole manifest.
    pub table: Table,
}

/// Reads a manifest; a fault ends the run, since nothing can be checked without it.
pub fn read(path: &Path) -> Table {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns all crates that the root manifest lists.
pub fn members(root: &Path) -> Vec<Member> {
    let workspace = read(&root.join("Cargo.toml"));
    let listed = workspace["workspace"]["members"].as_array().cloned().unwrap_or_default();
    listed.iter().filter_map(Value::as_str).map(|folder| member(root, folder)).collect()
}

fn member(root: &Path, folder: &str) -> Member {
    let table = read(&root.join(folder).join("Cargo.toml"));
    let names = |section: &str| -> BTreeSet<String> {
        table.get(section).and_then(Value::as_table).map(|t| t.keys().cloned().collect()).unwrap_or_default()
    };
    Member {
        name: table["package"]["name"].as_str().unwrap_or_default().to_owned(),
        folder: PathBuf::from(folder),
        dependencies: names("dependencies"),
        dev_dependencies: names("dev-dependencies"),
        features: names("features"),
        table,
    }
}

/// Returns the names of `[workspace.dependencies]`.
pub fn shared_dependencies(root: &Path) -> BTreeSet<String> {
    let workspace = read(&root.join("Cargo.toml"));
    workspace["workspace"]["dependencies"].as_table().map(|t| t.keys().cloned().collect()).unwrap_or_default()
}
