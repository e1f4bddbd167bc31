//! Guilds, direct-message channels and profiles: relational state that changes by events.

use async_trait::async_trait;
use guildhall_model::channel::DirectChannel;
use guildhall_model::event::{Record, Source};
pub use guildhall_model::guild::GuildRows;
use guildhall_model::{
    ChannelId, EmojiId, Epoch, EventPartition, GuildId, RoleId, UserId, WebhookId,
};

use crate::accounts::Taken;
use crate::error::Failure;

/// Where a channel belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// To a guild.
    Guild(GuildId),
    /// To two users.
    Direct(DirectChannel),
}

/// Who commits: the owner of an event partition under an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FencingToken {
    /// The partition that holds the streams of the committed events.
    pub partition: EventPartition,
    /// The epoch under which it is owned.
    pub epoch: Epoch,
}

/// Why events were not committed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// A profile's username or address belongs to somebody else.
    #[error("{0:?} is taken")]
    Taken(Taken),
    /// Two users already have a channel: this one.
    #[error("the pair has a channel")]
    PairExists(DirectChannel),
    /// The store failed, or a later owner has written.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// The relational store. Rows are a function of events: a commit writes the rows of its events
/// and the events themselves, for the outbox, in one transaction.
#[async_trait]
pub trait Guilds: Send + Sync {
    /// All rows of a guild.
    async fn load(&self, id: GuildId) -> Result<Option<GuildRows>, Failure>;

    /// Shuts former owners of a partition out. Once this has answered, commits under an earlier
    /// epoch are `Stale`, and whatever they had committed before is in the outbox. So is this call
    /// itself when a later epoch has been here.
    async fn fence(&self, token: FencingToken) -> Result<(), Failure>;

    /// Writes events of one source, in order, with their rows and outbox entries, or nothing.
    /// `Stale` when the source has an event at or after the first one's place, or when the
    /// partition is fenced with a later epoch. Message and reaction events do not belong here.
    async fn commit(&self, token: FencingToken, records: &[Record]) -> Result<(), CommitError>;

    /// Whether a commit that has failed may happen later all the same: what was sent over a network may
    /// arrive long after its sender has given it up.
    fn commits_may_be_late(&self) -> bool {
        true
    }

    /// Takes the places of a source up to this one for nothing. Once this has answered, a commit whose
    /// first event stands there is `Stale`, also one that was sent before and is still on its way, and
    /// what had been committed there is in the outbox. `Stale` when the partition is fenced with a later
    /// epoch.
    async fn give_up(&self, token: FencingToken, source: Source, upto: u64) -> Result<(), Failure>;

    /// Committed events that are not known to be in the events log, in order per source.
    async fn outbox(&self) -> Result<Vec<Record>, Failure>;

    /// The events up to this place are in the events log.
    async fn outbox_done(&self, source: Source, upto: u64) -> Result<(), Failure>;

    /// The place of the last event that was committed for a source; 0 if there is none.
    async fn last_gseq(&self, source: Source) -> Result<u64, Failure>;

    /// The guilds that a user is a member of, rising.
    async fn guilds_of(&self, user: UserId) -> Result<Vec<GuildId>, Failure>;

    /// Where a channel belongs. Deleted channels are unknown.
    async fn home_of(&self, channel: ChannelId) -> Result<Option<Home>, Failure>;

    /// The guild of a role.
    async fn guild_of_role(&self, role: RoleId) -> Result<Option<GuildId>, Failure>;

    /// The guild of an invite, spent or not.
    async fn guild_of_invite(&self, code: &str) -> Result<Option<GuildId>, Failure>;

    /// The guild of a webhook.
    async fn guild_of_webhook(&self, webhook: WebhookId) -> Result<Option<GuildId>, Failure>;
    /// The guild of an emoji.
    async fn guild_of_emoji(&self, id: EmojiId) -> Result<Option<GuildId>, Failure>;

    /// The channel of two users, smaller id first.
    async fn direct_of(&self, pair: [UserId; 2]) -> Result<Option<DirectChannel>, Failure>;

    /// A user's direct-message channels, newest first, at most `limit`.
    async fn directs_of(&self, user: UserId, limit: u32) -> Result<Vec<DirectChannel>, Failure>;

    /// The highest id in the store, whatever it names; the floor for new ones.
    async fn highest_id(&self) -> Result<u64, Failure>;

    /// A secret or constant of the installation: returns what is stored under `name`, after
    /// storing `fresh` if there was nothing.
    async fn instance_value(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, Failure>;
}
