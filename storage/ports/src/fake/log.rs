//! A log in memory whose appends a test can hold back, lose, tear and apply late.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{self, BoxFuture};
use futures_util::stream::{self, BoxStream};
use guildhall_model::{Epoch, Position};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::Outage;
use crate::error::Failure;
use crate::log::{Log, LogRecord, Slice};

/// A log that applies appends at once, or when the test says so. Clones are the same log.
///
/// Held appends outlive their callers: an append of an owner that is dead can still be applied,
/// as a real engine may do.
#[derive(Clone, Default)]
pub struct FakeLog {
    store: Arc<Store>,
}

#[derive(Default)]
struct Store {
    outage: Outage,
    state: Mutex<State>,
    /// Told of every append that begins to wait.
    waits: Notify,
    /// Told of everything that followers may have to hear of.
    news: Notify,
}

#[derive(Default)]
struct State {
    partitions: BTreeMap<u16, Vec<LogRecord>>,
    /// The last position that was given out, in whatever partition.
    last: u64,
    floors: BTreeMap<u16, Position>,
    holding: bool,
    held: BTreeMap<Ticket, Waiting>,
    tickets: u64,
    records_read: usize,
}

struct Waiting {
    append: HeldAppend,
    done: oneshot::Sender<Result<Vec<Position>, Failure>>,
}

/// Names an append that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// An append that waits for its fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldAppend {
    /// Names it.
    pub ticket: Ticket,
    /// Where to.
    pub partition: u16,
    /// Whose.
    pub epoch: Epoch,
    /// What.
    pub records: Vec<Bytes>,
}

/// What becomes of an append.
#[derive(Clone, Debug)]
pub enum Fate {
    /// Its records are stable and the caller hears so.
    Applied,
    /// Its records are stable and the caller hears of a failure.
    Unheard,
    /// So many of its records are stable and the caller hears of a failure.
    Torn(usize),
    /// None of its records is stable and the caller hears of this.
    Refused(Failure),
}

impl FakeLog {
    /// An empty log that applies appends at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends wait from now on.
    pub fn hold(&self) {
        self.store.state.lock().holding = true;
    }

    /// Applies all that waits, in the order of the calls, and holds nothing back any more.
    pub fn flow(&self) {
        let mut state = self.store.state.lock();
        state.holding = false;
        while let Some((_, waiting)) = state.held.pop_first() {
            state.settle(waiting, Fate::Applied);
        }
        self.store.news.notify_waiters();
    }

    /// The appends that wait, in the order of the calls.
    pub fn waiting(&self) -> Vec<HeldAppend> {
        let state = self.store.state.lock();
        state
            .held
            .values()
            .map(|waiting| waiting.append.clone())
            .collect()
    }

    /// Returns once at least `count` appends wait.
    pub async fn until_waiting(&self, count: usize) -> Vec<HeldAppend> {
        loop {
            let notified = self.store.waits.notified();
            let waiting = self.waiting();
            if waiting.len() >= count {
                return waiting;
            }
            notified.await;
        }
    }

    /// Decides about an append that waits. A port's promise is kept by an assertion: appends of
    /// one partition and epoch are decided in the order of the calls.
    pub fn settle(&self, ticket: Ticket, fate: Fate) {
        let mut state = self.store.state.lock();
        let waiting = state.held.remove(&ticket).expect("the append waits");
        let writer = (waiting.append.partition, waiting.append.epoch);
        let earlier = state
            .held
            .range(..ticket)
            .find(|(_, other)| (other.append.partition, other.append.epoch) == writer);
        assert!(
            earlier.is_none(),
            "an earlier append of the same writer still waits"
        );
        state.settle(waiting, fate);
        self.store.news.notify_waiters();
    }

    /// Every call and every follower fails like this from now on, appends without effect; `None`
    /// ends it.
    pub fn fail(&self, failure: Option<Failure>) {
        self.store.outage.set(failure);
        self.store.news.notify_waiters();
    }

    /// Drops whatever has been released, as a log does whose retention time has passed.
    pub fn trim(&self) {
        let mut state = self.store.state.lock();
        let State {
            partitions, floors, ..
        } = &mut *state;
        for (partition, floor) in floors {
            if let Some(records) = partitions.get_mut(partition) {
                records.retain(|record| record.position >= *floor);
            }
        }
    }

    /// How many records readers were handed so far.
    pub fn records_read(&self) -> usize {
        self.store.state.lock().records_read
    }

    /// The stable records of a partition.
    pub fn records(&self, partition: u16) -> Vec<LogRecord> {
        self.store.state.lock().records(partition).to_vec()
    }
}

impl Store {
    fn read(&self, partition: u16, from: Position, bytes_max: usize) -> Result<Slice, Failure> {
        self.outage.check()?;
        Ok(self.state.lock().read(partition, from, bytes_max))
    }

    /// The next slice that is not empty, once there is one.
    async fn await_slice(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> Result<Slice, Failure> {
        loop {
            let news = self.news.notified();
            let slice = self.read(partition, from, bytes_max)?;
            if !slice.records.is_empty() {
                return Ok(slice);
            }
            news.await;
        }
    }
}

impl State {
    fn records(&self, partition: u16) -> &[LogRecord] {
        self.partitions.get(&partition).map_or(&[], Vec::as_slice)
    }

    fn end(&self) -> Position {
        Position(self.last + 1)
    }

    fn read(&mut self, partition: u16, from: Position, bytes_max: usize) -> Slice {
        let mut next = from.max(self.end());
        let mut records = Vec::new();
        let mut bytes = 0;
        for record in self.records(partition) {
            if record.position < from {
                continue;
            }
            if !records.is_empty() && bytes >= bytes_max {
                next = record.position;
                break;
            }
            bytes += record.payload.len();
            records.push(record.clone());
        }
        self.records_read += records.len();
        Slice { records, next }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn settle(&mut self, waiting: Waiting, fate: Fate) {
        let Waiting { append, done } = waiting;
        let lost = |why| Err(Failure::unavailable("fake log", why));
        // Who called may be gone, which changes nothing.
        let _ = match fate {
            Fate::Applied => {
                let positions = self.apply(append, usize::MAX);
                done.send(Ok(positions))
            }
            Fate::Unheard => {
                self.apply(append, usize::MAX);
                done.send(lost("the answer was lost"))
            }
            Fate::Torn(records) => {
                self.apply(append, records);
                done.send(lost("the append was torn"))
            }
            Fate::Refused(failure) => done.send(Err(failure)),
        };
    }

    fn apply(&mut self, append: HeldAppend, records_max: usize) -> Vec<Position> {
        let mut positions = Vec::new();
        for payload in append.records.into_iter().take(records_max) {
            // Positions have gaps, as byte offsets do, so that nobody counts records by them.
            self.last += 3 + payload.len() as u64;
            let position = Position(self.last);
            positions.push(position);
            self.partitions
                .entry(append.partition)
                .or_default()
                .push(LogRecord {
                    position,
                    epoch: append.epoch,
                    payload,
                });
        }
        positions
    }
}

#[async_trait]
impl Log for FakeLog {
    fn append(
        &self,
        partition: u16,
        epoch: Epoch,
        records: Vec<Bytes>,
    ) -> BoxFuture<'static, Result<Vec<Position>, Failure>> {
        if let Err(failure) = self.store.outage.check() {
            return Box::pin(future::ready(Err(failure)));
        }
        let mut state = self.store.state.lock();
        let ticket = state.ticket();
        let (done, answer) = oneshot::channel();
        let append = HeldAppend {
            ticket,
            partition,
            epoch,
            records,
        };
        let waiting = Waiting { append, done };
        if state.holding {
            state.held.insert(ticket, waiting);
            self.store.waits.notify_waiters();
        } else {
            state.settle(waiting, Fate::Applied);
            self.store.news.notify_waiters();
        }
        Box::pin(async move { answer.await.unwrap_or(Err(Failure::Closing)) })
    }

    async fn read(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> Result<Slice, Failure> {
        self.store.read(partition, from, bytes_max)
    }

    fn follow(
        &self,
        partition: u16,
        from: Position,
        bytes_max: usize,
    ) -> BoxStream<'static, Result<Slice, Failure>> {
        let store = Arc::clone(&self.store);
        stream::try_unfold((store, from), move |(store, from)| async move {
            let slice = store.await_slice(partition, from, bytes_max).await?;
            let next = slice.next;
            Ok(Some((slice, (store, next))))
        })
        .boxed()
    }

    async fn end(&self, _partition: u16) -> Result<Position, Failure> {
        self.store.outage.check()?;
        Ok(self.store.state.lock().end())
    }

    async fn start(&self, partition: u16) -> Result<Position, Failure> {
        self.store.outage.check()?;
        let state = self.store.state.lock();
        let oldest = state.records(partition).first();
        Ok(oldest.map_or(state.end(), |record| record.position))
    }

    fn is_next(&self, behind: Position, at: Position) -> bool {
        let state = self.store.state.lock();
        let holds = |records: &Vec<LogRecord>| records.iter().any(|record| record.position == at);
        let own = state.partitions.values().find(|records| holds(records));
        own.is_some_and(|own| {
            let between = |record: &LogRecord| behind <= record.position && record.position < at;
            !own.iter().any(between)
        })
    }

    async fn release(&self, partition: u16, before: Position) -> Result<(), Failure> {
        self.store.outage.check()?;
        let mut state = self.store.state.lock();
        let floor = state.floors.entry(partition).or_insert(before);
        *floor = before.max(*floor);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
