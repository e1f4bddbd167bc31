//! One guild as a relay follows it: its state, its subscribers, and who receives what.

use std::sync::Arc;

use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::{Audience, Event, Record};
use guildhall_model::intent::Intents;
use guildhall_model::{GuildId, SessionPartition, Timestamp, UserId};
use rustc_hash::FxHashMap;

use super::audience::Reach;
use super::derive::{Shift, Visibility};
use super::{Receivers, SessionRef, Sessions, Step, Steps, Subscriber};
use crate::guild::GuildState;

/// A guild that has sessions on this node.
#[derive(Debug)]
pub(super) struct RelayGuild {
    state: GuildState,
    subscribers: FxHashMap<SessionRef, Subscriber>,
    by_user: FxHashMap<UserId, Vec<SessionRef>>,
    /// Sessions that were put back and had heard the stream up to this place.
    heard: FxHashMap<SessionRef, u64>,
    cache: FxHashMap<(Key, Intents), Reach>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Guild,
    Viewers(guildhall_model::ChannelId),
    Holders(guildhall_model::Permissions),
}

impl RelayGuild {
    pub(super) fn new(state: GuildState) -> Self {
        Self {
            state,
            subscribers: FxHashMap::default(),
            by_user: FxHashMap::default(),
            heard: FxHashMap::default(),
            cache: FxHashMap::default(),
        }
    }

    pub(super) fn state(&self) -> &GuildState {
        &self.state
    }

    pub(super) fn is_unheard(&self) -> bool {
        self.subscribers.is_empty()
    }

    fn id(&self) -> GuildId {
        self.state.guild().id
    }

    /// Subscribes a member's session and tells it the guild as it is now.
    pub(super) fn join(&mut self, subscriber: Subscriber, steps: &mut Steps) {
        let SessionRef { partition, slot } = subscriber.session;
        let in_share = subscriber.shard.has_guild(self.id());
        if !in_share
            || self.state.is_deleted()
            || self.subscribers.contains_key(&subscriber.session)
        {
            return;
        }
        let Some(snapshot) = self.state.snapshot_for(&subscriber.viewer) else {
            return;
        };
        let announced = subscriber
            .viewer
            .wants(Intents::GUILDS)
            .then(|| Arc::new(Dispatch::GuildAvailable(Box::new(snapshot))));
        let (guild_id, gseq) = (self.id(), self.state.gseq());
        self.insert(subscriber);
        steps.push((
            partition,
            Step::Subscribed {
                slot,
                guild_id,
                gseq,
                announced,
            },
        ));
    }

    pub(super) fn put_back(&mut self, subscriber: Subscriber, after: u64) {
        if after > self.state.gseq() {
            self.heard.insert(subscriber.session, after);
        }
        self.insert(subscriber);
    }

    /// Takes over the subscribers of the same guild at the same place.
    pub(super) fn absorb(&mut self, other: Self) {
        for (session, subscriber) in other.subscribers {
            if !self.subscribers.contains_key(&session) {
                let after = other.heard.get(&session).copied();
                self.put_back(subscriber, after.unwrap_or(0));
            }
        }
    }

    fn insert(&mut self, subscriber: Subscriber) {
        self.cache.clear();
        self.by_user
            .entry(subscriber.viewer.user_id)
            .or_default()
            .push(subscriber.session);
        self.subscribers.insert(subscriber.session, subscriber);
    }

    pub(super) fn is_heard_by(&self, session: SessionRef) -> bool {
        self.subscribers.contains_key(&session)
    }

    pub(super) fn forget(&mut self, session: SessionRef) {
        let Some(subscriber) = self.subscribers.remove(&session) else {
            return;
        };
        self.cache.clear();
        self.heard.remove(&session);
        let user = subscriber.viewer.user_id;
        if let Some(sessions) = self.by_user.get_mut(&user) {
            sessions.retain(|&other| other != session);
            if sessions.is_empty() {
                self.by_user.remove(&user);
            }
        }
    }

    pub(super) fn forget_partition(&mut self, partition: SessionPartition) {
        let of = self.subscribers.keys().copied();
        let gone: Vec<SessionRef> = of.filter(|it| it.partition == partition).collect();
        for session in gone {
            self.forget(session);
        }
    }

    /// Hears the next event. Events at or before the state's place were part of the state: only
    /// those whom they let in have not been told of the guild yet.
    pub(super) fn hear(&mut self, record: &Record, sessions: &dyn Sessions, steps: &mut Steps) {
        if record.gseq <= self.state.gseq() {
            self.let_in(&record.event, sessions, steps);
        } else if record.event.changes_access() {
            self.hear_change(record, sessions, steps);
        } else {
            let (audience, intent) = record.event.audience();
            let reach = self.reach(audience, intent);
            self.tell(&reach, record.gseq, steps);
            self.state.apply(record);
        }
        let gseq = self.state.gseq();
        self.heard.retain(|_, heard| *heard > gseq);
    }

    /// Subscribes the sessions of the member whom an event brings.
    fn let_in(&mut self, event: &Event, sessions: &dyn Sessions, steps: &mut Steps) {
        let newcomer = match event {
            Event::GuildCreated(founding) => &founding.owner,
            Event::MemberJoined { member, .. } => member,
            _ => return,
        };
        for subscriber in sessions.of(newcomer.user.id) {
            self.join(subscriber, steps);
        }
    }

    /// An event that changes who may see what: who leaves is told first, then those who saw the
    /// object before and see it now, then who gains or loses something beside it.
    fn hear_change(&mut self, record: &Record, sessions: &dyn Sessions, steps: &mut Steps) {
        let visibility = Visibility::before(&self.state, &record.event, &self.by_user);
        match &record.event {
            Event::MemberRemoved { member, .. } => self.see_off(member.user.id, record.gseq, steps),
            Event::ChannelDeleted(_) | Event::GuildDeleted => self.tell_audience(record, steps),
            _ => {}
        }
        self.cache.clear();
        self.state.apply(record);
        match &record.event {
            Event::ChannelDeleted(_) => {}
            Event::GuildDeleted => self.end(steps),
            Event::ChannelUpdated(change) => {
                let stayed = visibility.viewers_before(change.after.id);
                let (_, intent) = record.event.audience();
                let reach = self.reach_if(intent, |state, user| {
                    stayed.contains(&user) && state.can_view(user, &change.after)
                });
                self.tell(&reach, record.gseq, steps);
            }
            Event::MemberUpdated(change) => self.tell_member(change.after.user.id, record, steps),
            Event::GuildCreated(_) => self.let_in(&record.event, sessions, steps),
            Event::MemberJoined { .. } => {
                self.tell_audience(record, steps);
                self.let_in(&record.event, sessions, steps);
            }
            _ => self.tell_audience(record, steps),
        }
        for shift in visibility.shifts(&self.state) {
            self.tell_shift(&shift, record.gseq, steps);
        }
    }

    /// Tells those whom the event's own row in the authorization table names.
    fn tell_audience(&mut self, record: &Record, steps: &mut Steps) {
        let (audience, intent) = record.event.audience();
        let reach = self.reach(audience, intent);
        self.tell(&reach, record.gseq, steps);
    }

    /// A bot always learns of changes of its own membership, whatever its intents.
    fn tell_member(&mut self, member: UserId, record: &Record, steps: &mut Steps) {
        let (_, intent) = record.event.audience();
        let mut told: Vec<SessionRef> = self
            .subscribers
            .values()
            .filter(|s| s.viewer.wants(intent) || s.viewer.user_id == member)
            .map(|subscriber| subscriber.session)
            .collect();
        told.sort_unstable();
        self.tell(&Reach::of(&told), record.gseq, steps);
    }

    fn tell(&self, reach: &Reach, gseq: u64, steps: &mut Steps) {
        if self.heard.is_empty() {
            reach.steps(steps, Step::Event);
            return;
        }
        // After a takeover some sessions have joined later than this event.
        for (partition, receivers) in reach.partitions() {
            let mut slots = Vec::new();
            receivers.for_each(|slot| {
                let session = SessionRef {
                    partition: *partition,
                    slot,
                };
                if !self.has_heard(session, gseq) {
                    slots.push(slot);
                }
            });
            if !slots.is_empty() {
                steps.push((*partition, Step::Event(Receivers::Few(slots))));
            }
        }
    }

    /// The session was put back and had joined after this place of the stream.
    fn has_heard(&self, session: SessionRef, gseq: u64) -> bool {
        self.heard.get(&session).is_some_and(|&heard| gseq <= heard)
    }

    /// The sessions of a user who is no longer a member. Those that have heard of the user's
    /// return already stay.
    fn see_off(&mut self, user: UserId, gseq: u64, steps: &mut Steps) {
        let guild_id = self.id();
        let mut leaving = self.by_user.get(&user).cloned().unwrap_or_default();
        leaving.retain(|&session| !self.has_heard(session, gseq));
        for session in leaving {
            let wants = self
                .subscribers
                .get(&session)
                .is_some_and(|s| s.viewer.wants(Intents::GUILDS));
            if wants {
                let gone = Step::Made(
                    Receivers::Few(vec![session.slot]),
                    Arc::new(Dispatch::GuildGone(guild_id)),
                );
                steps.push((session.partition, gone));
            }
            steps.push((
                session.partition,
                Step::Unsubscribed {
                    slot: session.slot,
                    guild_id,
                },
            ));
            self.forget(session);
        }
    }

    fn end(&mut self, steps: &mut Steps) {
        let guild_id = self.id();
        let mut sessions: Vec<SessionRef> = self.subscribers.keys().copied().collect();
        sessions.sort_unstable();
        for session in sessions {
            steps.push((
                session.partition,
                Step::Unsubscribed {
                    slot: session.slot,
                    guild_id,
                },
            ));
            self.forget(session);
        }
    }

    fn tell_shift(&self, shift: &Shift, gseq: u64, steps: &mut Steps) {
        let wants = |session: &&SessionRef| {
            let subscriber = self.subscribers.get(session);
            subscriber.is_some_and(|s| s.viewer.wants(Intents::GUILDS))
                && !self.has_heard(**session, gseq)
        };
        let mut told: Vec<SessionRef> = shift
            .users
            .iter()
            .filter_map(|user| self.by_user.get(user))
            .flat_map(|sessions| sessions.iter().filter(wants))
            .copied()
            .collect();
        told.sort_unstable();
        let dispatch = Arc::new(shift.dispatch());
        Reach::of(&told).steps(steps, |who| Step::Made(who, Arc::clone(&dispatch)));
    }

    /// The sessions that an audience means at this point of the stream.
    pub(super) fn reach(&mut self, audience: Audience, intent: Intents) -> Reach {
        let key = match audience {
            Audience::Guild => Key::Guild,
            Audience::Viewers(channel) => Key::Viewers(channel),
            Audience::Holders(permissions) => Key::Holders(permissions),
            Audience::User(user) => return self.reach_user(user, intent),
            Audience::Pair(_) => return Reach::default(),
        };
        if let Some(reach) = self.cache.get(&(key, intent)) {
            return reach.clone();
        }
        let reach = self.reach_if(intent, |state, user| match key {
            Key::Guild => true,
            Key::Viewers(id) => state
                .channel(id)
                .is_some_and(|channel| state.can_view(user, channel)),
            Key::Holders(any) => state.permissions(user, Timestamp(i64::MAX)).intersects(any),
        });
        self.cache.insert((key, intent), reach.clone());
        reach
    }

    /// The sessions of one user, who may be a bot that sees no channel.
    fn reach_user(&self, user: UserId, intent: Intents) -> Reach {
        let wants = |session: &&SessionRef| {
            let subscriber = self.subscribers.get(session);
            subscriber.is_some_and(|s| s.viewer.wants(intent))
        };
        let sessions = self.by_user.get(&user).into_iter().flatten();
        let mut told: Vec<SessionRef> = sessions.filter(wants).copied().collect();
        told.sort_unstable();
        Reach::of(&told)
    }

    fn reach_if(&self, intent: Intents, may: impl Fn(&GuildState, UserId) -> bool) -> Reach {
        let mut told: Vec<SessionRef> = Vec::new();
        for (&user, sessions) in &self.by_user {
            if may(&self.state, user) {
                let wants = |s: &&SessionRef| {
                    self.subscribers
                        .get(s)
                        .is_some_and(|s| s.viewer.wants(intent))
                };
                told.extend(sessions.iter().filter(wants));
            }
        }
        told.sort_unstable();
        Reach::of(&told)
    }
}
