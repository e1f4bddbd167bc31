//! The relays of a node: they hear all event partitions in order, and tell the session partitions
//! who receives what.
//!
//! Session partitions that were taken over together share their relays, as they do in a node that
//! starts. What is pushed is a hint; what was lost on the way is read from the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_model::dispatch::Dispatch;
use guildhall_model::event::{Event, Source};
use guildhall_model::{EventPartition, GuildId, Position, SessionPartition as Number, UserId};
use guildhall_state::relay::{Receivers, Relay, SessionRef, Sessions, Step, Steps, Subscriber};
use guildhall_state::session_partition::record::{EventRef, Slot};

use super::sequencer::{Input, Told};
use super::sessions::SessionPart;
use super::view::state_before;
use super::{Heard, Node};
use crate::simulation::env::{Env, SECOND, Time};
use crate::simulation::log::{Stable, after};
use crate::simulation::scenario::Weakness;

/// How often a relay says how far it has heard although nobody received anything.
const TELL_EVERY: Time = 2 * SECOND;

/// Session partitions with the relays that they share.
#[derive(Debug)]
pub(super) struct Group {
    partitions: Vec<u16>,
    registry: Registry,
    relays: BTreeMap<u16, RelayTask>,
    tell_at: Time,
    /// All guilds there are.
    guilds: Vec<GuildId>,
}

#[derive(Debug, Default)]
struct RelayTask {
    relay: Relay,
    heard: Position,
}

/// The sessions of a group by user.
#[derive(Debug, Default)]
struct Registry(BTreeMap<UserId, Vec<Subscriber>>);

impl Sessions for Registry {
    fn of(&self, user: UserId) -> Vec<Subscriber> {
        self.0.get(&user).cloned().unwrap_or_default()
    }
}

/// The sessions of the partitions that had not heard an event yet.
struct Unheard<'a> {
    registry: &'a Registry,
    heard: &'a BTreeMap<u16, Position>,
    position: Position,
}

impl Unheard<'_> {
    fn is_news_to(&self, number: u16) -> bool {
        let heard = self.heard.get(&number);
        heard.is_none_or(|&heard| heard <= self.position)
    }
}

impl Sessions for Unheard<'_> {
    fn of(&self, user: UserId) -> Vec<Subscriber> {
        let mut sessions = self.registry.of(user);
        sessions.retain(|subscriber| self.is_news_to(subscriber.session.partition.0));
        sessions
    }
}

/// What each session partition is to be told, in order.
type Shares = BTreeMap<u16, Vec<Told>>;

impl Group {
    pub(super) fn drop_partition(&mut self, number: u16) {
        self.partitions.retain(|&held| held != number);
        let gone = self.registry.0.values().flatten();
        let gone: Vec<SessionRef> = gone
            .map(|subscriber| subscriber.session)
            .filter(|session| session.partition.0 == number)
            .collect();
        for session in gone {
            self.forget(session);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    fn forget(&mut self, session: SessionRef) {
        for sessions in self.registry.0.values_mut() {
            sessions.retain(|subscriber| subscriber.session != session);
        }
        for task in self.relays.values_mut() {
            for &guild in &self.guilds {
                task.relay.forget(guild, session);
            }
        }
    }
}

impl Node {
    /// Starts the relays of session partitions that were taken over together: they hear the tail
    /// again, and what a session partition had heard before is not told twice.
    pub(super) fn start_group(&mut self, env: &mut Env, parts: Vec<SessionPart>) {
        let mut group = Group {
            partitions: parts.iter().map(|part| part.number).collect(),
            registry: Registry::default(),
            relays: BTreeMap::new(),
            tell_at: env.now + TELL_EVERY,
            guilds: env.store.guilds.keys().copied().collect(),
        };
        let mut told = Vec::new();
        for part in &parts {
            for &slot in part.live.keys() {
                if let Some(subscriber) = part.subscriber(slot) {
                    let user = subscriber.viewer.user_id;
                    group.registry.0.entry(user).or_default().push(subscriber);
                }
            }
        }
        for number in 0..env.scenario.event_partitions {
            let (task, shares) = start_relay(env, number, &parts, &group.registry);
            told.push((number, task.heard, shares));
            group.relays.insert(number, task);
        }
        for part in parts {
            self.sessions.insert(part.number, part);
        }
        let partitions = group.partitions.clone();
        self.groups.push(group);
        for (number, heard, mut shares) in told {
            for &partition in &partitions {
                let told = shares.remove(&partition).unwrap_or_default();
                let from = EventPartition(number);
                self.tell(env, partition, Input::Told { told, from, heard });
            }
        }
    }

    /// Events were pushed by their owner.
    pub(super) fn hear(&mut self, env: &mut Env, heard: &Heard) {
        for group in 0..self.groups.len() {
            let Some(task) = self.groups[group].relays.get(&heard.partition) else {
                continue;
            };
            let reached = task.heard;
            if heard.end <= reached {
                continue;
            }
            if heard.prev <= reached {
                let news = heard.events.iter().filter(|one| reached <= one.position);
                let news: Vec<Stable> = news.cloned().collect();
                self.hear_events(env, group, heard.partition, &news);
            } else {
                self.catch_up(env, group, heard.partition);
            }
        }
    }

    /// Reads from the log what a relay has not heard.
    fn catch_up(&mut self, env: &mut Env, group: usize, number: u16) {
        let Some(task) = self.groups[group].relays.get(&number) else {
            return;
        };
        let compares = !env.is_weak(Weakness::Epochs);
        let news = env.events.committed(number, task.heard, compares);
        self.hear_events(env, group, number, &news);
    }

    /// Has the relays of a session partition hear all that is committed.
    pub(super) fn catch_up_all(&mut self, env: &mut Env, number: u16) {
        let mut groups = self.groups.iter();
        let group = groups.position(|group| group.partitions.contains(&number));
        for events in 0..env.scenario.event_partitions {
            if let Some(group) = group {
                self.catch_up(env, group, events);
            }
        }
    }

    fn hear_events(&mut self, env: &mut Env, group: usize, number: u16, events: &[Stable]) {
        let Group {
            registry, relays, ..
        } = &mut self.groups[group];
        let Some(task) = relays.get_mut(&number) else {
            return;
        };
        let mut shares = Shares::new();
        for stable in events {
            let steps = task.hear(env, number, stable, registry);
            share(&mut shares, number, stable, steps);
        }
        let heard = task.heard;
        self.send(env, number, heard, shares);
    }

    fn send(&mut self, env: &mut Env, number: u16, heard: Position, shares: Shares) {
        let from = EventPartition(number);
        for (partition, told) in shares {
            self.tell(env, partition, Input::Told { told, from, heard });
        }
    }

    /// Reads what was lost on the way, and says from time to time how far the relays have heard.
    pub(super) fn look_after_relays(&mut self, env: &mut Env) {
        for group in 0..self.groups.len() {
            let behind: Vec<u16> = self.groups[group]
                .relays
                .iter()
                .filter(|(number, task)| task.heard < env.events.end(**number))
                .map(|(number, _)| *number)
                .collect();
            for number in behind {
                self.catch_up(env, group, number);
            }
            let Some(due) = self.groups.get_mut(group).filter(|g| g.tell_at <= env.now) else {
                continue;
            };
            due.tell_at = env.now + TELL_EVERY;
            let partitions = due.partitions.clone();
            let heard = due
                .relays
                .iter()
                .map(|(number, task)| (*number, task.heard));
            for (number, heard) in heard.collect::<Vec<_>>() {
                let empty = partitions.iter().map(|partition| (*partition, Vec::new()));
                self.send(env, number, heard, empty.collect());
            }
        }
    }

    fn group_of(&mut self, number: u16) -> Option<&mut Group> {
        let mut groups = self.groups.iter_mut();
        groups.find(|group| group.partitions.contains(&number))
    }

    pub(super) fn register(&mut self, number: u16, slot: Slot) {
        let subscriber = self
            .sessions
            .get(&number)
            .and_then(|part| part.subscriber(slot));
        if let Some((group, subscriber)) = self.group_of(number).zip(subscriber) {
            let user = subscriber.viewer.user_id;
            group.registry.0.entry(user).or_default().push(subscriber);
        }
    }

    pub(super) fn unregister(&mut self, number: u16, slot: Slot) {
        if let Some(group) = self.group_of(number) {
            group.forget(SessionRef {
                partition: Number(number),
                slot,
            });
        }
    }

    pub(super) fn heard_by(&mut self, number: u16, events: u16) -> Position {
        let task = self
            .group_of(number)
            .and_then(|group| group.relays.get(&events));
        task.map_or(Position::START, |task| task.heard)
    }

    /// Subscribes a session that is starting to a guild. Says whether it is a member's.
    pub(super) fn subscribe_to(
        &mut self,
        env: &mut Env,
        (number, slot): (u16, Slot),
        guild: GuildId,
    ) -> bool {
        let events = env.partition_of(guild);
        let subscriber = self
            .sessions
            .get(&number)
            .and_then(|part| part.subscriber(slot));
        let Some(subscriber) = subscriber else {
            return false;
        };
        let task = self
            .group_of(number)
            .and_then(|group| group.relays.get_mut(&events));
        let Some(task) = task else {
            return false;
        };
        task.follow(env, guild, events, task.heard);
        let steps = task.relay.subscribe(guild, subscriber);
        let (heard, is_member) = (task.heard, !steps.is_empty());
        let mut shares = Shares::new();
        share_made(&mut shares, steps);
        self.send(env, events, heard, shares);
        is_member
    }

    /// READY has named the guild, so its client waits for it.
    pub(super) fn tell_gone(&mut self, env: &mut Env, (number, slot): (u16, Slot), guild: GuildId) {
        let events = env.partition_of(guild);
        let heard = self.heard_by(number, events);
        let gone = Arc::new(Dispatch::GuildGone(guild));
        let step = Step::Made(Receivers::Few(vec![slot]), gone);
        let told = vec![Told { step, event: None }];
        self.send(env, events, heard, BTreeMap::from([(number, told)]));
    }
}

impl RelayTask {
    /// Begins to follow a guild, from its state before the event at `from`.
    fn follow(&mut self, env: &Env, guild: GuildId, number: u16, from: Position) {
        if !self.relay.follows(guild)
            && let Some(state) = state_before(env, guild, number, from)
        {
            self.relay.follow(state);
        }
    }

    /// Follows a guild of sessions that were taken over.
    fn follow_again(
        &mut self,
        env: &Env,
        guild: GuildId,
        number: u16,
        (from, tail): (Position, &[Stable]),
    ) {
        if !env.is_weak(Weakness::TailOnly) {
            return self.follow(env, guild, number, from);
        }
        let Some(rows) = env.store.guilds.get(&guild) else {
            return;
        };
        let mut state = rows.state.clone();
        let source = Source::Guild(guild);
        for stable in tail.iter().rev().filter(|one| one.record.source == source) {
            state.revert(&stable.record);
        }
        if !self.relay.follows(guild) {
            self.relay.follow(state);
        }
    }

    fn hear(&mut self, env: &Env, number: u16, stable: &Stable, sessions: &dyn Sessions) -> Steps {
        self.heard = after(stable.position);
        let mut steps = Steps::new();
        if let Event::MemberJoined { member, .. } = &stable.record.event
            && let Some(guild) = stable.record.source.guild_id()
            && !self.relay.follows(guild)
        {
            // Somebody with sessions here joins a guild that nobody here hears.
            let joiners = sessions.of(member.user.id);
            if !joiners.is_empty() {
                self.follow(env, guild, number, self.heard);
            }
            for joiner in joiners {
                steps.extend(self.relay.subscribe(guild, joiner));
            }
        }
        steps.extend(self.relay.hear(&stable.record, sessions));
        steps
    }
}

fn start_relay(
    env: &Env,
    number: u16,
    parts: &[SessionPart],
    registry: &Registry,
) -> (RelayTask, Shares) {
    let events = EventPartition(number);
    let heard: BTreeMap<u16, Position> = parts
        .iter()
        .map(|part| (part.number, part.machine.heard(events)))
        .collect();
    // A session partition without sessions has missed nothing, however long ago it last heard.
    let listening = parts.iter().filter(|part| !part.live.is_empty());
    let least = listening.map(|part| part.machine.heard(events)).min();
    let from = least.unwrap_or_else(|| env.events.end(number));
    let compares = !env.is_weak(Weakness::Epochs);
    let tail = env.events.committed(number, from, compares);
    let mut task = RelayTask {
        relay: Relay::default(),
        heard: from,
    };
    for part in parts {
        for (slot, session) in part.machine.sessions() {
            let Some(subscriber) = part.subscriber(slot) else {
                continue;
            };
            for (&guild, &gseq) in &session.guilds {
                if env.partition_of(guild) == number {
                    task.follow_again(env, guild, number, (from, &tail));
                    task.relay.resubscribe(guild, subscriber, gseq);
                }
            }
        }
    }
    let mut shares = Shares::new();
    for stable in &tail {
        let unheard = Unheard {
            registry,
            heard: &heard,
            position: stable.position,
        };
        let mut steps = task.hear(env, number, stable, &unheard);
        steps.retain(|(partition, _)| unheard.is_news_to(partition.0));
        share(&mut shares, number, stable, steps);
    }
    (task, shares)
}

fn share(shares: &mut Shares, number: u16, stable: &Stable, steps: Steps) {
    let at = EventRef {
        partition: EventPartition(number),
        position: stable.position,
    };
    let dispatch = Arc::new(Dispatch::Event(Arc::clone(&stable.record)));
    for (partition, step) in steps {
        let event = matches!(step, Step::Event(_)).then(|| (at, Arc::clone(&dispatch)));
        let told = Told { step, event };
        shares.entry(partition.0).or_default().push(told);
    }
}

fn share_made(shares: &mut Shares, steps: Steps) {
    for (partition, step) in steps {
        let told = Told { step, event: None };
        shares.entry(partition.0).or_default().push(told);
    }
}
