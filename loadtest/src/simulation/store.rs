//! The stores behind the nodes: the directory, the relational rows with their outbox, the
//! projection of messages, and snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guildhall_model::event::{Event, Record, Source};
use guildhall_model::message::{Emoji, Message, Nonce};
use guildhall_model::{ChannelId, Epoch, GuildId, MessageId, Position, UserId};
use guildhall_state::guild::GuildState;

use super::log::Stable;

/// A partition of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Slice {
    Event(u16),
    Session(u16),
}

/// Which node owns which partition, under which epoch. Changed by compare-and-set only.
#[derive(Debug, Default)]
pub(super) struct Directory {
    owners: BTreeMap<Slice, (usize, Epoch)>,
}

impl Directory {
    pub(super) fn owner(&self, slice: Slice) -> Option<(usize, Epoch)> {
        self.owners.get(&slice).copied()
    }

    pub(super) fn epoch(&self, slice: Slice) -> Epoch {
        self.owner(slice)
            .map_or(Epoch::default(), |(_, epoch)| epoch)
    }

    pub(super) fn claim(&mut self, slice: Slice, node: usize, expected: Epoch) -> Option<Epoch> {
        (self.epoch(slice) == expected).then(|| {
            let epoch = expected.next();
            self.owners.insert(slice, (node, epoch));
            epoch
        })
    }

    pub(super) fn confirm(&self, slice: Slice, node: usize, epoch: Epoch) -> bool {
        self.owner(slice) == Some((node, epoch))
    }
}

/// A guild's rows.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) state: GuildState,
    epoch: Epoch,
}

/// All that is kept beside the logs.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) guilds: BTreeMap<GuildId, Rows>,
    /// Committed events that are not known to be in the events log.
    outbox: BTreeMap<(GuildId, u64), Record>,
    pub(super) messages: Messages,
    /// By session partition: what holds everything before a position.
    pub(super) snapshots: BTreeMap<u16, BTreeMap<Position, Arc<[u8]>>>,
}

impl Store {
    pub(super) fn found(&mut self, state: GuildState, epoch: Epoch) {
        self.guilds.insert(state.guild().id, Rows { state, epoch });
    }

    /// Writes rows and outbox entries of one guild, or nothing: false when the guild has moved on
    /// or a later owner has written.
    pub(super) fn commit(&mut self, epoch: Epoch, records: &[Record]) -> bool {
        let guild = records.first().and_then(|record| record.source.guild_id());
        let Some(rows) = guild.and_then(|guild| self.guilds.get_mut(&guild)) else {
            return false;
        };
        if epoch < rows.epoch || records.iter().any(|r| r.gseq <= rows.state.gseq()) {
            return false;
        }
        rows.epoch = epoch;
        for record in records {
            rows.state.apply(record);
            let id = rows.state.guild().id;
            self.outbox.insert((id, record.gseq), record.clone());
        }
        true
    }

    pub(super) fn outbox_of(&self, guild: GuildId) -> impl Iterator<Item = &Record> {
        self.outbox
            .range((guild, 0)..=(guild, u64::MAX))
            .map(|(_, record)| record)
    }

    pub(super) fn outbox_done(&mut self, guild: GuildId, upto: u64) {
        self.outbox
            .retain(|(of, gseq), _| *of != guild || upto < *gseq);
    }

    pub(super) fn guilds_of(&self, user: UserId) -> BTreeSet<GuildId> {
        let of = |rows: &&Rows| rows.state.member(user).is_some();
        let guilds = self.guilds.values().filter(of);
        guilds.map(|rows| rows.state.guild().id).collect()
    }
}

/// The projection of the events log. Applying a record again changes nothing.
#[derive(Debug, Default)]
pub(super) struct Messages {
    rows: BTreeMap<MessageId, Row>,
    reactions: BTreeSet<(MessageId, UserId, Emoji)>,
    last_gseq: BTreeMap<Source, u64>,
    applied: BTreeMap<u16, Position>,
}

#[derive(Debug)]
struct Row {
    message: Message,
    gseq: u64,
    is_deleted: bool,
}

impl Messages {
    pub(super) fn apply(&mut self, partition: u16, events: &[Stable], upto: Position) {
        for stable in events {
            self.apply_one(&stable.record);
        }
        let applied = self.applied.entry(partition).or_insert(upto);
        *applied = upto.max(*applied);
    }

    fn apply_one(&mut self, record: &Record) {
        let last = self.last_gseq.entry(record.source).or_default();
        *last = record.gseq.max(*last);
        let gseq = record.gseq;
        match &record.event {
            Event::MessageCreated(message) => {
                self.rows.entry(message.id).or_insert_with(|| Row {
                    message: (**message).clone(),
                    gseq,
                    is_deleted: false,
                });
            }
            Event::MessageUpdated(message) => {
                if let Some(row) = self.rows.get_mut(&message.id)
                    && row.gseq < gseq
                {
                    row.message = (**message).clone();
                    row.gseq = gseq;
                }
            }
            Event::MessageDeleted { id, .. } => {
                if let Some(row) = self.rows.get_mut(id) {
                    row.is_deleted = true;
                }
            }
            Event::ReactionAdded(reaction) => {
                let emoji = reaction.emoji.clone();
                let given = (reaction.message_id, reaction.user_id, emoji);
                self.reactions.insert(given);
            }
            _ => {}
        }
    }

    pub(super) fn has_reaction(&self, id: MessageId, user: UserId, emoji: &Emoji) -> bool {
        self.reactions.contains(&(id, user, emoji.clone()))
    }

    pub(super) fn applied(&self, partition: u16) -> Position {
        let applied = self.applied.get(&partition).copied();
        applied.unwrap_or(Position::START)
    }

    pub(super) fn last_gseq(&self, source: Source) -> u64 {
        self.last_gseq.get(&source).copied().unwrap_or(0)
    }

    pub(super) fn highest_id(&self) -> u64 {
        self.rows.keys().next_back().map_or(0, |id| id.get())
    }

    /// A channel's messages, newest first.
    pub(super) fn page(&self, channel: ChannelId) -> impl Iterator<Item = &Message> {
        let rows = self.rows.values().rev();
        rows.filter(move |row| !row.is_deleted && row.message.channel_id == channel)
            .map(|row| &row.message)
    }

    pub(super) fn get(&self, id: MessageId) -> Option<&Message> {
        let row = self.rows.get(&id).filter(|row| !row.is_deleted)?;
        Some(&row.message)
    }

    pub(super) fn by_nonce(
        &self,
        channel: ChannelId,
        author: UserId,
        nonce: &Nonce,
    ) -> Option<MessageId> {
        let made = |row: &&Row| {
            let message = &row.message;
            message.channel_id == channel
                && message.author.id == author
                && message.nonce.as_ref() == Some(nonce)
        };
        self.rows.values().find(made).map(|row| row.message.id)
    }
}
