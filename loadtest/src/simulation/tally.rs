//! What a run has covered.

use std::collections::BTreeMap;
use std::fmt;

use super::env::{SECOND, Time};

/// Counts of what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Virtual time, in microseconds.
    pub time: Time,
    /// Things that happened.
    pub happenings: u64,
    /// Records that became stable in the logs.
    pub records: u64,
    /// Dispatches that clients received.
    pub deliveries: u64,
    /// Requests that were answered with success.
    pub acknowledged: u64,
    /// Partitions that got a new owner.
    pub takeovers: u64,
    /// Sessions that were resumed.
    pub resumes: u64,
    /// Sessions that were refused, because the number lies beyond what counts.
    pub refused_beyond: u64,
    /// Sessions that were refused for any other reason.
    pub refused: u64,
    /// Replays that came from the logs.
    pub replays_from_log: u64,
    /// What went wrong, by kind.
    pub faults: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Adds what another run has covered.
    pub fn add(&mut self, other: &Self) {
        self.time += other.time;
        self.happenings += other.happenings;
        self.records += other.records;
        self.deliveries += other.deliveries;
        self.acknowledged += other.acknowledged;
        self.takeovers += other.takeovers;
        self.resumes += other.resumes;
        self.refused_beyond += other.refused_beyond;
        self.refused += other.refused;
        self.replays_from_log += other.replays_from_log;
        for (kind, n) in &other.faults {
            *self.faults.entry(kind).or_default() += n;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time / SECOND;
        writeln!(
            out,
            "simulated  {} h {} min, {} happenings, {} log records",
            seconds / 3_600,
            seconds % 3_600 / 60,
            self.happenings,
            self.records
        )?;
        writeln!(
            out,
            "           {} acknowledged requests, {} deliveries, {} takeovers",
            self.acknowledged, self.deliveries, self.takeovers
        )?;
        writeln!(
            out,
            "           {} resumes ({} from the logs), refused {} as beyond and {} otherwise",
            self.resumes, self.replays_from_log, self.refused_beyond, self.refused
        )?;
        let faults = self.faults.iter();
        let faults: Vec<String> = faults.map(|(kind, n)| format!("{n} {kind}")).collect();
        write!(out, "faults     {}", faults.join(", "))
    }
}
