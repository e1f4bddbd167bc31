//! The measurements of a log, each by topic.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use super::config::Topic;

/// Handles that are looked up once.
pub(super) struct Metrics {
    batches: Counter,
    failed_batches: Counter,
    bytes: Counter,
    batch_records: Histogram,
    fsync_seconds: Histogram,
}

impl Metrics {
    pub(super) fn of(topic: Topic) -> Self {
        let topic = topic.name();
        Self {
            batches: counter!("guildhall_log_batches_total", "topic" => topic),
            failed_batches: counter!("guildhall_log_failed_batches_total", "topic" => topic),
            bytes: counter!("guildhall_log_written_bytes_total", "topic" => topic),
            batch_records: histogram!("guildhall_log_batch_records", "topic" => topic),
            fsync_seconds: histogram!("guildhall_log_fsync_seconds", "topic" => topic),
        }
    }

    pub(super) fn committed(&self, records: usize, bytes: usize) {
        self.batches.increment(1);
        self.bytes.increment(bytes as u64);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a batch has fewer than 2^52 records"
        )]
        self.batch_records.record(records as f64);
    }

    pub(super) fn failed(&self) {
        self.failed_batches.increment(1);
    }

    pub(super) fn synced(&self, took: Duration) {
        self.fsync_seconds.record(took);
    }
}
