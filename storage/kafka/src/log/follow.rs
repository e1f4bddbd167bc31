//! One that follows a partition: what is new it hears at the partition's tail, and what is older
//! it reads.

use std::sync::Arc;

use guildhall_model::Position;
use guildhall_ports::Failure;
use guildhall_ports::log::Slice;

use super::slices;
use crate::connection::Kafka;
use crate::followers::Seat;
use crate::followers::tail::Found;
use crate::place::Place;
use crate::readers::Source;

/// One that follows a partition.
pub(super) struct Follower {
    /// From the first question on.
    seat: Option<Seat>,
    kafka: Arc<Kafka>,
    source: Source,
    next: Position,
    bytes_max: usize,
}

impl Follower {
    pub(super) const fn new(
        kafka: Arc<Kafka>,
        source: Source,
        next: Position,
        bytes_max: usize,
    ) -> Self {
        Self {
            seat: None,
            kafka,
            source,
            next,
            bytes_max,
        }
    }

    /// The next records, once there are some.
    pub(super) async fn slice(&mut self) -> Result<Slice, Failure> {
        loop {
            let seat = match &self.seat {
                Some(seat) => seat,
                None => self.seat.insert(self.kafka.follow(&self.source).await?),
            };
            // Before looking, so that what comes meanwhile wakes all the same.
            let news = seat.tail().news();
            let place = Place::of(self.next);
            let slice = match seat.tail().read(place.offset, self.bytes_max)? {
                Found::Records(raws) => slices::of(&self.source, &raws, place, self.bytes_max)?,
                Found::Older => {
                    let read = slices::read(&self.kafka, &self.source, self.next, self.bytes_max);
                    let slice = read.await?;
                    moves_on(&self.source, self.next, &slice)?;
                    slice
                }
                Found::Nothing => {
                    news.await;
                    continue;
                }
            };
            self.next = slice.next;
            if !slice.records.is_empty() {
                return Ok(slice);
            }
        }
    }
}

/// Whether a slice before the tail's records leads on to them. It is empty where the tail begins with the
/// Kafka record after the one of which everything has been read.
fn moves_on(source: &Source, from: Position, slice: &Slice) -> Result<(), Failure> {
    if slice.records.is_empty() && slice.next <= from {
        let why = "its end is before what was heard of";
        return Err(Failure::unavailable(source.what, why));
    }
    Ok(())
}
