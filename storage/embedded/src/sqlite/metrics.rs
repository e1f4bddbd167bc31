//! The measurements of a writer, each by database.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

/// Handles that are looked up once.
pub(super) struct Metrics {
    commits: Counter,
    rollbacks: Counter,
    commit_writes: Histogram,
    commit_seconds: Histogram,
}

impl Metrics {
    pub(super) fn of(database: &'static str) -> Self {
        Self {
            commits: counter!("guildhall_sqlite_commits_total", "database" => database),
            rollbacks: counter!("guildhall_sqlite_rollbacks_total", "database" => database),
            commit_writes: histogram!("guildhall_sqlite_commit_writes", "database" => database),
            commit_seconds: histogram!("guildhall_sqlite_commit_seconds", "database" => database),
        }
    }

    /// `took` is the time of the commit itself, which is mostly the disk's.
    pub(super) fn committed(&self, writes: u32, took: Duration) {
        self.commits.increment(1);
        self.commit_writes.record(f64::from(writes));
        self.commit_seconds.record(took);
    }

    pub(super) fn rolled_back(&self) {
        self.rollbacks.increment(1);
    }
}
