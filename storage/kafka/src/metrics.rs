//! The measurements of a log, each by topic.

use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use crate::config::Topic;

/// Handles that are looked up once.
pub(crate) struct Metrics {
    batches: Counter,
    failed_batches: Counter,
    bytes: Counter,
    batch_records: Histogram,
    ack_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn of(topic: Topic) -> Self {
        let topic = topic.name();
        Self {
            batches: counter!("guildhall_log_batches_total", "topic" => topic),
            failed_batches: counter!("guildhall_log_failed_batches_total", "topic" => topic),
            bytes: counter!("guildhall_log_written_bytes_total", "topic" => topic),
            batch_records: histogram!("guildhall_log_batch_records", "topic" => topic),
            ack_seconds: histogram!("guildhall_log_ack_seconds", "topic" => topic),
        }
    }

    pub(crate) fn acknowledged(&self, records: usize, bytes: usize, took: Duration) {
        self.batches.increment(1);
        self.bytes.increment(bytes as u64);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a batch has fewer than 2^52 records"
        )]
        self.batch_records.record(records as f64);
        self.ack_seconds.record(took);
    }

    pub(crate) fn failed(&self) {
        self.failed_batches.increment(1);
    }
}
