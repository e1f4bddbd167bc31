//! Taking over: what a former owner left in logs, snapshots and stores becomes a running node.
//!
//! The order matters. Ownership is claimed first, so that whatever a former owner still appends is
//! void. Of an event partition the projection is brought up to date, and what the outbox still
//! holds is appended. A session partition is folded, which tells how far it has heard every event
//! partition: from there on each relay tells it the tail again, with the permissions of that point
//! of the stream, which are found by reverting events.

pub(crate) mod events;
mod repair;
pub(crate) mod sessions;
pub(crate) mod tail;

use std::sync::{Arc, Weak};
use std::time::Duration;

use guildhall_model::event::Source;
use guildhall_model::{Epoch, EventPartition as Number, NodeId, Position};
use guildhall_ports::crash::{self, Point};
use guildhall_ports::directory::Partition;
use guildhall_ports::{Directory, Failure};
use rustc_hash::FxHashMap;
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::node::{Inner, Node};
use crate::session::sequencer::Sequencer;

/// How often the logs may let go of what nobody needs.
const RELEASE_EVERY: Duration = Duration::from_secs(10);
/// How long outbox entries collect before they are cleared together.
const CLEAR_EVERY: Duration = Duration::from_millis(500);

/// Makes the node own and serve all partitions.
pub(crate) async fn recover(node: &Node) -> Result<(), Failure> {
    let inner = &node.inner;
    events::take_all(node).await?;
    sessions::take_all(node).await?;
    crash::pass(Point::Recovered);
    let events = inner.events.all();
    for partition in events.iter() {
        tokio::spawn(repair::watch(Arc::downgrade(inner), partition.number));
    }
    let (sessions, events) = (inner.registry.len(), events.len());
    info!(
        sessions,
        event.partitions = events,
        "recovered: {sessions} sessions may be resumed"
    );
    Ok(())
}

/// Takes a partition over under the next epoch.
async fn claim(
    directory: &Arc<dyn Directory>,
    partition: Partition,
    node: NodeId,
) -> Result<Epoch, Failure> {
    let expected = directory
        .owner(partition)
        .await?
        .map(|ownership| ownership.epoch);
    directory.claim(partition, node, expected).await
}

/// Clears outbox entries whose events are in the log, many at a time.
pub(crate) async fn clear_outbox(inner: Weak<Inner>, mut cleared: mpsc::Receiver<(Source, u64)>) {
    let mut batch = Vec::new();
    while cleared.recv_many(&mut batch, 4_096).await > 0 {
        let mut upto: FxHashMap<Source, u64> = FxHashMap::default();
        for (source, gseq) in batch.drain(..) {
            let known = upto.entry(source).or_default();
            *known = gseq.max(*known);
        }
        let Some(inner) = inner.upgrade() else { return };
        crash::pass(Point::OutboxDue);
        for (source, gseq) in upto {
            if let Err(failure) = inner.stores.guilds.outbox_done(source, gseq).await {
                warn!(%failure, "an outbox entry was not cleared; the next start will");
            }
        }
        crash::pass(Point::OutboxCleared);
        drop(inner);
        tokio::time::sleep(CLEAR_EVERY).await;
    }
}

/// Lets the events log drop what is projected and what no session can ask for any more.
pub(crate) async fn release_logs(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(RELEASE_EVERY).await;
        let Some(inner) = inner.upgrade() else { return };
        for partition in inner.events.all().iter() {
            let floor = inner.floor_of(partition.number);
            let before = partition.projection.applied().min(floor);
            if let Err(failure) = inner
                .stores
                .events
                .release(partition.number.0, before)
                .await
            {
                warn!(%failure, "the events log was not released");
            }
        }
        inner.observe();
    }
}

impl Inner {
    /// The oldest place of an event partition that a session may still ask for.
    fn floor_of(&self, partition: Number) -> Position {
        let place = |(_, sequencer): &(_, Sequencer)| {
            let floors = sequencer.floors.lock();
            let floor = floors.get(usize::from(partition.0));
            floor.copied().unwrap_or(Position::START)
        };
        if self.company.is_some() {
            // What sessions of other nodes may ask for is not known here: the log's retention time
            // is far above what any session is kept for.
            return Position(u64::MAX);
        }
        let sequencers = self.sequencers.all();
        let least = sequencers.iter().map(place).min();
        least.unwrap_or(Position::START)
    }

    /// Gauges of what this node holds.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn observe(&self) {
        let mut attached = 0_usize;
        self.registry
            .for_each(|shared| attached += usize::from(shared.is_attached()));
        metrics::gauge!("guildhall_sessions").set(self.registry.len() as f64);
        metrics::gauge!("guildhall_sessions_attached").set(attached as f64);
        let events = self.events.all();
        let actors = events.iter().map(|partition| partition.actors());
        let (guilds, channels) = actors.fold((0, 0), |(g, c), (guilds, channels)| {
            (g + guilds, c + channels)
        });
        metrics::gauge!("guildhall_guild_actors").set(guilds as f64);
        metrics::gauge!("guildhall_channel_actors").set(channels as f64);
    }
}
