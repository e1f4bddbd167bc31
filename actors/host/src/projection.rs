//! Feeds the events log into the message store, in order, and tells how far it has come.

use std::sync::Arc;
use std::time::Duration;

use guildhall_model::event::Record;
use guildhall_model::{EventPartition, Position};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::{Failure, Messages};
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use crate::event_log::{Stable, after};

/// Events that are applied in one transaction at most.
const BATCH_MAX: usize = 2_000;
/// How long a reader waits for the projection before it gives up.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Pause before a failed batch is applied again.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How far the projection of a partition has come.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    applied: watch::Receiver<Position>,
}

impl Projection {
    /// Starts feeding what arrives in `events` into the store.
    pub(crate) fn start(
        partition: EventPartition,
        messages: Arc<dyn Messages>,
        applied: Position,
        events: mpsc::Receiver<Vec<Stable>>,
    ) -> Self {
        let (tell, watch) = watch::channel(applied);
        tokio::spawn(feed(partition, messages, events, tell));
        Self { applied: watch }
    }

    /// Everything before this position is applied.
    pub(crate) fn applied(&self) -> Position {
        *self.applied.borrow()
    }

    /// Waits until everything before `upto` is applied.
    pub(crate) async fn wait(&self, upto: Position) -> Result<(), Failure> {
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

async fn feed(
    partition: EventPartition,
    messages: Arc<dyn Messages>,
    mut events: mpsc::Receiver<Vec<Stable>>,
    tell: watch::Sender<Position>,
) {
    let mut waiting = Vec::new();
    while events.recv_many(&mut waiting, BATCH_MAX).await > 0 {
        let batch: Vec<Stable> = waiting.drain(..).flatten().collect();
        let Some(last) = batch.last() else { continue };
        let upto = after(last.position);
        let records: Vec<Arc<Record>> = batch.into_iter().map(|stable| stable.record).collect();
        crash::pass(Point::ProjectionFed);
        while let Err(failure) = messages.apply(partition, &records, upto).await {
            if matches!(failure, Failure::Damaged { .. } | Failure::Stale { .. }) {
                error!(partition = partition.0, %failure, "the message store refuses events");
            } else {
                warn!(partition = partition.0, %failure, "the message store lags, trying again");
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
        crash::pass(Point::ProjectionApplied);
        metrics::counter!("guildhall_projection_events_total").increment(records.len() as u64);
        tell.send_replace(upto);
    }
}
