//! `cargo x COMMAND`: runs a command on the repository that this was built from.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guildhall_xtask::{docs, mutations, tidy};

const USAGE: &str = "\
usage: cargo x COMMAND
  tidy    check layers, budgets, module docs, words, links and top-level entries
  docs    write the generated pages of deploy/docs anew
  mutate  break the delivery path in small ways, one by one, and see a test fail each
          time; with a name only that one. Run it on a clean tree
";

fn main() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stderr().lock();
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => {
            let findings = tidy::check(&root())?;
            for finding in &findings {
                writeln!(out, "{finding}")?;
            }
            let errors = findings.iter().filter(|finding| finding.is_error()).count();
            let warnings = findings.len() - errors;
            writeln!(out, "tidy: {errors} errors, {warnings} warnings")?;
            Ok(ExitCode::from(u8::from(errors > 0)))
        }
        Some("docs") => {
            docs::write(&root())?;
            Ok(ExitCode::SUCCESS)
        }
        Some("mutate") => {
            let only = std::env::args().nth(2);
            let survivors = mutations::run(&root(), only.as_deref(), &mut out)?;
            writeln!(out, "mutate: {} survived", survivors.len())?;
            Ok(ExitCode::from(u8::from(!survivors.is_empty())))
        }
        _ => {
            out.write_all(USAGE.as_bytes())?;
            Ok(ExitCode::from(64))
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
