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

/// Reads everything from a position to the end. Records of an epoch that was superseded at the
/// time of their writing are dropped.
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
    let before = Position(from.0.saturating_sub(1));
    let mut next = before.max(log.start(partition.0).await?);
    loop {
        let slice = log.read(partition.0, next, READ_BYTES).await?;
        if slice.records.is_empty() {
            return Ok((events, slice.next));
        }
        for record in &slice.records {
            if record.epoch >= newest {
                newest = record.epoch;
                if record.position >= from {
                    events.extend(decode(record)?);
                }
            }
        }
        next = slice.next;
    }
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
