//! What a run comes to.

use std::fmt;
use std::path::PathBuf;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::Options;
use super::meter::{Count, Meter};
use crate::checker::{Verdict, Violation};
use crate::crooked::Sabotage;

/// The outcome of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    users: usize,
    guilds: usize,
    sessions: usize,
    slow_readers: usize,
    /// Connections that they made, one after the other.
    slow_connections: u64,
    rate_per_s: f64,
    posted: u64,
    changed: u64,
    moved: u64,
    deliveries: u64,
    retries: u64,
    /// From the intended moment of a post to its arrival at a socket.
    delivery_latency: Latency,
    /// From the intended moment of a post to its acknowledgement.
    acknowledgement_latency: Latency,
    /// From the loss of a connection to RESUMED or READY.
    recovery: Latency,
    kills: u64,
    resumes: u64,
    invalid_sessions: u64,
    is_kill_run: bool,
    /// What was broken on purpose.
    sabotage: Option<Sabotage>,
    /// Every session had its channels' last messages in time.
    drained: bool,
    complaints: u64,
    first_complaints: Vec<String>,
    /// Where the history is, if it was kept.
    history: Option<PathBuf>,
    verdict: Verdict,
    holds: bool,
}

/// Quantiles of a histogram, in milliseconds. Never an average.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    count: u64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
}

impl Report {
    pub(super) fn new(options: &Options, meter: &Meter, drained: bool, verdict: Verdict) -> Self {
        let [delivery, acknowledgement, recovery] = meter.latencies();
        let (complaints, first_complaints) = meter.complaint_list();
        let mut report = Self {
            users: options.users,
            guilds: options.guilds,
            sessions: options.sessions,
            slow_readers: options.slow_readers,
            slow_connections: meter.total(Count::Crawled),
            rate_per_s: options.rate,
            posted: meter.total(Count::Posted),
            changed: meter.total(Count::Changed),
            moved: meter.total(Count::Moved),
            deliveries: meter.total(Count::Delivered),
            retries: meter.total(Count::Retried),
            delivery_latency: Latency::new(&delivery),
            acknowledgement_latency: Latency::new(&acknowledgement),
            recovery: Latency::new(&recovery),
            kills: meter.total(Count::Killed),
            resumes: meter.total(Count::Resumed),
            invalid_sessions: meter.total(Count::Invalidated),
            is_kill_run: options.kill_every.is_some(),
            sabotage: options.sabotage,
            drained,
            complaints,
            first_complaints,
            history: None,
            verdict,
            holds: false,
        };
        report.holds = report.is_verdict_right() && report.shortfall().is_none();
        report
    }

    pub(super) fn kept_in(mut self, history: Option<PathBuf>) -> Self {
        self.history = history;
        self
    }

    /// Every promise was kept, and the run was one that could have shown the contrary.
    pub const fn holds(&self) -> bool {
        self.holds
    }

    /// The checker found what there was to find: nothing, or just the sabotage.
    fn is_verdict_right(&self) -> bool {
        let Some(sabotage) = self.sabotage else {
            return self.verdict.holds();
        };
        let violations = &self.verdict.violations;
        let is_it = |violation: &Violation| violation.invariant == sabotage.breaks();
        !violations.is_empty() && violations.iter().all(is_it)
    }

    /// Why the run proves nothing, whatever the checker says.
    fn shortfall(&self) -> Option<&'static str> {
        if self.posted == 0 || self.deliveries == 0 {
            Some("nothing was delivered")
        } else if !self.drained {
            Some("not every session caught up in time")
        } else if self.is_kill_run && self.kills == 0 {
            Some("the server was never killed")
        } else if self.is_kill_run && self.resumes == 0 {
            Some("no session ever resumed")
        } else if 0 < self.complaints {
            Some("calls were refused that should have succeeded")
        } else {
            None
        }
    }
}

impl Latency {
    fn new(histogram: &Histogram<u64>) -> Self {
        let quantile = |q| ms(histogram.value_at_quantile(q));
        Self {
            count: histogram.len(),
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            p999_ms: quantile(0.999),
            max_ms: ms(histogram.max()),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "latencies stay below an hour, far from the precision of f64"
)]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

impl fmt::Display for Latency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            p50_ms,
            p99_ms,
            p999_ms,
            max_ms,
            ..
        } = self;
        write!(
            out,
            "p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, p99.9 {p999_ms:.1} ms, max {max_ms:.1} ms \
             ({count})"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "load       {} users, {} sessions, {} guilds, {} posts/s",
            self.users, self.sessions, self.guilds, self.rate_per_s
        )?;
        writeln!(
            out,
            "done       {} posted, {} changed, {} changes of sight, {} retries",
            self.posted, self.changed, self.moved, self.retries
        )?;
        if self.slow_readers > 0 {
            writeln!(
                out,
                "slow       {} readers of a byte a second, {} connections",
                self.slow_readers, self.slow_connections
            )?;
        }
        writeln!(out, "deliveries {}", self.deliveries)?;
        writeln!(out, "to socket  {}", self.delivery_latency)?;
        writeln!(out, "to answer  {}", self.acknowledgement_latency)?;
        if self.is_kill_run {
            writeln!(
                out,
                "faults     {} kills, {} resumes, {} op 9",
                self.kills, self.resumes, self.invalid_sessions
            )?;
            writeln!(out, "recovery   {}", self.recovery)?;
        }
        for complaint in &self.first_complaints {
            writeln!(out, "complaint  {complaint}")?;
        }
        if let Some(history) = &self.history {
            writeln!(out, "history    {}", history.display())?;
        }
        writeln!(out, "{}", self.verdict)?;
        match (self.holds, self.shortfall()) {
            (true, _) if self.sabotage.is_some() => write!(out, "passed: the sabotage was found"),
            (true, _) => write!(out, "passed"),
            (false, Some(shortfall)) => write!(out, "FAILED: {shortfall}"),
            (false, None) => write!(out, "FAILED"),
        }
    }
}
