//! What a node's parts say of themselves, for operators and tests: cheap, small, and without
//! anybody's content. Nothing waits: the answers need not be of one moment.

use guildhall_model::{ChannelId, Epoch, EventPartition, GuildId, Position, SessionPartition};
use serde::Serialize;
use tokio::sync::mpsc;

/// Actors of each kind that an event partition shows; those with the fullest mailboxes.
pub(crate) const ACTORS_SHOWN: usize = 16;

/// A node.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named by their types")]
pub struct NodeState {
    pub event_partitions: Vec<EventPartitionState>,
    pub session_partitions: Vec<SessionPartitionState>,
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// Places that are taken.
    pub used: usize,
    /// Places that there are.
    pub bound: usize,
}

/// An event partition.
#[derive(Clone, Debug, Serialize)]
pub struct EventPartitionState {
    /// Which.
    pub number: EventPartition,
    /// Under which epoch this node owns it.
    pub epoch: Epoch,
    /// Appends are accepted.
    pub is_working: bool,
    /// Everything before is stable.
    pub stable: Position,
    /// Everything before is projected.
    pub projected: Position,
    /// What waits for the log.
    pub append_queue: Fill,
    /// Batches that wait for the projection.
    pub projection_queue: Fill,
    /// What waits for the relay.
    pub relay_queue: Fill,
    /// Guilds that have actors.
    pub guilds: usize,
    /// Channels that have actors.
    pub channels: usize,
    /// The busiest guilds.
    pub busiest_guilds: Vec<GuildActorState>,
    /// The busiest channels.
    pub busiest_channels: Vec<ChannelActorState>,
}

/// The actor of a guild.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "counts of what they name")]
pub struct GuildActorState {
    pub id: GuildId,
    /// The place of the guild's last change.
    pub gseq: u64,
    pub members: usize,
    pub channels: usize,
    pub mailbox: Fill,
}

/// The actor of a channel.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named by their types")]
pub struct ChannelActorState {
    pub id: ChannelId,
    pub mailbox: Fill,
}

/// A session partition.
#[derive(Clone, Debug, Serialize)]
pub struct SessionPartitionState {
    /// Which.
    pub number: SessionPartition,
    /// Under which epoch it takes sessions; `None` while it does not.
    pub epoch: Option<Epoch>,
    /// Why it takes none.
    pub failure: Option<String>,
    /// Sessions, with or without a socket.
    pub sessions: usize,
    /// What waits for the log.
    pub queue: Fill,
    /// Dispatches that the ring holds.
    pub ring_entries: Fill,
    /// What they weigh.
    pub ring_bytes: Fill,
}

impl Fill {
    /// A queue seen from its sending end.
    pub(crate) fn of<T>(queue: &mpsc::Sender<T>) -> Self {
        let bound = queue.max_capacity();
        Self {
            used: bound - queue.capacity(),
            bound,
        }
    }
}

/// The fullest first, and no more than are shown.
pub(crate) fn busiest<T>(mut all: Vec<T>, used: impl Fn(&T) -> usize) -> Vec<T> {
    all.sort_unstable_by_key(|one| std::cmp::Reverse(used(one)));
    all.truncate(ACTORS_SHOWN);
    all
}
