//! Reads one partition of the events log for as long as the node lives, whoever writes it.
//!
//! The relay hears from here what counts; on the owner the projection is fed from here too, and
//! appends are answered once they were read back.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use guildhall_model::{Epoch, EventPartition as Number, Position};
use guildhall_ports::Failure;
use guildhall_ports::crash::{self, Point};
use guildhall_ports::log::Slice;
use tracing::warn;

use crate::event_log::{self, READ_BYTES, Stable, after};
use crate::node::Inner;
use crate::partition::EventPartition as Owned;
use crate::relay;

/// Pause before a log that failed, or is closing, is followed again.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Where a follower stands.
pub(crate) struct Follower {
    number: Number,
    next: Position,
    /// The partition as this node owned it last. What it owns anew begins somewhere else.
    owned: Weak<Owned>,
    /// The latest epoch so far: records of earlier ones are void from here on.
    epoch: Epoch,
}

/// What a slice of the log holds.
struct Found {
    counting: Vec<Stable>,
    /// Just after the last record that counts.
    end: Option<Position>,
    /// Where a later epoch begins than the one before the slice, and which.
    takeovers: Vec<(Position, Epoch)>,
}

impl Follower {
    /// A follower that stands at this place, whose record before it, if there is one, has counted.
    pub(crate) const fn new(number: Number, next: Position, epoch: Epoch) -> Self {
        Self {
            number,
            next,
            owned: Weak::new(),
            epoch,
        }
    }

    /// Runs until the node ends.
    pub(crate) async fn run(mut self, node: Weak<Inner>) {
        while let Some(inner) = node.upgrade() {
            let log = Arc::clone(&inner.stores.events);
            drop(inner);
            let mut slices = log.follow(self.number.0, self.next, READ_BYTES);
            let mut goes_back = false;
            while let Some(slice) = slices.next().await {
                let Some(inner) = node.upgrade() else { return };
                goes_back = self.is_ahead(&inner);
                if goes_back {
                    break;
                }
                if let Err(failure) = self.take(&inner, slice).await {
                    warn!(partition = self.number.0, %failure, "the events log is followed again");
                    break;
                }
            }
            if !goes_back {
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }

    /// This node has taken the partition over at a place that lies behind: what comes from there on
    /// is read again, so that the projection has no gap. Relays pass over what they know.
    fn is_ahead(&mut self, inner: &Inner) -> bool {
        let Some(owned) = inner.events.present(self.number) else {
            return false;
        };
        if std::ptr::eq(self.owned.as_ptr(), Arc::as_ptr(&owned)) {
            return false;
        }
        self.owned = Arc::downgrade(&owned);
        let is_ahead = owned.begins() < self.next;
        self.next = self.next.min(owned.begins());
        is_ahead
    }

    async fn take(&mut self, inner: &Inner, slice: Result<Slice, Failure>) -> Result<(), Failure> {
        let slice = slice?;
        let next = slice.next;
        let found = self.find(&slice)?;
        let owned = inner.events.present(self.number);
        for stable in &found.counting {
            inner.copies.hear(&stable.record);
        }
        let heard = inner.heard(self.number);
        heard.hear(&found.counting, next, inner.env.now());
        let relay = &inner.relays()[usize::from(self.number.0)];
        // The relay first: a session that starts after an answer must not be shown what was so
        // before it. It ends only with the node.
        if !found.counting.is_empty() {
            let heard = relay::Input::Heard(found.counting.clone());
            let _ = relay.send(heard).await;
        }
        if let Some(end) = found.end {
            let _ = relay.send(relay::Input::Reached(end)).await;
        }
        if let Some(owned) = owned {
            let later = found
                .takeovers
                .iter()
                .find(|(_, epoch)| *epoch > owned.token.epoch);
            match later {
                Some((at, _)) => owned.writer().was_superseded(*at),
                // Before this node has begun to write.
                None if self.epoch > owned.token.epoch => owned.writer().was_superseded(self.next),
                None => {
                    crash::pass(Point::EventsPassedOn);
                    owned.writer().was_read(next);
                    crash::pass(Point::EventsAnswered);
                    owned.project(found.counting).await;
                }
            }
        }
        self.next = next;
        Ok(())
    }

    fn find(&mut self, slice: &Slice) -> Result<Found, Failure> {
        let mut found = Found {
            counting: Vec::new(),
            end: None,
            takeovers: Vec::new(),
        };
        for record in &slice.records {
            if record.epoch < self.epoch {
                continue;
            }
            if record.epoch > self.epoch {
                self.epoch = record.epoch;
                found.takeovers.push((record.position, record.epoch));
            }
            found.counting.extend(event_log::decode(record)?);
            found.end = Some(after(record.position));
        }
        Ok(found)
    }
}
