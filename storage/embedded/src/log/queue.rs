//! Appends that wait for the writer: bounded, in the order of the calls.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use guildhall_model::{Epoch, Position};
use guildhall_ports::Failure;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::config::{BATCH_BYTES_MAX, LogConfig, RECORD_BYTES_MAX, Topic};
use super::record;

/// What became of an append.
pub(super) type Outcome = Result<Vec<Position>, Failure>;

/// Records of one call that are written at once: all of them, or as many as one batch may hold.
pub(super) struct Job {
    pub(super) partition: u16,
    pub(super) epoch: Epoch,
    pub(super) records: Vec<Bytes>,
    /// As they will stand in the segment.
    pub(super) bytes: usize,
    /// Nobody may be listening any more.
    pub(super) done: oneshot::Sender<Outcome>,
}

/// What the writer is to do next.
pub(super) enum Work {
    /// Write these, [`BATCH_BYTES_MAX`] bytes at most.
    Batch(Vec<Job>),
    /// Nothing came for the time that was asked for.
    Idle,
    /// Nothing will come any more.
    End,
}

/// The line before the writer.
pub(super) struct Queue {
    topic: Topic,
    appends_max: usize,
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// Why nothing more is taken.
    closed: Option<Failure>,
}

impl Queue {
    pub(super) fn new(topic: Topic, config: &LogConfig) -> Self {
        Self {
            topic,
            appends_max: config.queue_appends_max,
            bytes_max: config.queue_bytes_max,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Lines up an append as one job or, if it is longer than a batch, several. Takes all or none.
    pub(super) fn push(
        &self,
        partition: u16,
        epoch: Epoch,
        records: Vec<Bytes>,
    ) -> Result<Vec<oneshot::Receiver<Outcome>>, Failure> {
        if let Some(long) = records
            .iter()
            .find(|record| record.len() > RECORD_BYTES_MAX)
        {
            let why = format!(
                "a record of {} bytes is over the bound of {RECORD_BYTES_MAX}",
                long.len()
            );
            return Err(Failure::unavailable(self.topic.what(), why));
        }
        let (jobs, answers) = split(partition, epoch, records);
        let bytes: usize = jobs.iter().map(|job| job.bytes).sum();
        let mut waiting = self.waiting.lock();
        if let Some(failure) = &waiting.closed {
            return Err(failure.clone());
        }
        if waiting.jobs.len() + jobs.len() > self.appends_max
            || waiting.bytes + bytes > self.bytes_max
        {
            return Err(Failure::unavailable(
                self.topic.what(),
                "too many appends wait",
            ));
        }
        waiting.jobs.extend(jobs);
        waiting.bytes += bytes;
        self.changed.notify_one();
        Ok(answers)
    }

    /// Waits for work, for `patience` at most if it is given. What was lined up before the queue
    /// was closed is handed out before the end.
    pub(super) fn take(&self, patience: Option<Duration>) -> Work {
        let mut waiting = self.waiting.lock();
        while waiting.jobs.is_empty() {
            if waiting.closed.is_some() {
                return Work::End;
            }
            match patience {
                None => self.changed.wait(&mut waiting),
                Some(patience) => {
                    let timed_out = self.changed.wait_for(&mut waiting, patience).timed_out();
                    if timed_out && waiting.jobs.is_empty() {
                        return Work::Idle;
                    }
                }
            }
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(job) = waiting.jobs.pop_front() {
            if bytes + job.bytes > BATCH_BYTES_MAX {
                waiting.jobs.push_front(job);
                break;
            }
            bytes += job.bytes;
            batch.push(job);
        }
        waiting.bytes -= bytes;
        Work::Batch(batch)
    }

    /// Takes nothing more, for this reason or an earlier one.
    pub(super) fn close(&self, failure: Failure) {
        let mut waiting = self.waiting.lock();
        waiting.closed.get_or_insert(failure);
        self.changed.notify_all();
    }

    /// Everything that waits.
    pub(super) fn drain(&self) -> Vec<Job> {
        let mut waiting = self.waiting.lock();
        waiting.bytes = 0;
        waiting.jobs.drain(..).collect()
    }
}

/// Cuts an append into jobs that fit into a batch each. There is always one, so that an empty
/// append is answered in its turn.
fn split(
    partition: u16,
    epoch: Epoch,
    records: Vec<Bytes>,
) -> (Vec<Job>, Vec<oneshot::Receiver<Outcome>>) {
    let mut jobs = Vec::new();
    let mut answers = Vec::new();
    let mut cut = |records, bytes| {
        let (done, answer) = oneshot::channel();
        jobs.push(Job {
            partition,
            epoch,
            records,
            bytes,
            done,
        });
        answers.push(answer);
    };
    let mut part = Vec::new();
    let mut part_bytes = 0;
    for record in records {
        let bytes = record::HEADER_BYTES + record.len();
        if part_bytes + bytes > BATCH_BYTES_MAX {
            cut(std::mem::take(&mut part), part_bytes);
            part_bytes = 0;
        }
        part.push(record);
        part_bytes += bytes;
    }
    cut(part, part_bytes);
    (jobs, answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(appends_max: usize, bytes_max: usize) -> Queue {
        let config = LogConfig {
            queue_appends_max: appends_max,
            queue_bytes_max: bytes_max,
            ..LogConfig::default()
        };
        Queue::new(Topic::Events, &config)
    }

    fn push(queue: &Queue, lengths: &[usize]) -> Result<usize, Failure> {
        let records = lengths.iter().map(|&n| Bytes::from(vec![0; n])).collect();
        queue
            .push(0, Epoch(1), records)
            .map(|answers| answers.len())
    }

    fn batch(queue: &Queue) -> Vec<usize> {
        match queue.take(Some(Duration::ZERO)) {
            Work::Batch(jobs) => jobs.iter().map(|job| job.bytes).collect(),
            Work::Idle | Work::End => Vec::new(),
        }
    }

    #[test]
    fn a_full_queue_refuses_until_the_writer_has_taken() {
        let queue = queue(2, 100);
        assert!(push(&queue, &[10]).is_ok());
        assert!(matches!(
            push(&queue, &[35]),
            Err(Failure::Unavailable { .. })
        ));
        assert!(push(&queue, &[34]).is_ok());
        assert!(matches!(
            push(&queue, &[]),
            Err(Failure::Unavailable { .. })
        ));
        assert_eq!(batch(&queue), [38, 62]);
        assert!(push(&queue, &[72]).is_ok());
    }

    #[test]
    fn a_long_append_is_cut_at_the_bound_of_a_batch() {
        let queue = queue(100, usize::MAX);
        let half = BATCH_BYTES_MAX / 2 - record::HEADER_BYTES;
        assert_eq!(
            push(&queue, &[half, half, half, 1, RECORD_BYTES_MAX]).ok(),
            Some(3)
        );
        assert_eq!(batch(&queue), [BATCH_BYTES_MAX]);
        assert_eq!(
            batch(&queue),
            [BATCH_BYTES_MAX / 2 + 1 + record::HEADER_BYTES]
        );
        assert_eq!(batch(&queue), [BATCH_BYTES_MAX]);
        assert!(push(&queue, &[RECORD_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn a_closed_queue_hands_out_what_was_taken_before() {
        let queue = queue(2, 100);
        assert!(push(&queue, &[1]).is_ok());
        queue.close(Failure::Closing);
        assert!(matches!(push(&queue, &[1]), Err(Failure::Closing)));
        assert_eq!(batch(&queue).len(), 1);
        assert!(matches!(queue.take(None), Work::End));
    }
}
