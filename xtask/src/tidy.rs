//! The rules of the house that a machine can check. Each fault is one line: where and what.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use crate::manifest::{self, Member};
use crate::sources::{self, Source};
use crate::{deny, layers};

/// Lines after which a file needs a reason, given as `//! long: why` among its first lines.
const LONG: usize = 500;

/// Calls that have a better place: text to look for, the files that may hold it, what to do instead.
const CALLS: &[(&str, &[&str], &str)] = &[
    ("SystemTime::now(", &["store/event/src/clock.rs"], "take a Clock from the constructor"),
    // Lance stamps its versions with the machine's clock, so what is old is told by that one.
    (
        "Utc::now(",
        &["store/table/src/maintenance.rs", "store/table/src/vector/ann.rs"],
        "take a Clock from the constructor",
    ),
    ("unbounded_channel(", &[], "give the queue a limit"),
    ("todo!(", &[], "do it, or refuse with a clear error"),
    ("unimplemented!(", &[], "do it, or refuse with a clear error"),
    ("#[allow(", &[], "write #[expect(lint, reason = \"…\")]"),
    ("#[ignore", &[], "a test that does not run proves nothing"),
];

/// Checks everything, prints the faults, and fails when there is one.
pub fn run(root: &Path) -> ExitCode {
    let members = manifest::members(root);
    let rust = sources::with_ending(root, "rs");
    let mut faults = layers::check(&members);
    faults.extend(deny::check(root));
    faults.extend(rust.iter().flat_map(file_shape));
    faults.extend(rust.iter().filter(|source| !source.path.starts_with("xtask")).flat_map(calls));
    faults.extend(members.iter().flat_map(manifest_shape));
    faults.extend(members.iter().flat_map(|member| unused(member, &rust)));
    faults.extend(unused_shared(root, &members));
    faults.extend(links(root));
    faults.extend(unlisted_decisions(root));
    for fault in &faults {
        eprintln!("{fault}");
    }
    match faults.len() {
        0 => {
            println!("tidy: {} crates, {} Rust files, no fault", members.len(), rust.len());
            ExitCode::SUCCESS
        }
        n => {
            eprintln!("tidy: {n} faults");
            ExitCode::FAILURE
        }
    }
}

/// Finds decisions that their index does not list.
fn unlisted_decisions(root: &Path) -> Vec<String> {
    let decisions = sources::with_ending(root, "md").into_iter().filter(|page| page.path.starts_with("docs/adr"));
    let (index, pages): (Vec<_>, Vec<_>) = decisions.partition(|page| page.path.ends_with("README.md"));
    let is_listed = |name: &str| index.iter().any(|index| index.text.contains(&format!("({name})")));
    let names = pages.iter().filter_map(|page| page.path.file_name()?.to_str());
    let missing = names.filter(|name| !is_listed(name));
    missing.map(|name| format!("docs/adr/README.md:1: {name} is not listed")).collect()
}

fn file_shape(source: &Source) -> Vec<String> {
    let path = source.path.display();
    let mut faults = Vec::new();
    let script = source.path.file_name().is_some_and(|name| name == "build.rs");
    if !source.text.starts_with("//! ") && !script && !source.text.starts_with("#![no_main]") {
        faults.push(format!("{path}:1: the first line says what the file is for (`//! …`)"));
    }
    if source.path.file_name().is_some_and(|name| name == "mod.rs") {
        faults.push(format!("{path}:1: write foo.rs beside foo/, not foo/mod.rs"));
    }
    let lines = source.text.lines().count();
    let reasoned = source.text.lines().take(30).any(|line| line.starts_with("//! long: "));
    if lines > LONG && !reasoned {
        faults.push(format!("{path}:{lines}: {lines} lines; split it by its nouns, or say why in `//! long: …`"));
    }
    let wide = source.text.lines().enumerate().find(|(_, line)| line.starts_with("matches!("));
    faults.extend(wide.map(|(n, _)| format!("{path}:{}: a `matches!` without `assert!` checks nothing", n + 1)));
    faults
}

fn calls(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (n, line) in source.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (call, homes, instead) in CALLS {
            let exempt =
                homes.iter().any(|home| source.path == Path::new(home)) || (source.is_test() && call.contains("now("));
            if code.contains(call) && !exempt {
                faults.push(format!("{}:{}: `{call}`: {instead}", source.path.display(), n + 1));
            }
        }
    }
    faults
}

fn manifest_shape(member: &Member) -> Vec<String> {
    let path = member.folder.join("Cargo.toml");
    let mut faults = Vec::new();
    let mut wants = |ok: bool, what: &str| {
        if !ok {
            faults.push(format!("{}: {what}", path.display()));
        }
    };
    let inherits = |table: Option<&toml::Value>| {
        table.and_then(|t| t.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
    };
    wants(inherits(member.table.get("lints")), "`[lints] workspace = true` is missing");
    wants(inherits(member.table["package"].get("version")), "`version.workspace = true` is missing");
    let described =
        member.table["package"].get("description").and_then(toml::Value::as_str).is_some_and(|text| !text.is_empty());
    wants(described, "say in `description` what the crate is for");
    for section in ["dependencies", "dev-dependencies"] {
        let dependencies = member.table.get(section).and_then(toml::Value::as_table);
        // A crate may name itself by path, to switch its own test features on.
        for (name, value) in dependencies.into_iter().flatten().filter(|(name, _)| **name != member.name) {
            wants(inherits(Some(value)), &format!("{name}: versions live in the root manifest (`workspace = true`)"));
        }
    }
    faults
}

/// A dependency or feature that no source of the crate mentions is a cost without a use.
fn unused(member: &Member, rust: &[Source]) -> Vec<String> {
    let own: Vec<&Source> = rust.iter().filter(|source| source.path.starts_with(&member.folder)).collect();
    let mentions = |text: &str| own.iter().any(|source| source.text.contains(text));
    let mut faults = Vec::new();
    for name in member.dependencies.union(&member.dev_dependencies) {
        let ident = name.replace('-', "_");
        let used = [format!("{ident}::"), format!("use {ident}"), format!("extern crate {ident}")]
            .iter()
            .any(|text| mentions(text));
        if !used {
            faults.push(format!("{}/Cargo.toml: {name} is not used", member.folder.display()));
        }
    }
    for feature in member.features.iter().filter(|name| *name != "default") {
        if !mentions(&format!("feature = \"{feature}\"")) {
            faults.push(format!("{}/Cargo.toml: feature {feature} switches nothing", member.folder.display()));
        }
    }
    faults
}

fn unused_shared(root: &Path, members: &[Member]) -> Vec<String> {
    let used: BTreeSet<&String> =
        members.iter().flat_map(|m| m.dependencies.iter().chain(&m.dev_dependencies)).collect();
    let shared = manifest::shared_dependencies(root);
    let idle = shared.iter().filter(|name| !used.contains(name));
    idle.map(|name| format!("Cargo.toml: {name} is in [workspace.dependencies], but no crate uses it")).collect()
}

/// Paths that our Markdown links to must exist.
fn links(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for page in sources::with_ending(root, "md") {
        let folder = root.join(&page.path).parent().map(Path::to_path_buf).unwrap_or_default();
        for target in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let local = !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:");
            if local && !folder.join(file).exists() {
                faults.push(format!("{}: links to {target}, which is not there", page.path.display()));
            }
        }
    }
    faults
}
