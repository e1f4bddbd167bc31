//! Runs the bots of real libraries against the server and holds the outcome against the page that
//! says what works. `deploy/proof/bots` installs the libraries and calls this.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use guildhall_e2e::bots::library::{LIBRARIES, Library};
use guildhall_e2e::bots::{DESCRIPTION, Findings, Outcome, Schemas, Step, page, run};

const USAGE: &str = "usage: library_bots INSTALLED [--write] [LIBRARY…]\n";

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
    let schemas = Schemas::read();
    let (mut rows, mut findings) = (Vec::new(), Findings::default());
    for library in wanted.libraries {
        let name = library.name;
        if !library.is_installed(&wanted.installed) {
            say(&format!(
                "LEFT OUT: {name}, because it could not be installed\n"
            ));
            continue;
        }
        let tell =
            |step: Step, outcome: &Outcome, complaints: &str| tell(name, step, outcome, complaints);
        let row = run(
            library,
            &wanted.installed,
            schemas.as_ref(),
            &mut findings,
            tell,
        );
        rows.push(row.await);
    }
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

fn tell(library: &str, step: Step, outcome: &Outcome, complaints: &str) {
    let step = step.name();
    match outcome {
        Outcome::Ok => say(&format!("{library}: {step}: ok\n")),
        Outcome::NotBuilt(why) => say(&format!("{library}: {step}: not built yet: {why}\n")),
        Outcome::Failed(why) => {
            say(&format!("{library}: {step}: FAILED: {why}\n"));
            for line in complaints.lines() {
                say(&format!("    | {line}\n"));
            }
        }
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).expect("stdout is open");
}
