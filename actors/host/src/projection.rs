//! Feeds the events log into the message store, in order, and tells how far it has come.
//!
//! Whoever reads what is not in an actor's memory says up to where, and waits for the store only.

use std::sync::Arc;
use std::time::Duration;

use guildhall_model::event::Record;
use guildhall_model::{EventPartition, Position};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::{Failure, Messages};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{error, warn};

use crate::event_log::{Stable, after};

/// Events that are applied in one transaction at most.
const BATCH_MAX: usize = 2_000;
/// Pause between two batches, in which events come together. What a batch costs beside its rows is
/// then paid for once, and rows that stand together are written together.
const APPLY_EVERY: Duration = Duration::from_millis(200);
/// How long a reader waits for the projection before it gives up.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Pause before a failed batch is applied again.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How far the projection of a partition has come.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    applied: watch::Receiver<Position>,
    /// Up to where somebody waits for it.
    wanted: watch::Sender<Position>,
}

impl Projection {
    /// Starts feeding what arrives in `events` into the store.
    pub(crate) fn start(
        partition: EventPartition,
        messages: Arc<dyn Messages>,
        applied: Position,
        events: mpsc::Receiver<Vec<Stable>>,
    ) -> Self {
        let (tell, applied) = watch::channel(applied);
        let (wanted, wishes) = watch::channel(Position::START);
        let feed = Feed {
            partition,
            messages,
            inbox: Inbox {
                events,
                applied: applied.clone(),
                wanted: wishes,
            },
            applied: tell,
        };
        tokio::spawn(feed.run());
        Self { applied, wanted }
    }

    /// Everything before this position is applied.
    pub(crate) fn applied(&self) -> Position {
        *self.applied.borrow()
    }

    /// Waits until everything before `upto` is applied.
    pub(crate) async fn wait(&self, upto: Position) -> Result<(), Failure> {
        self.wanted.send_if_modified(|wanted| {
            let is_news = *wanted < upto;
            *wanted = upto.max(*wanted);
            is_news
        });
        let mut applied = self.applied.clone();
        let reached = applied.wait_for(|applied| *applied >= upto);
        match tokio::time::timeout(WAIT_MAX, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Failure::Closing),
            Err(_) => Err(Failure::unavailable(
                "message store",
                "it lags behind the events log",
            )),
        }
    }
}

struct Feed {
    partition: EventPartition,
    messages: Arc<dyn Messages>,
    inbox: Inbox,
    applied: watch::Sender<Position>,
}

/// Events on their way into the store.
struct Inbox {
    events: mpsc::Receiver<Vec<Stable>>,
    applied: watch::Receiver<Position>,
    wanted: watch::Receiver<Position>,
}

impl Feed {
    async fn run(mut self) {
        let mut waiting = Vec::new();
        let mut due = Instant::now();
        while self.inbox.collect(&mut waiting, due).await {
            due = Instant::now() + APPLY_EVERY;
            let batch: Vec<Stable> = waiting.drain(..).flatten().collect();
            let Some(last) = batch.last() else { continue };
            let upto = after(last.position);
            let records: Vec<Arc<Record>> = batch.into_iter().map(|stable| stable.record).collect();
            self.apply(&records, upto).await;
        }
    }

    /// Applies a batch, however often it takes.
    async fn apply(&self, records: &[Arc<Record>], upto: Position) {
        let partition = self.partition;
        crash::pass(Point::ProjectionFed);
        while let Err(failure) = self.messages.apply(partition, records, upto).await {
            if matches!(failure, Failure::Damaged { .. } | Failure::Stale { .. }) {
                error!(partition = partition.0, %failure, "the message store refuses events");
            } else {
                warn!(partition = partition.0, %failure, "the message store lags, trying again");
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
        crash::pass(Point::ProjectionApplied);
        metrics::counter!("guildhall_projection_events_total").increment(records.len() as u64);
        self.applied.send_replace(upto);
    }
}

impl Inbox {
    /// Waits for events, and then for others to go with them: until it is time, or somebody waits
    /// for them. No more than one batch is taken; there are none any more if this is `false`.
    async fn collect(&mut self, waiting: &mut Vec<Vec<Stable>>, due: Instant) -> bool {
        loop {
            let room = BATCH_MAX.saturating_sub(waiting.len());
            let is_wanted = *self.wanted.borrow() > *self.applied.borrow();
            if !waiting.is_empty() && (is_wanted || room == 0 || due <= Instant::now()) {
                return true;
            }
            tokio::select! {
                // Cancel-safe: `recv_many` loses nothing.
                received = self.events.recv_many(waiting, room) => if received == 0 {
                    return !waiting.is_empty();
                },
                Ok(()) = self.wanted.changed(), if !waiting.is_empty() => {}
                () = sleep_until(due), if !waiting.is_empty() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::event::{Event, Source};
    use guildhall_model::{GuildId, Timestamp};

    use super::*;

    struct House {
        events: mpsc::Sender<Vec<Stable>>,
        _applied: watch::Sender<Position>,
        wanted: watch::Sender<Position>,
        inbox: Inbox,
    }

    fn house() -> House {
        let (events, inbox) = mpsc::channel(8);
        let (applied, watched) = watch::channel(Position(5));
        let (wanted, wishes) = watch::channel(Position::START);
        House {
            events,
            _applied: applied,
            wanted,
            inbox: Inbox {
                events: inbox,
                applied: watched,
                wanted: wishes,
            },
        }
    }

    fn event(position: u64) -> Vec<Stable> {
        let record = Record {
            source: Source::Guild(GuildId::new(1).unwrap()),
            gseq: position,
            at: Timestamp(0),
            event: Event::GuildDeleted,
        };
        vec![Stable {
            position: Position(position),
            record: Arc::new(record),
            bytes: 1,
        }]
    }

    #[tokio::test(start_paused = true)]
    async fn events_go_at_once_after_a_pause_and_together_with_those_that_follow_soon() {
        let House {
            events,
            mut inbox,
            wanted: _wanted,
            _applied,
        } = house();
        let began = Instant::now();
        let mut waiting = Vec::new();
        events.send(event(6)).await.unwrap();
        assert!(inbox.collect(&mut waiting, began).await);
        assert_eq!((waiting.len(), began.elapsed()), (1, Duration::ZERO));
        waiting.clear();
        let later = tokio::spawn(async move {
            for position in 7..9 {
                events.send(event(position)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            events
        });
        assert!(inbox.collect(&mut waiting, began + APPLY_EVERY).await);
        assert_eq!((waiting.len(), began.elapsed()), (2, APPLY_EVERY));
        waiting.clear();
        drop(later.await.unwrap());
        assert!(!inbox.collect(&mut waiting, began).await);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_reads_waits_for_others_to_write() {
        let House {
            events,
            mut inbox,
            wanted,
            _applied,
        } = house();
        let began = Instant::now();
        let mut waiting = Vec::new();
        events.send(event(6)).await.unwrap();
        let reader = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            wanted.send_replace(Position(7));
            wanted
        });
        assert!(inbox.collect(&mut waiting, began + APPLY_EVERY).await);
        assert_eq!(began.elapsed(), Duration::from_millis(50));
        let _wanted = reader.await.unwrap();
    }
}
