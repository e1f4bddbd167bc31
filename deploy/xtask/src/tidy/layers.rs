//! The arrows between the crates of the workspace: they point down only.

use toml::{Table, Value};

use super::Finding;
use super::files::{File, Files};

/// Every crate with the crates that it may use. `*` is all of them.
const LAYERS: [(&str, &[&str]); 16] = [
    ("model", &[]),
    ("state", &["model"]),
    ("ports", &["model"]),
    ("cluster", &["model", "ports"]),
    ("host", &["cluster", "model", "ports", "state"]),
    ("embedded", &["model", "ports"]),
    ("wire", &["model"]),
    ("auth", &["model", "ports"]),
    ("app", &["auth", "cluster", "host", "model", "ports"]),
    ("edge", &["app", "host", "model", "wire"]),
    ("rest", &["app", "model", "wire"]),
    (
        "server",
        &[
            "app", "auth", "cluster", "edge", "embedded", "host", "model", "ports", "rest",
            "state", "wire",
        ],
    ),
    // A client of the protocol: it judges the server, so it shares no code with it.
    ("loadtest", &[]),
    ("e2e", &["*"]),
    ("bench", &["*"]),
    ("xtask", &[]),
];

/// Crates that do no I/O, read no clock and draw no randomness, and what would let them.
const PURE: [&str; 2] = ["model", "state"];
const IMPURE_DEPENDENCIES: [&str; 14] = [
    "async-trait",
    "axum",
    "futures-util",
    "getrandom",
    "hyper",
    "metrics",
    "parking_lot",
    "ractor",
    "rand",
    "serde_json",
    "sqlx",
    "tokio",
    "tracing",
    "uuid",
];

const PREFIX: &str = "guildhall-";

/// Checks the manifests of all crates.
pub(super) fn check(files: &Files, findings: &mut Vec<Finding>) {
    for file in files.texts() {
        if file.name() == "Cargo.toml" && file.path != "Cargo.toml" {
            check_manifest(file, findings);
        }
    }
}

fn check_manifest(file: &File, findings: &mut Vec<Finding>) {
    let manifest: Table = match file.text.parse() {
        Ok(manifest) => manifest,
        Err(error) => {
            let what = format!("is not TOML, mend it: {}", error.message());
            return findings.push(Finding::error(&file.path, 1, what));
        }
    };
    let package = manifest.get("package").and_then(Value::as_table);
    let name = package.and_then(|package| package.get("name")?.as_str());
    let short = name.and_then(|name| name.strip_prefix(PREFIX));
    let Some(short) = short else {
        let what = format!("a crate without the prefix, name it {PREFIX}<its folder>");
        return findings.push(Finding::error(&file.path, 1, what));
    };
    if file.folder().rsplit('/').next() != Some(short) {
        let what = format!("crate {PREFIX}{short} is elsewhere, its folder has to be {short}/");
        findings.push(Finding::error(&file.path, 1, what));
    }
    let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == short) else {
        let what = format!("crate {short} has no layer, give it a row in deploy/xtask");
        return findings.push(Finding::error(&file.path, 1, what));
    };
    for dependency in dependencies(&manifest) {
        let line = line_of(file, &dependency);
        if PURE.contains(&short) && IMPURE_DEPENDENCIES.contains(&dependency.as_str()) {
            let what = format!(
                "{short} must stay pure, hand in what {dependency} would fetch or ask for it by \
                 an effect"
            );
            findings.push(Finding::error(&file.path, line, what));
        }
        if let Some(used) = dependency.strip_prefix(PREFIX)
            && !allowed.contains(&"*")
            && !allowed.contains(&used)
        {
            let what = format!(
                "{short} may not use {used}, only [{}]: move the code down or put a port between",
                allowed.join(", ")
            );
            findings.push(Finding::error(&file.path, line, what));
        }
    }
}

/// The names of all dependencies, those of tests, build scripts and single platforms included.
fn dependencies(manifest: &Table) -> Vec<String> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(|targets| targets.values());
    std::iter::once(manifest)
        .chain(platforms.filter_map(Value::as_table))
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|table| table.iter())
        .map(|(name, how)| {
            let package = how.get("package").and_then(Value::as_str);
            package.unwrap_or(name).to_owned()
        })
        .collect()
}

fn line_of(file: &File, dependency: &str) -> usize {
    file.lines()
        .find(|(_, line)| {
            line.strip_prefix(dependency)
                .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
        })
        .map_or(1, |(number, _)| number)
}
