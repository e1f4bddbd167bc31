//! The two logs: records per partition, in one order, with the losers of takeovers among them.

use std::sync::Arc;

use guildhall_model::event::Record;
use guildhall_model::{Epoch, NodeId, Position};
use serde::{Deserialize, Serialize};

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Topic {
    Events,
    Frames,
}

/// A stable record, encoded as the server encodes it.
#[derive(Clone, Debug)]
pub(super) struct LogRecord {
    pub(super) position: Position,
    pub(super) epoch: Epoch,
    pub(super) payload: Arc<[u8]>,
}

/// One log.
#[derive(Debug)]
pub(super) struct Log {
    partitions: Vec<Vec<LogRecord>>,
}

/// A record of the events log.
#[derive(Serialize, Deserialize)]
pub(super) enum EventsRecord {
    Take(NodeId),
    Event(Box<Record>),
}

/// A committed event with its place.
#[derive(Clone, Debug)]
pub(super) struct Stable {
    pub(super) position: Position,
    pub(super) record: Arc<Record>,
}

/// The place just after this one.
pub(super) const fn after(position: Position) -> Position {
    Position(position.0 + 1)
}

pub(super) fn encode<T: Serialize>(record: &T) -> Arc<[u8]> {
    rmp_serde::to_vec(record)
        .expect("plain data in memory always encodes")
        .into()
}

pub(super) fn decode<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> T {
    rmp_serde::from_slice(payload).expect("only what was encoded stands in the logs")
}

impl Log {
    pub(super) fn new(partitions: u16) -> Self {
        Self {
            partitions: vec![Vec::new(); usize::from(partitions)],
        }
    }

    /// Appends records; they are stable from now on.
    pub(super) fn append(
        &mut self,
        partition: u16,
        epoch: Epoch,
        payloads: &[Arc<[u8]>],
    ) -> Vec<Position> {
        let records = &mut self.partitions[usize::from(partition)];
        let mut next = records
            .last()
            .map_or(Position(1), |last| after(last.position));
        let mut positions = Vec::new();
        for payload in payloads {
            records.push(LogRecord {
                position: next,
                epoch,
                payload: Arc::clone(payload),
            });
            positions.push(next);
            next = after(next);
        }
        positions
    }

    /// The records from a position on.
    pub(super) fn read(&self, partition: u16, from: Position) -> &[LogRecord] {
        let records = &self.partitions[usize::from(partition)];
        let start = records.partition_point(|record| record.position < from);
        &records[start..]
    }

    /// The position that the next record will have at least.
    pub(super) fn end(&self, partition: u16) -> Position {
        let records = &self.partitions[usize::from(partition)];
        records
            .last()
            .map_or(Position(1), |last| after(last.position))
    }

    /// The position of the oldest record that is kept.
    pub(super) fn start(&self, partition: u16) -> Position {
        let records = &self.partitions[usize::from(partition)];
        records
            .first()
            .map_or(self.end(partition), |first| first.position)
    }

    /// Drops what stands before a position.
    pub(super) fn release(&mut self, partition: u16, before: Position) {
        self.partitions[usize::from(partition)].retain(|record| before <= record.position);
    }

    /// Committed events from a position on: records of an epoch that was superseded at the time of
    /// their writing are dropped. The record before the position tells the epoch.
    pub(super) fn committed(
        &self,
        partition: u16,
        from: Position,
        compares_epochs: bool,
    ) -> Vec<Stable> {
        let mut newest = Epoch::default();
        let mut events = Vec::new();
        for record in self.read(partition, Position(from.0.saturating_sub(1))) {
            if record.epoch < newest && compares_epochs {
                continue;
            }
            newest = newest.max(record.epoch);
            if from <= record.position
                && let EventsRecord::Event(event) = decode(&record.payload)
            {
                events.push(Stable {
                    position: record.position,
                    record: Arc::from(event),
                });
            }
        }
        events
    }
}
