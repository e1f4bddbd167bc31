//! The records of the events log as bytes, and reading them with the losers of takeovers dropped.

use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::event::Record;
use guildhall_model::{Epoch, EventPartition, NodeId, Position};
use guildhall_ports::log::LogRecord;
use guildhall_ports::{Failure, Log};
use serde::{Deserialize, Serialize};

/// About how many bytes one read of a log asks for.
pub(crate) const READ_BYTES: usize = 1024 * 1024;

/// How many of the last records are looked at for the newest epoch, one attempt after the other.
const LOOK_BACK: [u32; 3] = [64, 4_096, u32::MAX];

#[derive(Serialize)]
enum Writing<'a> {
    Take(NodeId),
    Event(&'a Record),
}

#[derive(Deserialize)]
enum Reading {
    #[expect(
        dead_code,
        reason = "who took over is for people who look into the log"
    )]
    Take(NodeId),
    Event(Box<Record>),
}

/// A committed event with its place.
#[derive(Clone, Debug)]
pub(crate) struct Stable {
    pub(crate) position: Position,
    pub(crate) record: Arc<Record>,
    /// Of the record in the log: what the event roughly weighs.
    pub(crate) bytes: usize,
}

/// The first record of a new epoch.
pub(crate) fn encode_take(node: NodeId) -> Bytes {
    encode(&Writing::Take(node))
}

/// A record of an event.
pub(crate) fn encode_event(record: &Record) -> Bytes {
    encode(&Writing::Event(record))
}

fn encode(record: &Writing<'_>) -> Bytes {
    rmp_serde::to_vec(record)
        .expect("plain data in memory always encodes")
        .into()
}

/// Decodes a record; `None` for a takeover.
pub(crate) fn decode(record: &LogRecord) -> Result<Option<Stable>, Failure> {
    let decoded = rmp_serde::from_slice(&record.payload).map_err(|error| {
        Failure::damaged(
            "events log",
            format!("record at {}: {error}", record.position),
        )
    })?;
    Ok(match decoded {
        Reading::Take(_) => None,
        Reading::Event(event) => Some(Stable {
            position: record.position,
            record: Arc::from(event),
            bytes: record.payload.len(),
        }),
    })
}

/// Reads everything from a position to the end, and says where to read on. Records of an epoch that
/// was superseded at the time of their writing are dropped.
///
/// Positions from which anybody reads on lie just after a record that counted, so that the record
/// before tells the epoch; without it a former owner's late append would count as the first.
pub(crate) async fn read_all(
    log: &dyn Log,
    partition: EventPartition,
    from: Position,
) -> Result<(Vec<Stable>, Position), Failure> {
    let mut events = Vec::new();
    let mut newest = Epoch::default();
    let mut end = from;
    let before = Position(from.0.saturating_sub(1));
    let mut next = before.max(log.start(partition.0).await?);
    loop {
        let slice = log.read(partition.0, next, READ_BYTES).await?;
        if slice.records.is_empty() {
            return Ok((events, end));
        }
        for record in &slice.records {
            if record.epoch >= newest {
                newest = record.epoch;
                if record.position >= from {
                    events.extend(decode(record)?);
                    end = after(record.position);
                }
            }
        }
        next = slice.next;
    }
}

/// The place just after the last record that counts, and its epoch: from there on nothing is missed
/// and nothing void is heard. The start of the log and 0 if there is no such record. `newest` is the
/// epoch that the directory knows: nothing in the log is later.
///
/// The last records may be a former owner's late ones, so more of them are looked at: all, unless
/// one of the newest epoch is found among the last.
pub(crate) async fn last_counting(
    log: &dyn Log,
    partition: EventPartition,
    newest: Epoch,
) -> Result<(Position, Epoch), Failure> {
    let start = log.start(partition.0).await?;
    let end = log.end(partition.0).await?;
    let mut found = (start, Epoch::default());
    for span in LOOK_BACK {
        let from = log.back(end, span).max(start);
        found = (start, Epoch::default());
        let mut next = from;
        loop {
            let slice = log.read(partition.0, next, READ_BYTES).await?;
            if slice.records.is_empty() {
                break;
            }
            for record in &slice.records {
                if record.epoch >= found.1 {
                    found = (after(record.position), record.epoch);
                }
            }
            next = slice.next;
        }
        if from == start || found.1 >= newest {
            break;
        }
    }
    Ok(found)
}

/// Reads one event by its place; `None` if it is no longer kept.
pub(crate) async fn read_one(
    log: &dyn Log,
    partition: EventPartition,
    position: Position,
) -> Result<Option<Stable>, Failure> {
    let slice = log.read(partition.0, position, 1).await?;
    match slice
        .records
        .first()
        .filter(|record| record.position == position)
    {
        Some(record) => decode(record),
        None => Ok(None),
    }
}

/// The place just after this one.
pub(crate) const fn after(position: Position) -> Position {
    Position(position.0 + 1)
}

#[cfg(test)]
mod tests {
    use guildhall_ports::fake::FakeLog;

    use super::*;

    const PARTITION: EventPartition = EventPartition(0);

    async fn append(log: &dyn Log, epoch: u32, count: usize) -> Position {
        let records = vec![encode_take(NodeId(1)); count];
        let appended = log.append(PARTITION.0, Epoch(epoch), records).await;
        *appended.unwrap().last().unwrap()
    }

    #[tokio::test]
    async fn who_begins_to_follow_stands_just_after_the_last_record_that_counts() {
        let log = FakeLog::default();
        let standing = |newest| last_counting(&log, PARTITION, Epoch(newest));
        let start = log.start(PARTITION.0).await.unwrap();
        assert_eq!(standing(0).await.unwrap(), (start, Epoch(0)));
        append(&log, 1, 5_000).await;
        let last = append(&log, 2, 1).await;
        for late in [1, 70, 5_000] {
            append(&log, 1, late).await;
            // The directory may know of an owner that has not written yet.
            for newest in [2, 3] {
                let expected = (after(last), Epoch(2));
                assert_eq!(standing(newest).await.unwrap(), expected);
            }
        }
        let last = append(&log, 2, 1).await;
        assert_eq!(standing(2).await.unwrap(), (after(last), Epoch(2)));
    }
}
