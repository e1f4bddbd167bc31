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
                    read.await.and_then(|slice| some(&self.source, slice))?
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

/// A slice before the tail's records: as there are later ones, it has some.
fn some(source: &Source, slice: Slice) -> Result<Slice, Failure> {
    if slice.records.is_empty() {
        let why = "its end is before what was heard of";
        return Err(Failure::unavailable(source.what, why));
    }
    Ok(slice)
}
