//! The relay of one event partition: who among this node's sessions receives which event.
//!
//! It folds each guild's events in their order, so that permissions are those at that point of
//! the stream, on every node alike. It knows sessions, not sockets: its output names slots.

pub mod audience;
mod derive;
mod guild;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::sync::Arc;

use guildhall_model::dispatch::{Dispatch, Shard, Viewer};
use guildhall_model::event::{Audience, Event, Record};
use guildhall_model::guild::GuildSnapshot;
use guildhall_model::{GuildId, SessionPartition, UserId};
use rustc_hash::FxHashMap;

use crate::guild::GuildState;
use crate::session_partition::record::Slot;
use audience::Reach;
use guild::RelayGuild;

/// Names a session of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionRef {
    /// Its partition.
    pub partition: SessionPartition,
    /// Its slot there.
    pub slot: Slot,
}

/// A session with what decides which events it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Which session.
    pub session: SessionRef,
    /// Whose it is, and what it wants.
    pub viewer: Viewer,
    /// Which share of the guilds it gets.
    pub shard: Shard,
}

/// Finds a user's sessions on this node.
pub trait Sessions {
    /// All of them, in any order.
    fn of(&self, user: UserId) -> Vec<Subscriber>;
}

/// One step for sessions of one partition, in the order in which they must see it.
#[derive(Clone, Debug)]
pub enum Step {
    /// The event that was just heard.
    Event(Receivers),
    /// Something made for these sessions.
    Made(Receivers, Arc<Dispatch>),
    /// A session hears the guild from now on; the dispatch is its GUILD_CREATE. Of a session
    /// that is still starting it is numbered but not kept.
    Subscribed {
        /// Which session.
        slot: Slot,
        /// Which guild.
        guild_id: GuildId,
        /// After which place of the stream.
        gseq: u64,
        /// What the session is told, if it wants to know.
        announced: Option<Arc<Dispatch>>,
    },
    /// A session no longer hears the guild.
    Unsubscribed {
        /// Which session.
        slot: Slot,
        /// Which guild.
        guild_id: GuildId,
    },
}

/// Who receives a step.
#[derive(Clone, Debug)]
pub enum Receivers {
    /// A set that is likely to be used again.
    Many(Arc<roaring::RoaringBitmap>),
    /// A few sessions.
    Few(Vec<Slot>),
}

/// Steps for each session partition that has receivers.
pub type Steps = Vec<(SessionPartition, Step)>;

/// The permission views of all guilds of one event partition that have sessions on this node.
#[derive(Debug, Default)]
pub struct Relay {
    guilds: FxHashMap<GuildId, RelayGuild>,
}

impl Relay {
    /// Hears the next event of the partition and says who receives it.
    pub fn hear(&mut self, record: &Record, sessions: &dyn Sessions) -> Steps {
        let mut steps = Steps::new();
        match record.source.guild_id() {
            Some(guild_id) => self.hear_guild(guild_id, record, sessions, &mut steps),
            None => hear_users(record, sessions, &mut steps),
        }
        steps
    }

    fn hear_guild(
        &mut self,
        guild_id: GuildId,
        record: &Record,
        sessions: &dyn Sessions,
        steps: &mut Steps,
    ) {
        if let Event::GuildCreated(founding) = &record.event
            && !sessions.of(founding.owner.user.id).is_empty()
        {
            // A session that started meanwhile may have brought a later state of the guild.
            self.follow(GuildState::found(founding, record.gseq));
        }
        let Some(guild) = self.guilds.get_mut(&guild_id) else {
            return;
        };
        guild.hear(record, sessions, steps);
        if guild.is_unheard() {
            self.guilds.remove(&guild_id);
        }
    }

    /// Whether the relay folds this guild's events. If not, it must be given the state before it
    /// hears an event that concerns one of this node's sessions.
    pub fn follows(&self, guild_id: GuildId) -> bool {
        self.guilds.contains_key(&guild_id)
    }

    /// Begins to follow a guild from this state on: its later events are folded in, earlier ones
    /// are skipped.
    pub fn follow(&mut self, state: GuildState) {
        let id = state.guild().id;
        self.guilds
            .entry(id)
            .or_insert_with(|| RelayGuild::new(state));
    }

    /// Subscribes a session that is starting to a guild that the relay follows. The answer is
    /// empty when the user is not a member at this point of the stream, or hears it already.
    pub fn subscribe(&mut self, guild_id: GuildId, subscriber: Subscriber) -> Steps {
        let mut steps = Steps::new();
        if let Some(guild) = self.guilds.get_mut(&guild_id) {
            guild.join(subscriber, &mut steps);
            if guild.is_unheard() {
                self.guilds.remove(&guild_id);
            }
        }
        steps
    }

    /// Puts a session back that was subscribed before this node took over. Nothing is told.
    pub fn resubscribe(&mut self, guild_id: GuildId, subscriber: Subscriber, after: u64) {
        if let Some(guild) = self.guilds.get_mut(&guild_id) {
            guild.put_back(subscriber, after);
        }
    }

    /// Takes over the subscriptions of a relay that stands at the same place of the log.
    pub fn absorb(&mut self, other: Self) {
        let heard = other.guilds.into_iter();
        for (id, guild) in heard.filter(|(_, guild)| !guild.is_unheard()) {
            match self.guilds.entry(id) {
                Entry::Vacant(place) => drop(place.insert(guild)),
                Entry::Occupied(mut known) => known.get_mut().absorb(guild),
            }
        }
    }

    /// The session hears the guild.
    pub fn is_heard_by(&self, guild_id: GuildId, session: SessionRef) -> bool {
        self.guilds
            .get(&guild_id)
            .is_some_and(|guild| guild.is_heard_by(session))
    }

    /// Forgets a session that has ended.
    pub fn forget(&mut self, guild_id: GuildId, session: SessionRef) {
        if let Some(guild) = self.guilds.get_mut(&guild_id) {
            guild.forget(session);
            if guild.is_unheard() {
                self.guilds.remove(&guild_id);
            }
        }
    }

    /// Forgets all sessions of a partition, which is another node's from now on.
    pub fn forget_partition(&mut self, partition: SessionPartition) {
        self.guilds.retain(|_, guild| {
            guild.forget_partition(partition);
            !guild.is_unheard()
        });
    }

    /// What a member sees of a guild at this point of the stream.
    pub fn snapshot(&self, guild_id: GuildId, user: UserId) -> Option<GuildSnapshot> {
        let guild = self.guilds.get(&guild_id)?;
        guild.state().snapshot_for(&Viewer::person(user))
    }

    /// The state of a guild at this point of the stream.
    pub fn state(&self, guild_id: GuildId) -> Option<&GuildState> {
        self.guilds.get(&guild_id).map(RelayGuild::state)
    }

    /// The sessions of a guild that receive what needs this audience and intent.
    pub fn reach(
        &mut self,
        guild_id: GuildId,
        audience: Audience,
        intent: guildhall_model::intent::Intents,
    ) -> Option<Reach> {
        self.guilds
            .get_mut(&guild_id)
            .map(|guild| guild.reach(audience, intent))
    }

    /// How many guilds are followed.
    pub fn guild_count(&self) -> usize {
        self.guilds.len()
    }
}

/// Events of direct-message channels and users concern few sessions and need no state.
fn hear_users(record: &Record, sessions: &dyn Sessions, steps: &mut Steps) {
    let (audience, intent) = record.event.audience();
    let users: &[UserId] = match &audience {
        Audience::Pair(users) if users[0] == users[1] => &users[..1],
        Audience::Pair(users) => users,
        Audience::User(user) => std::slice::from_ref(user),
        _ => return,
    };
    let mut few: Vec<SessionRef> = users
        .iter()
        .flat_map(|&user| sessions.of(user))
        .filter(|subscriber| subscriber.shard.has_directs() && subscriber.viewer.wants(intent))
        .map(|subscriber| subscriber.session)
        .collect();
    few.sort_unstable();
    audience::each_partition(&few, |partition, slots| {
        steps.push((partition, Step::Event(Receivers::Few(slots))));
    });
}
