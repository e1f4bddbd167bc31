//! The newest records of a partition, which all its followers share.
//!
//! A tail keeps what came last, and wakes who waits for more. Whoever is too slow for it finds
//! older records with the brokers, so that nobody keeps anybody waiting.

use std::collections::VecDeque;

use guildhall_ports::Failure;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::config::FETCH_BYTES;
use crate::readers::Raw;

/// Bytes that one partition's newest records weigh at most, the last one aside.
const BYTES_MAX: usize = FETCH_BYTES;

/// The newest records of a partition.
pub(crate) struct Tail {
    state: Mutex<State>,
    news: Notify,
}

struct State {
    /// All from `first` on, in order.
    records: VecDeque<Raw>,
    first: i64,
    /// The offset of the next one.
    next: i64,
    bytes: usize,
    failure: Option<Failure>,
}

/// What a tail has from a place on.
#[derive(Debug)]
pub(crate) enum Found {
    /// These records.
    Records(Vec<Raw>),
    /// Nothing, and older records than it has are wanted.
    Older,
    /// Nothing yet.
    Nothing,
}

impl Tail {
    /// One that hears of everything from an offset on.
    pub(super) fn new(first: i64) -> Self {
        Self {
            state: Mutex::new(State {
                records: VecDeque::new(),
                first,
                next: first,
                bytes: 0,
                failure: None,
            }),
            news: Notify::new(),
        }
    }

    /// Takes a record that has come. One that was there is passed over. Behind a gap it is where
    /// the tail begins: what is in the gap, if anything, the brokers have.
    pub(super) fn push(&self, raw: Raw) {
        let mut state = self.state.lock();
        if raw.offset < state.next {
            return;
        }
        if state.next < raw.offset {
            state.records.clear();
            state.bytes = 0;
            state.first = raw.offset;
        }
        state.next = raw.offset + 1;
        state.bytes += raw.weight();
        state.records.push_back(raw);
        while state.bytes > BYTES_MAX && state.records.len() > 1 {
            if let Some(oldest) = state.records.pop_front() {
                state.bytes -= oldest.weight();
                state.first = oldest.offset + 1;
            }
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Ends all that follow.
    pub(super) fn fail(&self, failure: Failure) {
        self.state.lock().failure = Some(failure);
        self.news.notify_waiters();
    }

    /// The offset of the record that it waits for.
    pub(super) fn next(&self) -> i64 {
        self.state.lock().next
    }

    /// Resolves when there is something new after this call.
    pub(crate) fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// Its records from an offset on, about `bytes_max` bytes at most.
    pub(crate) fn read(&self, from: i64, bytes_max: usize) -> Result<Found, Failure> {
        let state = self.state.lock();
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        if from < state.first {
            return Ok(Found::Older);
        }
        if state.next <= from {
            return Ok(Found::Nothing);
        }
        let begin = state.records.partition_point(|raw| raw.offset < from);
        let mut bytes = 0;
        let mut records = Vec::new();
        for raw in state.records.range(begin..) {
            if !records.is_empty() && bytes >= bytes_max {
                break;
            }
            bytes += raw.weight();
            records.push(raw.clone());
        }
        Ok(Found::Records(records))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;

    fn raw(offset: i64, bytes: usize) -> Raw {
        Raw {
            offset,
            key: Bytes::new(),
            value: Some(Bytes::from(vec![0; bytes])),
        }
    }

    /// The offsets that are found; `None` if older ones are wanted.
    fn offsets(tail: &Tail, from: i64) -> Option<Vec<i64>> {
        match tail.read(from, usize::MAX).unwrap() {
            Found::Records(records) => Some(records.iter().map(|raw| raw.offset).collect()),
            Found::Nothing => Some(Vec::new()),
            Found::Older => None,
        }
    }

    #[test]
    fn it_has_everything_since_it_began_and_nothing_older() {
        let tail = Tail::new(10);
        assert_eq!(offsets(&tail, 9), None);
        assert_eq!(offsets(&tail, 10), Some(vec![]));
        for offset in 10..13 {
            tail.push(raw(offset, 1));
        }
        assert_eq!(offsets(&tail, 9), None);
        assert_eq!(offsets(&tail, 10), Some(vec![10, 11, 12]));
        assert_eq!(offsets(&tail, 12), Some(vec![12]));
        assert_eq!(offsets(&tail, 13), Some(vec![]));
        assert_eq!(offsets(&tail, 99), Some(vec![]));
        let Found::Records(one) = tail.read(10, 0).unwrap() else {
            panic!("there are some");
        };
        assert_eq!(one.len(), 1);
    }

    #[test]
    fn what_comes_again_is_passed_over() {
        let tail = Tail::new(10);
        for offset in [10, 11, 10, 9, 11, 12] {
            tail.push(raw(offset, 1));
        }
        assert_eq!(offsets(&tail, 10), Some(vec![10, 11, 12]));
    }

    /// A record of a former assignment may still be under way when the next one begins.
    #[test]
    fn before_a_gap_the_brokers_are_asked() {
        let tail = Tail::new(10);
        tail.push(raw(10, 1));
        tail.push(raw(15, 1));
        assert_eq!(offsets(&tail, 10), None);
        assert_eq!(offsets(&tail, 11), None);
        assert_eq!(offsets(&tail, 15), Some(vec![15]));
        for offset in 11..17 {
            tail.push(raw(offset, 1));
        }
        assert_eq!(offsets(&tail, 14), None);
        assert_eq!(offsets(&tail, 15), Some(vec![15, 16]));
    }

    #[test]
    fn whoever_is_slow_costs_no_memory() {
        let tail = Tail::new(0);
        for offset in 0..100 {
            tail.push(raw(offset, BYTES_MAX / 10));
            assert!(tail.state.lock().bytes <= BYTES_MAX);
        }
        assert_eq!(offsets(&tail, 0), None);
        assert_eq!(offsets(&tail, 91), Some((91..100).collect()));
        // One alone may be longer.
        tail.push(raw(100, 2 * BYTES_MAX));
        assert_eq!(offsets(&tail, 99), None);
        assert_eq!(offsets(&tail, 100), Some(vec![100]));
    }

    #[test]
    fn who_waits_is_woken_by_a_record_and_by_a_failure() {
        let tail = Tail::new(0);
        let news = tail.news();
        tail.push(raw(0, 1));
        assert!(news.now_or_never().is_some());
        assert!(tail.news().now_or_never().is_none());
        let news = tail.news();
        tail.fail(Failure::Closing);
        assert!(news.now_or_never().is_some());
        assert!(tail.read(0, 1).is_err());
    }
}
