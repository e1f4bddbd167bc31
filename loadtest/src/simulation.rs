//! A deterministic simulation: the server's machines under a small synchronous shell, in one
//! thread and virtual time, with faults in all that lies between them.
//!
//! A run is a function of its seed and its scenario. What its clients see is judged by the same
//! judge as a run of the load tester against a real server.

mod actors;
mod client;
mod env;
mod log;
mod node;
mod scenario;
mod store;
mod tally;
mod tape;
#[cfg(test)]
mod tests;
mod town;
mod world;

use std::fmt;

use crate::checker::{self, Verdict};
use crate::history::Line;
pub use scenario::{Faults, Scenario, Weakness};
pub use tally::Tally;
use world::World;

/// What a run has come to.
#[derive(Debug)]
pub struct Outcome {
    /// What it was made from.
    pub seed: u64,
    /// What was simulated.
    pub scenario: Scenario,
    /// What the judge says of the history.
    pub verdict: Verdict,
    /// What else was not as it must be.
    pub broken: Vec<String>,
    /// What it has covered.
    pub tally: Tally,
    /// A hash of all that has happened, in order.
    pub trace: u64,
    /// What happened last.
    pub tail: Vec<String>,
    /// The history.
    pub lines: Vec<Line<'static>>,
}

/// Runs a scenario.
pub fn run(seed: u64, scenario: Scenario) -> Outcome {
    let mut world = World::new(seed, scenario);
    world.run();
    let mut env = world.env;
    let trace = env.trace();
    let mut broken = std::mem::take(&mut env.broken);
    let verdict = checker::judge_lines(&env.tape.lines).unwrap_or_else(|contradiction| {
        broken.push(contradiction);
        Verdict::default()
    });
    if !scenario.faults.zombies && env.tally.refused_beyond > 0 {
        broken.push("crashes alone have cost a session".to_owned());
    }
    Outcome {
        seed,
        scenario,
        verdict,
        broken,
        trace,
        tail: env.tape.tail(),
        tally: env.tally,
        lines: env.tape.lines,
    }
}

impl Outcome {
    /// Every promise was kept, and there was something to keep.
    pub fn holds(&self) -> bool {
        self.verdict.holds() && self.broken.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "seed       {:#x}: {:?}", self.seed, self.scenario)?;
        if !self.holds() {
            for line in &self.tail {
                writeln!(out, "    {line}")?;
            }
        }
        for what in &self.broken {
            writeln!(out, "broken     {what}")?;
        }
        writeln!(out, "{}", self.tally)?;
        write!(out, "{}", self.verdict)
    }
}
