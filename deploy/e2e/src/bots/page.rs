//! The page that says what works with which library: written from a run, and held against one.

use std::fmt::Write;
use std::path::PathBuf;

use super::library::{LIBRARIES, Library};
use super::steps::{Outcome, Step};
use crate::binary::repository;

/// One library's outcomes, in the order of [`Step::ALL`].
#[derive(Clone, Debug)]
pub struct Row {
    /// Which library.
    pub library: Library,
    /// What became of each step.
    pub outcomes: Vec<Outcome>,
}

/// Where the page stands.
pub fn path() -> PathBuf {
    repository().join("deploy/docs/libraries.md")
}

/// The page after a run of all libraries.
pub fn write(rows: &[Row]) -> String {
    let mut page = String::from(HEAD);
    page.push_str(&head_of_table());
    for row in rows {
        page.push_str(&line_of(row));
    }
    let mut reasons = String::new();
    for row in rows {
        for (step, outcome) in Step::ALL.into_iter().zip(&row.outcomes) {
            let (word, why) = match outcome {
                Outcome::Ok => continue,
                Outcome::Failed(why) => ("failed", why),
                Outcome::NotBuilt(why) => ("not built yet", why),
            };
            let name = row.library.name;
            let _ = writeln!(reasons, "- {name}, {}: {word}: {why}", step.name());
        }
    }
    if !reasons.is_empty() {
        page.push_str("\n## What is missing\n\n");
        page.push_str(&reasons);
    }
    page
}

/// What is wrong with the page as it stands, after a run of some libraries.
pub fn stale(page: &str, rows: &[Row]) -> Vec<String> {
    let mut faults = Vec::new();
    if !page.contains(&head_of_table()) {
        faults.push("the steps on the page are others".to_owned());
    }
    for row in rows {
        let line = line_of(row);
        if !page.contains(&line) {
            let name = row.library.name;
            faults.push(format!("{name}: the page says something else than {line}"));
        }
    }
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let is_known = |library: &Library| line.starts_with(&format!("| {} ", library.name));
        if !line.starts_with("| library ") && !LIBRARIES.iter().any(is_known) {
            faults.push(format!("there is no such library: {line}"));
        }
    }
    faults
}

fn head_of_table() -> String {
    let names: Vec<&str> = Step::ALL.into_iter().map(Step::name).collect();
    let rule = "|---".repeat(names.len() + 1);
    format!("| library | {} |\n{rule}|\n", names.join(" | "))
}

fn line_of(row: &Row) -> String {
    let words: Vec<&str> = row.outcomes.iter().map(word).collect();
    let (name, version) = (row.library.name, row.library.version());
    format!("| {name} {version} | {} |\n", words.join(" | "))
}

const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed(_) => "**failed**",
        Outcome::NotBuilt(_) => "not built yet",
    }
}

const HEAD: &str = "\
# Bot libraries

What unmodified Discord libraries do with this server. Each comes from its registry in the version named, is pointed at the
server by its public options alone, and runs a small bot ([the bots](../e2e/bots/README.md)) against the real binary, while
people act over the native dialect. A step is *ok* when the library, the stored state and what others see agree. Meanwhile
twilight's and serenity's types read every frame of the gateway, and Discord's own description of its API judges every answer.

The server limits rates as it does by default, starts again alone, and is refused by the system until then. serenity begins a new
session when it is refused twice at once, so its connections wait for the server, as behind a load balancer; and its own rate
limiter works with discord.com only, so its bot is without it.

`deploy/proof/bots` runs it and fails where it differs from this page; `deploy/proof/bots --write` writes the page.

";

#[cfg(test)]
mod tests {
    use super::{Row, stale, write};
    use crate::bots::library::LIBRARIES;
    use crate::bots::steps::{Outcome, Step};

    #[test]
    fn a_page_is_stale_when_a_step_becomes_another() {
        let row = |library| Row {
            library,
            outcomes: vec![Outcome::Ok; Step::ALL.len()],
        };
        let mut rows: Vec<Row> = LIBRARIES.into_iter().map(row).collect();
        let page = write(&rows);
        assert_eq!(stale(&page, &rows), [""; 0]);
        assert_eq!(stale(&page, &rows[1..]), [""; 0], "some may be left out");
        rows[0].outcomes[3] = Outcome::Failed("it was silent".to_owned());
        assert_eq!(stale(&page, &rows).len(), 1);
    }
}
