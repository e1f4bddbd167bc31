//! Links in pages lead to files that exist.

use super::Finding;
use super::files::{File, Files, resolve};

/// Checks the relative links of one page.
pub(super) fn check(file: &File, files: &Files, findings: &mut Vec<Finding>) {
    let mut is_code = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for link in line.split("](").skip(1) {
            let Some((target, _)) = link.split_once(')') else {
                continue;
            };
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains(':') {
                continue;
            }
            let exists = resolve(file.folder(), target).is_some_and(|path| files.exists(&path));
            if !exists {
                let what = format!("the link to {target} leads nowhere, mend or remove it");
                findings.push(Finding::error(&file.path, number, what));
            }
        }
    }
}
