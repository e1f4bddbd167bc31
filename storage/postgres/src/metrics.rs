//! The measurements of the store.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

/// Handles that are looked up once.
pub(crate) struct Metrics {
    commits: Counter,
    conflicts: Counter,
    overdue: Counter,
    write_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            commits: counter!("guildhall_postgres_commits_total"),
            conflicts: counter!("guildhall_postgres_conflicts_total"),
            overdue: counter!("guildhall_postgres_overdue_total"),
            write_seconds: histogram!("guildhall_postgres_write_seconds"),
        }
    }

    /// `took` is the time from the first statement of the last attempt to the commit.
    pub(crate) fn committed(&self, took: Duration) {
        self.commits.increment(1);
        self.write_seconds.record(took);
    }

    /// A transaction was rolled back to be run again.
    pub(crate) fn conflicted(&self) {
        self.conflicts.increment(1);
    }

    /// The engine did not answer in time.
    pub(crate) fn overdue(&self) {
        self.overdue.increment(1);
    }
}
