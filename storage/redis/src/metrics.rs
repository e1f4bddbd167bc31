//! The measurements of the counts.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

/// Handles that are looked up once.
pub(crate) struct Metrics {
    alone: Counter,
    overdue: Counter,
    take_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            alone: counter!("guildhall_redis_alone_total"),
            overdue: counter!("guildhall_redis_overdue_total"),
            take_seconds: histogram!("guildhall_redis_take_seconds"),
        }
    }

    /// The engine has decided within this time.
    pub(crate) fn taken(&self, took: Duration) {
        self.take_seconds.record(took);
    }

    /// A node has to decide by itself, for whatever reason.
    pub(crate) fn alone(&self) {
        self.alone.increment(1);
    }

    /// The engine did not answer in time.
    pub(crate) fn overdue(&self) {
        self.overdue.increment(1);
    }
}
