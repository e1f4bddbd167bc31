//! What a batch of records comes to: the last state of each message, and the changes of reactions
//! in their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_model::audit::AuditEntry;
use guildhall_model::event::{Event, Reaction, Record, Source};
use guildhall_model::message::{Emoji, Message, Nonce};
use guildhall_model::{AuditEntryId, ChannelId, GuildId, MessageId, UserId};

use crate::{audit, bucket};

/// The place of a record in its stream, which is the timestamp of what it writes.
pub(crate) type Place = i64;

/// What a batch of records comes to.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Messages that stand at the end of the batch, as its last event about each left them.
    pub(crate) puts: BTreeMap<MessageId, Put>,
    /// Messages that are gone at the end of the batch.
    pub(crate) erased: BTreeMap<MessageId, Erased>,
    /// Reactions to messages, in the order of events.
    pub(crate) reactions: BTreeMap<MessageId, Reactions>,
    /// What was done to guilds.
    pub(crate) audited: Vec<Audited>,
    /// Guilds that have ended.
    pub(crate) ended: Vec<GuildId>,
    /// Nonces that were used.
    pub(crate) nonces: Vec<NonceUse>,
    /// The last place of each stream.
    pub(crate) places: BTreeMap<Source, Place>,
    /// The highest message id; 0 if there is none.
    pub(crate) highest: i64,
}

/// A message to be written.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) message: Message,
    pub(crate) place: Place,
    /// The batch holds its creation.
    pub(crate) is_new: bool,
    /// The last event was an edit: what it does not have any more must go.
    pub(crate) is_edit: bool,
}

/// A message to be erased.
#[derive(Debug)]
pub(crate) struct Erased {
    pub(crate) channel: ChannelId,
    pub(crate) bucket: i32,
}

/// Changes of the reactions to a message.
#[derive(Debug)]
pub(crate) struct Reactions {
    pub(crate) channel: ChannelId,
    pub(crate) changes: Vec<(Place, Change)>,
}

/// One change of the reactions to a message.
#[derive(Debug)]
pub(crate) enum Change {
    Give(Emoji, UserId),
    Take(Emoji, UserId),
    /// All go, or all of one emoji.
    Clear(Option<Emoji>),
}

/// An entry of a guild's audit log.
#[derive(Debug)]
pub(crate) struct Audited {
    pub(crate) guild: GuildId,
    pub(crate) entry: AuditEntry,
    /// Older ones of the guild are dropped.
    pub(crate) oldest: AuditEntryId,
    pub(crate) place: Place,
}

/// A nonce that was used, for a message or in the place of one.
#[derive(Debug)]
pub(crate) struct NonceUse {
    pub(crate) channel: ChannelId,
    pub(crate) author: UserId,
    pub(crate) nonce: Nonce,
    pub(crate) message: MessageId,
    pub(crate) place: Place,
}

impl Plan {
    /// Adds records that have not been applied, each with its place.
    pub(crate) fn of(records: &[(Place, Arc<Record>)]) -> Self {
        let mut plan = Self::default();
        for (place, record) in records {
            plan.places.insert(record.source, *place);
            plan.add(*place, &record.event);
            plan.audit(*place, record);
        }
        plan
    }

    fn add(&mut self, place: Place, event: &Event) {
        let of = |given: &Reaction| (given.emoji.clone(), given.user_id);
        match event {
            Event::MessageCreated(message) => self.create(place, message),
            Event::MessageUpdated(message) => self.put(place, message, false),
            Event::MessageDeleted {
                id,
                channel_id,
                only_for,
                ..
            } => self.erase(*id, *channel_id, only_for.is_some()),
            Event::MessagesDeleted {
                ids, channel_id, ..
            } => {
                for id in ids {
                    self.erase(*id, *channel_id, false);
                }
            }
            Event::ReactionAdded(given) => {
                let (emoji, user) = of(given);
                let change = Change::Give(emoji, user);
                self.react(place, given.message_id, given.channel_id, change);
            }
            Event::ReactionRemoved(taken) => {
                let (emoji, user) = of(taken);
                let change = Change::Take(emoji, user);
                self.react(place, taken.message_id, taken.channel_id, change);
            }
            Event::ReactionsCleared {
                message_id,
                channel_id,
                emoji,
                ..
            } => self.react(
                place,
                *message_id,
                *channel_id,
                Change::Clear(emoji.clone()),
            ),
            Event::InteractionAcknowledged {
                id,
                application_id,
                channel_id,
                ..
            } => self
                .nonces
                .extend(MessageId::new(id.get()).map(|message| NonceUse {
                    channel: *channel_id,
                    author: application_id.bot_user(),
                    nonce: Nonce::Interaction(*id),
                    message,
                    place,
                })),
            _ => {}
        }
    }

    fn audit(&mut self, place: Place, record: &Record) {
        let Some(guild) = record.source.guild_id() else {
            return;
        };
        match &record.event {
            Event::Audited(entry) => {
                self.highest = self.highest.max(entry.id.as_i64());
                self.audited.push(Audited {
                    guild,
                    entry: (**entry).clone(),
                    oldest: audit::oldest(record.at),
                    place,
                });
            }
            Event::GuildDeleted => self.ended.push(guild),
            _ => {}
        }
    }

    fn create(&mut self, place: Place, message: &Message) {
        self.highest = self.highest.max(message.id.as_i64());
        self.nonces
            .extend(message.nonce.clone().map(|nonce| NonceUse {
                channel: message.channel_id,
                author: message.author.id,
                nonce,
                message: message.id,
                place,
            }));
        self.put(place, message, true);
    }

    fn put(&mut self, place: Place, message: &Message, is_new: bool) {
        if self.erased.contains_key(&message.id) {
            return;
        }
        let was_new = self.puts.get(&message.id).is_some_and(|put| put.is_new);
        let put = Put {
            message: message.clone(),
            place,
            is_new: is_new || was_new,
            is_edit: !is_new,
        };
        self.puts.insert(message.id, put);
    }

    fn erase(&mut self, id: MessageId, channel: ChannelId, is_hidden: bool) {
        self.highest = self.highest.max(id.as_i64());
        self.puts.remove(&id);
        self.reactions.remove(&id);
        let bucket = bucket::of_message(id, is_hidden);
        self.erased.insert(id, Erased { channel, bucket });
    }

    fn react(&mut self, place: Place, id: MessageId, channel: ChannelId, change: Change) {
        if self.erased.contains_key(&id) {
            return;
        }
        let reactions = self.reactions.entry(id).or_insert_with(|| Reactions {
            channel,
            changes: Vec::new(),
        });
        reactions.changes.push((place, change));
    }
}
