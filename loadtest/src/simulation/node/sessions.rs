//! A session partition on its owner: its sessions, their clients' connections, and their returns.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use guildhall_model::dispatch::{Dispatch, Ready, Viewer};
use guildhall_model::{Epoch, EventPartition, Position, SessionPartition as Number};
use guildhall_state::relay::{SessionRef, Subscriber};
use guildhall_state::session_partition::record::Slot;
use guildhall_state::session_partition::{Refusal, SessionPartition};
use roaring::RoaringBitmap;

use super::ring::{RING_MAX, Ring};
use super::sequencer::{Draft, Input, Opened};
use super::{Node, Wait};
use crate::simulation::client::{Name, Packet};
use crate::simulation::env::{Env, Question, SECOND, Time};
use crate::simulation::scenario::Weakness;
use crate::simulation::store::Slice;
use crate::simulation::town::{person, user_id};

/// Packets that are on the way to a client at most.
const WINDOW: usize = 6;
/// How long a session without a connection is kept.
const RESUME_WINDOW: Time = 30 * SECOND;
/// How often a snapshot is kept.
const SNAPSHOT_EVERY: Time = 3 * SECOND;
/// Snapshots that are kept: the oldest indexes the frames.
const SNAPSHOTS_MAX: usize = 24;

/// One session partition that this node owns.
#[derive(Debug)]
pub(super) struct SessionPart {
    pub(super) number: u16,
    pub(super) epoch: Epoch,
    pub(super) machine: SessionPartition,
    /// Just after the last record that is folded.
    pub(super) end: Position,
    pub(super) queue: VecDeque<Input>,
    pub(super) under_way: Option<Draft>,
    pub(super) next_slot: Slot,
    pub(super) next_audience: u32,
    pub(super) audiences: Vec<(u32, Arc<RoaringBitmap>)>,
    pub(super) ring: Ring,
    pub(super) live: BTreeMap<Slot, Live>,
    snapshot_due: Time,
}

/// A session as its sockets see it.
#[derive(Debug, Default)]
pub(super) struct Live {
    attached: Option<Attached>,
    detached_at: Time,
    is_closing: bool,
}

#[derive(Debug)]
struct Attached {
    client: usize,
    conn: u64,
    /// What was missed, before what stands in the ring.
    replay: VecDeque<Arc<Dispatch>>,
    owes_resumed: bool,
    cursor: u64,
    s: u32,
    on_the_way: usize,
    last_arrival: Time,
}

/// A client that comes back.
#[derive(Clone, Debug)]
pub(super) struct Return {
    pub(super) client: usize,
    pub(super) conn: u64,
    pub(super) slot: Slot,
    name: Name,
    credential: [u8; 32],
    seq: u64,
    epoch: Epoch,
}

/// What holds everything before a place of the frames log.
#[derive(Debug)]
pub(super) struct Snapshot {
    number: u16,
    upto: Position,
    bytes: Arc<[u8]>,
}

impl SessionPart {
    pub(super) fn new(
        env: &Env,
        number: u16,
        epoch: Epoch,
        machine: SessionPartition,
        end: Position,
    ) -> Self {
        let live = machine.sessions().map(|(slot, _)| {
            let live = Live {
                detached_at: env.now,
                ..Live::default()
            };
            (slot, live)
        });
        Self {
            number,
            epoch,
            end,
            queue: VecDeque::new(),
            under_way: None,
            next_slot: machine.next_slot(),
            next_audience: machine.next_audience(),
            audiences: Vec::new(),
            ring: Ring::default(),
            live: live.collect(),
            machine,
            snapshot_due: env.now,
        }
    }

    pub(super) fn close_all(self, env: &mut Env) {
        for attached in self.live.into_values().filter_map(|live| live.attached) {
            env.close(attached.client, attached.conn);
        }
    }

    pub(super) fn subscriber(&self, slot: Slot) -> Option<Subscriber> {
        let session = self.machine.session(slot)?;
        Some(Subscriber {
            session: SessionRef {
                partition: Number(self.number),
                slot,
            },
            viewer: session.opening.viewer,
            shard: session.opening.shard,
        })
    }

    pub(super) fn ready(&self, slot: Slot, opened: &Opened) -> Dispatch {
        let name = Name {
            partition: self.number,
            slot,
            secret: opened.secret,
        };
        Dispatch::Ready(Box::new(Ready {
            user: person(opened.viewer.user_id),
            email: None,
            session_id: name.to_string(),
            resume_url: String::new(),
            guilds: opened.guilds.clone(),
            direct_channels: Vec::new(),
            shard: None,
            application_id: None,
        }))
    }

    pub(super) fn open(&mut self, env: &mut Env, slot: Slot, opened: &Opened, cursor: u64) {
        let live = self.live.entry(slot).or_default();
        live.attached = Some(Attached {
            client: opened.client,
            conn: opened.conn,
            replay: VecDeque::new(),
            owes_resumed: false,
            cursor,
            s: 0,
            on_the_way: 0,
            last_arrival: 0,
        });
        self.drain(env, slot);
    }

    pub(super) fn may_return(&self, env: &Env, back: &Return) -> Result<(), Refusal> {
        if self
            .live
            .get(&back.slot)
            .is_some_and(|live| live.is_closing)
        {
            return Err(Refusal::Unknown);
        }
        let (secret, credential) = (&back.name.secret, &back.credential);
        let may = self
            .machine
            .may_resume(back.slot, secret, credential, back.seq);
        match may {
            // The rule that a cap is for, taken out of the answer.
            Err(Refusal::Beyond) if env.is_weak(Weakness::Cap) => {
                let session = self.machine.session(back.slot);
                let within = session.is_some_and(|session| back.seq <= u64::from(session.s));
                within.then_some(()).ok_or(Refusal::Beyond)
            }
            may => may.map(|_| ()),
        }
    }

    pub(super) fn drain_all(&mut self, env: &mut Env) {
        let slots: Vec<Slot> = self.live.keys().copied().collect();
        for slot in slots {
            self.drain(env, slot);
        }
        if self.ring.len() > RING_MAX {
            env.broken.push("I8: a ring holds too much".to_owned());
        }
    }

    /// Sends what waits, as far as the client's window allows.
    fn drain(&mut self, env: &mut Env, slot: Slot) {
        let Some(live) = self.live.get_mut(&slot) else {
            return;
        };
        while let Some(attached) = &mut live.attached {
            if attached.on_the_way >= WINDOW {
                return;
            }
            let packet = match attached.next(&self.ring, slot) {
                Ok(Some(packet)) => packet,
                Ok(None) => return,
                Err(()) => {
                    env.tally.fault("slow client");
                    env.close(attached.client, attached.conn);
                    live.detach(env.now);
                    return;
                }
            };
            attached.on_the_way += 1;
            let (client, conn) = (attached.client, attached.conn);
            attached.last_arrival = env.tell(client, conn, packet, attached.last_arrival);
        }
    }
}

impl Live {
    fn detach(&mut self, now: Time) {
        self.attached = None;
        self.detached_at = now;
    }
}

impl Attached {
    fn next(&mut self, ring: &Ring, slot: Slot) -> Result<Option<Packet>, ()> {
        if let Some(dispatch) = self.replay.pop_front() {
            self.s += 1;
            return Ok(Some(Packet::Dispatch(self.s, dispatch)));
        }
        if std::mem::take(&mut self.owes_resumed) {
            return Ok(Some(Packet::Resumed(self.s)));
        }
        let (cursor, dispatch) = ring.next(slot, self.cursor)?;
        self.cursor = cursor;
        Ok(dispatch.map(|dispatch| {
            self.s += 1;
            Packet::Dispatch(self.s, dispatch)
        }))
    }
}

impl Node {
    pub(super) fn identify(&mut self, env: &mut Env, client: usize, conn: u64) {
        let least = self.sessions.values().min_by_key(|part| part.live.len());
        let Some(number) = least.map(|part| part.number) else {
            return env.close(client, conn);
        };
        let user = user_id(client % env.scenario.users);
        let viewer = Viewer {
            user_id: user,
            intents: None,
        };
        let mut secret = [0; 16];
        env.rng.fill(&mut secret);
        let opened = Opened {
            client,
            conn,
            secret,
            credential: credential(client),
            viewer,
            guilds: env.store.guilds_of(user).into_iter().collect(),
        };
        self.tell(env, number, Input::Open(Box::new(opened)));
    }

    /// A session is open: it is subscribed to its guilds, and then its start is complete.
    pub(super) fn subscribe(&mut self, env: &mut Env, number: u16, slot: Slot, opened: &Opened) {
        self.register(number, slot);
        // What was acknowledged before the session began must not be news to it.
        if !env.is_weak(Weakness::StaleStart) {
            self.catch_up_all(env, number);
        }
        let mut guilds = env.store.guilds_of(opened.viewer.user_id);
        guilds.extend(&opened.guilds);
        for guild in guilds {
            let subscribed = self.subscribe_to(env, (number, slot), guild);
            if !subscribed && opened.guilds.contains(&guild) {
                self.tell_gone(env, (number, slot), guild);
            }
        }
        for events in 0..env.scenario.event_partitions {
            let heard = self.heard_by(number, events);
            let told = Vec::new();
            let from = EventPartition(events);
            self.tell(env, number, Input::Told { told, from, heard });
        }
        self.tell(env, number, Input::Settle(slot));
    }

    pub(super) fn resume(
        &mut self,
        env: &mut Env,
        (client, conn): (usize, u64),
        name: Name,
        seq: u64,
    ) {
        let Some(part) = self.sessions.get(&name.partition) else {
            return env.close(client, conn);
        };
        let (number, epoch) = (name.partition, part.epoch);
        let back = Return {
            client,
            conn,
            slot: name.slot,
            name,
            credential: credential(client),
            seq,
            epoch,
        };
        if env.is_weak(Weakness::Directory) {
            return self.tell(env, number, Input::Attach(back));
        }
        let waiter = self.wait(env, Wait::Return(Box::new(back)));
        env.ask(Question::Confirm(Slice::Session(number), epoch, waiter));
    }

    pub(super) fn return_confirmed(&mut self, env: &mut Env, back: Return, is_owner: bool) {
        let number = back.name.partition;
        if is_owner && self.sessions.contains_key(&number) {
            return self.tell(env, number, Input::Attach(back));
        }
        env.close(back.client, back.conn);
        if !is_owner {
            self.lose(env, Slice::Session(number), back.epoch);
        }
    }

    /// A return is stable: what was missed comes from the ring or from the logs.
    pub(super) fn attached(&mut self, env: &mut Env, number: u16, back: &Return) {
        let Some(part) = self.sessions.get_mut(&number) else {
            return;
        };
        let upto = part.machine.session(back.slot).map(|session| session.s);
        let seq = u32::try_from(back.seq).ok();
        let missed = match upto.zip(seq) {
            None => Err(Refusal::Unknown),
            Some((upto, seq)) => part.missed(env, back.slot, (seq, upto)).map(|m| (seq, m)),
        };
        let (seq, missed) = match missed {
            Ok(missed) => missed,
            Err(refusal) => return env.refuse(back, refusal),
        };
        let cursor = part.ring.head();
        let live = part.live.entry(back.slot).or_default();
        if let Some(former) = live.attached.take() {
            env.close(former.client, former.conn);
        }
        env.tally.resumes += 1;
        live.attached = Some(Attached {
            client: back.client,
            conn: back.conn,
            replay: missed.into(),
            owes_resumed: true,
            cursor,
            s: seq,
            on_the_way: 0,
            last_arrival: 0,
        });
        part.drain(env, back.slot);
    }

    /// A client has taken in one packet.
    pub(super) fn credit(&mut self, env: &mut Env, conn: u64) {
        if let Some((number, slot)) = self.session_on(conn)
            && let Some(part) = self.sessions.get_mut(&number)
        {
            let live = part.live.get_mut(&slot);
            if let Some(attached) = live.and_then(|live| live.attached.as_mut()) {
                attached.on_the_way = attached.on_the_way.saturating_sub(1);
            }
            part.drain(env, slot);
        }
    }

    pub(super) fn gone(&mut self, env: &mut Env, conn: u64) {
        if let Some((number, slot)) = self.session_on(conn)
            && let Some(live) = self
                .sessions
                .get_mut(&number)
                .and_then(|part| part.live.get_mut(&slot))
        {
            live.detach(env.now);
        }
    }

    fn session_on(&self, conn: u64) -> Option<(u16, Slot)> {
        self.sessions.values().find_map(|part| {
            let is_on = |(_, live): &(&Slot, &Live)| {
                live.attached
                    .as_ref()
                    .is_some_and(|attached| attached.conn == conn)
            };
            let slot = part.live.iter().find(is_on).map(|(slot, _)| *slot)?;
            Some((part.number, slot))
        })
    }

    /// Ends sessions that nobody came back to, and sets of sessions that nobody uses any more.
    pub(super) fn sweep(&mut self, env: &mut Env) {
        let numbers: Vec<u16> = self.sessions.keys().copied().collect();
        for number in numbers {
            let Some(part) = self.sessions.get_mut(&number) else {
                continue;
            };
            let away = part.live.iter_mut().filter(|(_, live)| {
                let since = env.now - live.detached_at.min(env.now);
                live.attached.is_none() && !live.is_closing && RESUME_WINDOW < since
            });
            let mut over = Vec::new();
            for (slot, live) in away {
                live.is_closing = true;
                over.push(*slot);
            }
            for slot in over {
                self.unregister(number, slot);
                self.tell(env, number, Input::Close(slot));
            }
        }
    }

    pub(super) fn forget(&mut self, number: u16, slot: Slot) {
        if let Some(part) = self.sessions.get_mut(&number) {
            part.live.remove(&slot);
        }
    }
}

impl Node {
    /// Keeps a snapshot when it is due. A former owner's would hold void frames: what it holds
    /// counted if the directory confirms the epoch after that.
    pub(super) fn keep_snapshot(&mut self, env: &mut Env, number: u16) {
        let Some(part) = self.sessions.get_mut(&number) else {
            return;
        };
        if env.now < part.snapshot_due {
            return;
        }
        part.snapshot_due = env.now + SNAPSHOT_EVERY;
        let (epoch, upto) = (part.epoch, part.end);
        let snapshot = Snapshot {
            number,
            upto,
            bytes: part.machine.to_snapshot().into(),
        };
        if env.is_weak(Weakness::UnconfirmedSnapshot) {
            return env.keep(snapshot);
        }
        let waiter = self.wait(env, Wait::Snapshot(snapshot));
        env.ask(Question::Confirm(Slice::Session(number), epoch, waiter));
    }
}

impl Env {
    /// Keeps a snapshot, and lets go of what is too old.
    pub(super) fn keep(&mut self, snapshot: Snapshot) {
        if self.chance(self.faults.snapshot) {
            return self.tally.fault("lost snapshot");
        }
        let kept = self.store.snapshots.entry(snapshot.number).or_default();
        kept.insert(snapshot.upto, snapshot.bytes);
        while kept.len() > SNAPSHOTS_MAX {
            kept.pop_first();
        }
        if let (SNAPSHOTS_MAX, Some(oldest)) = (kept.len(), kept.keys().next().copied()) {
            self.frames.release(snapshot.number, oldest);
        }
    }

    /// Op 9: it cannot be exact, so it is not done.
    pub(super) fn refuse(&mut self, back: &Return, refusal: Refusal) {
        if refusal == Refusal::Beyond {
            self.tally.refused_beyond += 1;
        } else {
            self.tally.refused += 1;
        }
        self.tell(back.client, back.conn, Packet::Invalid, 0);
    }
}

/// What the client proves who it is with.
fn credential(client: usize) -> [u8; 32] {
    let mut credential = [0; 32];
    credential[..8].copy_from_slice(&(client as u64).to_le_bytes());
    credential
}
