//! The house rules that a program can check, as findings of the form
//! `path:line: what, do this instead`.

mod files;
mod layers;
mod links;
mod source;
mod words;

use std::fmt;
use std::path::Path;

use files::Files;

/// Something that the house rules forbid or advise against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the root, with forward slashes.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong and what to do instead.
    pub what: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Fails the build.
    Error,
    /// Is shown.
    Warning,
}

impl Finding {
    fn error(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            severity: Severity::Error,
            what: what.into(),
        }
    }

    fn warning(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(path, line, what)
        }
    }

    /// Whether it fails the build.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_error() { "" } else { "warning: " };
        write!(f, "{}:{}: {severity}{}", self.path, self.line, self.what)
    }
}

/// Checks the tree under `root` and returns what it finds, ordered by path and line.
pub fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let files = Files::read(root)?;
    let mut findings = Vec::new();
    files::check_top_level(&files, &mut findings);
    layers::check(&files, &mut findings);
    for file in files.texts() {
        words::check(file, &mut findings);
        if file.has_extension("rs") {
            source::check(file, &files, &mut findings);
        }
        if file.has_extension("md") {
            links::check(file, &files, &mut findings);
        }
    }
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests;
