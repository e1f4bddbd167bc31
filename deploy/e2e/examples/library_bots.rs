//! Runs the bots of real libraries against the server and holds the outcome against the page that
//! says what works. `deploy/proof/bots` installs the libraries and calls this.
//!
//! A library mostly waits, so some run at a time, each with a server of its own. What is said of
//! one is printed as a whole when it is through.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use guildhall_e2e::bots::library::{LIBRARIES, Library};
use guildhall_e2e::bots::page::{self, Row};
use guildhall_e2e::bots::{DESCRIPTION, Findings, Outcome, Schemas, Step, run};

const USAGE: &str = "usage: library_bots INSTALLED [--write] [LIBRARY…]\n";
/// Libraries that run at a time: their patience is made for busy cores, but not for any number.
const AT_ONCE: usize = 2;

struct Wanted {
    installed: PathBuf,
    libraries: Vec<Library>,
    is_written: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(wanted) = wanted() else {
        say(USAGE);
        return ExitCode::from(64);
    };
    // Steps fail by panics, which are told with their step.
    std::panic::set_hook(Box::new(|_| ()));
    let schemas = Schemas::read().map(Arc::new);
    let mut findings = Findings::default();
    let mut rows = BTreeMap::new();
    let libraries = wanted.libraries.into_iter().enumerate();
    let mut ran = stream::iter(libraries)
        .map(async |(n, library)| {
            let (row, found) = through(library, &wanted.installed, schemas.clone()).await;
            (row.map(|row| (n, row)), found)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((row, found)) = ran.next().await {
        rows.extend(row);
        findings.merge(found);
    }
    // In the order of the page.
    let rows: Vec<Row> = rows.into_values().collect();
    say(&findings.to_string());
    if schemas.is_none() {
        say(&format!(
            "LEFT OUT: there is no {DESCRIPTION}: Discord's schemas judged NOTHING\n"
        ));
    }
    let mut faults = Vec::new();
    if wanted.is_written {
        std::fs::write(page::path(), page::write(&rows)).expect("the page can be written");
    } else {
        let page = std::fs::read_to_string(page::path()).unwrap_or_default();
        faults = page::stale(&page, &rows);
    }
    for fault in &faults {
        say(&format!("deploy/docs/libraries.md is stale: {fault}\n"));
    }
    let is_good = faults.is_empty() && findings.are_good();
    ExitCode::from(u8::from(!is_good))
}

fn wanted() -> Option<Wanted> {
    let mut args = std::env::args().skip(1);
    let installed = PathBuf::from(args.next()?);
    let (mut names, mut is_written) = (Vec::new(), false);
    for arg in args {
        match arg.as_str() {
            "--write" => is_written = true,
            name => names.push(*LIBRARIES.iter().find(|library| library.is_called(name))?),
        }
    }
    let libraries = if names.is_empty() {
        LIBRARIES.to_vec()
    } else {
        names
    };
    // A page about some of the libraries would forget the others.
    (!is_written || libraries.len() == LIBRARIES.len()).then_some(Wanted {
        installed,
        libraries,
        is_written,
    })
}

/// Takes a library through all steps and says what became of them; no row if it is left out.
async fn through(
    library: Library,
    installed: &Path,
    schemas: Option<Arc<Schemas>>,
) -> (Option<Row>, Findings) {
    let name = library.name;
    if !library.is_installed(installed) {
        say(&format!(
            "LEFT OUT: {name}, because it could not be installed\n"
        ));
        return (None, Findings::default());
    }
    let installed = installed.to_owned();
    // A task of its own: what one computes keeps no other waiting.
    let ran = tokio::spawn(async move {
        let (mut findings, mut said) = (Findings::default(), String::new());
        let tell = |step: Step, outcome: &Outcome, complaints: &str| {
            tell(&mut said, name, step, outcome, complaints);
        };
        let row = run(library, &installed, schemas.as_deref(), &mut findings, tell);
        let row = row.await;
        say(&said);
        (Some(row), findings)
    });
    ran.await.expect("steps fail without a panic of the run")
}

fn tell(said: &mut String, library: &str, step: Step, outcome: &Outcome, complaints: &str) {
    let step = step.name();
    let _ = match outcome {
        Outcome::Ok => writeln!(said, "{library}: {step}: ok"),
        Outcome::NotBuilt(why) => writeln!(said, "{library}: {step}: not built yet: {why}"),
        Outcome::Failed(why) => {
            let _ = writeln!(said, "{library}: {step}: FAILED: {why}");
            for line in complaints.lines() {
                let _ = writeln!(said, "    | {line}");
            }
            Ok(())
        }
    };
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).expect("stdout is open");
}
