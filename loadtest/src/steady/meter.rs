//! What a run counts and measures while it goes on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use tokio::sync::Semaphore;

/// Latencies are kept in microseconds, from 1 to an hour, with three digits.
const LATENCY_US_MAX: u64 = 3_600_000_000;
/// Complaints that are kept in full.
const COMPLAINTS_MAX: usize = 5;

/// The counters of a run.
pub(super) struct Meter {
    /// One permit for each session that has all its guilds for the first time.
    pub(super) settled: Semaphore,
    /// One permit for each of a channel's last messages that reached a session.
    pub(super) caught_up: Semaphore,
    /// Sessions that the server has and whose client has a connection.
    present: AtomicU64,
    /// Nanoseconds at which the first post was meant to be made, and between two posts.
    schedule: (AtomicU64, AtomicU64),
    /// Posts from this index on are the last of their channels.
    last_from: AtomicU64,
    /// From the intended moment of a post to its arrival, per worker.
    delivery: Vec<Mutex<Histogram<u64>>>,
    /// From the intended moment of a post to its acknowledgement.
    acknowledgement: Mutex<Histogram<u64>>,
    /// From the loss of a connection to RESUMED or READY.
    recovery: Mutex<Histogram<u64>>,
    counts: [AtomicU64; Count::ALL],
    complaints: Mutex<(u64, Vec<String>)>,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    /// Posts that were acknowledged.
    Posted,
    /// Edits, deletions and reactions that were acknowledged.
    Changed,
    /// Messages that reached a session.
    Delivered,
    /// Calls that were made again.
    Retried,
    /// RESUMEs that succeeded.
    Resumed,
    /// Op 9 without hope.
    Invalidated,
    /// Times that the server was killed.
    Killed,
    /// Changes of who sees a closed channel.
    Moved,
    /// Connections of slow readers.
    Crawled,
}

impl Count {
    const ALL: usize = Self::Crawled as usize + 1;
}

impl Meter {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            settled: Semaphore::new(0),
            caught_up: Semaphore::new(0),
            present: AtomicU64::new(0),
            schedule: (AtomicU64::new(0), AtomicU64::new(0)),
            last_from: AtomicU64::new(u64::MAX),
            delivery: (0..workers).map(|_| Mutex::new(histogram())).collect(),
            acknowledgement: Mutex::new(histogram()),
            recovery: Mutex::new(histogram()),
            counts: [const { AtomicU64::new(0) }; Count::ALL],
            complaints: Mutex::default(),
        }
    }

    pub(super) fn count(&self, what: Count) {
        self.counts[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn total(&self, what: Count) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }

    /// A session came or came back.
    pub(super) fn arrive(&self) {
        self.present.fetch_add(1, Ordering::Relaxed);
    }

    /// A session lost its connection.
    pub(super) fn depart(&self) {
        self.present.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sessions that have a connection.
    pub(super) fn present(&self) -> u64 {
        self.present.load(Ordering::Relaxed)
    }

    pub(super) fn retried(&self) {
        self.count(Count::Retried);
    }

    /// Posts are meant to be made `interval` nanoseconds apart from `start` on.
    pub(super) fn schedule(&self, start: u64, interval: u64) {
        self.schedule.0.store(start, Ordering::Relaxed);
        self.schedule.1.store(interval, Ordering::Relaxed);
    }

    /// When the post with this index was meant to be made.
    pub(super) fn intended(&self, index: u64) -> u64 {
        let start = self.schedule.0.load(Ordering::Relaxed);
        let interval = self.schedule.1.load(Ordering::Relaxed);
        start.saturating_add(interval.saturating_mul(index))
    }

    /// Posts from `index` on are the last of their channels, and have no intended moment.
    pub(super) fn last_from(&self, index: u64) {
        self.last_from.store(index, Ordering::Relaxed);
    }

    /// The post with this index reached a session at `at`.
    pub(super) fn delivered(&self, worker: usize, index: u64, at: u64) {
        self.count(Count::Delivered);
        if self.last_from.load(Ordering::Relaxed) <= index {
            self.caught_up.add_permits(1);
        } else {
            let shard = &self.delivery[worker % self.delivery.len()];
            note(shard, at.saturating_sub(self.intended(index)));
        }
    }

    /// The post with this index was acknowledged at `at`.
    pub(super) fn acknowledged(&self, index: u64, at: u64) {
        self.count(Count::Posted);
        note(
            &self.acknowledgement,
            at.saturating_sub(self.intended(index)),
        );
    }

    /// A session was without connection for `nanos`.
    pub(super) fn recovered(&self, nanos: u64) {
        note(&self.recovery, nanos);
    }

    /// Something that should not happen, though it breaks no promise by itself.
    pub(super) fn complain(&self, what: String) {
        let mut complaints = lock(&self.complaints);
        complaints.0 += 1;
        if complaints.1.len() < COMPLAINTS_MAX {
            complaints.1.push(what);
        }
    }

    /// How many complaints there were, and the first of them.
    pub(super) fn complaint_list(&self) -> (u64, Vec<String>) {
        lock(&self.complaints).clone()
    }

    /// The complaints in one line.
    pub(super) fn complaints(&self) -> String {
        let (total, first) = self.complaint_list();
        format!("{total} complaints: {}", first.join("; "))
    }

    /// Latencies of deliveries, acknowledgements and recoveries.
    pub(super) fn latencies(&self) -> [Histogram<u64>; 3] {
        let mut delivery = histogram();
        for shard in &self.delivery {
            delivery
                .add(&*lock(shard))
                .expect("all histograms have the same bounds");
        }
        let acknowledgement = lock(&self.acknowledgement).clone();
        [delivery, acknowledgement, lock(&self.recovery).clone()]
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("the bounds are in order")
}

fn note(histogram: &Mutex<Histogram<u64>>, nanos: u64) {
    lock(histogram).saturating_record((nanos / 1_000).max(1));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
