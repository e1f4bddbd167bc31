//! Small wrong edits of the delivery path, each of which a test must notice: a test that no wrong
//! edit turns red proves nothing.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// Where the edits stand.
const LIST: &str = "deploy/proof/mutations.toml";

/// How long a test may take; one that waits for what no longer comes has noticed the edit.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often it is looked whether a test is done.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A wrong edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// What it does wrong, in a few words with hyphens.
    pub name: String,
    /// The file, relative to the root.
    pub file: String,
    /// What stands there, exactly once.
    pub before: String,
    /// What the edit makes of it.
    pub after: String,
    /// The arguments of `cargo test` that must fail then.
    pub killed_by: String,
}

/// Reads the list.
pub fn read(root: &Path) -> anyhow::Result<Vec<Mutation>> {
    let text = fs::read_to_string(root.join(LIST)).context(LIST)?;
    let document: toml::Table = text.parse().context(LIST)?;
    let entries = document.get("mutation").and_then(toml::Value::as_array);
    let entries = entries.context("no [[mutation]]")?;
    entries.iter().map(entry).collect()
}

fn entry(value: &toml::Value) -> anyhow::Result<Mutation> {
    let text = |key: &str| {
        let text = value.get(key).and_then(toml::Value::as_str);
        text.map(str::to_owned)
            .with_context(|| format!("{key} is missing in {value}"))
    };
    Ok(Mutation {
        name: text("name")?,
        file: text("file")?,
        before: text("before")?,
        after: text("after")?,
        killed_by: text("killed_by")?,
    })
}

/// What is wrong with the list itself: edits that no longer fit the code.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for mutation in read(root)? {
        let found = fs::read_to_string(root.join(&mutation.file))
            .map_or(0, |source| source.matches(&mutation.before).count());
        if found != 1 {
            let Mutation { name, file, .. } = mutation;
            wrong.push(format!("{name}: its line stands {found} times in {file}"));
        }
    }
    Ok(wrong)
}

/// Applies the edits one by one and runs their tests; the names of those that no test noticed.
pub fn run(root: &Path, only: Option<&str>, out: &mut dyn Write) -> anyhow::Result<Vec<String>> {
    let wrong = check(root)?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = read(root)?;
    let chosen: Vec<_> = all
        .iter()
        .filter(|it| only.is_none_or(|only| only == it.name))
        .collect();
    ensure!(!chosen.is_empty(), "there is no such mutation");
    let mut survivors = Vec::new();
    for (n, mutation) in chosen.iter().enumerate() {
        let verdict = try_one(root, mutation).with_context(|| mutation.name.clone())?;
        let (n, of, name) = (n + 1, chosen.len(), &mutation.name);
        writeln!(out, "{n:>3}/{of} {verdict} {name}")?;
        if verdict == Verdict::Survived {
            survivors.push(mutation.name.clone());
        }
    }
    Ok(survivors)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Killed,
    Survived,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Killed => "killed  ",
            Self::Survived => "SURVIVED",
        })
    }
}

/// Puts the file back when it is dropped, whatever happened.
struct Edited {
    path: PathBuf,
    original: String,
}

impl Drop for Edited {
    fn drop(&mut self) {
        if fs::write(&self.path, &self.original).is_err() {
            // Nothing else can be done here; git has the file.
            let _ = writeln!(std::io::stderr(), "put back {}", self.path.display());
        }
    }
}

fn try_one(root: &Path, mutation: &Mutation) -> anyhow::Result<Verdict> {
    let path = root.join(&mutation.file);
    let original = fs::read_to_string(&path)?;
    let edited = original.replacen(&mutation.before, &mutation.after, 1);
    let _back = Edited {
        path: path.clone(),
        original,
    };
    fs::write(&path, edited)?;
    // An edit that does not compile would be "noticed" without any test.
    if !cargo(root, "test --no-run --locked", &mutation.killed_by)? {
        bail!("the edit does not compile, or its tests do not");
    }
    if cargo(root, "test --locked", &mutation.killed_by)? {
        Ok(Verdict::Survived)
    } else {
        Ok(Verdict::Killed)
    }
}

fn cargo(root: &Path, command: &str, args: &str) -> anyhow::Result<bool> {
    let (args, filter) = args.split_once(" -- ").unwrap_or((args, ""));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(command.split_whitespace());
    cargo.args(args.split_whitespace());
    if !command.contains("--no-run") && !filter.is_empty() {
        cargo.arg("--").args(filter.split_whitespace());
    }
    cargo.current_dir(root).process_group(0);
    cargo.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = cargo.spawn().context("cargo cannot be run")?;
    let began = Instant::now();
    loop {
        if let Some(status) = running.try_wait()? {
            return Ok(status.success());
        }
        if !command.contains("--no-run") && began.elapsed() > PATIENCE {
            // The whole group: the tests are children of cargo.
            let group = format!("-{}", running.id());
            Command::new("kill")
                .args(["-KILL", "--", &group])
                .status()?;
            running.wait()?;
            return Ok(false);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_wrong_edit_still_fits_the_code() {
        assert_eq!(check(&root()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn every_wrong_edit_is_told_in_the_proof() {
        let page = fs::read_to_string(root().join("deploy/docs/proof.md")).unwrap();
        let all = read(&root()).unwrap();
        assert!(all.len() >= 25, "{}", all.len());
        for mutation in all {
            let line = format!("| {} |", mutation.name);
            assert!(page.contains(&line), "{} is not told", mutation.name);
        }
    }
}
