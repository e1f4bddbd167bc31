//! What the checker found, with the lines that prove it.

use std::fmt;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::history::reader::{self, Place};

/// Violations that are kept in full; the rest is counted.
const VIOLATIONS_KEPT_MAX: usize = 100;
/// Bytes of a quoted line.
const QUOTE_BYTES_MAX: usize = 400;

/// The promise that is broken. Numbered as in the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Invariant {
    /// An acknowledged change is durable and reaches everybody who may see it.
    I1,
    /// A nonce makes at most one message.
    I2,
    /// All readers see one order per channel, equal to the stored order.
    I3,
    /// A session sees its numbers without gap or repeat, or op 9.
    I4,
    /// Nothing reaches anybody who may not see it.
    I6,
    /// The history itself proves nothing: it breaks off, or contradicts itself.
    History,
}

/// A broken promise.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    /// Which promise.
    pub invariant: Invariant,
    /// The session that saw it broken.
    pub session: Option<String>,
    /// The dispatch that broke it.
    pub s: Option<u64>,
    /// What is wrong, with the ids.
    pub what: String,
    /// The two lines nearest to it: `file:line` and the line itself.
    pub lines: Vec<String>,
    #[serde(skip)]
    places: Vec<Place>,
}

/// How much there was to judge. A verdict over nothing is worth nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Sessions.
    pub streams: u64,
    /// Dispatches in them.
    pub dispatches: u64,
    /// Successful RESUMEs.
    pub resumes: u64,
    /// Sessions that op 9 ended.
    pub invalid_sessions: u64,
    /// Acknowledged posts, edits, deletions and reactions.
    pub operations: u64,
    /// Stored messages that were read back.
    pub stored: u64,
    /// Pairs of operation and session that had to meet.
    pub owed: u64,
    /// Pairs of operation and session that must not have met.
    pub forbidden: u64,
}

/// The checker's answer.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    /// How much was judged.
    pub judged: Judged,
    /// How many violations there are.
    pub violations_total: u64,
    /// The first of them.
    pub violations: Vec<Violation>,
}

/// A violation in the making.
pub(super) struct Finding {
    pub(super) invariant: Invariant,
    pub(super) session: Option<String>,
    pub(super) s: Option<u64>,
    pub(super) what: String,
    pub(super) places: [Place; 2],
}

impl Verdict {
    /// Every promise was kept, and there was something to keep.
    pub fn holds(&self) -> bool {
        self.violations_total == 0 && !self.is_vacuous()
    }

    /// Nothing had to be delivered, so that nothing is proved.
    pub fn is_vacuous(&self) -> bool {
        self.judged.owed == 0
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.violations_total += 1;
        if self.violations.len() < VIOLATIONS_KEPT_MAX {
            self.violations.push(Violation {
                invariant: finding.invariant,
                session: finding.session,
                s: finding.s,
                what: finding.what,
                lines: Vec::new(),
                places: finding.places.to_vec(),
            });
        }
    }

    /// Fetches the lines that the violations name.
    pub(super) fn quote(&mut self, directory: &Path) -> io::Result<()> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let files = reader::files(directory)?;
        let places: Vec<Place> = self
            .violations
            .iter()
            .flat_map(|violation| violation.places.iter().copied())
            .collect();
        let mut quotes = reader::quote(directory, &places)?.into_iter();
        for violation in &mut self.violations {
            for place in &violation.places {
                let file = files
                    .get(place.file as usize)
                    .and_then(|path| path.file_name())
                    .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                let mut quote = quotes.next().unwrap_or_default();
                let end = quote.floor_char_boundary(QUOTE_BYTES_MAX);
                quote.truncate(end);
                violation
                    .lines
                    .push(format!("{file}:{}: {quote}", place.line));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.invariant)?;
        if let Some(session) = &self.session {
            write!(out, " session {session}")?;
        }
        if let Some(s) = self.s {
            write!(out, " s {s}")?;
        }
        write!(out, ": {}", self.what)?;
        for line in &self.lines {
            write!(out, "\n    {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.violations {
            writeln!(out, "{violation}")?;
        }
        let untold = self.violations_total - self.violations.len() as u64;
        if 0 < untold {
            writeln!(out, "and {untold} more violations")?;
        }
        let Judged {
            streams,
            dispatches,
            resumes,
            invalid_sessions,
            operations,
            stored,
            owed,
            forbidden,
        } = self.judged;
        writeln!(
            out,
            "judged     {streams} sessions, {dispatches} dispatches, {resumes} resumes, \
             {invalid_sessions} op 9"
        )?;
        writeln!(
            out,
            "           {operations} acknowledged operations, {stored} stored messages; \
             {owed} deliveries owed, {forbidden} forbidden"
        )?;
        match (self.violations_total, self.is_vacuous()) {
            (0, false) => write!(out, "verdict    I1 I2 I3 I4 I6 hold"),
            (0, true) => write!(out, "verdict    nothing had to be delivered: no proof"),
            (total, _) => write!(out, "verdict    {total} violations"),
        }
    }
}
