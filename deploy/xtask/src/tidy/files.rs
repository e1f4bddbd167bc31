//! The files of the tree, read once, and what may stand at its top.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::Finding;

/// What may stand at the top of the repository beside names that begin with a dot.
const TOP_LEVEL: [&str; 14] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "actors",
    "api",
    "bench",
    "clippy.toml",
    "deploy",
    "gateway",
    "loadtest",
    "rustfmt.toml",
    "storage",
    "voice",
];
/// What builds and runs leave behind; `.gitignore` names the same.
const LEFT_BEHIND: [&str; 5] = [
    ".git",
    "guildhall-data",
    "node_modules",
    "target",
    "__pycache__",
];
/// The longest that the page of a folder may be.
const FOLDER_README_LINES_MAX: usize = 60;

/// All files of the tree by their path relative to the root, with forward slashes.
pub(super) struct Files {
    by_path: BTreeMap<String, File>,
}

/// A file. Its text is empty if it is not text.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

impl Files {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut by_path = BTreeMap::new();
        walk(root, "", &mut by_path)?;
        Ok(Self { by_path })
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &File> {
        self.by_path.values()
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.by_path.get(path)
    }

    /// Whether there is a file, or a folder with files in it.
    pub(super) fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        let is_folder = |next: &String| next.starts_with(&folder);
        path.is_empty()
            || self.by_path.contains_key(path)
            || self
                .by_path
                .range(folder.clone()..)
                .next()
                .is_some_and(|(next, _)| is_folder(next))
    }
}

impl File {
    pub(super) fn has_extension(&self, extension: &str) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, found)| found == extension)
    }

    /// The name without folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The path of the folder, empty at the top.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The lines, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// The path that `target` means in a file of `folder`; `None` if it leads out of the tree.
pub(super) fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop()?;
            }
            part => path.push(part),
        }
    }
    Some(path.join("/"))
}

fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, File>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| folder.display().to_string())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if LEFT_BEHIND.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().with_context(|| path.clone())?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            // A file may go away between the listing and here: another command may be at work.
            let bytes = fs::read(entry.path()).unwrap_or_default();
            let text = String::from_utf8(bytes).unwrap_or_default();
            files.insert(path.clone(), File { path, text });
        }
    }
    Ok(())
}

/// Finds entries at the top that the layout does not have, and folders without their page.
pub(super) fn check_top_level(files: &Files, findings: &mut Vec<Finding>) {
    let mut seen = "";
    for path in files.by_path.keys() {
        let (top, is_folder) = match path.split_once('/') {
            Some((top, _)) => (top, true),
            None => (path.as_str(), false),
        };
        if top == seen {
            continue;
        }
        seen = top;
        if top.starts_with('.') {
            continue;
        }
        if !TOP_LEVEL.contains(&top) {
            let what = "unknown top-level entry, put it under one of the folders of the layout";
            findings.push(Finding::error(top, 1, what));
        } else if is_folder {
            check_readme(&format!("{top}/README.md"), files, findings);
        }
    }
}

fn check_readme(path: &str, files: &Files, findings: &mut Vec<Finding>) {
    let Some(readme) = files.get(path) else {
        let what = "missing, say what is in the folder, its invariants and where to start reading";
        return findings.push(Finding::error(path, 1, what));
    };
    let lines = readme.lines().count();
    if lines > FOLDER_README_LINES_MAX {
        let what = format!(
            "{lines} lines, keep the page of a folder to {FOLDER_README_LINES_MAX} and move the \
             rest to deploy/docs"
        );
        findings.push(Finding::error(path, lines, what));
    }
}
