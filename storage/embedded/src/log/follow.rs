//! Followers of a log: each waits until the writer has something of its partition.

use std::collections::HashMap;
use std::sync::Arc;

use guildhall_ports::Failure;
use guildhall_ports::log::Slice;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::config::Topic;
use super::reader::{self, Request};
use super::summary::Summary;
use super::{Health, Shared};
use crate::blocking;

/// Who waits for the records of which partition.
#[derive(Default)]
pub(super) struct Wakes(Mutex<State>);

#[derive(Default)]
struct State {
    /// One for each partition that was ever followed.
    by_partition: HashMap<u16, Arc<Notify>>,
    has_ended: bool,
}

/// One that follows a partition.
pub(super) struct Follower {
    topic: Topic,
    shared: Arc<Shared>,
    wake: Arc<Notify>,
    /// What to read next.
    request: Request,
}

impl Wakes {
    fn of(&self, partition: u16) -> Arc<Notify> {
        Arc::clone(self.0.lock().by_partition.entry(partition).or_default())
    }

    /// Wakes the followers of all partitions that these stable records are of.
    pub(super) fn wake(&self, records: &Summary) {
        let state = self.0.lock();
        if state.by_partition.is_empty() {
            return;
        }
        for (partition, _) in records.lasts() {
            if let Some(wake) = state.by_partition.get(&partition) {
                wake.notify_waiters();
            }
        }
    }

    /// Nothing will be written any more.
    pub(super) fn end(&self) {
        let mut state = self.0.lock();
        state.has_ended = true;
        for wake in state.by_partition.values() {
            wake.notify_waiters();
        }
    }

    fn has_ended(&self) -> bool {
        self.0.lock().has_ended
    }
}

impl Follower {
    pub(super) fn new(topic: Topic, shared: &Arc<Shared>, request: Request) -> Self {
        Self {
            topic,
            shared: Arc::clone(shared),
            wake: shared.wakes.of(request.partition),
            request,
        }
    }

    /// The next records, once there are some; a failure once there will be none.
    pub(super) async fn slice(&mut self) -> Result<Slice, Failure> {
        loop {
            // Before looking, so that what comes meanwhile wakes all the same.
            let woken = self.wake.notified();
            let has_ended = self.shared.wakes.has_ended();
            let (topic, request) = (self.topic, self.request);
            if self.shared.catalog.has(request.partition, request.from) {
                let shared = Arc::clone(&self.shared);
                let read = move || reader::read(topic, &shared.catalog, request);
                let slice = blocking::run(topic.what(), read).await?;
                self.request.from = slice.next.0;
                if !slice.records.is_empty() {
                    return Ok(slice);
                }
            }
            if has_ended {
                return Err(self.ended());
            }
            woken.await;
        }
    }

    fn ended(&self) -> Failure {
        let health = *self.shared.health.lock();
        match health {
            Health::Broken => Failure::unavailable(self.topic.what(), "its writer has ended"),
            Health::Working | Health::Full => Failure::Closing,
        }
    }
}
