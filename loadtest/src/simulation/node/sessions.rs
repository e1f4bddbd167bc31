//! A session partition on its owner: its sessions, their clients' connections, and their returns.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use guildhall_model::dispatch::{Dispatch, Ready, Viewer};
use guildhall_model::{Epoch, EventPartition, Position, SessionPartition as Number};
use guildhall_state::relay::{SessionRef, Subscriber};
use guildhall_state::session_partition::SessionPartition;
use guildhall_state::session_partition::record::Slot;
use roaring::RoaringBitmap;

use super::Node;
use super::returns::{Return, credential};
use super::ring::{RING_MAX, Ring};
use super::sequencer::{Draft, Input, Opened};
use crate::simulation::client::{Name, Packet};
use crate::simulation::env::{Env, SECOND, Time};
use crate::simulation::scenario::Weakness;
use crate::simulation::town::{person, user_id};

/// Packets that are on the way to a client at most.
const WINDOW: usize = 6;
/// How long a session without a connection is kept.
const RESUME_WINDOW: Time = 30 * SECOND;

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
    pub(super) snapshot_due: Time,
}

/// A session as its sockets see it.
#[derive(Debug, Default)]
pub(super) struct Live {
    attached: Option<Attached>,
    detached_at: Time,
    pub(super) is_closing: bool,
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
            application: None,
            version: 10,
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

    /// A client is back: it gets what it has missed, and goes on in the ring.
    pub(super) fn attach(
        &mut self,
        env: &mut Env,
        back: &Return,
        missed: Vec<Arc<Dispatch>>,
        seq: u32,
    ) {
        let live = self.live.entry(back.slot).or_default();
        if let Some(former) = live.attached.take() {
            env.close(former.client, former.conn);
        }
        live.attached = Some(Attached {
            client: back.client,
            conn: back.conn,
            replay: missed.into(),
            owes_resumed: true,
            cursor: self.ring.head(),
            s: seq,
            on_the_way: 0,
            last_arrival: 0,
        });
        self.drain(env, back.slot);
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
        let viewer = Viewer::person(user);
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
        // What was acknowledged before the session began must not be news to it. Relays that
        // knew of it while they catch up would let it in where its user joined, long ago.
        if env.is_weak(Weakness::EarlyRegistration) {
            self.register(number, slot);
        }
        if !env.is_weak(Weakness::StaleStart) {
            self.catch_up_all(env, number);
        }
        if !env.is_weak(Weakness::EarlyRegistration) {
            self.register(number, slot);
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
