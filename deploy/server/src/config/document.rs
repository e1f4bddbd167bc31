//! The documents that come from the declaration: example file, reference page, effective values.

use std::fmt::Write;

use super::declare::{Entry, Part};
use super::source::ENVIRONMENT_PREFIX;
use super::tree::{Config, TREE};

/// An example file: every setting with its documentation, commented out at its default.
pub fn example() -> String {
    let mut out = String::from(
        "# Guildhall's settings. Each line shows a default: take away the leading # to change it.\n",
    );
    for part in TREE {
        out.push('\n');
        comment(&mut out, part.doc);
        let _ = writeln!(out, "[{}]", part.name);
        for entry in part.settings {
            out.push('\n');
            comment(&mut out, entry.doc);
            let _ = writeln!(out, "# Expected: {}.", expectation(entry));
            if entry.rule.instance.is_some() {
                out.push_str("# Not set by default.\n");
            }
            let shown = entry.rule.instance.unwrap_or(entry.rule.default);
            let _ = writeln!(out, "#{} = {}", entry.key, in_toml(entry, shown));
        }
    }
    out
}

/// The reference page: `deploy/docs/configuration.md`.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         This page is generated from `deploy/server/src/config/tree.rs`; `cargo x docs` writes it \
         anew.\n\n\
         Settings come from a TOML file (`guildhall serve --config FILE`), are overridden by \
         environment variables\n(`GUILDHALL__PART__KEY`), and those by the flags of the command \
         line. An unknown or wrong setting stops the start with\nexit code 64, after all mistakes \
         have been reported. `guildhall config check` does only that, `guildhall config\nexample` \
         prints a file to start from, `guildhall config print` shows what holds, without secrets.\n",
    );
    for part in TREE {
        let _ = writeln!(out, "\n## `[{}]`\n", part.name);
        paragraph(&mut out, part.doc);
        for entry in part.settings {
            let _ = writeln!(out, "\n### `{}.{}`\n", part.name, entry.key);
            paragraph(&mut out, entry.doc);
            let default = match entry.rule.instance {
                Some(instance) => format!("not set; for example `{instance}`"),
                None => format!("`{}`", entry.rule.default),
            };
            let _ = writeln!(out, "\n- Default: {default}");
            let _ = writeln!(out, "- Expected: {}", expectation(entry));
            let _ = writeln!(out, "- Environment: `{}`", variable(part, entry));
        }
    }
    out
}

/// The effective settings, as a TOML file. Settings that are not set stand as comments.
pub(super) fn redacted(config: &Config) -> String {
    let mut out = String::new();
    for (part, texts) in TREE.iter().zip(config.texts()) {
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}[{}]", part.name);
        for (entry, text) in part.settings.iter().zip(texts) {
            if text.is_empty() {
                let _ = writeln!(out, "# {} is not set", entry.key);
            } else {
                let _ = writeln!(out, "{} = {}", entry.key, in_toml(entry, &text));
            }
        }
    }
    out
}

fn comment(out: &mut String, doc: &[&str]) {
    for line in doc {
        let _ = writeln!(out, "# {}", line.trim());
    }
}

fn paragraph(out: &mut String, doc: &[&str]) {
    for line in doc {
        let _ = writeln!(out, "{}", line.trim());
    }
}

fn expectation(entry: &Entry) -> String {
    match entry.rule.bounds {
        Some((least, greatest)) => format!("{}, {least} to {greatest}", entry.expected),
        None => entry.expected.to_owned(),
    }
}

fn variable(part: &Part, entry: &Entry) -> String {
    let path = format!("{}__{}", part.name, entry.key);
    format!("{ENVIRONMENT_PREFIX}{}", path.to_uppercase())
}

fn in_toml(entry: &Entry, text: &str) -> String {
    if entry.is_bare {
        text.to_owned()
    } else {
        toml::Value::String(text.to_owned()).to_string()
    }
}
