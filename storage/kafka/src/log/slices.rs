//! Slices of a partition out of Kafka records, wherever those come from.

use guildhall_model::Position;
use guildhall_ports::Failure;
use guildhall_ports::log::{LogRecord, Slice};

use crate::connection::Kafka;
use crate::frame;
use crate::place::Place;
use crate::readers::{Raw, Source};

/// Reads a slice from the brokers; an empty one at the end.
pub(super) async fn read(
    kafka: &Kafka,
    source: &Source,
    from: Position,
    bytes_max: usize,
) -> Result<Slice, Failure> {
    let mut place = Place::of(from);
    loop {
        let offset = place.offset;
        let fetched = kafka
            .readers
            .run(source, move |reader, source, deadline| {
                reader.read(source, offset, bytes_max, deadline)
            })
            .await?;
        if fetched.records.is_empty() {
            let end = Place::of_offset(fetched.end).position();
            return Ok(Slice {
                records: Vec::new(),
                next: from.max(end),
            });
        }
        let slice = of(source, &fetched.records, place, bytes_max)?;
        // Behind the last record of a Kafka record there is nothing in it: the next one.
        if !slice.records.is_empty() {
            return Ok(slice);
        }
        place = Place::of(slice.next);
    }
}

/// The records from a place on that are in consecutive Kafka records, about `bytes_max` bytes at
/// most; none if the place is behind them all.
pub(super) fn of(
    source: &Source,
    raws: &[Raw],
    from: Place,
    bytes_max: usize,
) -> Result<Slice, Failure> {
    let mut taken = Taken::default();
    let mut next = from;
    for raw in raws {
        next = taken.unpack((source, raw), from, bytes_max)?;
        if taken.is_full(bytes_max) {
            break;
        }
    }
    Ok(Slice {
        records: taken.records,
        next: next.position(),
    })
}

/// What a slice has so far.
#[derive(Default)]
struct Taken {
    records: Vec<LogRecord>,
    bytes: usize,
}

impl Taken {
    const fn is_full(&self, bytes_max: usize) -> bool {
        !self.records.is_empty() && self.bytes >= bytes_max
    }

    /// Adds the records of a Kafka record from a place on, and says where to read on.
    fn unpack(
        &mut self,
        (source, raw): (&Source, &Raw),
        from: Place,
        bytes_max: usize,
    ) -> Result<Place, Failure> {
        let damaged = |why: &str| damaged(source, raw, why);
        let value = raw.value.clone().ok_or_else(|| damaged("it is empty"))?;
        let (epoch, payloads) = frame::decode(value).map_err(|why| damaged(&why))?;
        for (index, payload) in payloads.into_iter().enumerate() {
            let place = Place {
                index,
                ..Place::of_offset(raw.offset)
            };
            if place < from {
                continue;
            }
            if self.is_full(bytes_max) {
                return Ok(place);
            }
            self.bytes += payload.len();
            self.records.push(LogRecord {
                position: place.position(),
                epoch,
                payload,
            });
        }
        Ok(Place::of_offset(raw.offset + 1))
    }
}

fn damaged(source: &Source, raw: &Raw, why: &str) -> Failure {
    let Source {
        what,
        topic,
        partition,
    } = source;
    let why = format!("{topic}/{partition} at offset {}: {why}", raw.offset);
    Failure::damaged(what, why)
}
