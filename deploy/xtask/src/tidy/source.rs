//! Budgets and shape of Rust files: lengths, the sentence at the top, and that each is compiled.

use super::Finding;
use super::files::{File, Files, resolve};

/// Lines from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a file that need no reason.
const FILE_LINES_GOOD: usize = 400;
/// Lines of a file that no reason excuses.
const FILE_LINES_MAX: usize = 800;

/// Checks one Rust file.
pub(super) fn check(file: &File, files: &Files, findings: &mut Vec<Finding>) {
    let lines = file.lines().count();
    if lines > FILE_LINES_MAX {
        let what = format!("{lines} lines, split the file: {FILE_LINES_MAX} at most");
        findings.push(Finding::error(&file.path, lines, what));
    } else if lines > FILE_LINES_GOOD {
        let what = format!("{lines} lines, think of a split: {FILE_LINES_GOOD} are comfortable");
        findings.push(Finding::warning(&file.path, lines, what));
    }
    if !file.text.starts_with("//! ") {
        let what = "no module documentation, begin with a `//!` sentence that says the file's job";
        findings.push(Finding::error(&file.path, 1, what));
    }
    if file.name() == "mod.rs" {
        let what = "a mod.rs, name it after its folder and put it beside";
        findings.push(Finding::error(&file.path, 1, what));
    } else if !is_compiled(file, files) {
        let what = "no `mod` names this file, declare it in its parent or delete it";
        findings.push(Finding::error(&file.path, 1, what));
    }
    check_functions(file, findings);
}

/// Whether the parent module declares the file, or another file names its path. Roots of crates are
/// compiled by being there.
fn is_compiled(file: &File, files: &Files) -> bool {
    let stem = file.name().trim_end_matches(".rs");
    let folder = file.folder();
    let folder_name = folder.rsplit('/').next().unwrap_or_default();
    let is_root = matches!(stem, "lib" | "main" | "build")
        || matches!(
            folder_name,
            "bin" | "tests" | "benches" | "examples" | "fuzz_targets"
        );
    if is_root {
        return true;
    }
    let beside = format!("{folder}.rs");
    let roots = [format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
    let is_declared = std::iter::once(beside)
        .chain(roots)
        .filter_map(|path| files.get(&path))
        .any(|parent| parent.lines().any(|(_, line)| declares(line, stem)));
    is_declared
        || named_by_path(files).any(|path| path == file.path || is_beside(&path, file, files))
}

/// The files that are named by their paths, which several crates may do.
fn named_by_path(files: &Files) -> impl Iterator<Item = String> {
    let rust = files.texts().filter(|file| file.has_extension("rs"));
    rust.flat_map(|file| {
        file.lines().filter_map(|(_, line)| {
            let (path, _) = line.trim().strip_prefix("#[path = \"")?.split_once('"')?;
            resolve(file.folder(), path)
        })
    })
}

/// Whether the file at `path` declares the other one, which stands beside it.
fn is_beside(path: &str, file: &File, files: &Files) -> bool {
    let stem = file.name().trim_end_matches(".rs");
    files.get(path).is_some_and(|parent| {
        parent.folder() == file.folder() && parent.lines().any(|(_, line)| declares(line, stem))
    })
}

fn declares(line: &str, module: &str) -> bool {
    let mut words = line.trim().trim_end_matches(';').split_whitespace().rev();
    line.trim_end().ends_with(';') && words.next() == Some(module) && words.next() == Some("mod")
}

/// Measures functions by their indentation, which rustfmt guarantees.
fn check_functions(file: &File, findings: &mut Vec<Finding>) {
    let lines: Vec<_> = file.text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let Some(name) = function_name(lines[at]) else {
            at += 1;
            continue;
        };
        let length = function_lines(&lines[at..]);
        if length > FUNCTION_LINES_MAX {
            let what =
                format!("fn {name} has {length} lines, split it: {FUNCTION_LINES_MAX} at most");
            findings.push(Finding::error(&file.path, at + 1, what));
        }
        // Functions within functions count for the outer one.
        at += length;
    }
}

fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let are_qualifiers = before.split_whitespace().all(|word| {
        word.starts_with("pub") || matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"")
    });
    let name = after.split(['(', '<']).next()?;
    (are_qualifiers && (before.is_empty() || before.ends_with(' '))).then_some(name)
}

/// How many lines the function takes that begins at the first of `lines`.
fn function_lines(lines: &[&str]) -> usize {
    let indent = indent_of(lines[0]);
    let mut has_body = false;
    for (index, line) in lines.iter().enumerate() {
        let at_indent = indent_of(line) == indent;
        let text = line.trim();
        let opens = at_indent && text.ends_with('{');
        let ends_on_first_line = index == 0 && text.ends_with(['}', ';']);
        let ends_declaration = !has_body && !opens && text.ends_with(';');
        let closes = at_indent && index > 0 && text.starts_with('}');
        if ends_on_first_line || ends_declaration || closes {
            return index + 1;
        }
        has_body |= opens;
    }
    lines.len()
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
