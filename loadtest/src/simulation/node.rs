//! A node: a small synchronous shell around the machines, with the steps of the server's shell.
//!
//! It owns event partitions (each with a writer and the guilds that it has loaded) and session
//! partitions (each with a sequencer), and hears all event partitions for its own sessions. It
//! waits for engines by tokens; whoever does not answer in time costs the partition that waits,
//! which is then taken over anew under the next epoch.

mod events;
mod guilds;
mod relays;
mod replay;
mod returns;
mod ring;
mod sequencer;
mod sessions;
mod snapshots;
mod takeover;
mod view;

use std::collections::BTreeMap;

use guildhall_model::event::Source;
use guildhall_model::snowflake::Generator;
use guildhall_model::{Epoch, GuildId, Position, SessionPartition};
use guildhall_state::session_partition::record::Slot;

use super::env::{Env, Happening, Question, SECOND, Time, ToNode, Waiter};
use super::log::{Stable, Topic};
use super::store::Slice;
use events::EventPart;
pub(super) use guilds::{Ask, Request, Response};
use relays::Group;
use sessions::SessionPart;
pub(super) use takeover::project;
use takeover::{Order, Taken};

/// How long an engine may take to answer.
const PATIENCE: Time = 4 * SECOND;
/// How often a node asks whether it still owns what it serves.
const CHECK: Time = 6 * SECOND;
/// How often a node looks after its partitions.
pub(super) const TICK: Time = SECOND / 4;

/// Events of a partition that have become stable, in order, as its owner pushes them.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) partition: u16,
    /// Where the events before these ended.
    pub(super) prev: Position,
    pub(super) events: Vec<Stable>,
    pub(super) end: Position,
}

/// What an engine's answer is for.
#[derive(Debug)]
enum Wait {
    Claim(Slice, u64),
    Take(Slice, Epoch, u64),
    Outbox(Taken, u64),
    Tidy(Box<takeover::Folded>, u64),
    Events(u16),
    Owner(u16),
    Rows(u16, GuildId),
    Frame(u16),
    Return(Box<returns::Return>),
    Snapshot(snapshots::Snapshot),
    Owned(Slice, Epoch),
}

impl Wait {
    /// The partition that cannot go on without the answer.
    fn slice(&self) -> Option<Slice> {
        match self {
            Self::Return(_) | Self::Snapshot(_) | Self::Owned(..) => None,
            Self::Claim(slice, _) | Self::Take(slice, ..) => Some(*slice),
            Self::Outbox(taken, _) => Some(Slice::Event(taken.number)),
            Self::Tidy(folded, _) => Some(Slice::Session(folded.number)),
            Self::Events(number) | Self::Owner(number) | Self::Rows(number, _) => {
                Some(Slice::Event(*number))
            }
            Self::Frame(number) => Some(Slice::Session(*number)),
        }
    }

    fn order(&self) -> Option<u64> {
        match self {
            Self::Claim(_, order)
            | Self::Take(_, _, order)
            | Self::Outbox(_, order)
            | Self::Tidy(_, order) => Some(*order),
            _ => None,
        }
    }
}

/// One process of the cluster.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) number: usize,
    /// How often it was started. What was sent to an earlier life does not reach it.
    pub(super) life: u32,
    pub(super) is_alive: bool,
    /// It does nothing until then.
    pub(super) paused_until: Time,
    /// How far its clock is off.
    pub(super) skew_ms: i64,
    ids: Generator,
    events: BTreeMap<u16, EventPart>,
    sessions: BTreeMap<u16, SessionPart>,
    groups: Vec<Group>,
    orders: BTreeMap<u64, Order>,
    waiting: BTreeMap<u64, (Time, Wait)>,
    tokens: u64,
    checked_at: Time,
}

impl Node {
    pub(super) fn new(number: usize, life: u32) -> Self {
        let bits = u16::try_from(number).expect("few nodes");
        Self {
            number,
            life,
            is_alive: true,
            paused_until: 0,
            skew_ms: 0,
            ids: Generator::new(bits, 0),
            events: BTreeMap::new(),
            sessions: BTreeMap::new(),
            groups: Vec::new(),
            orders: BTreeMap::new(),
            waiting: BTreeMap::new(),
            tokens: 0,
            checked_at: 0,
        }
    }

    /// Whether it serves a partition, or is about to.
    pub(super) fn has(&self, slice: Slice) -> bool {
        let is_taking = self
            .waiting
            .values()
            .any(|(_, wait)| wait.order().is_some() && wait.slice() == Some(slice));
        is_taking || self.serves(slice) || self.is_folding(slice)
    }

    /// Whether it is about to serve a partition.
    pub(super) fn is_taking(&self, slice: Slice) -> bool {
        self.has(slice) && !self.serves(slice)
    }

    /// How many dispatches a session has been given.
    pub(super) fn numbered(&self, partition: SessionPartition, slot: Slot) -> Option<u32> {
        let part = self.sessions.get(&partition.0)?;
        part.machine.session(slot).map(|session| session.s)
    }

    fn serves(&self, slice: Slice) -> bool {
        match slice {
            Slice::Event(number) => self.events.contains_key(&number),
            Slice::Session(number) => self.sessions.contains_key(&number),
        }
    }

    /// Takes what has reached it.
    pub(super) fn take(&mut self, env: &mut Env, what: ToNode) {
        match what {
            ToNode::Request(request) => self.request(env, request),
            ToNode::Identify { client, conn } => self.identify(env, client, conn),
            ToNode::Resume {
                client,
                conn,
                session,
                seq,
            } => self.resume(env, (client, conn), session, seq),
            ToNode::Credit { conn } => self.credit(env, conn),
            ToNode::Gone { conn } => self.gone(env, conn),
            ToNode::TakeOver(slices) => self.take_over(env, slices),
            ToNode::Heard(heard) => self.hear(env, &heard),
            ToNode::Appended(token, result) => self.appended(env, token, result.as_deref()),
            ToNode::Claimed(token, epoch) => self.claimed(env, token, epoch),
            ToNode::Confirmed(token, is_owner) => self.confirmed(env, token, is_owner),
            ToNode::Committed(token, done) => {
                if let Some((_, Wait::Rows(number, guild))) = self.waiting.remove(&token) {
                    self.committed(env, number, guild, done);
                }
            }
        }
    }

    /// Looks after partitions: answers that are overdue, sessions that are over, relays that are
    /// behind.
    pub(super) fn tick(&mut self, env: &mut Env) {
        let overdue = |(token, (deadline, _)): (&u64, &(Time, Wait))| {
            (*deadline <= env.now).then_some(*token)
        };
        let overdue: Vec<u64> = self.waiting.iter().filter_map(overdue).collect();
        for token in overdue {
            self.fail(env, token);
        }
        self.look_after_relays(env);
        self.sweep(env);
        if self.checked_at + CHECK <= env.now {
            self.checked_at = env.now;
            self.check_ownership(env);
        }
    }

    /// Who has lost a partition without noticing lets go of it. Nothing depends on that but its
    /// clients' patience.
    fn check_ownership(&mut self, env: &mut Env) {
        let events = self
            .events
            .iter()
            .map(|(n, part)| (Slice::Event(*n), part.epoch));
        let sessions = self
            .sessions
            .iter()
            .map(|(n, part)| (Slice::Session(*n), part.epoch));
        let owned: Vec<(Slice, Epoch)> = events.chain(sessions).collect();
        for (slice, epoch) in owned {
            let waiter = self.wait(env, Wait::Owned(slice, epoch));
            env.ask(Question::Confirm(slice, epoch, waiter));
        }
    }

    fn appended(&mut self, env: &mut Env, token: u64, result: Result<&[Position], &()>) {
        let Ok(positions) = result else {
            return self.fail(env, token);
        };
        let Some((_, wait)) = self.waiting.remove(&token) else {
            return;
        };
        let last = positions.last().copied().unwrap_or(Position::START);
        match wait {
            Wait::Take(slice, epoch, order) => self.took(env, slice, (epoch, last), order),
            Wait::Outbox(taken, order) => self.caught_up(env, &taken, order),
            Wait::Tidy(folded, order) => self.tidied(env, *folded, last, order),
            Wait::Events(number) => self.events_appended(env, number, positions),
            Wait::Frame(number) => self.frame_appended(env, number, last),
            _ => {}
        }
    }

    fn confirmed(&mut self, env: &mut Env, token: u64, is_owner: bool) {
        let Some((_, wait)) = self.waiting.remove(&token) else {
            return;
        };
        match wait {
            Wait::Owner(number) => self.owner_confirmed(env, number, is_owner),
            Wait::Return(back) => self.return_confirmed(env, *back, is_owner),
            Wait::Owned(slice, epoch) if !is_owner => self.lose(env, slice, epoch),
            Wait::Snapshot(snapshot) if is_owner => env.keep(snapshot),
            _ => {}
        }
    }

    /// An engine has refused, or has not answered: nobody knows what became of it.
    fn fail(&mut self, env: &mut Env, token: u64) {
        let Some((_, wait)) = self.waiting.remove(&token) else {
            return;
        };
        if let Wait::Return(back) = &wait {
            env.close(back.client, back.conn);
        }
        if let Some(slice) = wait.slice() {
            self.give_up(env, slice);
            if let Some(order) = wait.order() {
                self.order_done(env, order, slice);
            }
        }
    }

    /// The directory says that an epoch has been superseded. The partition may have been taken
    /// over anew meanwhile.
    fn lose(&mut self, env: &mut Env, slice: Slice, epoch: Epoch) {
        let served = match slice {
            Slice::Event(number) => self.events.get(&number).map(|part| part.epoch),
            Slice::Session(number) => self.sessions.get(&number).map(|part| part.epoch),
        };
        if served == Some(epoch) {
            self.give_up(env, slice);
        }
    }

    /// Lets go of a partition; whoever waits for it tries again elsewhere.
    fn give_up(&mut self, env: &mut Env, slice: Slice) {
        let is_served = |wait: &Wait| wait.slice() == Some(slice) && wait.order().is_none();
        self.waiting.retain(|_, (_, wait)| !is_served(wait));
        match slice {
            Slice::Event(number) => {
                if let Some(part) = self.events.remove(&number) {
                    part.refuse_all(env);
                }
            }
            Slice::Session(number) => {
                if let Some(part) = self.sessions.remove(&number) {
                    part.close_all(env);
                }
                for group in &mut self.groups {
                    group.drop_partition(number);
                }
                self.groups.retain(|group| !group.is_empty());
            }
        }
    }

    fn wait(&mut self, env: &Env, wait: Wait) -> Waiter {
        self.tokens += 1;
        self.waiting.insert(self.tokens, (env.now + PATIENCE, wait));
        Waiter {
            node: self.number,
            life: self.life,
            token: self.tokens,
        }
    }

    fn append(
        &mut self,
        env: &mut Env,
        (topic, partition, epoch): (Topic, u16, Epoch),
        payloads: Vec<std::sync::Arc<[u8]>>,
        wait: Wait,
    ) {
        let waiter = self.wait(env, wait);
        env.append((topic, partition), epoch, payloads, waiter);
    }
}

impl Env {
    /// The event partition of a guild.
    pub(super) fn partition_of(&self, guild: GuildId) -> u16 {
        let count = self.scenario.event_partitions;
        guildhall_cluster::partition::event_partition_of(Source::Guild(guild), count).0
    }

    /// Closes a connection with a code after which the session may be resumed.
    pub(super) fn close(&mut self, client: usize, conn: u64) {
        let packet = super::client::Packet::Closed;
        self.tell(client, conn, packet, 0);
    }

    /// Sends a packet to a client, not before `earliest`. Says when it arrives.
    pub(super) fn tell(
        &mut self,
        client: usize,
        conn: u64,
        packet: super::client::Packet,
        earliest: Time,
    ) -> Time {
        let at = (self.now + self.rng.u64(200..3_000)).max(earliest + 1);
        self.after(at - self.now, Happening::Client(client, conn, packet));
        at
    }

    /// Answers a request.
    pub(super) fn respond(&mut self, (actor, call): (usize, u64), response: Response) {
        if self.chance(self.faults.lose) {
            return self.tally.fault("lost message");
        }
        let delay = self.delay();
        self.after(delay, Happening::Answer(actor, call, response));
    }
}
