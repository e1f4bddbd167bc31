//! Words and paths that must not stand in the tree, each with what to write instead.

use super::Finding;
use super::files::File;

/// A text that is forbidden, and what to do instead. Each is split, so that this file passes.
const FORBIDDEN: [(&str, &str); 12] = [
    (
        concat!("TO", "DO"),
        "do it, or open an issue and say in a sentence what is missing",
    ),
    (
        concat!("FIX", "ME"),
        "do it, or open an issue and say in a sentence what is missing",
    ),
    (
        concat!("XX", "X:"),
        "do it, or open an issue and say in a sentence what is missing",
    ),
    (
        concat!("/ho", "me/"),
        "name paths relative to the repository",
    ),
    (
        concat!("/Us", "ers/"),
        "name paths relative to the repository",
    ),
    (
        concat!("/ro", "ot/"),
        "name paths relative to the repository",
    ),
    (
        concat!("behavio", "ur"),
        "spell it the American way: behavior",
    ),
    (concat!("colo", "ur"), "spell it the American way: color"),
    (
        concat!("seriali", "s"),
        "spell it the American way, with a z",
    ),
    (
        concat!("authori", "s"),
        "spell it the American way, with a z",
    ),
    (
        concat!("initiali", "s"),
        "spell it the American way, with a z",
    ),
    (
        concat!("normali", "s"),
        "spell it the American way, with a z",
    ),
];
/// The same for Rust files only.
const FORBIDDEN_IN_RUST: [(&str, &str); 7] = [
    (
        concat!("#[ig", "nore"),
        "assert what happens today and say why it is wrong",
    ),
    (
        concat!("#[al", "low("),
        "use #[expect(lint, reason = \"…\")]",
    ),
    (
        concat!("#![al", "low("),
        "use #![expect(lint, reason = \"…\")]",
    ),
    (concat!("to", "do!("), "write the code"),
    (concat!("unimple", "mented!("), "write the code"),
    (
        concat!("struct Mo", "ck"),
        "write a Fake that works, without expectations",
    ),
    (
        concat!("thread::sl", "eep(Duration::from_millis"),
        "wait for a condition, not for a time",
    ),
];
/// Names of files and folders that say nothing.
const EMPTY_NAMES: [&str; 7] = [
    "common", "core", "helper", "helpers", "misc", "util", "utils",
];

/// Checks the words of one file, and its name.
pub(super) fn check(file: &File, findings: &mut Vec<Finding>) {
    let is_written_by_people = [
        "rs", "md", "sh", "toml", "sql", "yml", "yaml", "py", "ts", "tsx",
    ]
    .iter()
    .any(|extension| file.has_extension(extension))
        || !file.name().contains('.');
    if !is_written_by_people {
        return;
    }
    for name in file.path.trim_end_matches(".rs").split('/') {
        if EMPTY_NAMES.contains(&name) {
            let what = format!("the name \"{name}\" says nothing, name it after its job");
            findings.push(Finding::error(&file.path, 1, what));
        }
    }
    let rust: &[_] = if file.has_extension("rs") {
        &FORBIDDEN_IN_RUST
    } else {
        &[]
    };
    for (number, line) in file.lines() {
        for (text, instead) in FORBIDDEN.iter().chain(rust) {
            if line.contains(text) {
                let what = format!("{text:?} is forbidden, {instead}");
                findings.push(Finding::error(&file.path, number, what));
            }
        }
    }
}
