//! The arrows between the crates of the workspace: they point down only.

use toml::{Table, Value};

use super::Finding;
use super::files::{File, Files};

/// Every crate with the crates that it may use. `*` is all of them.
const LAYERS: [(&str, &[&str]); 26] = [
    ("model", &[]),
    ("state", &["model"]),
    ("ports", &["model"]),
    ("cluster", &["model", "ports"]),
    ("host", &["cluster", "model", "ports", "state"]),
    ("embedded", &["model", "ports"]),
    ("scylla", &["model", "ports"]),
    ("kafka", &["model", "ports"]),
    ("postgres", &["model", "ports"]),
    ("redis", &["model", "ports"]),
    ("s3", &["model", "ports"]),
    ("wire", &["model"]),
    ("auth", &["model", "ports"]),
    (
        "app",
        &["auth", "cluster", "host", "model", "ports", "state"],
    ),
    ("edge", &["app", "host", "model", "wire"]),
    ("rest", &["app", "model", "wire"]),
    (
        "server",
        &[
            "app", "auth", "cluster", "edge", "embedded", "host", "kafka", "model", "ports",
            "postgres", "redis", "rest", "s3", "scylla", "state", "wire",
        ],
    ),
    // Its clients and its judge share no code with the server. The machines are there for the
    // simulation alone, which runs them under the same judge.
    ("loadtest", &["cluster", "model", "state"]),
    ("e2e", &["*"]),
    ("engines", &["*"]),
    ("fuzz", &["*"]),
    ("bench", &["*"]),
    ("xtask", &[]),
    // Bots on libraries that know nothing of us.
    ("lines", &[]),
    ("serenity", &["lines"]),
    ("twilight", &["lines"]),
];

/// What tests of the crates above the ports may use beside all that they reach anyway: a store to
/// run on.
const STORES_FOR_TESTS: [&str; 1] = ["embedded"];
const RUN_ON_STORES: [&str; 4] = ["host", "app", "edge", "rest"];

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
    if manifest.contains_key("workspace") && !manifest.contains_key("package") {
        return;
    }
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
    let Some(allowed) = layer(short) else {
        let what = format!("crate {short} has no layer, give it a row in deploy/xtask");
        return findings.push(Finding::error(&file.path, 1, what));
    };
    for (dependency, is_for_tests) in dependencies(&manifest) {
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
            && !(is_for_tests && tests_may_use(short, used))
        {
            let what = format!(
                "{short} may not use {used}, only [{}]: move the code down or put a port between",
                allowed.join(", ")
            );
            findings.push(Finding::error(&file.path, line, what));
        }
    }
}

fn layer(short: &str) -> Option<&'static [&'static str]> {
    let row = LAYERS.iter().find(|(layer, _)| *layer == short);
    row.map(|(_, allowed)| *allowed)
}

/// Whether tests of a crate may name `used`: it is built for them anyway, or is their store.
fn tests_may_use(short: &str, used: &str) -> bool {
    // A crate's tests may turn on a feature of the crate itself.
    let is_itself = short == used;
    let is_store = RUN_ON_STORES.contains(&short) && STORES_FOR_TESTS.contains(&used);
    is_itself || is_store || reaches(short, used)
}

fn reaches(short: &str, used: &str) -> bool {
    let below = layer(short).unwrap_or_default();
    below.contains(&used) || below.iter().any(|next| reaches(next, used))
}

/// The names of all dependencies, those of build scripts and single platforms included, and
/// whether they are for tests only.
fn dependencies(manifest: &Table) -> Vec<(String, bool)> {
    let kinds = [
        ("dependencies", false),
        ("dev-dependencies", true),
        ("build-dependencies", false),
    ];
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(|targets| targets.values());
    let mut found = Vec::new();
    for table in std::iter::once(manifest).chain(platforms.filter_map(Value::as_table)) {
        for (kind, is_for_tests) in kinds {
            let named = table.get(kind).and_then(Value::as_table);
            for (name, how) in named.into_iter().flatten() {
                let package = how.get("package").and_then(Value::as_str);
                found.push((package.unwrap_or(name).to_owned(), is_for_tests));
            }
        }
    }
    found
}

fn line_of(file: &File, dependency: &str) -> usize {
    file.lines()
        .find(|(_, line)| {
            line.strip_prefix(dependency)
                .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
        })
        .map_or(1, |(number, _)| number)
}
