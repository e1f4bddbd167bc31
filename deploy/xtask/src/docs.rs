//! Writes the pages of `deploy/docs` that come from the code. Tests of the crates that they come
//! from fail when a page is stale.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// The generated pages, each with the arguments of the `guildhall` command that prints it.
const PAGES: [(&str, &[&str]); 1] = [("deploy/docs/configuration.md", &["config", "docs"])];

/// Writes every generated page anew.
pub fn write(root: &Path) -> anyhow::Result<()> {
    for (page, args) in PAGES {
        let output = Command::new(env!("CARGO"))
            .args([
                "run",
                "-q",
                "-p",
                "guildhall-server",
                "--bin",
                "guildhall",
                "--",
            ])
            .args(args)
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .context("cargo cannot be run")?;
        ensure!(output.status.success(), "{page}: {}", output.status);
        std::fs::write(root.join(page), output.stdout).context(page)?;
    }
    Ok(())
}
